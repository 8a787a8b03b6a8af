"""Runs trials fold by fold on worker processes, until the time, the trials, or the gain is over."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from automlkit.events import Events, TrialEnded, TrialStarted
from automlkit.pool import Outcome, Pool
from automlkit.request import Limits
from automlkit.search.budget import Budget
from automlkit.search.proposals import Proposals
from automlkit.search.stopping import has_stopped_gaining, is_hopeless
from automlkit.search.tasks import FoldDone, FoldWork
from automlkit.search.trials import Store, Trial, mean_metrics
from automlkit.worker import Failure

#: Models for which time is kept, after cross-validation, to fit them on all rows.
FITTED_AGAIN = 4

Reason = Literal["max_trials", "timeout", "exit_score", "early_termination", "exhausted"]

Ended = Literal["Completed", "Failed", "Canceled"]


@dataclass(frozen=True)
class Plan:
    """What decides how trials run.

    Attributes:
        limits: The request's limits.
        primary_metric: What the best trial is best in.
        is_greater_better: Of that metric.
        folds: Folds of a round.
        rows_a_fold: Validation rows of a fold, on average.
        cores: Cores that all trials share.
        refit_share: Rows of the delivered model for each training row of a fold.
        worth_keeping: Trials whose first fold's model is kept.
    """

    limits: Limits
    primary_metric: str
    is_greater_better: bool
    folds: int
    rows_a_fold: float
    cores: int
    refit_share: float
    worth_keeping: int = 8

    @property
    def trial_cores(self) -> int:
        """Cores of one trial."""
        most = (
            self.cores if self.limits.max_cores_per_trial < 1 else self.limits.max_cores_per_trial
        )
        return max(1, min(most, self.cores // max(1, self.limits.max_concurrent_trials)))

    @property
    def trial_workers(self) -> int:
        """Workers of one trial: folds side by side use cores better than threads do."""
        return min(self.trial_cores, self.folds)

    @property
    def workers(self) -> int:
        """Workers in all."""
        together = min(self.limits.max_concurrent_trials, max(1, self.cores // self.trial_cores))
        return max(1, together) * self.trial_workers

    def threads(self, fold: int) -> int:
        """Return the threads of a fold's work; a last one that is alone has the trial's cores."""
        is_alone = fold == self.folds - 1 and self.folds % self.trial_workers == 1
        return self.trial_cores if is_alone else max(1, self.trial_cores // self.trial_workers)

    def loss(self, metrics: dict[str, float]) -> float | None:
        """Return the primary metric as something to make small, or None where there is none."""
        value = metrics.get(self.primary_metric)
        return None if value is None else -value if self.is_greater_better else value

    def fit_seconds(self, trial: Trial) -> float:
        """Return what fitting the delivered model of a trial is expected to take."""
        seconds = trial.seconds / self.folds * self.refit_share
        # All cores fit one model: about as quick as the folds' threads allow, never slower.
        return seconds * self.threads(0) / self.trial_cores if self.folds > 1 else seconds


@dataclass
class _Running:
    trial: Trial
    round: int
    deadline: float
    seconds: float
    waiting: list[int]
    is_new: bool
    began: float
    busy: set[int] = field(default_factory=set)
    done: dict[int, FoldDone] = field(default_factory=dict)


class Loop:
    """The trials of a search.

    Attributes:
        trials: All that have started, by their numbers.
    """

    def __init__(
        self,
        plan: Plan,
        budget: Budget,
        pool: Pool,
        store: Store,
        events: Events,
        known: list[Trial],
    ) -> None:
        self.trials: dict[int, Trial] = {trial.number: trial for trial in known}
        self._plan = plan
        self._budget = budget
        self._pool = pool
        self._store = store
        self._events = events
        self._running: dict[int, _Running] = {}
        self._ended: list[float | None] = []
        for trial in known:
            self._tell_known(trial)

    @property
    def completed(self) -> list[Trial]:
        """Trials that have a score, the best first."""
        found = [one for one in self.trials.values() if self.loss_of(one) is not None]
        return sorted(found, key=lambda one: (self.loss_of(one), one.number))

    def loss_of(self, trial: Trial) -> float | None:
        """Return a completed trial's loss, else None."""
        return self._plan.loss(trial.metrics) if trial.status == "Completed" else None

    def search(self, proposals: Proposals, share: float) -> Reason:
        """Run trials until a limit is reached, and return which.

        Args:
            proposals: What to try.
            share: Of the time for trials, how much may be used.
        """
        for trial in self.trials.values():
            loss = self.loss_of(trial)
            proposals.recall(
                trial.algorithm, trial.config, float("inf") if loss is None else loss, trial.seconds
            )
        reason: Reason | None = None
        while True:
            while self._has_room():
                reason = reason or self._stop_reason(share)
                if reason is not None or not self._start_next(proposals, share):
                    break
            self._submit()
            if not self._running:
                is_limited = self._budget.seconds is not None
                return reason or ("timeout" if is_limited else "exhausted")
            for outcome in self._pool.wait(1.0):
                self._take(outcome, proposals)

    def repeat(self, trials: Iterable[Trial], round_number: int) -> None:
        """Run completed trials once more with a further round's folds, as far as time allows."""
        waiting: Iterator[Trial] = iter(list(trials))
        while True:
            while self._has_room() and (trial := next(waiting, None)) is not None:
                left = self.search_end() - self._budget.clock()
                if trial.seconds / self._plan.trial_workers > left:
                    continue
                self._begin(trial, round_number)
            self._submit()
            if not self._running:
                return
            for outcome in self._pool.wait(1.0):
                self._take(outcome, None)

    def repeated(self, round_number: int) -> list[Trial]:
        """Return the completed trials that have a round's predictions, the best first."""
        return [trial for trial in self.completed if round_number in trial.predictions]

    def search_end(self, share: float = 1.0) -> float:
        """Return the clock's reading at which trials end."""
        # A hold-out's models know nearly all rows already: trials are worth more than a refit of
        # each, and what there is no time for is delivered as it is.
        count = FITTED_AGAIN if self._plan.folds > 1 else 1
        fitting = sum(self._plan.fit_seconds(trial) for trial in self.completed[:count])
        end = self._budget.search_end(fitting)
        return end if share == 1.0 else self._budget.start + share * (end - self._budget.start)

    def _has_room(self) -> bool:
        return (
            len(self._running) < self._plan.workers // self._plan.trial_workers
            and self._pool.idle > 0
        )

    def _stop_reason(self, share: float) -> Reason | None:
        limits = self._plan.limits
        best = self.completed[:1]
        if limits.exit_score is not None and best:
            reached = self.loss_of(best[0])
            wanted = self._plan.loss({self._plan.primary_metric: limits.exit_score})
            assert reached is not None
            assert wanted is not None
            if reached <= wanted:
                return "exit_score"
        if len(self.trials) >= limits.max_trials:
            return "max_trials"
        if self._budget.clock() >= self.search_end(share):
            return "timeout"
        if limits.enable_early_termination and has_stopped_gaining(self._ended):
            return "early_termination"
        return None

    def _start_next(self, proposals: Proposals, share: float) -> bool:
        number = max(self.trials, default=-1) + 1
        left = self.search_end(share) - self._budget.clock()
        proposal = proposals.next(number, left)
        if proposal is None:
            return False
        trial = Trial(number, proposal.algorithm, proposal.config)
        self.trials[number] = trial
        self._events.tell(TrialStarted(number, trial.algorithm, trial.config, time.time()))
        seconds = [float("inf")]
        if proposal.is_first:
            seconds.append(self._budget.first_trial_seconds())
        if self._plan.limits.trial_timeout_seconds is not None:
            seconds.append(self._plan.limits.trial_timeout_seconds)
        self._begin(trial, 0, min(seconds))
        return True

    def _begin(self, trial: Trial, round_number: int, seconds: float = float("inf")) -> None:
        self._running[trial.number] = _Running(
            trial,
            round_number,
            self.search_end(),
            seconds,
            list(range(self._plan.folds)),
            round_number == 0,
            self._budget.clock(),
        )
        self._submit()

    def _submit(self) -> None:
        for running in self._running.values():
            while (
                running.waiting and self._pool.idle and len(running.busy) < self._plan.trial_workers
            ):
                fold = running.waiting.pop(0)
                running.busy.add(fold)
                left = running.seconds - (self._budget.clock() - running.began)
                self._pool.submit(self._work(running, fold), running.deadline, left)

    def _work(self, running: _Running, fold: int) -> FoldWork:
        trial = running.trial
        # Only where time may run out: then this model may have to be the one that is delivered.
        is_kept = fold == 0 and running.is_new and self._budget.seconds is not None
        return FoldWork(
            trial.number,
            trial.algorithm,
            trial.config,
            running.round,
            fold,
            self._plan.threads(fold),
            self._store.model_file(trial.number) if is_kept else None,
        )

    def _take(self, outcome: Outcome, proposals: Proposals | None) -> None:
        work, answer = outcome.task, outcome.answer
        assert isinstance(work, FoldWork)
        running = self._running.get(work.trial)
        if running is None:
            return  # Its trial was given up in the same moment.
        running.busy.discard(work.fold)
        if isinstance(answer, Failure):
            status: Ended = "Canceled" if answer.kind == "timeout" else "Failed"
            self._end(running, status, answer.message, proposals)
            return
        assert isinstance(answer, FoldDone)
        running.done[work.fold] = answer
        if len(running.done) == self._plan.folds:
            running.trial.complete(running.round, running.done)
            self._end(running, "Completed", None, proposals)
        elif running.is_new and not self._is_only(running.trial) and self._is_hopeless(running):
            self._end(running, "Canceled", "worse than ten others on every fold so far", proposals)

    def _is_only(self, trial: Trial) -> bool:
        return all(one.algorithm != trial.algorithm for one in self.completed)

    def _is_hopeless(self, running: _Running) -> bool:
        losses = {fold: self._plan.loss(dict(one.metrics)) for fold, one in running.done.items()}
        completed = [
            [self._plan.loss(fold) for fold in trial.fold_metrics[0]] for trial in self.completed
        ]
        known = [[loss for loss in one if loss is not None] for one in completed]
        return is_hopeless(
            {fold: loss for fold, loss in losses.items() if loss is not None},
            [one for one in known if len(one) == self._plan.folds],
            self._plan.rows_a_fold,
        )

    def _end(
        self,
        running: _Running,
        status: Ended,
        message: str | None,
        proposals: Proposals | None,
    ) -> None:
        trial = running.trial
        del self._running[trial.number]
        if running.busy:
            self._pool.cancel(_is_of(trial.number))
        if not running.is_new:
            self._store.save(trial)
            return
        trial.status, trial.message = status, message
        partial = mean_metrics([dict(one.metrics) for one in running.done.values()])
        metrics = trial.metrics if status == "Completed" else partial
        score = metrics.get(self._plan.primary_metric)
        if status == "Completed" and score is None:
            trial.status = status = "Failed"
            trial.message = message = f"it has no {self._plan.primary_metric}"
        if proposals is not None:
            # What was given up early tells the searcher where not to go: by its folds so far.
            loss = None if status == "Failed" else self._plan.loss(metrics)
            cost = self._budget.clock() - running.began
            proposals.tell(trial.number, trial.algorithm, loss, cost)
        self._ended.append(self.loss_of(trial))
        self._store.save(trial)
        kept = self.completed[: self._plan.worth_keeping]
        self._store.keep_models({one.number for one in kept} | set(self._running))
        self._events.tell(
            TrialEnded(
                trial.number,
                status,
                time.time(),
                score,
                metrics if score is not None else {},
                message,
            )
        )

    def _tell_known(self, trial: Trial) -> None:
        assert trial.status != "Running"
        self._ended.append(self.loss_of(trial))
        self._events.tell(TrialStarted(trial.number, trial.algorithm, trial.config, time.time()))
        self._events.tell(
            TrialEnded(
                trial.number,
                trial.status,
                time.time(),
                trial.metrics.get(self._plan.primary_metric),
                trial.metrics,
                trial.message,
                is_known=True,
            )
        )


def _is_of(number: int) -> Callable[[FoldWork], bool]:
    return lambda work: work.trial == number
