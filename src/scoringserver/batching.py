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
import time
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
#: Of the last call's time: how long nobody may come, and all may take, until the next call starts.
_GAP = 0.2
_ALL = 1.0
#: Seconds that a call is put off at most, however long calls take.
_LONGEST = 0.02


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

    Jobs wait in the event loop's thread, which gives the model's thread one batch after another.

    Callers that ask again as soon as they are answered would split into groups, each predicted
    while the others wait; a call costs almost the same for all of them, so that would halve what
    the server can do. Where several were answered, or others wait, the next call therefore starts
    once as many have asked as there are, or nobody more came for a fifth of the last call's time;
    after as long as that call took at the latest. A single caller is never held back.

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
        self._waiting: deque[Job] = deque()
        self._is_busy = False
        self._expected = 0
        self._seen = 0
        self._until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._batches: queue.SimpleQueue[list[Job]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="model", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread. What waits is not answered: the server ends once all is."""
        self._batches.put([])
        self._thread.join()

    def submit(self, job: Job) -> None:
        """Let a job wait for its turn; called in the event loop."""
        self._waiting.append(job)
        if not self._is_busy:
            self._is_busy = True
            # After all else that has arrived by now.
            asyncio.get_running_loop().call_soon(self._dispatch)
        elif self._timer and len(self._waiting) >= self._expected:
            self._dispatch()

    def _dispatch(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if jobs := self._take():
            self._batches.put(jobs)
        else:
            self._is_busy = False

    def _take(self) -> list[Job]:
        """Return what is to be predicted by the next call."""
        # Those whose callers have gone are left out.
        waiting = deque(job for job in self._waiting if not job.answer.done())
        self._waiting = deque()
        if not waiting:
            return []
        first = waiting.popleft()
        taken, rows = [first], first.part.rows
        for job in waiting:
            is_fitting = self._is_batching and rows + job.part.rows <= self._batch_rows
            if is_fitting and job.joins(first):
                taken.append(job)
                rows += job.part.rows
            else:
                self._waiting.append(job)
        return taken

    def _settle(self, jobs: Sequence[Job], outcomes: Sequence[Outcome], seconds: float) -> None:
        for job, outcome in zip(jobs, outcomes, strict=True):
            if job.answer.done():
                continue
            if isinstance(outcome, bytes):
                job.answer.set_result(outcome)
            else:
                job.answer.set_exception(outcome)
        self._expected = len(self._waiting) + len(jobs)
        if self._is_batching and self._expected > 1:
            loop = asyncio.get_running_loop()
            self._until = loop.time() + min(seconds * _ALL, _LONGEST)
            self._look_after(loop, min(seconds * _GAP, _LONGEST))
        else:
            self._dispatch()

    def _look_after(self, loop: asyncio.AbstractEventLoop, gap: float) -> None:
        self._seen = len(self._waiting)
        self._timer = loop.call_later(gap, self._look, loop, gap)

    def _look(self, loop: asyncio.AbstractEventLoop, gap: float) -> None:
        """Start the call if some have come, but none since the last look, or the time is over."""
        is_coming = len(self._waiting) > self._seen or not self._waiting
        if is_coming and loop.time() < self._until:
            self._look_after(loop, gap)
        else:
            self._dispatch()

    def _run(self) -> None:
        with self._surroundings():
            while jobs := self._batches.get():
                start = time.monotonic()
                try:
                    outcomes = self._together(jobs)
                except Exception as error:  # noqa: BLE001 - a defect here would leave callers waiting
                    _log.exception("requests could not be answered")
                    failed = PredictionError(f"the request could not be answered: {error!r:.200}")
                    outcomes = [failed] * len(jobs)
                jobs[0].answer.get_loop().call_soon_threadsafe(
                    self._settle, jobs, outcomes, time.monotonic() - start
                )

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
