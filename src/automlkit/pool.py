"""Worker processes with deadlines: one that hangs, crashes, or eats memory is replaced."""

from __future__ import annotations

import contextlib
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from typing import Any

import cloudpickle
import psutil

from automlkit.worker import Failure, Ready, Starter, Task, serve
from stepkit.program import write_bytes

#: Seconds between two looks at deadlines and memory.
LOOK = 0.25
#: Share of the free memory that all workers together may hold.
MEMORY_SHARE = 0.8
#: Seconds that a process may take to be gone once its pipe is closed.
GONE = 5.0


@dataclass(frozen=True)
class Outcome:
    """A task and what came of it.

    Attributes:
        task: What was to be done.
        answer: What it returned, or a `Failure`.
        seconds: How long it took; the loading of libraries does not count.
    """

    task: Any
    answer: Any
    seconds: float


class _Worker:
    """One process and what it is doing."""

    def __init__(self, starter: Starter, context_file: Path, log: Path) -> None:
        self.connection, theirs = starter.processes.Pipe()
        self.process = starter.processes.Process(
            target=serve, args=(theirs, context_file, log, starter.libraries)
        )
        self.task: Task | None = None
        self.is_ready = False
        self.began = 0.0
        self.deadline = self._latest = self._seconds = float("inf")
        # A fork server answers when it has imported its libraries; nobody is to wait for that.
        threading.Thread(target=self._start, args=(theirs,), daemon=True).start()

    def _start(self, theirs: Connection) -> None:
        try:
            self.process.start()
        finally:
            # Where no process came of it, our end is then at its end, and says so.
            theirs.close()

    def give(self, task: Task, deadline: float, seconds: float) -> None:
        self.task, self._latest, self._seconds = task, deadline, seconds
        self._start_clock()
        # Where it died while idle, `Pool.wait` finds the pipe at its end, and says so.
        with contextlib.suppress(ConnectionError):
            self.connection.send(task)

    def _start_clock(self) -> None:
        self.began = time.monotonic()
        own = self.began + self._seconds if self.is_ready else float("inf")
        self.deadline = min(own, self._latest)

    def hear(self) -> Outcome | None:
        """Return what came of its task; None if it only says that it is ready.

        Raises:
            EOFError, OSError: The process has ended.
        """
        said = self.connection.recv()
        if not isinstance(said, Ready):
            return self.finish(said)
        self.is_ready = True
        self._start_clock()
        return None

    def is_gone(self) -> bool:
        """Hear whether it is ready, and return whether it has ended instead."""
        try:
            self.hear()
        except (EOFError, OSError):
            return True  # Whoever gives it a task is told so.
        return False

    def crash(self) -> Failure:
        """Return how the process ended."""
        if self.process.pid is None:
            return Failure("crash", "its process could not be started")
        self.process.join(timeout=GONE)
        return Failure("crash", f"its process ended with code {self.process.exitcode}")

    def excess(self, most_memory: float) -> Failure | None:
        """Return why what it does is to be given up, or None."""
        if self.connection.poll():
            return None
        now = time.monotonic()
        if now >= self.deadline:
            return Failure("timeout", f"its time was up after {now - self.began:.0f} s")
        if self.process.pid is None:
            return None
        try:
            held = psutil.Process(self.process.pid).memory_info().rss
        except psutil.NoSuchProcess:
            return None  # The pipe's end will say so.
        if held > most_memory:
            return Failure("memory", f"it took {held / 2**30:.1f} GiB of memory")
        return None

    def finish(self, answer: Any) -> Outcome:
        """Return the outcome of its task, and be idle."""
        outcome = Outcome(self.task, answer, time.monotonic() - self.began)
        self.task, self.deadline = None, float("inf")
        return outcome

    def kill(self) -> None:
        """End the process at once; one that is still being started ends when it finds no parent."""
        self.connection.close()
        if self.process.pid is not None:
            self.process.kill()
            self.process.join()


