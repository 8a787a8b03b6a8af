"""The worker processes: started, given mini-batches, watched, ended, and replaced."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from parallelkit.batches import MiniBatch
from parallelkit.channel import Reader, send
from parallelkit.request import Request

#: Seconds that a worker has for its `shutdown`.
_SHUTDOWN = 30.0
_INIT, _LOAD, _RUN, _WAIT = "init()", "loading a mini-batch", "run()", "waiting"


@dataclass
class WorkerProcess:
    """A worker process, as the run sees it.

    Attributes:
        number: Which of the workers it is; one that replaces another has its number.
        batch: What it has to process, or None.
        is_ready: Whether its `init` has returned.
    """

    number: int
    process: subprocess.Popen[bytes]
    orders: int
    answers: int
    deadline: float
    doing: str = _INIT
    batch: MiniBatch | None = None
    is_ready: bool = False
    reader: Reader = field(init=False)

    def __post_init__(self) -> None:
        self.reader = Reader(self.answers)

    def kill(self) -> None:
        """End it with all that it has started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for descriptor in (self.orders, self.answers):
            os.close(descriptor)


@dataclass(frozen=True)
class Lost:
    """A worker that was lost, and what it was doing.

    Attributes:
        worker: The worker.
        why: What happened, in words.
    """

    worker: WorkerProcess
    why: str


class Pool:
    """The workers of a run.

    Args:
        request: What is asked.
        request_file: Where that stands.
        folder: The run's folder.
        limit: Workers at most.
    """

    def __init__(self, request: Request, request_file: Path, folder: Path, limit: int) -> None:
        self._request = request
        self._command = [
            *(sys.executable, "-m", "parallelkit.worker"),
            *("--request", str(request_file), "--out", str(folder)),
        ]
        self._limit = limit
        self._selector = selectors.DefaultSelector()
        self._workers: dict[int, WorkerProcess] = {}
        self._environ = dict(os.environ)
        share = max(1, request.cores // limit)
        self._environ.update(dict.fromkeys(request.thread_variables, str(share)))

    @property
    def busy(self) -> int:
        """How many workers have a mini-batch."""
        return sum(worker.batch is not None for worker in self._workers.values())

    def idle(self) -> list[WorkerProcess]:
        """Return the workers that wait for a mini-batch."""
        workers = self._workers.values()
        return [worker for worker in workers if worker.is_ready and worker.batch is None]

    def fill(self, wanted: int) -> None:
        """Start workers until there are as many as wanted, or as may be."""
        for number in range(min(wanted, self._limit)):
            if number not in self._workers:
                self._start(number)

    def _start(self, number: int) -> None:
        orders_read, orders_write = os.pipe()
        answers_read, answers_write = os.pipe()
        ends = ["--orders", str(orders_read), "--answers", str(answers_write)]
        with self._log(number, "stdout") as out, self._log(number, "stderr") as err:
            process = subprocess.Popen(
                [*self._command, *ends],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={**self._environ, "AZUREML_PARALLEL_WORKER": str(number)},
                pass_fds=(orders_read, answers_write),
                start_new_session=True,
            )
        os.close(orders_read)
        os.close(answers_write)
        deadline = time.monotonic() + self._request.init_timeout
        worker = WorkerProcess(number, process, orders_write, answers_read, deadline)
        self._workers[number] = worker
        self._selector.register(answers_read, selectors.EVENT_READ, worker)

    @contextlib.contextmanager
    def _log(self, number: int, stream: str) -> Iterator[int]:
        folder = Path(self._request.logs) / "user" / stream / "0"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"process{number:03d}.{stream}.txt").open("ab") as file:
            yield file.fileno()

    def give(self, worker: WorkerProcess, batch: MiniBatch) -> None:
        """Have a worker process a mini-batch."""
        worker.batch, worker.doing = batch, _LOAD
        worker.deadline = time.monotonic() + self._request.load_timeout
        with contextlib.suppress(BrokenPipeError):  # it has died, which `wait` tells
            send(worker.orders, {"batch": asdict(batch)})

    def wait(self, seconds: float) -> Iterator[tuple[WorkerProcess, dict[str, Any]] | Lost]:
        """Yield what workers tell, and those that were lost, after at most so many seconds."""
        now = time.monotonic()
        nearest = min((worker.deadline for worker in self._workers.values()), default=now + seconds)
        told: set[int] = set()
        for key, _ in self._selector.select(max(0.0, min(seconds, nearest - now))):
            worker: WorkerProcess = key.data
            told.add(worker.number)
            messages = worker.reader.read()
            if messages is None:
                yield self._lose(worker, "")
            else:
                yield from self._told(worker, messages)
        now = time.monotonic()
        for worker in [w for w in self._workers.values() if w.number not in told]:
            if worker.deadline < now:
                took = f"{worker.doing} took longer than {self._allowed(worker):g} s"
                yield self._lose(worker, took)
            elif worker.process.poll() is not None and not self._has_more(worker):
                # What it has started may hold its pipe open.
                yield self._lose(worker, "")

    def _has_more(self, worker: WorkerProcess) -> bool:
        return any(key.data is worker for key, _ in self._selector.select(0))

    def _told(
        self, worker: WorkerProcess, messages: list[dict[str, Any]]
    ) -> Iterator[tuple[WorkerProcess, dict[str, Any]]]:
        for message in messages:
            if message["event"] == "loaded":
                worker.doing = _RUN
                worker.deadline = time.monotonic() + self._request.timeout
                continue
            worker.is_ready = worker.is_ready or message["event"] == "ready"
            worker.deadline, worker.doing = float("inf"), _WAIT
            yield worker, message

    def _allowed(self, worker: WorkerProcess) -> float:
        request = self._request
        times = {_INIT: request.init_timeout, _LOAD: request.load_timeout, _RUN: request.timeout}
        return times[worker.doing]

    def _lose(self, worker: WorkerProcess, why: str) -> Lost:
        self._selector.unregister(worker.answers)
        worker.kill()
        del self._workers[worker.number]
        code = worker.process.returncode
        # A worker that has to be ended has a code of its own only where it had ended before.
        ending = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return Lost(worker, why or f"the worker {ending} in {worker.doing}")

    def stop(self) -> Iterator[tuple[WorkerProcess, dict[str, Any]]]:
        """Have all workers call `shutdown` and end; yields what they tell meanwhile."""
        for worker in self._workers.values():
            worker.deadline = time.monotonic() + _SHUTDOWN
            with contextlib.suppress(BrokenPipeError):  # it has died already
                send(worker.orders, {"stop": True})
        while self._workers:
            for told in self.wait(_SHUTDOWN):
                if not isinstance(told, Lost):
                    yield told

    def close(self) -> None:
        """End all workers at once."""
        for worker in self._workers.values():
            worker.kill()
        self._workers.clear()
        self._selector.close()
