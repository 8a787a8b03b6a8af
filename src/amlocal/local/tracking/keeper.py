"""The process that starts `mlflow server`, watches it, and ends it when it idles.

    python -m amlocal.local.tracking.keeper FOLDER IDLE_SECONDS START_TIMEOUT

It leaves its parent at once and prints its process id. The server idles when its log (a line a
request) has not changed for that time and nobody holds `hold.lock`. Meanwhile the keeper writes the
runs that wait for it (`waiting`), when it starts and when somebody wakes it.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from amlocal.errors import AmlocalError, TrackingError
from amlocal.files import write_whole
from amlocal.local import waiting
from amlocal.local.tracking.client import TrackingClient
from amlocal.local.tracking.state import Layout, ServerState, locked, read_state

HOST = "127.0.0.1"
#: MLflow's server with what `mlflowapp` adds, as the package's entry points name it.
_APP = "amlocal"
_GRACE_SECONDS = 8.0
_POLL_SECONDS = 0.05
#: How long and how often it looks for the end of jobs whose runs wait, once it was woken: their
#: engines wake it as the last thing before they end.
_JOB_END_SECONDS = 2.0
_JOB_END_POLL_SECONDS = 0.05


def main(arguments: list[str]) -> None:
    """Become a daemon and keep a server; the command line is as the module says."""
    layout = Layout(Path(arguments[0]))
    idle_seconds, start_timeout = float(arguments[1]), float(arguments[2])
    _leave_parent(layout.log)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    with contextlib.ExitStack() as locks:
        locks.enter_context(locked(layout.alive_lock))
        server, port = _start(layout, start_timeout)
        try:
            write_whole(layout.port, str(port).encode())
            state = ServerState(uri=f"http://{HOST}:{port}", server=server.pid, keeper=os.getpid())
            write_whole(layout.state, state.to_json())
            _watch(layout, server, idle_seconds, locks)
        finally:
            layout.state.unlink(missing_ok=True)
            _end(server)


def _leave_parent(log: Path) -> None:
    """Go on in a child that no terminal and no parent holds, its output in the log."""
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        # The child has nothing of the parent's output open when the parent's reader is told.
        os.close(writer)
        os.read(reader, 1)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        os._exit(0)
    os.close(reader)
    os.setsid()
    with log.open("ab") as output, Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os.close(writer)


def _start(layout: Layout, timeout: float) -> tuple[subprocess.Popen[bytes], int]:
    """Start the server and wait until it answers; returns it and its port."""
    _prepare_database(layout.database)
    deadline = time.monotonic() + timeout
    for port in _ports(layout):
        server = _spawn(layout, port)
        answers = False
        try:
            answers = _wait_until_it_answers(server, port, deadline)
        finally:
            if not answers:
                _end(server)
        if answers:
            return server, port
        if _is_free(port):
            break
        # Somebody took the port between our look and the server's: another one will do.
    sys.exit(f"the server did not answer within {timeout:g} s, or ended")


def _prepare_database(path: Path) -> None:
    """Set the database's journal mode, which it keeps.

    With a write-ahead log a commit costs one flush to the disk instead of three, and the pages
    that a browser shows do not wait for a run that logs.
    """
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")


def _ports(layout: Layout) -> Iterator[int]:
    """Give the last server's port, where it is free, so that open links stay valid; then others."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        last = int(layout.port.read_text())
        if 0 < last < 65536 and _is_free(last):
            yield last
    for _ in range(3):
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port: int = probe.getsockname()[1]
        yield port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As uvicorn does: connections of the last server that linger do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _spawn(layout: Layout, port: int) -> subprocess.Popen[bytes]:
    command = [
        *(sys.executable, "-m", "mlflow", "server", "--app-name", _APP),
        *("--backend-store-uri", f"sqlite:///{layout.database}"),
        *("--artifacts-destination", str(layout.artifacts)),
        *("--serve-artifacts", "--host", HOST, "--port", str(port), "--workers", "1"),
        *("--uvicorn-opts", "--timeout-keep-alive 30 --timeout-graceful-shutdown 5"),
    ]
    # A session of its own, so that all of its processes can be ended together.
    return subprocess.Popen(command, cwd=layout.folder, start_new_session=True)


