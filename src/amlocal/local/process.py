"""The processes of steps: started, found again, and ended with everything that they started.

Every process carries the workspace and the job in its environment. So what a step leaves behind
is found even when it has left its session, when its parent is gone, or when the engine that
started it was killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from amlocal.local.tracking.state import is_running

if TYPE_CHECKING:
    import psutil

WORKSPACE_VARIABLE = "AMLOCAL_WORKSPACE"
JOB_VARIABLE = "AMLOCAL_JOB"
#: The program that runs a job in the background: its arguments are the workspace and the job.
WORKER = "amlocal.local.worker"
#: Seconds that a process has between SIGTERM and SIGKILL.
GRACE = 5.0

# What would make a step see the tool's own Python instead of its environment's, or slow it down:
# without byte code each import compiles anew and takes three times as long.
_NOT_PASSED_ON = (
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "CONDA_DEFAULT_ENV",
    "MAKEFLAGS",
    "MFLAGS",
    "MAKELEVEL",
    JOB_VARIABLE,
)
_NOT_PASSED_ON_PREFIXES = ("AZUREML_", "AZURE_ML_", "MLFLOW_", "COV_CORE_")


def inherited(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what of this process's environment a step may see."""
    return {
        name: value
        for name, value in environ.items()
        if name not in _NOT_PASSED_ON and not name.startswith(_NOT_PASSED_ON_PREFIXES)
    }


@dataclass(frozen=True, slots=True)
class Launch:
    """One process of a step.

    Attributes:
        variables: Its whole environment.
        log: The file that its output and errors go to, together.
    """

    variables: Mapping[str, str]
    log: Path


@dataclass
class StepProcesses:
    """The processes of one step; they end together.

    Attributes:
        ended_because: Why they were ended, or an empty string.
        failed: Number of the process that failed first; 0 where none has.
    """

    _running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    ended_because: str = ""
    failed: int = 0

    def run(self, command: str, launches: Sequence[Launch], cwd: Path) -> int:
        """Run a shell command once for each launch and wait for all of them.

        Returns:
            0, or the exit code of the first that failed (then the others are ended); negative
            where a signal ended it.
        """
        shell = shutil.which("bash") or "/bin/sh"
        with self._lock:
            if self.ended_because:
                return -signal.SIGTERM
            for launch in launches:
                with launch.log.open("ab") as log:
                    self._running.append(
                        subprocess.Popen(
                            [shell, "-c", command],
                            cwd=cwd,
                            env=dict(launch.variables),
                            stdin=subprocess.DEVNULL,
                            stdout=log,
                            stderr=subprocess.STDOUT,
                            start_new_session=True,
                        )
                    )
        return self._wait()

    def _wait(self) -> int:
        alone = len(self._running) == 1
        code = self._running[0].wait() if alone else self._wait_for_all()
        # A step is over when its command is: what it left running in its session goes too.
        end_sessions([process.pid for process in self._running], grace=GRACE)
        return code

    def _wait_for_all(self) -> int:
        waiting, first = list(self._running), 0
        while waiting:
            for process in list(waiting):
                code = process.poll()
                if code is not None:
                    waiting.remove(process)
                if code and not first:
                    first, self.failed = code, self._running.index(process)
                    self._end_running()
            time.sleep(0.05)
        return first

    def end(self, reason: str) -> None:
        """Have every process of the step ended, without waiting for it; `run` then returns."""
        with self._lock:
            self.ended_because = self.ended_because or reason
            self._end_running()

    def _end_running(self) -> None:
        pids = [process.pid for process in self._running if process.poll() is None]
        # In a thread: many steps that take their grace are to take it at the same time.
        threading.Thread(target=end_sessions, args=(pids,), kwargs={"grace": GRACE}).start()


def end_sessions(pids: Iterable[int], *, grace: float) -> None:
    """End the process groups that processes lead: SIGTERM, and after the grace SIGKILL."""
    alive = [pid for pid in pids if _signal_group(pid, signal.SIGTERM)]
    deadline = time.monotonic() + grace
    while alive and time.monotonic() < deadline:
        time.sleep(0.02)
        alive = [pid for pid in alive if _is_alive(pid)]
    for pid in alive:
        _signal_group(pid, signal.SIGKILL)


def _is_alive(pid: int) -> bool:
    """Return whether a process group has somebody in it who has not ended."""
    import psutil  # 17 ms that only looking for processes pays

    if not _signal_group(pid, 0):
        return False
    # Those who have ended but whom nobody has asked for stay in it, in some containers for ever.
    return any(_group_of(p.pid) == pid and is_running(p) for p in psutil.process_iter())


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


def _signal_group(pid: int, number: int) -> bool:
    """Signal a process group; False where nobody is left in it."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def find(workspace: Path, jobs: frozenset[str] | None = None) -> dict[int, str]:
    """Return the processes of a workspace's jobs: process id to the job's name.

    Args:
        workspace: The workspace's folder.
        jobs: Names of (root) jobs; None finds those of every job.
    """
    import psutil  # 17 ms that only looking for processes pays

    found = {}
    for process in psutil.process_iter():
        try:
            environ = process.environ()
        except (psutil.Error, OSError):
            continue  # it has ended, or it is not ours to look at
        job = environ.get(JOB_VARIABLE)
        if (
            job
            and environ.get(WORKSPACE_VARIABLE) == str(workspace)
            and (jobs is None or job in jobs)
            and process.pid != os.getpid()
        ):
            found[process.pid] = job
    return found


def find_workers(workspace: Path) -> dict[int, str]:
    """Return the processes that run a workspace's jobs in the background: id to the job's name."""
    import psutil  # 17 ms that only looking for processes pays

    found = {}
    for process in psutil.process_iter():
        try:
            command = process.cmdline()
        except (psutil.Error, OSError):
            continue  # it has ended, or it is not ours to look at
        if command[-4:-1] == ["-m", WORKER, str(workspace)]:
            found[process.pid] = command[-1]
    return found


def end_jobs(workspace: Path, jobs: frozenset[str] | None = None, *, grace: float = GRACE) -> int:
    """End the processes that `find` finds, with all that descend from them.

    Returns:
        How many there were.
    """
    ended: set[int] = set()
    # What is ended may be starting another: look until nothing is found.
    while found := find(workspace, jobs):
        processes = []
        for pid in found:
            processes += _with_descendants(pid)
        for number in (signal.SIGTERM, signal.SIGKILL):
            for process in processes:
                _send(process, number)
            deadline = time.monotonic() + grace
            while any(map(is_running, processes)) and time.monotonic() < deadline:
                time.sleep(0.02)
        ended |= found.keys()
    return len(ended)


def _with_descendants(pid: int) -> list[psutil.Process]:
    import psutil  # 17 ms that only looking for processes pays

    try:
        leader = psutil.Process(pid)
        return [leader, *leader.children(recursive=True)]
    except psutil.Error:
        return []  # it has ended meanwhile


def _send(process: psutil.Process, number: int) -> None:
    import psutil  # 17 ms that only looking for processes pays

    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
