"""A process of a workspace that outlives commands: started on demand, woken, and ended.

What it is to do is in the records, so that it may be killed at any moment: whoever needs it next
starts it again. The supervisor of endpoints is one, the scheduler another.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from amlocal.errors import TargetError
from amlocal.local.tracking.state import (
    MARKER,
    end_processes,
    is_locked,
    locked,
    marked_processes,
)

if TYPE_CHECKING:
    import psutil

_LOG_LIMIT_BYTES = 10_000_000
_LOG_LINES_SHOWN = 15
#: The part of a log's end that is read to show its last lines.
_TAIL_BYTES = 262_144
_START_SECONDS = 60.0
#: Seconds that its end may take: requests are answered meanwhile.
_END_SECONDS = 20.0
#: Seconds that orphans have to end: they were told to when their daemon was killed.
_ORPHAN_SECONDS = 3.0
_LEFT_OUT = ("PYTHONDONTWRITEBYTECODE", "PYTHONINSPECT", "PYTHONWARNINGS")


@dataclass(frozen=True, slots=True)
class DaemonFiles:
    """The files by which a daemon and those who need it know of each other.

    Locks are `flock` locks: the system gives them back however a process ends.

    Attributes:
        folder: Where they are.
    """

    folder: Path

    @property
    def log(self) -> Path:
        """Its output."""
        return self.folder / "log"

    @property
    def alive_lock(self) -> Path:
        """Locked by it as long as it lives."""
        return self.folder / "alive.lock"

    @property
    def start_lock(self) -> Path:
        """Locked while somebody starts or ends it; shared while somebody looks."""
        return self.folder / "start.lock"

    @property
    def wake(self) -> Path:
        """A pipe that wakes it."""
        return self.folder / "wake"

    @property
    def down(self) -> Path:
        """There where it is to stay down until somebody starts it."""
        return self.folder / "down"

    def open_wake(self) -> int:
        """Open the pipe that others wake the daemon by, which is this process."""
        with contextlib.suppress(FileExistsError):
            os.mkfifo(self.wake, 0o600)
        # To read and to write, so that it does not end when those who woke us close it.
        return os.open(self.wake, os.O_RDWR | os.O_NONBLOCK)


@dataclass(frozen=True)
class Daemon:
    """A daemon, seen from the commands.

    Attributes:
        what: What people call it.
        files: Its files.
        mark: The folder that names it, in the environment of all its processes.
        command: The program, which returns when its child holds the lock that says that it lives.
        environ: The environment that it and all that it starts get.
        create: Makes the folders that it needs.
        is_own: Tells of a process so marked whether it is the daemon, and not what it started.
    """

    what: str
    files: DaemonFiles
    mark: Path
    command: Sequence[str]
    environ: Mapping[str, str]
    create: Callable[[], None]
    is_own: Callable[[psutil.Process], bool] = lambda _: True

    def is_alive(self) -> bool:
        """Tell whether it runs."""
        return is_locked(self.files.alive_lock)

    def was_ended(self) -> bool:
        """Tell whether somebody ended it who wants it to stay down (`stop`)."""
        return self.files.down.exists()

    def ensure(self) -> None:
        """Have it look at the records; it is started where it is down.

        Raises:
            TargetError: It does not start; holds the last lines of its log.
        """
        self.create()
        # Shared, so that it does not end between our look and its.
        with locked(self.files.start_lock, shared=True, timeout=_START_SECONDS):
            if self.is_alive():
                self._wake()
                return
        with locked(self.files.start_lock, timeout=_START_SECONDS):
            if not self.is_alive():
                self._start()
            self._wake()

    def revive(self) -> bool:
        """Start it anew where it was killed; tells whether it was.

        Where somebody ended it who wants it to stay down, it does.
        """
        if not self.mark.is_dir() or self.is_alive() or self.was_ended():
            return False
        self.ensure()
        return True

    def stop(self) -> None:
        """End it with all that it started; what is wanted stays in the records."""
        if not self.mark.is_dir():
            return
        self.create()
        with locked(self.files.start_lock, timeout=_START_SECONDS):
            self.files.down.touch()
            while processes := marked_processes(self.mark):
                # It ends the others itself, in order.
                own = [process for process in processes if self.is_own(process)]
                end_processes(own or processes, grace_seconds=_END_SECONDS)

    def log_tail(self) -> str:
        """Return the last lines that it logged."""
        return last_lines(self.files.log, _LOG_LINES_SHOWN)

    def _wake(self) -> None:
        try:
            pipe = os.open(self.files.wake, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return  # it is about to look for the first time
        with contextlib.suppress(BlockingIOError):  # full: it will wake anyway
            os.write(pipe, b"x")
        os.close(pipe)

    def _start(self) -> None:
        self.files.down.unlink(missing_ok=True)
        while orphans := marked_processes(self.mark):
            end_processes(orphans, grace_seconds=_ORPHAN_SECONDS)
        log = self.files.log
        if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
            log.replace(log.with_suffix(".old"))
        kept = {name: value for name, value in self.environ.items() if name not in _LEFT_OUT}
        with log.open("ab") as output:
            # In its own folder: in the user's, a file such as `random.py` would be imported.
            done = subprocess.run(
                self.command,
                cwd=self.mark,
                env={**kept, MARKER: str(self.mark)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
            )
        if done.returncode != 0:
            raise TargetError(f"{self.what} did not start:\n{self.log_tail()}", hint=f"see {log}")


def detach() -> None:
    """Go on in a process that no terminal and no parent holds; the present one ends."""
    if os.fork():
        os._exit(0)
    os.setsid()


def last_lines(path: Path, lines: int, *, start: int = 0) -> str:
    """Return the last lines of a log, as many as its last 256 kB hold.

    Args:
        path: The log; one that is not there is empty.
        lines: How many.
        start: The byte before which nothing counts.
    """
    try:
        with path.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(min(start, size), size - _TAIL_BYTES))
            text = log.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:]) if lines > 0 else ""
