"""Gathers requests and calls the model in one thread.

While the model works, requests queue; when it is free, all that wait and may be put together are
taken, up to a number of rows, and predicted by one call: under load batches form by themselves,
and without load nobody waits for one.

What one request did wrong harms no other. Where a batch does not fit the signature, each request is
checked by itself, and the right ones are predicted together. Where the model raises, halves of the
batch are tried by themselves, down to single requests. A model whose answer does not have a row a
row is called for one request at a time from then on.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

from scoringserver.answers import as_json, write
from scoringserver.errors import PredictionError, RequestError, ScoringError
from scoringserver.part import InputSchema, Part

_log = logging.getLogger("scoringserver")

Outcome = bytes | ScoringError


class Predictor(Protocol):
    """The model, as far as batches need it."""

    @property
    def schema(self) -> InputSchema:
        """What the model takes."""

    @property
    def is_rowwise(self) -> bool:
        """Whether requests may be put together."""

    def predict(self, data: Any, params: dict[str, Any] | None) -> Any:
        """Return the model's answer."""


@dataclass(eq=False)
class Job:
    """One request that waits for its answer.

    Attributes:
        part: Its input.
        params: Its parameters.
        params_key: Equal for equal parameters.
        is_wrapped: Whether it is answered as `{"predictions": ...}`.
        answer: Gets the answer's bytes or the error.
    """

    part: Part
    params: dict[str, Any] | None
    params_key: Hashable
    is_wrapped: bool
    answer: asyncio.Future[bytes]

    def joins(self, other: Job) -> bool:
        """Return whether the two may be in one batch."""
        return (
            self.part.key is not None
            and self.part.key == other.part.key
            and self.params_key == other.params_key
        )


class Batcher:
    """Answers jobs, each as if it were alone.

    Args:
        predictor: The model.
        batch_rows: Most rows of a call; a request of more goes alone. 1: no batches.
        surroundings: Makes what the thread is in while it calls the model.
    """

    def __init__(
        self,
        predictor: Predictor,
        *,
        batch_rows: int = 1024,
        surroundings: Callable[[], AbstractContextManager[Any]] = nullcontext,
    ) -> None:
        self._predictor = predictor
        self._batch_rows = batch_rows
        self._surroundings = surroundings
        self._is_batching = predictor.is_rowwise and batch_rows > 1
        self._arrived: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._waiting: deque[Job] = deque()
        self._thread = threading.Thread(target=self._run, name="model", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Answer what waits, and end the thread."""
        self._arrived.put(None)
        self._thread.join()

    def submit(self, job: Job) -> None:
        """Let a job wait for its turn. Its future belongs to a running loop of another thread."""
        self._arrived.put(job)

    def _run(self) -> None:
        with self._surroundings():
            while taken := self._next():
                # Those whose callers have gone meanwhile are left out.
                jobs = [job for job in taken if not job.answer.done()]
                if not jobs:
                    continue
                try:
                    outcomes = self._together(jobs)
                except Exception as error:  # noqa: BLE001 - a defect here would leave callers waiting
                    _log.exception("requests could not be answered")
                    failed = PredictionError(f"the request could not be answered: {error!r:.200}")
                    outcomes = [failed] * len(jobs)
                _deliver(jobs, outcomes)

    def _next(self) -> list[Job]:
        """Return what is to be predicted next; nothing at the end."""
        if not self._waiting:
            job = self._arrived.get()
            if job is None:
                return []
            self._waiting.append(job)
        while True:
            try:
                job = self._arrived.get_nowait()
            except queue.Empty:
                break
            if job is None:
                self._arrived.put(None)
                break
            self._waiting.append(job)
        return self._take()

    def _take(self) -> list[Job]:
        first = self._waiting.popleft()
        if not self._is_batching:
            return [first]
        taken, left, rows = [first], deque[Job](), first.part.rows
        for job in self._waiting:
            if rows + job.part.rows <= self._batch_rows and job.joins(first):
                taken.append(job)
                rows += job.part.rows
            else:
                left.append(job)
        self._waiting = left
        return taken

    def _together(self, jobs: Sequence[Job]) -> list[Outcome]:
        if len(jobs) == 1:
            return [self._alone(jobs[0])]
        if not self._is_batching:
            return [self._alone(job) for job in jobs]
        try:
            data = self._predictor.schema.assemble([job.part for job in jobs])
        except RequestError:
            return self._without_faulty(jobs)
        try:
            values = as_json(self._predictor.predict(data, jobs[0].params))
        except (Exception, SystemExit):  # noqa: BLE001 - the model may raise anything
            middle = len(jobs) // 2
            return self._together(jobs[:middle]) + self._together(jobs[middle:])
        rows = sum(job.part.rows for job in jobs)
        if not isinstance(values, list) or len(values) != rows:
            self._is_batching = False
            _log.warning(
                "the model answers %d rows with %s: from now on it gets one request at a time",
                rows,
                f"{len(values)} items" if isinstance(values, list) else type(values).__name__,
            )
            return [self._alone(job) for job in jobs]
        return _shares(jobs, values)

    def _without_faulty(self, jobs: Sequence[Job]) -> list[Outcome]:
        faults: dict[Job, Outcome] = {}
        for job in jobs:
            if error := self._fault(job):
                faults[job] = error
        if not faults:
            # Each is right, but not beside the others.
            return [self._alone(job) for job in jobs]
        right = [job for job in jobs if job not in faults]
        answers = dict(zip(right, self._together(right) if right else [], strict=True))
        return [faults.get(job) or answers[job] for job in jobs]

    def _fault(self, job: Job) -> RequestError | None:
        try:
            self._predictor.schema.assemble([job.part])
        except RequestError as error:
            return error
        return None

    def _alone(self, job: Job) -> Outcome:
        try:
            data = self._predictor.schema.assemble([job.part])
        except RequestError as error:
            return error
        try:
            values = as_json(self._predictor.predict(data, job.params))
            return write(values, is_wrapped=job.is_wrapped)
        except RequestError as error:  # of a model that checks its input itself
            return error
        except PredictionError as error:
            _log.error("%s", error.message)
            return error
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the model may raise anything
            _log.exception("the model raised")
            return PredictionError(f"the model raised {reason(error)}")


def reason(error: BaseException) -> str:
    """Return an exception in one short line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:300] if text else type(error).__name__


def _shares(jobs: Sequence[Job], values: list[Any]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    start = 0
    for job in jobs:
        end = start + job.part.rows
        try:
            outcomes.append(write(values[start:end], is_wrapped=job.is_wrapped))
        except PredictionError as error:
            _log.error("%s", error.message)
            outcomes.append(error)
        start = end
    return outcomes


def _deliver(jobs: Sequence[Job], outcomes: Sequence[Outcome]) -> None:
    """Hand the answers to the event loop: one wake-up for all."""
    loop = jobs[0].answer.get_loop()
    loop.call_soon_threadsafe(_settle, list(zip(jobs, outcomes, strict=True)))


def _settle(settled: list[tuple[Job, Outcome]]) -> None:
    for job, outcome in settled:
        if job.answer.done():  # its caller is gone
            continue
        if isinstance(outcome, bytes):
            job.answer.set_result(outcome)
        else:
            job.answer.set_exception(outcome)
