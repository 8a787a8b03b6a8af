"""The life of a tracking server; each start takes seconds, so the tests share one folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from amlocal.errors import TrackingError
from amlocal.local.tracking.server import TrackingServer
from amlocal.local.tracking.state import Layout, read_state


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrackingServer]:
    folder = tmp_path_factory.mktemp("a workspace with spaces") / "mlflow"
    server = TrackingServer(folder, environ={**os.environ, "MLFLOW_TRACKING_URI": "http://x"})
    yield server
    server.stop()


def layout_of(server: TrackingServer) -> Layout:
    return Layout(server.artifacts.parent)


def wait_until(condition: Callable[[], bool], *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def test_a_server_that_was_never_started_is_down(tmp_path: Path) -> None:
    server = TrackingServer(tmp_path / "none", environ=os.environ)
    assert server.uri() is None
    assert server.processes() == {}
    server.stop()
    assert not (tmp_path / "none").exists()


@pytest.mark.slow
def test_processes_that_ask_at_once_get_one_server(server: TrackingServer) -> None:
    script = (
        "import os, sys; from pathlib import Path\n"
        "from amlocal.local.tracking.server import TrackingServer\n"
        "print(TrackingServer(Path(sys.argv[1]), environ=os.environ).ensure())\n"
    )
    command = [sys.executable, "-c", script, str(layout_of(server).folder)]
    askers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = {asker.communicate()[0].strip() for asker in askers}
    assert answers == {server.uri()}
    kinds = sorted(server.processes().values())
    assert kinds == ["MLflow tracking server", "MLflow tracking server", "tracking keeper"]


def test_a_running_server_is_taken_as_it_is(server: TrackingServer) -> None:
    uri, before = server.ensure(), server.processes()
    assert server.ensure() == uri == server.uri()
    assert server.processes() == before


def test_only_this_machine_reaches_the_server(server: TrackingServer) -> None:
    server.ensure()
    state = read_state(layout_of(server))
    assert state is not None
    family = [psutil.Process(state.server), *psutil.Process(state.server).children(recursive=True)]
    listening = [
        connection.laddr.ip
        for process in family
        for connection in process.connections()
        if connection.status == psutil.CONN_LISTEN
    ]
    assert set(listening) == {"127.0.0.1"}


def test_a_broken_state_file_is_no_server(server: TrackingServer) -> None:
    uri = server.ensure()
    place = layout_of(server).state
    content = place.read_bytes()
    place.write_bytes(content[:20])
    assert server.uri() is None
    place.write_bytes(content)
    assert server.uri() == uri


@pytest.mark.slow
def test_a_killed_keeper_leaves_no_process_behind(server: TrackingServer) -> None:
    uri = server.ensure()
    old = read_state(layout_of(server))
    assert old is not None
    os.kill(old.keeper, signal.SIGKILL)
    wait_until(lambda: server.uri() is None)
    assert set(server.processes().values()) == {"MLflow tracking server"}
    # The same address: pages that are open stay valid.
    assert server.ensure() == uri
    assert old.server not in server.processes()
    assert len(server.processes()) == 3


def test_a_killed_server_is_started_again(server: TrackingServer) -> None:
    uri = server.ensure()
    for pid, kind in server.processes().items():
        if kind == "MLflow tracking server":
            os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not server.processes())
    assert server.uri() is None
    assert not layout_of(server).state.exists()
    assert server.ensure() == uri


def test_stop_ends_an_orphaned_server_too(server: TrackingServer) -> None:
    server.ensure()
    state = read_state(layout_of(server))
    assert state is not None
    os.kill(state.keeper, signal.SIGKILL)
    server.stop()
    assert server.uri() is None
    assert server.processes() == {}
    assert not layout_of(server).state.exists()


@pytest.mark.slow
def test_an_idle_server_ends_unless_it_is_held(tmp_path: Path) -> None:
    server = TrackingServer(tmp_path / "mlflow", environ=os.environ, idle_seconds=1)
    layout = layout_of(server)
    with server.hold():
        # What a crash may have left; another program has the port of the last server.
        layout.state.write_text('{"uri": "http://127.0.')
        layout.port.write_text("99999999")
        server.ensure()
        last_request = layout.log.stat().st_mtime
        wait_until(lambda: time.time() > last_request + 3)
        assert len(server.processes()) == 3
    wait_until(lambda: not server.processes())
    assert not layout.state.exists()
    server.stop()


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    folder = tmp_path / "mlflow"
    folder.mkdir()
    (folder / "mlflow.db").write_text("no database at all " * 100)
    server = TrackingServer(folder, environ=os.environ)
    with pytest.raises(TrackingError, match="file is not a database") as caught:
        server.ensure()
    assert str(folder / "server.log") in caught.value.hint
    assert server.processes() == {}


def test_a_long_log_is_put_aside(tmp_path: Path) -> None:
    folder = tmp_path / "mlflow"
    folder.mkdir()
    (folder / "mlflow.db").write_text("no database at all " * 100)
    (folder / "server.log").write_bytes(b"x" * 10_000_001)
    with pytest.raises(TrackingError):
        TrackingServer(folder, environ=os.environ).ensure()
    assert (folder / "server.old.log").stat().st_size == 10_000_001
    assert (folder / "server.log").stat().st_size < 10_000
