"""Child processes that do the work: kept warm, ended at their deadline, never left behind."""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from automlkit.forecasting.problem import Problem
from stepkit.program import StepError

#: Seconds between two looks at whether the parent is still there.
_WATCH = 1.0
#: What a process says when its libraries are loaded.
_READY = "ready"
#: A task: called with the problem and the threads, in a child process.
Task = Callable[[Problem, int], Any]


def _end_with_parent() -> None:
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _serve(connection: Connection, problem: Problem, threads: int, log: Path) -> None:
    """Do tasks as they come, until the parent closes its end."""
    _end_with_parent()
    # Libraries print to standard output and warn as they like: nobody reads it there.
    sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    warnings.simplefilter("ignore")
    # Loaded before the first trial, so that its deadline is its own.
    import statsforecast.models  # noqa: F401
    from threadpoolctl import threadpool_limits

    connection.send(_READY)
    with threadpool_limits(threads):
        while True:
            try:
                task: Task = connection.recv()
            except EOFError:
                return
            connection.send(_done(task, problem, threads))


def _done(task: Task, problem: Problem, threads: int) -> tuple[bool, Any]:
    try:
        return True, task(problem, threads)
    except (StepError, ValueError) as error:
        return False, str(error)
    except Exception as error:  # noqa: BLE001 - whatever ends a trial is its result
        return False, f"{type(error).__name__}: {error}"


@dataclass
class Answer:
    """What became of a task.

    Attributes:
        tag: What the task was given with.
        status: `Completed`, `Failed`, or `Canceled` at its deadline.
        value: What it returned, or why it failed.
        seconds: How long it took.
    """

    tag: Any
    status: str
    value: Any
    seconds: float


class _Worker:
    """One child process and what it is doing."""

    def __init__(self, problem: Problem, threads: int, log: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, problem, threads, log))
        self.process.start()
        theirs.close()
        self.is_ready = False
        self.tag: Any = None
        self.seconds = self.started = 0.0
        self.latest = self.deadline = math.inf

    def give(self, task: Task, tag: Any, seconds: float, latest: float) -> None:
        self.tag, self.seconds, self.latest = tag, seconds, latest
        self.begin()
        self.connection.send(task)

    def begin(self) -> None:
        """Start the clock, unless libraries are still being loaded."""
        self.started = time.monotonic()
        own = self.started + self.seconds if self.is_ready else math.inf
        self.deadline = min(own, self.latest)

    def end(self) -> None:
        self.connection.close()
        self.process.kill()
        self.process.join()


class Workers:
    """Child processes that share the cores.

    Args:
        problem: What all tasks work on.
        count: How many.
        threads: Of each.
        log: The file that their output goes to.
    """

    def __init__(self, problem: Problem, count: int, threads: int, log: Path) -> None:
        self._problem, self._threads, self._log = problem, threads, log
        self._idle = [self._new() for _ in range(count)]
        self._busy: list[_Worker] = []

    def _new(self) -> _Worker:
        return _Worker(self._problem, self._threads, self._log)

    @property
    def is_free(self) -> bool:
        """Whether a process has nothing to do."""
        return bool(self._idle)

    @property
    def is_busy(self) -> bool:
        """Whether a process has something to do."""
        return bool(self._busy)

    def give(self, task: Task, tag: Any, seconds: float, latest: float = math.inf) -> None:
        """Give a free process a task.

        Args:
            task: Something that pickles.
            tag: Comes back with the answer.
            seconds: How long it may take; loading libraries does not count.
            latest: When it is ended in any case, on the clock of `time.monotonic`.
        """
        worker = self._idle.pop()
        self._busy.append(worker)
        # Where the process has died while idle, `answers` finds that out.
        with contextlib.suppress(OSError):
            worker.give(task, tag, seconds, latest)

    def answers(self) -> list[Answer]:
        """Wait until a task ends or is due, and return what came of those that did."""
        found: list[Answer] = []
        while self._busy and not found:
            due = min(worker.deadline for worker in self._busy)
            left = None if math.isinf(due) else max(0.0, due - time.monotonic())
            ready = wait([worker.connection for worker in self._busy], left)
            found = [
                answer
                for worker in list(self._busy)
                if (answer := self._looked_at(worker, is_ready=worker.connection in ready))
            ]
        return found

    def _looked_at(self, worker: _Worker, *, is_ready: bool) -> Answer | None:
        """Return what a process has to say, or that its time is over; None if neither."""
        seconds = time.monotonic() - worker.started
        if not is_ready:
            if time.monotonic() < worker.deadline:
                return None
            self._replace(worker)
            return Answer(worker.tag, "Canceled", f"ended after {seconds:.0f} s", seconds)
        try:
            answer = worker.connection.recv()
        except (EOFError, OSError):
            worker.process.join()
            code = worker.process.exitcode
            self._replace(worker)
            return Answer(worker.tag, "Failed", f"its process ended with code {code}", seconds)
        if answer == _READY:
            worker.is_ready = True
            worker.begin()
            return None
        self._busy.remove(worker)
        self._idle.append(worker)
        is_done, value = answer
        return Answer(worker.tag, "Completed" if is_done else "Failed", value, seconds)

    def _replace(self, worker: _Worker) -> None:
        self._busy.remove(worker)
        worker.end()
        self._idle.append(self._new())

    def cancel(self) -> list[Any]:
        """End what is being done; return the tags."""
        tags = [worker.tag for worker in self._busy]
        for worker in list(self._busy):
            self._replace(worker)
        return tags

    def close(self) -> None:
        """End all processes."""
        for worker in (*self._idle, *self._busy):
            worker.end()
        self._idle, self._busy = [], []
