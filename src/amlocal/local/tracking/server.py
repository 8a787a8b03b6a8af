"""The workspace's MLflow tracking server: started on demand, left warm, ended when it idles."""

from __future__ import annotations

import contextlib
import http.client
import os
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from amlocal.errors import TrackingError
from amlocal.files import write_whole
from amlocal.local.tracking.state import (
    MARKER,
    Layout,
    end_processes,
    is_locked,
    is_running,
    locked,
    marked_processes,
    read_state,
)

if TYPE_CHECKING:
    import psutil

_KEEPER = "amlocal.local.tracking.keeper"
_LOG_LIMIT_BYTES = 10_000_000
_LOG_LINES_SHOWN = 15
_ANSWER_SECONDS = 5.0
_POLL_SECONDS = 0.05

#: What the server's environment must hold. Job execution would start ten more processes; usage
#: tracking would need the network.
_SETTINGS = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}
#: What it must not hold: these would slow its start, or keep it from starting.
_LEFT_OUT = frozenset({"PYTHONDONTWRITEBYTECODE", "PYTHONINSPECT", "PYTHONWARNINGS"})


class TrackingServer:
    """A workspace's MLflow server.

    It listens on 127.0.0.1 only. A small keeper process, independent of the one that started it,
    ends the server after a time without requests in which nobody holds it.

    Args:
        folder: Where its database, artifacts, and log are (`<workspace>/mlflow`).
        environ: The environment that the server gets; its `MLFLOW_*` variables are left out, since
            they are meant for other servers.
        idle_seconds: Seconds without a request after which it ends.
        start_timeout: Seconds that a start may take.
    """

    def __init__(
        self,
        folder: Path,
        *,
        environ: Mapping[str, str],
        idle_seconds: float = 1800,
        start_timeout: float = 120,
    ) -> None:
        self._layout = Layout(folder.resolve())
        self._environ = environ
        self._idle_seconds = idle_seconds
        self._start_timeout = start_timeout

    @property
    def artifacts(self) -> Path:
        """The folder that `mlflow-artifacts:/` stands for."""
        return self._layout.artifacts

    def uri(self) -> str | None:
        """Return the address of the running server, or None; never starts one (3 ms)."""
        state = read_state(self._layout)
        if state is None or not is_locked(self._layout.alive_lock) or not _answers(state.uri):
            return None
        return state.uri

    def is_alive(self) -> bool:
        """Tell whether a server is kept; asks nothing of it (0.1 ms)."""
        return is_locked(self._layout.alive_lock)

    def ensure(self, note: Callable[[str], None] | None = None) -> str:
        """Return the address of the server, which is started if it is down.

        Processes that call it at the same time get the same server.

        Args:
            note: Told in a sentence that the server starts, which takes seconds.

        Raises:
            TrackingError: It does not start; holds the last lines of its log.
        """
        self._layout.folder.mkdir(parents=True, exist_ok=True)
        # Shared, so that the keeper does not end the server between our look and our use.
        with locked(self._layout.start_lock, shared=True, timeout=self._start_timeout):
            uri = self.uri()
        if uri is not None:
            return uri
        with locked(self._layout.start_lock, timeout=self._start_timeout):
            uri = self.uri()
            if uri is None and note is not None:
                note("starting the workspace's MLflow server")
            return uri or self._start()

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Keep the server from ending while it idles, for as long as a job runs.

        Does not start it. A process that is killed holds it no longer.
        """
        self._layout.folder.mkdir(parents=True, exist_ok=True)
        with locked(self._layout.hold_lock, shared=True, timeout=self._start_timeout):
            yield

    def expect_runs(self, job: str, workspace: Path) -> None:
        """Note that runs of a job are to be written, by its engine or else by the keeper."""
        write_whole(self._layout.waiting / job, str(workspace).encode())

    def expects_runs(self, job: str) -> bool:
        """Tell whether runs of a job are still to be written."""
        return (self._layout.waiting / job).exists()

    def expect_no_runs(self, job: str) -> None:
        """Note that all runs of a job are written."""
        (self._layout.waiting / job).unlink(missing_ok=True)

    def wake(self) -> None:
        """Have the keeper look for runs that wait to be written; nothing where there is none."""
        try:
            pipe = os.open(self._layout.wake, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return  # no keeper reads it: the next one looks when it starts
        with contextlib.suppress(BlockingIOError):  # full: it will wake anyway
            os.write(pipe, b"x")
        os.close(pipe)

    def stop(self) -> None:
        """End the server and its keeper, also those that were left behind by a kill."""
        if not self._layout.folder.is_dir():
            return
        with locked(self._layout.start_lock, timeout=self._start_timeout):
            self._end_all()

    def processes(self) -> dict[int, str]:
        """Return the ids of the server's processes and what each of them is."""
        return {process.pid: _kind(process) for process in marked_processes(self._layout.folder)}

    def _start(self) -> str:
        self._end_all()
        self._rotate_log()
        log_offset = self._log_size()
        keeper = self._spawn_keeper()
        deadline = time.monotonic() + self._start_timeout
        while time.monotonic() < deadline:
            alive = _exists(keeper)
            state = read_state(self._layout)
            if state is not None and state.keeper == keeper:
                return state.uri
            if not alive:
                break
            time.sleep(_POLL_SECONDS)
        self._end_all()
        raise TrackingError(
            "the MLflow tracking server did not start:\n" + self._log_tail(log_offset),
            hint=f"see {self._layout.log}",
        )

    def _spawn_keeper(self) -> int:
        """Start a keeper and return its process id."""
        command = [
            *(sys.executable, "-m", _KEEPER, str(self._layout.folder)),
            *(str(self._idle_seconds), str(self._start_timeout)),
        ]
        with self._layout.log.open("ab") as log:
            # In its own folder: in the user's, a file such as `random.py` would be imported.
            done = subprocess.run(
                command,
                cwd=self._layout.folder,
                env=self._server_environ(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                check=False,
            )
        if done.returncode != 0:
            raise TrackingError(
                "the keeper of the MLflow tracking server did not start:\n" + self._log_tail(0),
                hint=f"see {self._layout.log}",
            )
        return int(done.stdout)

    def _server_environ(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in self._environ.items()
            if not name.startswith(("MLFLOW_", "_MLFLOW_")) and name not in _LEFT_OUT
        }
        return {**kept, **_SETTINGS, MARKER: str(self._layout.folder)}

    def _end_all(self) -> None:
        """End every process of this folder; again until none is left, since one may start more."""
        while processes := marked_processes(self._layout.folder):
            end_processes(processes)
        self._layout.state.unlink(missing_ok=True)

    def _log_size(self) -> int:
        return self._layout.log.stat().st_size if self._layout.log.exists() else 0

    def _rotate_log(self) -> None:
        if self._log_size() > _LOG_LIMIT_BYTES:
            self._layout.log.replace(self._layout.log.with_suffix(".old.log"))

    def _log_tail(self, offset: int) -> str:
        with self._layout.log.open("rb") as log:
            log.seek(offset)
            lines = log.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-_LOG_LINES_SHOWN:])


def _answers(uri: str) -> bool:
    """Tell whether a server answers; goes past any proxy, as `http.client` does."""
    address = urllib.parse.urlsplit(uri)
    connection = http.client.HTTPConnection(
        address.hostname or "", address.port, timeout=_ANSWER_SECONDS
    )
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _exists(pid: int) -> bool:
    import psutil  # 17 ms that only looking for processes pays

    with contextlib.suppress(psutil.NoSuchProcess):
        return is_running(psutil.Process(pid))
    return False


def _kind(process: psutil.Process) -> str:
    import psutil  # 17 ms that only looking for processes pays

    with contextlib.suppress(psutil.Error):
        if _KEEPER in process.cmdline():
            return "tracking keeper"
    return "MLflow tracking server"
