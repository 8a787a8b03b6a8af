from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from amlocal.errors import TrackingError
from amlocal.files import write_whole
from amlocal.local.tracking.state import (
    MARKER,
    Layout,
    ServerState,
    end_processes,
    is_locked,
    is_running,
    locked,
    marked_processes,
    read_state,
)

STATE = ServerState(uri="http://127.0.0.1:5001", server=11, keeper=10)


def test_the_state_is_read_back(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    write_whole(layout.state, STATE.to_json())
    assert read_state(layout) == STATE
    assert [path.name for path in tmp_path.iterdir()] == ["server.json"]


@pytest.mark.parametrize("content", [b"", b"{", STATE.to_json()[:-9], b"[]", b'{"uri": 3}'])
def test_a_broken_state_counts_as_none(tmp_path: Path, content: bytes) -> None:
    layout = Layout(tmp_path)
    layout.state.write_bytes(content)
    assert read_state(layout) is None


def test_a_lock_excludes_others_and_ends_with_its_block(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    assert not is_locked(lock)
    with locked(lock):
        assert is_locked(lock)
        with pytest.raises(TrackingError, match="locked by another process"), locked(lock):
            pytest.fail("the lock was given twice")
    assert not is_locked(lock)


def test_shared_locks_exclude_only_the_exclusive_one(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with locked(lock, shared=True), locked(lock, shared=True):
        assert not is_locked(lock)
        with pytest.raises(TrackingError), locked(lock, timeout=0.05):
            pytest.fail("the lock was given while it was shared")


def test_a_killed_process_gives_its_lock_back(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    script = (
        "import sys, time; from pathlib import Path\n"
        "from amlocal.local.tracking.state import locked\n"
        "with locked(Path(sys.argv[1])):\n    print('held', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, lock], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert is_locked(lock)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert not is_locked(lock)


def test_marked_processes_are_found_and_ended_even_if_they_resist(tmp_path: Path) -> None:
    script = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True)\n"
    script += "time.sleep(60)"
    environ = {**os.environ, MARKER: str(tmp_path)}
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        found = marked_processes(tmp_path)
        assert [item.pid for item in found] == [process.pid]
        assert marked_processes(tmp_path / "other") == []
        end_processes(found, grace_seconds=0.2)
        assert not is_running(found[0])
    assert marked_processes(tmp_path) == []


def test_an_ended_process_that_nobody_asked_for_counts_as_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", "pass"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read()
        found = psutil.Process(process.pid)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert found.status() == psutil.STATUS_ZOMBIE
        assert not is_running(found)
        end_processes([found])
