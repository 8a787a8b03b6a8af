"""The workspace's supervisor, seen from the commands: started on demand, woken, ended."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from amlocal.errors import TargetError
from amlocal.local.endpoints.layout import EndpointLayout, last_lines
from amlocal.local.tracking.state import (
    MARKER,
    end_processes,
    is_locked,
    locked,
    marked_processes,
)
from amlocal.plan.base import Value

if TYPE_CHECKING:
    import psutil

#: The program of the supervisor; it is given its `SupervisorSettings` as JSON.
SUPERVISOR = "amlocal.local.endpoints.supervisor"
#: Says in the environment of a router or an instance which it is.
ROLE_VARIABLE = "AMLOCAL_ENDPOINT"

_LOG_LIMIT_BYTES = 10_000_000
_LOG_LINES_SHOWN = 15
_START_SECONDS = 60.0
#: Seconds that the supervisor's end may take: requests are answered meanwhile.
_END_SECONDS = 20.0
#: Seconds that orphans have to end: they were told to when their supervisor was killed.
_ORPHAN_SECONDS = 3.0
_LEFT_OUT = ("PYTHONDONTWRITEBYTECODE", "PYTHONINSPECT", "PYTHONWARNINGS", ROLE_VARIABLE)


class Programs(Value, frozen=True):
    """What the supervisor starts, as arguments of a Python interpreter.

    Attributes:
        router: The router of an endpoint; it is given `--fd N --control M`.
        scoring: The server of MLflow models; it is given `--model DIR --socket PATH`.
        inference: The server of scoring scripts; it is given gunicorn's arguments.
    """

    router: tuple[str, ...] = ("-m", "amlocal.local.endpoints.router")
    scoring: tuple[str, ...] = ("-m", "scoringserver")
    # gunicorn with the application of azureml-inference-server-http, as its command azmlinfsrv
    # starts it; but that one listens on every address of the machine, where nobody asks for keys.
    inference: tuple[str, ...] = ("-m", "gunicorn")


class SupervisorSettings(Value, frozen=True):
    """What a supervisor is started with.

    Attributes:
        workspace: The workspace's folder.
        project: The project's folder.
        programs: What it starts.
    """

    workspace: str
    project: str
    programs: Programs = Programs()


class Supervision:
    """The supervisor of a workspace.

    Args:
        settings: What it is started with.
        folder: The folder of the workspace's endpoints.
        environ: The environment that it and all that it starts get.
    """

    def __init__(
        self, settings: SupervisorSettings, folder: Path, environ: Mapping[str, str]
    ) -> None:
        self._settings = settings
        self.layout = EndpointLayout(folder)
        self._environ = environ

    def is_alive(self) -> bool:
        """Tell whether the supervisor runs."""
        return is_locked(self.layout.alive_lock)

    def was_ended(self) -> bool:
        """Tell whether somebody ended it who wants it to stay down (`stop`)."""
        return self.layout.down.exists()

    def ensure(self) -> None:
        """Have a supervisor look at the records; it is started where it is down.

        Raises:
            TargetError: It does not start; holds the last lines of its log.
        """
        self.layout.create()
        # Shared, so that the supervisor does not end between our look and its.
        with locked(self.layout.start_lock, shared=True, timeout=_START_SECONDS):
            if self.is_alive():
                self._wake()
                return
        with locked(self.layout.start_lock, timeout=_START_SECONDS):
            if not self.is_alive():
                self._start()
            self._wake()

    def revive(self) -> bool:
        """Start the supervisor anew where it was killed; tells whether it was.

        Where somebody ended it who wants it to stay down, it does.
        """
        if not self.layout.folder.is_dir() or self.is_alive() or self.was_ended():
            return False
        self.ensure()
        return True

    def stop(self) -> None:
        """End the supervisor with all that it started; what is wanted stays in the records."""
        if not self.layout.folder.is_dir():
            return
        self.layout.create()
        with locked(self.layout.start_lock, timeout=_START_SECONDS):
            self.layout.down.touch()
            while processes := marked_processes(self.layout.folder):
                # The supervisor first, which ends the others once their requests are answered.
                own = [process for process in processes if _role(process) == ""]
                end_processes(own or processes, grace_seconds=_END_SECONDS)

    def processes(self) -> dict[int, str]:
        """Return the ids of its processes and what each of them is."""
        if not self.layout.folder.is_dir():
            return {}
        found = {process.pid: _role(process) for process in marked_processes(self.layout.folder)}
        return {
            pid: role or "supervisor of endpoints"
            for pid, role in found.items()
            if role is not None
        }

    def log_tail(self) -> str:
        """Return the last lines that the supervisor logged."""
        return last_lines(self.layout.log, _LOG_LINES_SHOWN)

    def _wake(self) -> None:
        try:
            pipe = os.open(self.layout.wake, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return  # it is about to look for the first time
        with contextlib.suppress(BlockingIOError):  # full: it will wake anyway
            os.write(pipe, b"x")
        os.close(pipe)

    def _start(self) -> None:
        self.layout.down.unlink(missing_ok=True)
        while orphans := marked_processes(self.layout.folder):
            end_processes(orphans, grace_seconds=_ORPHAN_SECONDS)
        log = self.layout.log
        if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
            log.replace(log.with_suffix(".old"))
        command = [sys.executable, "-m", SUPERVISOR, self._settings.to_json().decode()]
        with log.open("ab") as output:
            # It returns when its child holds the lock that says that it lives. In its own folder:
            # in the user's, a file such as `random.py` would be imported.
            done = subprocess.run(
                command,
                cwd=self.layout.folder,
                env=self._supervisor_environ(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
            )
        if done.returncode != 0:
            raise TargetError(
                "the supervisor of endpoints did not start:\n" + self.log_tail(), hint=f"see {log}"
            )

    def _supervisor_environ(self) -> dict[str, str]:
        kept = {name: value for name, value in self._environ.items() if name not in _LEFT_OUT}
        return {**kept, MARKER: str(self.layout.folder)}


def _role(process: psutil.Process) -> str | None:
    """Return what a process is, empty of the supervisor, or None where it has ended."""
    import psutil  # 17 ms that only looking for processes pays

    try:
        return process.environ().get(ROLE_VARIABLE, "")
    except (psutil.Error, OSError):
        return None


def role(kind: str, *names: str) -> dict[str, str]:
    """Return the variable that says which process one is."""
    return {ROLE_VARIABLE: f"{kind} {'/'.join(names)}"}


def python_arguments(python: str | Path, program: Sequence[str]) -> list[str]:
    """Return the command that runs a program of `Programs` by an interpreter."""
    return [str(python), *program]
