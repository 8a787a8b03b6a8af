"""Worker processes with deadlines: one that hangs, crashes, or eats memory is replaced."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from typing import Any

import psutil

from automlkit.search.work import Answer, Failure, Outcome, Work
from automlkit.search.worker import serve

#: Seconds between two looks at deadlines and memory.
LOOK = 0.25


@dataclass
class _Worker:
    process: Any
    connection: Connection
    work: Work | None = None
    deadline: float = float("inf")

    def kill(self) -> None:
        """End the process at once."""
        self.process.kill()
        self.process.join()
        self.connection.close()


class Pool:
    """A fixed number of workers.

    Args:
        starter: What `server.start_server` returned.
        size: Workers.
        context_file: A pickled `Context`.
        most_memory: Bytes that one worker may hold.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        starter: Any,
        size: int,
        context_file: Path,
        *,
        most_memory: float = float("inf"),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._starter = starter
        self._context_file = context_file
        self._most_memory = most_memory
        self._clock = clock
        self._workers = [self._start() for _ in range(size)]

    @property
    def idle(self) -> int:
        """Workers without work."""
        return sum(worker.work is None for worker in self._workers)

    def submit(self, work: Work, deadline: float) -> None:
        """Give work to an idle worker.

        Args:
            work: What is to be done.
            deadline: The clock's reading at which it is given up.

        Raises:
            RuntimeError: No worker is idle.
        """
        for worker in self._workers:
            if worker.work is None:
                worker.work, worker.deadline = work, deadline
                try:
                    worker.connection.send(work)
                except (BrokenPipeError, ConnectionResetError):
                    # It died while idle; `wait` finds the pipe at its end, and says so.
                    worker.deadline = deadline
                return
        raise RuntimeError("no worker is idle")

    def wait(self, timeout: float) -> list[Outcome]:
        """Return what was finished or given up within some seconds; empty where nothing was."""
        end = self._clock() + timeout
        while True:
            done = self._collect(min(LOOK, max(0.0, end - self._clock())))
            if done or self._clock() >= end or self.idle == len(self._workers):
                return done

    def cancel(self, unwanted: Callable[[Work], bool]) -> None:
        """Give up work without an answer."""
        for number, worker in enumerate(self._workers):
            if worker.work is not None and unwanted(worker.work):
                worker.kill()
                self._workers[number] = self._start()

    def close(self) -> None:
        """End all workers."""
        for worker in self._workers:
            worker.kill()
        self._workers = []

    def _start(self) -> _Worker:
        ours, theirs = self._starter.Pipe()
        process = self._starter.Process(target=serve, args=(theirs, self._context_file))
        process.start()
        theirs.close()
        return _Worker(process, ours)

    def _collect(self, timeout: float) -> list[Outcome]:
        busy = {id(one.connection): one for one in self._workers if one.work is not None}
        if not busy:
            return []
        ready = wait_for([one.connection for one in busy.values()], timeout)
        done = [self._answer_of(busy[id(connection)]) for connection in ready]
        for worker in list(self._workers):
            failure = self._excess(worker)
            if failure is not None:
                done.append(self._give_up(worker, failure))
        return done

    def _answer_of(self, worker: _Worker) -> Outcome:
        try:
            answer: Answer = worker.connection.recv()
        except (EOFError, OSError):
            worker.process.join(timeout=5)
            failure = Failure("crash", f"its process ended with code {worker.process.exitcode}")
            return self._give_up(worker, failure)
        assert worker.work is not None
        outcome = Outcome(worker.work, answer)
        worker.work, worker.deadline = None, float("inf")
        return outcome

    def _excess(self, worker: _Worker) -> Failure | None:
        if worker.work is None or worker.connection.poll():
            return None
        if self._clock() >= worker.deadline:
            return Failure("timeout", "its time was up")
        try:
            held = psutil.Process(worker.process.pid).memory_info().rss
        except psutil.NoSuchProcess:
            return None  # The pipe's end will say so.
        if held > self._most_memory:
            return Failure("memory", f"it took {held / 2**30:.1f} GiB of memory")
        return None

    def _give_up(self, worker: _Worker, failure: Failure) -> Outcome:
        assert worker.work is not None
        outcome = Outcome(worker.work, failure)
        worker.kill()
        self._workers[self._workers.index(worker)] = self._start()
        return outcome