class Pool:
    """A fixed number of workers.

    Args:
        starter: What `worker.start_server` returned.
        size: Workers.
        context: What all tasks have in common; given to each.
        log: The file that the workers' output goes to.
        most_memory: Bytes that one worker may hold; None is its share of what is free.
    """

    def __init__(
        self,
        starter: Starter,
        size: int,
        context: Any,
        log: Path,
        *,
        most_memory: float | None = None,
    ) -> None:
        self._starter = starter
        self._log = log
        self._folder = tempfile.TemporaryDirectory(prefix="automlkit-")
        self._context_file = Path(self._folder.name) / "context.pkl"
        # By value where a module cannot be imported by others, which pickle alone does not do.
        write_bytes(self._context_file, cloudpickle.dumps(context))
        if most_memory is None:
            most_memory = MEMORY_SHARE * psutil.virtual_memory().available / size
        self._most_memory = most_memory
        self._workers = [self._new() for _ in range(size)]

    def _new(self) -> _Worker:
        return _Worker(self._starter, self._context_file, self._log)

    @property
    def idle(self) -> int:
        """Workers without a task."""
        return sum(worker.task is None for worker in self._workers)

    @property
    def busy(self) -> int:
        """Workers with a task."""
        return len(self._workers) - self.idle

    def ready(self, timeout: float) -> bool:
        """Wait for a worker that has loaded its libraries; return whether there is one.

        Args:
            timeout: Seconds.
        """
        end = time.monotonic() + timeout
        loading = list(self._workers)
        while not any(worker.is_ready for worker in self._workers):
            left = max(0.0, end - time.monotonic())
            heard = wait_for([worker.connection for worker in loading], min(LOOK, left))
            if not heard and not left:
                return False
            gone = [one for one in loading if one.connection in heard and one.is_gone()]
            loading = [one for one in loading if one not in gone]
            if not loading:
                return False
        return True

    def submit(self, task: Task, deadline: float, seconds: float = float("inf")) -> None:
        """Give a task to an idle worker.

        Args:
            task: What is to be done.
            deadline: The reading of `time.monotonic` at which it is given up in any case.
            seconds: How long it may take; the loading of libraries does not count.

        Raises:
            RuntimeError: No worker is idle.
        """
        idle = [worker for worker in self._workers if worker.task is None]
        if not idle:
            raise RuntimeError("no worker is idle")
        next((worker for worker in idle if worker.is_ready), idle[0]).give(task, deadline, seconds)

    def wait(self, timeout: float = float("inf")) -> list[Outcome]:
        """Return what was finished or given up within some seconds; empty where nothing was."""
        end = time.monotonic() + timeout
        while True:
            done = self._collect(min(LOOK, max(0.0, end - time.monotonic())))
            if done or time.monotonic() >= end or not self.busy:
                return done

    def cancel(self, is_unwanted: Callable[[Any], bool]) -> list[Any]:
        """Give up tasks without an answer, and return them."""
        unwanted = [
            worker
            for worker in self._workers
            if worker.task is not None and is_unwanted(worker.task)
        ]
        return [self._give_up(worker, None).task for worker in unwanted]

    def close(self) -> None:
        """End all workers."""
        for worker in self._workers:
            worker.kill()
        self._workers = []
        self._folder.cleanup()

    def _collect(self, timeout: float) -> list[Outcome]:
        busy = {id(one.connection): one for one in self._workers if one.task is not None}
        if not busy:
            return []
        heard = wait_for([one.connection for one in busy.values()], timeout)
        found = [self._outcome_of(busy[id(connection)]) for connection in heard]
        done = [outcome for outcome in found if outcome is not None]
        for worker in [one for one in self._workers if one.task is not None]:
            failure = worker.excess(self._most_memory)
            if failure is not None:
                done.append(self._give_up(worker, failure))
        return done

    def _outcome_of(self, worker: _Worker) -> Outcome | None:
        try:
            return worker.hear()
        except (EOFError, OSError):
            return self._give_up(worker, worker.crash())

    def _give_up(self, worker: _Worker, failure: Failure | None) -> Outcome:
        outcome = worker.finish(failure)
        worker.kill()
        self._workers[self._workers.index(worker)] = self._new()
        return outcome
