from __future__ import annotations

from pathlib import Path

import pytest

from amlocal.errors import TargetError, UsageError
from amlocal.local.workspace import Workspace


def workspace(folder: Path) -> Workspace:
    return Workspace.find(folder / ".amlocal", {}, folder)


def test_a_given_folder_wins(tmp_path: Path) -> None:
    found = Workspace.find("elsewhere", {"AMLOCAL_HOME": "/ignored"}, tmp_path)
    assert (found.path, found.project) == (tmp_path / "elsewhere", tmp_path)


def test_the_environment_names_a_folder(tmp_path: Path) -> None:
    found = Workspace.find(None, {"AMLOCAL_HOME": str(tmp_path / "home" / ".amlocal")}, Path("/"))
    assert (found.path, found.project) == (tmp_path / "home" / ".amlocal", tmp_path / "home")


def test_the_nearest_workspace_upward_is_found(tmp_path: Path) -> None:
    (tmp_path / ".amlocal").mkdir()
    deep = tmp_path / "sub" / "deep"
    deep.mkdir(parents=True)
    (deep.parent / "pyproject.toml").touch()
    assert Workspace.find(None, {}, deep).path == tmp_path / ".amlocal"


def test_a_workspace_beyond_the_repository_is_another_projects(tmp_path: Path) -> None:
    (tmp_path / ".amlocal").mkdir()
    deep = tmp_path / "project" / "deep"
    (deep.parent / ".git").mkdir(parents=True)
    deep.mkdir()
    assert Workspace.find(None, {}, deep).path == deep.parent / ".amlocal"


@pytest.mark.parametrize("mark", ["pyproject.toml", ".git", "config.json", ".azureml"])
def test_else_the_nearest_project(tmp_path: Path, mark: str) -> None:
    (tmp_path / mark).mkdir()
    deep = tmp_path / "sub" / "deep"
    deep.mkdir(parents=True)
    found = Workspace.find(None, {}, deep)
    assert (found.path, found.project) == (tmp_path / ".amlocal", tmp_path)


def test_create_makes_folders_that_git_ignores(tmp_path: Path) -> None:
    found = workspace(tmp_path)
    found.create()
    found.create()
    assert found.jobs.is_dir()
    assert found.datastore("workspaceblobstore").is_dir()
    assert (found.path / ".gitignore").read_text() == "*\n"


def test_a_file_in_its_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / ".amlocal").touch()
    with pytest.raises(UsageError, match="is not a folder"):
        workspace(tmp_path).create()


def test_a_disk_that_refuses_is_an_error() -> None:
    with pytest.raises(TargetError, match="cannot make the workspace /proc/none") as raised:
        Workspace.find("/proc/none/.amlocal", {}, Path("/")).create()
    assert "AMLOCAL_HOME" in raised.value.hint


def test_the_reserve_is_kept_and_released(tmp_path: Path) -> None:
    found = workspace(tmp_path)
    found.create()
    found.keep_reserve()
    found.keep_reserve()
    reserve = found.path / "reserve"
    assert reserve.stat().st_blocks * 512 >= 4 * 2**20
    found.release_reserve()
    found.release_reserve()
    assert not reserve.exists()
