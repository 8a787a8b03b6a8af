from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.lab import wait_for

from amlocal.local import joblock


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "jobs" / "fig"
    lock = joblock.take(folder)
    assert lock is not None
    assert joblock.is_held(folder)
    assert joblock.take(folder) is None
    os.close(lock)
    assert not joblock.is_held(folder)
    again = joblock.take(folder)
    assert again is not None
    os.close(again)


def test_asking_makes_no_folder(tmp_path: Path) -> None:
    assert not joblock.is_held(tmp_path / "fig")
    assert not (tmp_path / "fig").exists()


def test_a_process_is_handed_the_lock_and_drops_it_when_killed(tmp_path: Path) -> None:
    lock = joblock.take(tmp_path)
    assert lock is not None
    process = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(lock,)
    )
    os.close(lock)
    assert joblock.is_held(tmp_path)
    process.kill()
    process.wait()
    assert process.stdin is not None
    process.stdin.close()
    wait_for(lambda: not joblock.is_held(tmp_path))


def test_a_lock_whose_folder_was_removed_is_taken_anew(tmp_path: Path) -> None:
    folder = tmp_path / "fig"
    folder.mkdir()
    remover = os.open(folder / "engine.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(remover, fcntl.LOCK_EX)
    shutil.rmtree(folder)
    lock = joblock.take(folder)
    assert lock is not None
    assert joblock.is_held(folder)
    os.close(lock)
    os.close(remover)
