"""What the tracking server's starter, its keeper, and its clients know of each other.

Everything lies in one folder, `<workspace>/mlflow`:

========================  ===================================================================
`mlflow.db`               MLflow's records
`artifacts/`              MLflow's artifacts
`server.log`              the server's output, one line a request: its age tells when it idles
`server.json`             where the server is, from when it answers until it ends
`port`                    the port of the last server, taken again where it is free
`waiting/`                the jobs of which runs wait to be written, and their workspaces
`wake`                    a pipe: what is written to it makes the keeper look there
`start.lock`              locked while somebody starts or ends the server
`alive.lock`              locked by the keeper as long as it lives
`hold.lock`               locked (shared) by whoever needs the server not to end when it idles
========================  ===================================================================

Locks are `flock` locks: the kernel gives them back when a process ends, however it ends, so that
neither a crash nor a reused process id can be taken for a living process.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from amlocal.errors import TrackingError
from amlocal.plan.base import Value

if TYPE_CHECKING:
    import psutil

#: Set in the environment of the keeper and of the server, to the folder: what finds them again
#: after the keeper was killed.
MARKER = "AMLOCAL_WORKSPACE"

_POLL_SECONDS = 0.02
_KILL_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of a tracking server's folder."""

    folder: Path

    @property
    def database(self) -> Path:
        """MLflow's SQLite database."""
        return self.folder / "mlflow.db"

    @property
    def artifacts(self) -> Path:
        """What `mlflow-artifacts:/` stands for."""
        return self.folder / "artifacts"

    @property
    def log(self) -> Path:
        """The server's output."""
        return self.folder / "server.log"

    @property
    def state(self) -> Path:
        """Where the server is."""
        return self.folder / "server.json"

    @property
    def port(self) -> Path:
        """The port of the last server."""
        return self.folder / "port"

    @property
    def waiting(self) -> Path:
        """A file for each job of which runs wait to be written; it names the job's workspace."""
        return self.folder / "waiting"

    def expected_jobs(self) -> list[Path]:
        """Return the files of `waiting`, but for those that are being written."""
        if not self.waiting.is_dir():
            return []
        return sorted(file for file in self.waiting.iterdir() if file.name[0] != ".")

    @property
    def wake(self) -> Path:
        """A pipe that wakes the keeper."""
        return self.folder / "wake"

    @property
    def start_lock(self) -> Path:
        """Locked while somebody starts or ends the server; shared while somebody looks."""
        return self.folder / "start.lock"

    @property
    def alive_lock(self) -> Path:
        """Locked by the keeper as long as it lives."""
        return self.folder / "alive.lock"

    @property
    def hold_lock(self) -> Path:
        """Shared by those who need the server to stay."""
        return self.folder / "hold.lock"


class ServerState(Value, frozen=True):
    """Where a server is.

    Attributes:
        uri: Its address.
        server: Process id of `mlflow server`.
        keeper: Process id of the keeper that started it.
    """

    uri: str
    server: int
    keeper: int


def read_state(layout: Layout) -> ServerState | None:
    """Return what the state file says, or None where there is none or it cannot be read."""
    try:
        return ServerState.from_json(layout.state.read_bytes())
    except (FileNotFoundError, msgspec.DecodeError):
        return None


@contextlib.contextmanager
def locked(path: Path, *, shared: bool = False, timeout: float = 0.0) -> Iterator[None]:
    """Hold a file lock.

    Args:
        path: The lock's file; made where it is missing.
        shared: Whether others may hold it (shared) too.
        timeout: Seconds to wait for it.

    Raises:
        TrackingError: Others hold it for longer than that.
    """
    deadline = time.monotonic() + timeout
    mode = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB
    with path.open("ab") as file:
        while True:
            try:
                fcntl.flock(file, mode)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise TrackingError(
                        f"{path} is locked by another process",
                        hint="wait for it to end, or end it with `aml workspace down`",
                    ) from None
                time.sleep(_POLL_SECONDS)
        yield


def is_locked(path: Path) -> bool:
    """Tell whether a process holds a file's lock exclusively."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def marked_processes(folder: Path) -> list[psutil.Process]:
    """Return the running processes (not this one) whose environment names the folder."""
    import psutil  # 17 ms that only looking for processes pays

    return [process for process in psutil.process_iter() if _is_marked(process, str(folder))]


def _is_marked(process: psutil.Process, folder: str) -> bool:
    import psutil  # 17 ms that only looking for processes pays

    try:
        return process.pid != os.getpid() and process.environ().get(MARKER) == folder
    except (psutil.Error, OSError):
        return False  # it has ended, or belongs to another user: not ours


def is_running(process: psutil.Process) -> bool:
    """Tell whether a process has not ended.

    One that has ended but that nobody has asked for (a zombie) counts as ended: in a container
    without an init process it stays for ever.
    """
    import psutil  # 17 ms that only looking for processes pays

    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def end_processes(processes: Sequence[psutil.Process], *, grace_seconds: float = 10.0) -> None:
    """Ask processes to end, end those that do not, and return when all have.

    Raises:
        TrackingError: One does not end.
    """
    import psutil  # 17 ms that only looking for processes pays

    for number, seconds in ((signal.SIGTERM, grace_seconds), (signal.SIGKILL, _KILL_SECONDS)):
        for process in filter(is_running, processes):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        deadline = time.monotonic() + seconds
        while any(is_running(process) for process in processes):
            if time.monotonic() > deadline:
                break
            time.sleep(_POLL_SECONDS)
        else:
            return
    left = ", ".join(str(process.pid) for process in processes if is_running(process))
    raise TrackingError(f"processes of the tracking server do not end: {left}")
