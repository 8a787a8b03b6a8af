from __future__ import annotations

import errno
from pathlib import Path

import pytest

from amlocal.errors import TargetError, UsageError
from amlocal.local.failures import disk_errors, target_error, text_of
from amlocal.local.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    found = Workspace(tmp_path / ".amlocal", tmp_path)
    found.create()
    found.keep_reserve()
    return found


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_named_and_room_made(workspace: Workspace, number: int) -> None:
    error = target_error(OSError(number, "No space left on device", "/mnt/x"), workspace)
    assert str(error) == "no space left on the disk of /mnt/x"
    assert "aml workspace gc" in error.hint
    assert not (workspace.path / "reserve").exists()


def test_a_full_disk_without_a_file_is_the_workspaces(workspace: Workspace) -> None:
    error = target_error(OSError(errno.ENOSPC, "No space left on device"), workspace)
    assert str(error) == f"no space left on the disk of {workspace.path}"


def test_what_else_the_disk_refuses_is_told(workspace: Workspace) -> None:
    error = target_error(PermissionError(errno.EACCES, "Permission denied", "/x"), workspace)
    assert str(error) == "Permission denied: /x"
    assert str(target_error(OSError("odd"), workspace)) == "odd"
    assert (workspace.path / "reserve").exists()


def test_errors_of_a_block_are_turned(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"No such file.*/nothing"), disk_errors(workspace):
        (tmp_path / "nothing").read_text()


def test_a_record_keeps_the_hint(workspace: Workspace) -> None:
    assert text_of(UsageError("bad", hint="do good"), workspace) == "bad\nhint: do good"
    assert text_of(UsageError("bad"), workspace) == "bad"
    assert text_of(OSError(errno.EACCES, "Permission denied", "/x"), workspace) == (
        "Permission denied: /x"
    )
