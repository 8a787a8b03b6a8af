"""The end of a search: delivers what was chosen, or what there is time for, and explains it."""

from __future__ import annotations

import math
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automlkit.errors import SearchError
from automlkit.forecasting.deliver import Delivery
from automlkit.forecasting.explain import Explanation
from automlkit.forecasting.portfolio import CHEAP
from automlkit.forecasting.problem import Problem
from automlkit.forecasting.search import Search, Trial
from automlkit.pool import Pool
from automlkit.search.budget import Budget
from automlkit.worker import Failure, Task, attempt

#: Seconds that starting a process, saving, and testing take, beside the last fit; measured under
#: load, with some to spare.
_SAVING = 12.0
#: Seconds that saving takes at least.
_LEAST_SAVING = 2.0
#: Shares of the time: kept for the last fit, and kept for all of the delivery at most.
_LAST_FIT, _MOST_KEPT = 0.12, 0.4
#: What the whole may take longer than its time, and how much of that a second delivery has.
_SLACK, _GRACE = 1.05, 8.0
#: Seconds of the limit from which a second delivery, in a new process, would have time.
_LEAST_FOR_TWO = 120.0
#: Seconds that explaining takes at most, and without which it is not begun.
_EXPLAINING, _LEAST_TO_EXPLAIN = 30.0, 2.0
#: Models that are tried to be delivered, one after the other, if the fit of one does not end.
_ATTEMPTS = 3


@dataclass(frozen=True)
class Timing:
    """When searching ends, and when delivering does, on the clock of `time.monotonic`.

    Attributes:
        searching: The last trial ends; None is never.
        whole: The first trial that comes to an end has done so.
        first: The first try to deliver ends.
        last: The last one does.
    """

    searching: float | None = None
    whole: float = math.inf
    first: float = math.inf
    last: float = math.inf

    @classmethod
    def of(cls, budget: Budget) -> Timing:
        """Return the times of a budget."""
        began, limit = budget.start, budget.seconds
        if limit is None:
            return cls()
        kept = min(_SAVING + _LAST_FIT * limit, _MOST_KEPT * limit)
        whole, last = began + limit, began + limit * _SLACK + _GRACE
        # A process that is ended and made anew takes seconds: of short limits, one try.
        return cls(began + limit - kept, whole, whole if limit >= _LEAST_FOR_TWO else last, last)


class Results:
    """The end of a search.

    Args:
        problem: What was searched.
        search: Its trials.
        pool: The workers, idle.
        threads: Of each.
        out: The folder for all that is written.
        timing: When it is to be over.
    """

    def __init__(
        self, problem: Problem, search: Search, pool: Pool, threads: int, out: Path, timing: Timing
    ) -> None:
        self._problem = problem
        self._search = search
        self._pool = pool
        self._threads = threads
        self._out = out
        self._timing = timing

    def deliver(self, chosen: Trial) -> tuple[Trial, dict[str, float]]:
        """Deliver the chosen trial, or the best that there is time for, or else the quickest.

        Returns:
            The delivered trial, and its metrics on test rows.

        Raises:
            SearchError: None could be delivered.
        """
        quickest = sorted(self._search.completed, key=lambda trial: trial.seconds)
        message = "no worker was ready in time"
        left = self._timing.first - time.monotonic() - _LEAST_SAVING
        if self._seconds_to_fit(chosen) > left:
            # The best that there is time for.
            fitting = (t for t in self._search.completed if self._seconds_to_fit(t) <= left)
            chosen = next(fitting, quickest[0])
        tried = [chosen, *(trial for trial in quickest if trial is not chosen)]
        for number, trial in enumerate(tried[:_ATTEMPTS]):
            end = self._timing.last if number else self._timing.first
            if not self._pool.ready(min(_LEAST_SAVING, end - time.monotonic())):
                break
            answer = self._by_worker(self._delivery(trial), end)
            if not isinstance(answer, Failure):
                return trial, self._put_in_place(answer)
            message = answer.message
        # Late is better than nothing: this takes a second, beside loading what saves models.
        for trial in [one for one in quickest if one.algorithm in CHEAP]:
            answer = attempt(self._delivery(trial), self._problem)
            if not isinstance(answer, Failure):
                return trial, self._put_in_place(answer)
            message = answer.message
        raise SearchError(f"no model could be delivered: {message}")

    def explain(self, delivered: Trial) -> str:
        """Write `explanation`; return what a reader should know if it is not whole."""
        if self._timing.last - time.monotonic() < _LEAST_TO_EXPLAIN or not self._pool.ready(0.0):
            return "; no time was left to explain it"
        task = Explanation(
            delivered.members,
            delivered.predictions,
            self._out / "model",
            self._out / "explanation",
            max(0.0, min(_EXPLAINING, self._timing.whole - time.monotonic())),
            self._threads,
        )
        answer = self._by_worker(task, self._timing.last)
        if isinstance(answer, Failure):
            return f"; its explanation is not whole: {answer.message}"
        return ""

    def _by_worker(self, task: Task, deadline: float) -> Any:
        self._pool.submit(task, deadline)
        (outcome,) = self._pool.wait()
        return outcome.answer

    def _delivery(self, trial: Trial) -> Delivery:
        return Delivery(
            trial.members,
            trial.predictions,
            self._out / "model.new",
            _facts(self._problem, trial),
            self._threads,
        )

    def _put_in_place(self, tested: dict[str, float]) -> dict[str, float]:
        shutil.rmtree(self._out / "model", ignore_errors=True)
        (self._out / "model.new").replace(self._out / "model")
        return tested

    def _seconds_to_fit(self, trial: Trial) -> float:
        """Return how long the last fit takes, as long as those of a fold took."""
        alone = [one for one in self._search.completed if len(one.members) == 1]
        seconds = {one.members[0][0].key: one.seconds for one in alone}
        return sum(seconds[own.key] for own, _ in trial.members) / self._problem.folds.count


def _facts(problem: Problem, trial: Trial) -> dict[str, str]:
    """Return what the model says of itself."""
    settings = problem.request.forecasting
    assert settings is not None
    return {
        "task": "forecasting",
        "target": problem.request.target_column_name,
        "estimator": trial.algorithm,
        "time_column_name": settings.time_column_name,
        "frequency": problem.frequency,
        "forecast_horizon": str(problem.folds.horizon),
    }