def _wait_until_it_answers(server: subprocess.Popen[bytes], port: int, deadline: float) -> bool:
    while time.monotonic() < deadline and server.poll() is None:
        connection = http.client.HTTPConnection(HOST, port, timeout=5)
        try:
            connection.request("GET", "/health")
            if connection.getresponse().status == http.client.OK:
                return True
        except (OSError, http.client.HTTPException):
            time.sleep(_POLL_SECONDS)
        finally:
            connection.close()
    return False


def _watch(
    layout: Layout,
    server: subprocess.Popen[bytes],
    idle_seconds: float,
    locks: contextlib.ExitStack,
) -> None:
    """Return when the server has ended, when we are asked to end, or when the server idles.

    When it idles, `locks` holds `start.lock` and `hold.lock`: whoever comes while the server ends
    waits, and then starts a new one.
    """
    reader, writer = os.pipe()
    # A thread and a pipe instead of `Popen.wait(timeout)`, which wakes twenty times a second.
    threading.Thread(target=lambda: (server.wait(), os.write(writer, b"x")), daemon=True).start()
    tick = min(max(idle_seconds / 5, 0.1), 30.0)
    wake = _open_wake(layout)
    writes = _Writes(layout)
    while True:
        ready = select.select([reader, wake], [], [], writes.pause(tick))[0]
        if reader in ready:
            return
        if wake in ready:
            os.read(wake, 1 << 16)
            writes.expect()
        writes.look()
        if writes.are_expected or _idle_for(layout) < idle_seconds:
            continue
        with contextlib.ExitStack() as taken:
            try:
                taken.enter_context(locked(layout.start_lock))
                taken.enter_context(locked(layout.hold_lock))
            except TrackingError:
                continue  # somebody needs it
            if _idle_for(layout) >= idle_seconds:
                locks.push(taken.pop_all())
                return


def _open_wake(layout: Layout) -> int:
    """Open the pipe that others wake this process by."""
    with contextlib.suppress(FileExistsError):
        os.mkfifo(layout.wake, 0o600)
    # To read and to write, so that it does not end when those who woke us close it.
    return os.open(layout.wake, os.O_RDWR | os.O_NONBLOCK)


class _Writes:
    """The writing of runs that wait."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._looks_again = True
        self._until = 0.0
        self.expect()

    def expect(self) -> None:
        """Look often for a while: a job is about to end."""
        self._until = time.monotonic() + _JOB_END_SECONDS

    @property
    def are_expected(self) -> bool:
        """Whether it looks often."""
        return time.monotonic() < self._until

    def pause(self, tick: float) -> float:
        """Return the seconds until the next look."""
        return min(tick, _JOB_END_POLL_SECONDS) if self.are_expected else tick

    def look(self) -> None:
        """Write what waits."""
        if not self._layout.expected_jobs():
            self._until = 0.0
            return
        state = read_state(self._layout)
        assert state is not None  # it is ours
        try:
            with TrackingClient(state.uri) as client:
                held = waiting.write_all(self._layout, client, looks_again=self._looks_again)
        except (AmlocalError, OSError, msgspec.MsgspecError) as error:
            # The server has gone, or a workspace cannot be used: the next look goes on.
            print(f"runs are still to be written: {error}", file=sys.stderr)
            self._until = 0.0
            return
        self._looks_again = False
        if not held:
            self._until = 0.0


def _idle_for(layout: Layout) -> float:
    """Return the seconds since the server's last request."""
    return time.time() - layout.log.stat().st_mtime


def _end(server: subprocess.Popen[bytes]) -> None:
    """End every process of the server."""
    _signal(server, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.wait(_GRACE_SECONDS)
    # Also where the first process has ended: it may have been killed and left the others behind.
    _signal(server, signal.SIGKILL)
    server.wait()


def _signal(server: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, number)


if __name__ == "__main__":
    main(sys.argv[1:])
