"""Writes what came out of a search: model, leaderboard, featurization, explanation."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from automlkit.errors import SearchError
from automlkit.events import Finished, TrialEnded, TrialStarted
from automlkit.pool import Pool
from automlkit.save import save_model
from automlkit.search.choice import Ensemble, choose
from automlkit.search.deliver import Delivery
from automlkit.search.explain import (
    MOST_ROWS,
    permutation_importance,
    write_explanation,
    write_terms,
)
from automlkit.search.loop import Loop, Plan, Reason
from automlkit.search.objective import Floats
from automlkit.search.selection import Truth
from automlkit.search.session import Session
from automlkit.search.tasks import metrics_of, predict_milliseconds, predictions_of
from automlkit.search.trials import Store, Trial, mean_metrics, plain
from stepkit.program import write_json


class Results:
    """The end of a search.

    Args:
        session: The search.
        plan: How trials ran.
        loop: The trials.
        pool: The workers, idle.
        store: Where fold models are kept.
        folder: A temporary folder.
    """

    def __init__(
        self, session: Session, plan: Plan, loop: Loop, pool: Pool, store: Store, folder: Path
    ) -> None:
        self._session = session
        self._plan = plan
        self._loop = loop
        self._pool = pool
        self._store = store
        self._folder = folder

    def write(self, stopped_because: Reason) -> Finished:
        """Choose and fit the model, write everything, and return the last event.

        Raises:
            SearchError: No trial succeeded, or no model could be fitted in time.
        """
        session = self._session
        completed = self._loop.completed
        if not completed:
            raise SearchError(self._why_nothing())
        truths = session.truths()
        request = session.request
        choice = choose(completed, truths, request.training, request.seed)
        rows = [self._row(trial) for trial in self._loop.trials.values()]
        number_of: dict[str, int] = {}
        for ensemble in choice.ensembles:
            number = max(self._loop.trials) + 1 + len(number_of)
            number_of[ensemble.algorithm] = number
            rows.append(self._tell_ensemble(number, ensemble, choice.rounds))
        delivery = Delivery(
            self._plan,
            session.budget,
            self._pool,
            self._store,
            self._folder,
            session.context.classes,
        )
        delivered = delivery.deliver(choice)
        chosen = choice.chosen
        best = choice.trial.number if chosen is None else number_of[chosen.algorithm]
        metrics = next(row["metrics"] for row in rows if row["trial"] == best)
        test_metrics = self._test_metrics(delivered.model)
        self._write_model(delivered.model, {**metrics, **_named_test(test_metrics)})
        self._write_tables(rows, best, delivered.model)
        if request.training.enable_model_explainability:
            self._explain(delivered.model, truths[0])
        reason = "; ".join([choice.reason, *delivered.notes])
        return Finished(best, stopped_because, reason, metrics, test_metrics)

    def _why_nothing(self) -> str:
        trials = list(self._loop.trials.values())
        if not trials:
            return "no trial could be started in time; give limits.timeout more minutes"
        last = trials[-1]
        return f"none of {len(trials)} trials succeeded; {last.algorithm}, the last: {last.message}"

    def _row(self, trial: Trial) -> dict[str, Any]:
        return {
            "trial": trial.number,
            "algorithm": trial.algorithm,
            "hyperparameters": plain(trial.config),
            "score": trial.metrics.get(self._plan.primary_metric),
            "seconds": trial.seconds,
            "predict_ms": trial.predict_ms,
            "status": trial.status,
            "metrics": trial.metrics,
        }

    def _tell_ensemble(self, number: int, ensemble: Ensemble, rounds: int) -> dict[str, Any]:
        facts = {
            "trials": [trial.number for trial, _ in ensemble.members],
            "algorithms": [trial.algorithm for trial, _ in ensemble.members],
            "weights": [round(weight, 6) for _, weight in ensemble.members],
        }
        events = self._session.events
        events.tell(TrialStarted(number, ensemble.algorithm, facts, time.time()))
        metrics = self._metrics_of_folds(ensemble.predictions, rounds)
        score = metrics.get(self._plan.primary_metric)
        events.tell(TrialEnded(number, "Completed", time.time(), score, metrics))
        return {
            "trial": number,
            "algorithm": ensemble.algorithm,
            "hyperparameters": facts,
            "score": score,
            "seconds": sum(trial.seconds for trial, _ in ensemble.members),
            "predict_ms": sum(trial.predict_ms for trial, _ in ensemble.members),
            "status": "Completed",
            "metrics": metrics,
        }

    def _metrics_of_folds(self, predictions: Floats, rounds: int) -> dict[str, float]:
        context = self._session.context
        folds, start = [], 0
        for number in range(rounds):
            for fold in context.rounds[number]:
                part = predictions[start : start + len(fold.valid)]
                folds.append(metrics_of(part, fold.valid, context))
                start += len(fold.valid)
        return mean_metrics(folds)

    def _test_metrics(self, model: Any) -> dict[str, float]:
        from automlkit.metrics import score_all

        session, test = self._session, self._session.tables.test
        if test is None:
            return {}
        target = session.context.target
        extent = (
            (float(target.min()), float(target.max())) if session.context.classes is None else None
        )
        return score_all(
            session.request.task,
            test.y,
            predictions_of(model, test.X, session.context),
            classes=session.context.classes,
            weights=test.weights,
            y_train_range=extent,
            positive_label=session.request.positive_label,
        )

    def _write_model(self, model: Any, metrics: dict[str, float]) -> None:
        train = self._session.tables.train
        save_model(
            model,
            self._session.out / "model",
            X_example=train.X,
            y=train.y,
            request=self._session.request,
            metrics=metrics,
        )

    def _write_tables(self, rows: Sequence[dict[str, Any]], best: int, model: Any) -> None:
        train = self._session.tables.train
        measured = predict_milliseconds(model.predict, train.X)
        factor = -1 if self._plan.is_greater_better else 1
        ranked = sorted(
            rows,
            key=lambda row: (row["score"] is None, factor * (row["score"] or 0.0), row["trial"]),
        )
        board = [
            {
                **{name: value for name, value in row.items() if name != "metrics"},
                "is_delivered": row["trial"] == best,
                **({"predict_ms": measured} if row["trial"] == best else {}),
            }
            for row in ranked
        ]
        write_json(self._session.out / "leaderboard.json", board)
        write_json(self._session.out / "featurization.json", self._session.featurization)

    def _explain(self, model: Any, truth: Truth) -> None:
        session = self._session
        context = session.context
        places = np.concatenate([fold.valid for fold in context.rounds[0]])
        drawn = np.random.default_rng(session.request.seed).permutation(len(places))[:MOST_ROWS]
        part = Truth(truth.values[drawn], truth.weights[drawn], truth.loss)

        def predict(table: pd.DataFrame) -> Floats:
            return predictions_of(model, table, context)

        seconds = min(session.budget.explaining, max(1.0, session.budget.left()))
        rows = permutation_importance(
            predict,
            context.table.iloc[places[drawn]],
            part,
            seed=session.request.seed,
            seconds=seconds,
        )
        folder = session.out / "explanation"
        write_explanation(folder, rows, getattr(truth.loss, "__name__", "loss").replace("_", " "))
        machine = getattr(model, "model_", None)
        if hasattr(machine, "term_importances"):
            write_terms(folder, machine)


def _named_test(metrics: dict[str, float]) -> dict[str, float]:
    return {f"test_{name}": value for name, value in metrics.items()}
