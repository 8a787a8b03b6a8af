"""The search: trials in child processes, until time, number, or gain says that it is enough."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from automlkit.errors import SearchError
from automlkit.events import Events, TrialEnded, TrialStarted
from automlkit.forecasting.ensemble import mean_gain, mixed_weights, vote_weights
from automlkit.forecasting.portfolio import Candidate
from automlkit.forecasting.problem import Problem
from automlkit.forecasting.state import Finished, State
from automlkit.forecasting.trial import Evaluation, Truth
from automlkit.metrics import is_better, score_forecast
from automlkit.pool import Outcome, Pool
from automlkit.worker import Failure, attempt
from automlmodel.forecast_features import Floats

Stop = Literal["max_trials", "timeout", "exit_score", "early_termination", "exhausted"]

#: Trials before early termination is thought of, and trials without gain that end the search;
#: Azure's own numbers.
_LANDMARKS, _PATIENCE = 20, 10
#: Share of the time left that one trial may take, and seconds that it may take in any case.
_SHARE, _LEAST_SECONDS = 0.25, 5.0


@dataclass(frozen=True)
class Trial:
    """A trial that ended.

    Attributes:
        number: From 0.
        algorithm: Azure's name.
        config: Its hyperparameters.
        status: `Completed`, `Failed`, or `Canceled`.
        seconds: How long it took.
        score: The primary metric, or None.
        metrics: All metrics.
        predictions: Forecasts of the validation rows; empty if it is not Completed.
        members: Of a vote: candidates and weights; of others, the one candidate.
    """

    number: int
    algorithm: str
    config: dict[str, Any]
    status: Literal["Completed", "Failed", "Canceled"]
    seconds: float
    score: float | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    predictions: Floats = field(default_factory=lambda: np.empty(0))
    members: tuple[tuple[Candidate, float], ...] = ()


class Search:
    """Trials of one problem.

    Args:
        problem: What is searched.
        events: What happens is told here.
        state: Finished trials.
        pool: Its workers hold the problem.
        threads: Of each trial.
        deadline: When the last trial ends, on the clock of `time.monotonic`; None is never.
        latest: When the first trial that comes to an end must have done so.
    """

    def __init__(
        self,
        problem: Problem,
        events: Events,
        state: State,
        pool: Pool,
        threads: int,
        deadline: float | None,
        latest: float = float("inf"),
    ) -> None:
        self._problem, self._events, self._state = problem, events, state
        self._pool, self._threads = pool, threads
        self._end_of_search = float("inf") if deadline is None else deadline
        self._latest = latest
        self._limits = problem.request.limits
        self._metric = problem.request.primary_metric
        self.truth = Truth(problem)
        self.trials: list[Trial] = []
        self._causes: list[str] = []
        self._started = 0
        self._last_gain = 0

    def run(self, candidates: Iterator[Candidate], cheapest: Candidate | None) -> Stop:
        """Try candidates until the search is over; return why it is.

        Args:
            candidates: What is tried, in order.
            cheapest: What this process tries by itself where time is over and no trial came to an
                end; None for nothing.

        Raises:
            SearchError: No trial came to an end.
        """
        if not self._pool.ready(self._end_of_search - time.monotonic()):
            # There is nobody to have patience with.
            self._latest = self._end_of_search
        stop: Stop | None = None
        while stop is None:
            while self._pool.idle and stop is None:
                stop = self._reason() or self._start(next(candidates, None))
            if self._pool.busy and stop not in ("timeout", "exit_score", "early_termination"):
                self._take(self._pool.wait())
                stop = self._reason() if stop is None else stop
        while self._pool.busy and stop in ("max_trials", "exhausted"):
            self._take(self._pool.wait())
        for task in self._pool.cancel(lambda _: True):
            own = task.candidate
            self._end(Trial(task.number, own.algorithm, own.config, "Canceled", 0.0), stop)
        if not self.completed and cheapest and time.monotonic() >= self._latest:
            stop = "timeout"
            self._try_here(cheapest)
        if not self.completed:
            causes = "; ".join(dict.fromkeys(self._causes))
            raise SearchError(f"no trial came to an end: {causes[:500] or stop}")
        return stop

    def _try_here(self, candidate: Candidate) -> None:
        """Do a trial in this process, without a deadline."""
        number, self._started = self._started, self._started + 1
        self._tell_start(number, candidate.algorithm, candidate.config)
        known = self._state.get(candidate)
        if known:
            self._complete(number, candidate, known, is_known=True)
            return
        task = Evaluation(number, candidate, self._threads)
        began = time.monotonic()
        answer = attempt(task, self._problem)
        self._take([Outcome(task, answer, time.monotonic() - began)])

    @property
    def _deadline(self) -> float:
        """When trials end: later while there is none that could be delivered."""
        return self._end_of_search if self.completed else self._latest

    @property
    def completed(self) -> list[Trial]:
        """Completed trials, the best first."""
        done = [trial for trial in self.trials if trial.score is not None]
        sign = -1.0 if is_better(self._metric, 1.0, 0.0) else 1.0
        return sorted(done, key=lambda trial: (sign * (trial.score or 0.0), trial.number))

    def _reason(self) -> Stop | None:
        """Return why no further trial is begun, or None."""
        done = self.completed
        if self._limits.exit_score is not None and done:
            best = done[0].score
            assert best is not None
            if not is_better(self._metric, self._limits.exit_score, best):
                return "exit_score"
        if self._started >= self._limits.max_trials:
            return "max_trials"
        if time.monotonic() >= self._deadline:
            return "timeout"
        patience = max(_LANDMARKS, self._last_gain + _PATIENCE)
        if self._limits.enable_early_termination and len(self.trials) >= patience:
            return "early_termination"
        return None

    def _start(self, candidate: Candidate | None) -> Stop | None:
        """Begin a candidate's trial, or take its result from the state."""
        if candidate is None:
            return "exhausted"
        number, self._started = self._started, self._started + 1
        self._tell_start(number, candidate.algorithm, candidate.config)
        known = self._state.get(candidate)
        if known:
            self._complete(number, candidate, known, is_known=True)
            return None
        seconds = max(_LEAST_SECONDS, _SHARE * (self._deadline - time.monotonic()))
        if self._limits.trial_timeout_seconds:
            seconds = min(seconds, self._limits.trial_timeout_seconds)
        self._pool.submit(Evaluation(number, candidate, self._threads), self._deadline, seconds)
        return None

    def _take(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            number, own, answer = outcome.task.number, outcome.task.candidate, outcome.answer
            if isinstance(answer, Failure):
                status: Literal["Failed", "Canceled"] = (
                    "Canceled" if answer.kind == "timeout" else "Failed"
                )
                self._causes.append(answer.message)
                trial = Trial(number, own.algorithm, own.config, status, outcome.seconds)
                self._end(trial, answer.message)
            else:
                finished = Finished(outcome.seconds, answer)
                self._state.put(own, finished)
                self._complete(number, own, finished, is_known=False)

    def _complete(
        self, number: int, candidate: Candidate, finished: Finished, *, is_known: bool
    ) -> None:
        metrics = self.measure(finished.predictions)
        best = self.completed[0].score if self.completed else None
        trial = Trial(
            number,
            candidate.algorithm,
            candidate.config,
            "Completed",
            finished.seconds,
            metrics[self._metric],
            metrics,
            finished.predictions,
            ((candidate, 1.0),),
        )
        self._end(trial, None, is_known=is_known)
        if best is None or is_better(self._metric, metrics[self._metric], best):
            self._last_gain = len(self.trials)

    def _tell_start(self, number: int, algorithm: str, config: dict[str, Any]) -> None:
        self._events.tell(TrialStarted(number, algorithm, config, time.time()))

    def _end(self, trial: Trial, message: str | None, *, is_known: bool = False) -> None:
        self.trials.append(trial)
        self._events.tell(
            TrialEnded(
                trial.number,
                trial.status,
                time.time(),
                trial.score,
                trial.metrics,
                message,
                is_known,
            )
        )

    def measure(self, predictions: Floats) -> dict[str, float]:
        """Return all metrics of forecasts of the validation rows."""
        truth = self.truth
        return score_forecast(truth.values, predictions, truth.series, self._problem.extents)

    def vote(self) -> tuple[Trial, str]:
        """Return the trial to be delivered, a vote where one gains, and why.

        The vote, if there is one, is told as a trial.
        """
        ranked = self.completed
        best = ranked[0]
        if not self._problem.request.training.enable_vote_ensemble or len(ranked) < 2:
            return best, f"trial {best.number} is the best by {self._metric}"
        weights = vote_weights(
            [trial.predictions for trial in ranked],
            self._metric,
            lambda predictions: self.measure(predictions)[self._metric],
        )
        weights = mixed_weights(weights, [trial.algorithm for trial in ranked])
        if len(weights) < 2:
            return best, f"trial {best.number} is the best by {self._metric}, and no vote is better"
        vote = self._voted(ranked, weights)
        assert vote.score is not None
        assert best.score is not None
        if not is_better(self._metric, vote.score, best.score):
            return best, f"trial {best.number} is better by {self._metric} than a vote"
        scales = np.where(self._problem.ranges > 0, self._problem.ranges, 1.0)[self.truth.series]
        groups = self.truth.series * self._problem.folds.count + self.truth.fold
        mean, error = mean_gain(
            self.truth.values, best.predictions, vote.predictions, groups, scales
        )
        return vote, (
            f"a vote is better by {self._metric} than trial {best.number}, the best alone; its "
            f"error is lower by {mean:.4g} of each series' range, with a standard error of "
            f"{error:.2g} over folds"
        )

    def _voted(self, ranked: list[Trial], weights: dict[int, float]) -> Trial:
        """Return a vote of trials, told as a trial of its own."""
        began = time.monotonic()
        members = [(ranked[place], weight) for place, weight in weights.items()]
        members.sort(key=lambda member: -member[1])
        config = {
            "trials": [trial.number for trial, _ in members],
            "algorithms": [trial.algorithm for trial, _ in members],
            "weights": [round(weight, 6) for _, weight in members],
        }
        number, self._started = self._started, self._started + 1
        self._tell_start(number, "VotingEnsemble", config)
        predictions = np.asarray(sum(weight * trial.predictions for trial, weight in members))
        metrics = self.measure(predictions)
        vote = Trial(
            number,
            "VotingEnsemble",
            config,
            "Completed",
            time.monotonic() - began,
            metrics[self._metric],
            metrics,
            predictions,
            tuple((trial.members[0][0], weight) for trial, weight in members),
        )
        self._end(vote, None)
        return vote
