"""What worker processes are asked to do: fit a fold, or the model that is delivered."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from automlkit.metrics import score_all
from automlkit.search.context import Context, Fold
from automlkit.search.objective import Floats
from automlmodel.ensemble import aligned
from stepkit.program import write_bytes

#: Predictions of one row that are timed; the quickest counts, since others share the machine.
TIMED_ROWS = 5
#: Validation rows of a fold from which early stopping goes by them, and else the share of the
#: training rows that is set aside for it.
ROWS_TO_STOP_BY = 1000
STOPPING_SHARE = 0.2
#: Seconds of fitting from which a fold's model is kept; one that is quicker is fitted again.
WORTH_KEEPING = 1.0


@dataclass(frozen=True)
class FoldDone:
    """One fold's result.

    Attributes:
        predictions: Of the validation rows, shape (rows,) or (rows, classes).
        seconds: Of fitting and predicting.
        predict_ms: Milliseconds that one row takes.
        iterations: Iterations that the learner stopped at, or None.
        metrics: All metrics on the validation rows, by Azure's names.
    """

    predictions: Floats
    seconds: float
    predict_ms: float
    iterations: int | None
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class FinalDone:
    """A model is written.

    Attributes:
        seconds: Of fitting and writing.
    """

    seconds: float


@dataclass(frozen=True)
class FoldWork:
    """Fit one configuration on one fold, and predict the fold's validation rows.

    Attributes:
        trial: The trial's number.
        algorithm: The learner's name.
        config: Its hyperparameters.
        round: Which folds.
        fold: Which of them.
        threads: Threads that may be used.
        keep: Where the fitted model is written, or None.
    """

    trial: int
    algorithm: str
    config: Mapping[str, Any]
    round: int
    fold: int
    threads: int
    keep: Path | None = None

    def __call__(self, context: Context) -> FoldDone:
        """Fit, predict, and time a row.

        Raises:
            ValueError: What it predicts is no finite number.
        """
        start = time.perf_counter()
        fold = context.rounds[self.round][self.fold]
        model = _build(self, context, dict(self.config))
        rows, aside = fold.train, None
        if getattr(model, "stopping", None) is not None:
            is_class = context.classes is not None
            rows, aside = stopping_rows(fold, is_class, context.target, context.seed + self.fold)
        model = _fitted(model, context, rows, aside)
        predicted = predictions_of(model, context.table.iloc[fold.valid], context)
        seconds = time.perf_counter() - start
        if not np.isfinite(predicted).all():
            raise ValueError("it predicts what is not a finite number")
        if self.keep is not None and seconds > WORTH_KEEPING:
            write_bytes(self.keep, cloudpickle.dumps(model))
        return FoldDone(
            predicted.astype(np.float32),
            seconds,
            predict_milliseconds(
                lambda row: predictions_of(model, row, context), context.table.iloc[fold.valid]
            ),
            _iterations(model),
            metrics_of(predicted, fold.valid, context),
        )


@dataclass(frozen=True)
class FinalWork:
    """Fit one configuration on the rows of the delivered model.

    Attributes:
        trial: The number of the trial whose configuration it is.
        algorithm: The learner's name.
        config: Its hyperparameters.
        iterations: Iterations of a learner that stopped early in the folds, or None.
        threads: Threads that may be used.
        keep: Where the fitted model is written.
    """

    trial: int
    algorithm: str
    config: Mapping[str, Any]
    iterations: int | None
    threads: int
    keep: Path

    def __call__(self, context: Context) -> FinalDone:
        """Fit, and write the model."""
        start = time.perf_counter()
        config = dict(self.config)
        counted = getattr(context.builders[self.algorithm], "iterations", None)
        if self.iterations is not None and counted is not None:
            config[counted] = self.iterations
        model = _fitted(_build(self, context, config), context, context.delivered_rows)
        write_bytes(self.keep, cloudpickle.dumps(model))
        return FinalDone(time.perf_counter() - start)


def stopping_rows(
    fold: Fold, is_class: bool, target: pd.Series, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows that a fold is fitted on, and those that early stopping goes by.

    Many validation rows serve both: one number learned from them hardly flatters their score. Of
    few, the number of iterations would fit their noise, so training rows are set aside for it.
    """
    if len(fold.valid) >= ROWS_TO_STOP_BY:
        return fold.train, fold.valid
    labels = target.iloc[fold.train]
    can_stratify = is_class and int(labels.value_counts().min()) >= 2 / STOPPING_SHARE
    kept, aside = train_test_split(
        fold.train,
        test_size=STOPPING_SHARE,
        random_state=seed,
        stratify=labels if can_stratify else None,
    )
    return np.sort(kept), np.sort(aside)


def _build(work: FoldWork | FinalWork, context: Context, config: dict[str, Any]) -> Any:
    return context.builders[work.algorithm].build(
        context.task,
        config,
        columns=context.columns,
        featurization=context.featurization,
        threads=work.threads,
        seed=context.seed,
        classes=context.classes,
    )


def _fitted(model: Any, context: Context, rows: NDArray[np.intp], stop_by: Any = None) -> Any:
    weights = None if context.weights is None else context.weights.iloc[rows]
    options: dict[str, Any] = {"sample_weight": weights}
    if stop_by is not None and getattr(model, "stopping", None) is not None:
        options["eval_set"] = (context.table.iloc[stop_by], context.target.iloc[stop_by])
    return model.fit(context.table.iloc[rows], context.target.iloc[rows], **options)


def metrics_of(predicted: Floats, rows: NDArray[np.intp], context: Context) -> dict[str, float]:
    """Return all metrics of predictions of some rows."""
    extent = None
    if context.classes is None:
        extent = (float(context.target.min()), float(context.target.max()))
    return score_all(
        context.task,
        context.target.iloc[rows],
        predicted,
        classes=context.classes,
        weights=None if context.weights is None else context.weights.iloc[rows],
        y_train_range=extent,
        positive_label=context.positive_label,
    )


def _iterations(model: Any) -> int | None:
    found = getattr(model, "best_iteration_", None)
    return None if found is None else int(found)


def predictions_of(model: Any, rows: pd.DataFrame, context: Context) -> Floats:
    """Return predicted numbers, or probabilities with one column each of the context's classes."""
    if context.classes is None:
        return np.asarray(model.predict(rows), dtype=np.float64)
    return aligned(model.predict_proba(rows), list(model.classes_), list(context.classes))


def predict_milliseconds(predict: Callable[[pd.DataFrame], Any], table: pd.DataFrame) -> float:
    """Return the milliseconds that a prediction of one row takes, the quickest of some."""
    predict(table.iloc[:1])
    best = float("inf")
    for number in range(TIMED_ROWS):
        row = table.iloc[[number % len(table)]]
        start = time.perf_counter()
        predict(row)
        best = min(best, time.perf_counter() - start)
    return best * 1000
