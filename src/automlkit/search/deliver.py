"""Fits what was chosen on all training rows, in time, and puts the delivered model together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cloudpickle

from automlkit.errors import SearchError
from automlkit.pool import Pool
from automlkit.search.budget import CLOSING, Budget
from automlkit.search.choice import Choice
from automlkit.search.loop import Plan
from automlkit.search.tasks import FinalWork
from automlkit.search.trials import Store, Trial
from automlkit.worker import Failure
from automlmodel.ensemble import (
    StackClassifier,
    StackRegressor,
    VotingClassifier,
    VotingRegressor,
    share_featurizers,
)


@dataclass(frozen=True)
class Delivered:
    """The model that is delivered.

    Attributes:
        model: Takes raw columns.
        notes: What a reader should know of how it was made.
    """

    model: Any
    notes: Sequence[str]


class Delivery:
    """Fits models on the worker processes.

    Args:
        plan: How trials ran.
        budget: The clock.
        pool: The workers.
        store: Where fold models are kept.
        folder: Where fitted models are written for this process to read.
        classes: All labels, or None of regression.
    """

    def __init__(
        self,
        plan: Plan,
        budget: Budget,
        pool: Pool,
        store: Store,
        folder: Path,
        classes: Sequence[Any] | None,
    ) -> None:
        self._plan = plan
        self._budget = budget
        self._pool = pool
        self._store = store
        self._folder = folder
        self._classes = classes

    def deliver(self, choice: Choice) -> Delivered:
        """Return the model that was chosen, or the next best thing that there is time for.

        Raises:
            SearchError: Not even the model of one fold is left.
        """
        members = [trial for trial, _ in choice.members]
        models, notes = self._models(members)
        if (
            choice.chosen is not None
            and choice.chosen.meta is not None
            and len(models) < len(members)
        ):
            # A stack without one of its members is no stack.
            best = {
                trial.number: models[trial.number] for trial in members if trial.number in models
            }
            first = next(iter(sorted(best, key=self._rank(choice))), None)
            models = {} if first is None else {first: best[first]}
            notes.append("the stack lost a member: its best other member is delivered alone")
        for trial in (choice.trial, *choice.runners_up):
            if models:
                break
            kept = self._kept(trial)
            if kept is not None:
                models = {trial.number: kept}
                notes.append(
                    f"trial {trial.number} is delivered instead, as its first fold fitted it"
                )
        if not models:
            raise SearchError("no model could be fitted in time; give limits.timeout more minutes")
        return Delivered(self._assembled(choice, models), notes)

    def _rank(self, choice: Choice) -> Any:
        order = [choice.trial.number, *(trial.number for trial in choice.runners_up)]
        return lambda number: order.index(number) if number in order else len(order)

    def _assembled(self, choice: Choice, models: dict[int, Any]) -> Any:
        if len(models) == 1:
            return next(iter(models.values()))
        weights = {trial.number: weight for trial, weight in choice.members}
        numbers = [number for number in weights if number in models]
        members = [models[number] for number in numbers]
        share_featurizers(members)
        chosen = choice.chosen
        if chosen is not None and chosen.meta is not None:
            if self._classes is None:
                return StackRegressor(members, chosen.meta)
            return StackClassifier(members, chosen.meta, self._classes)
        shares = [weights[number] for number in numbers]
        if self._classes is None:
            return VotingRegressor(members, shares)
        return VotingClassifier(members, shares, self._classes)

    def _models(self, members: Sequence[Trial]) -> tuple[dict[int, Any], list[str]]:
        deadline = self._budget.end - self._budget.explaining - CLOSING / 2
        # One model has all cores; of several, each worker fits one.
        side_by_side = min(self._plan.workers, len(members))
        threads = max(1, self._plan.cores // side_by_side)
        models: dict[int, Any] = {}
        notes: list[str] = []
        waiting = list(members)
        fitting = 0
        while waiting or fitting:
            while waiting and self._pool.idle:
                trial = waiting.pop(0)
                left = deadline - self._budget.clock()
                if self._plan.fit_seconds(trial) > left and self._replace(trial, models, notes):
                    continue
                self._pool.submit(self._work(trial, threads), deadline)
                fitting += 1
            for outcome in self._pool.wait(1.0) if fitting else ():
                fitting -= 1
                trial = next(one for one in members if one.number == outcome.task.trial)
                if isinstance(outcome.answer, Failure):
                    notes.append(f"trial {trial.number} was not fitted: {outcome.answer.message}")
                    self._replace(trial, models, notes)
                else:
                    models[trial.number] = _load(self._file(trial))
        return models, notes

    def _work(self, trial: Trial, threads: int) -> FinalWork:
        iterations = None
        if trial.iterations:
            # More rows bear more iterations; by how much is not known, so half of the growth.
            growth = 1 + (self._plan.refit_share - 1) / 2
            iterations = max(1, round(growth * sum(trial.iterations) / len(trial.iterations)))
        return FinalWork(
            trial.number, trial.algorithm, trial.config, iterations, threads, self._file(trial)
        )

    def _file(self, trial: Trial) -> Path:
        return self._folder / f"{trial.number}.pkl"

    def _kept(self, trial: Trial) -> Any:
        file = self._store.model_file(trial.number)
        return _load(file) if file.exists() else None

    def _replace(self, trial: Trial, models: dict[int, Any], notes: list[str]) -> bool:
        kept = self._kept(trial)
        if kept is not None:
            models[trial.number] = kept
            notes.append(f"trial {trial.number} is delivered as its first fold fitted it")
        return kept is not None


def _load(file: Path) -> Any:
    return cloudpickle.loads(file.read_bytes())
