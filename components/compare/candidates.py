"""The models that are compared, how they do on the test rows, and what they cost."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from complexity import ORDER, kind_of

from stepkit.model import Model, Scores, load_model, score, typed_features
from stepkit.program import StepError

#: Calls with a single row: at most so many, in at most so many seconds.
MOST_CALLS, MOST_SECONDS = 100, 1.0
#: Predictions of all rows, of which the fastest counts.
BATCHES = 3


@dataclass(frozen=True)
class Cost:
    """What a model costs.

    Attributes:
        bytes: Size of its folder.
        row_milliseconds: Median time of the prediction of a single row.
        rows_per_second: Of the prediction of all test rows at once.
        training_seconds: What its fit took, or None where nothing tells it.
    """

    bytes: int
    row_milliseconds: float
    rows_per_second: float
    training_seconds: float | None


@dataclass(frozen=True)
class Candidate:
    """A model that is compared.

    Attributes:
        name: What it is called.
        folder: Where it is.
        model: The model.
        scores: Its predictions of the test rows, and their metrics.
        kind: What kind of model it is; see `complexity`.
        cost: What it costs.
    """

    name: str
    folder: Path
    model: Model
    scores: Scores
    kind: str
    cost: Cost

    @property
    def complexity(self) -> tuple[int, int]:
        """What the simplest model has the least of: the rank of its kind, then its size."""
        return ORDER.index(self.kind), self.cost.bytes


def read_candidate(
    name: str,
    folder: Path,
    table: pd.DataFrame,
    *,
    target: str,
    task: str,
    positive_label: str,
    run_seconds: Callable[[str], float | None],
) -> Candidate:
    """Load a model, and measure it on the test rows.

    Args:
        name: What it is called.
        folder: Where it is.
        table: The test rows.
        target: The column that is predicted, where the model does not say it; empty else.
        task: What is predicted, where the model does not say it; `auto` else.
        positive_label: The positive class of two, or `auto`.
        run_seconds: How long a run took, from its id; None where that is not known.

    Raises:
        StepError: It cannot be loaded, or the rows are not those that it takes; names it.
    """
    try:
        model = load_model(folder, target=target, task=task)
        scores = score(model, table, positive_label)
    except StepError as error:
        raise StepError(f"model {name!r}: {error.message}", hint=error.hint) from error
    rows = typed_features(table[table[model.target].notna()], model.features)
    single, batch = prediction_times(model.estimator, rows)
    said = model.metadata.get("training_seconds", "")
    trained = float(said) if said else run_seconds(model.metadata.get("training_run_id", ""))
    return Candidate(
        name=name,
        folder=folder,
        model=model,
        scores=scores,
        kind=kind_of(model.estimator, model.metadata.get("estimator", "")),
        cost=Cost(folder_bytes(folder), single * 1000, len(rows) / batch, trained),
    )


def prediction_times(estimator: Any, rows: pd.DataFrame) -> tuple[float, float]:
    """Return the median seconds of a single row's prediction, and the least of all rows'."""
    predict = getattr(estimator, "predict_proba", estimator.predict)
    batch = min(_seconds(predict, rows) for _ in range(BATCHES))
    singles: list[float] = []
    deadline = time.perf_counter() + MOST_SECONDS
    while len(singles) < MOST_CALLS and time.perf_counter() < deadline:
        place = len(singles) % len(rows)
        singles.append(_seconds(predict, rows.iloc[place : place + 1]))
    return statistics.median(singles), batch


def _seconds(predict: Callable[[pd.DataFrame], Any], rows: pd.DataFrame) -> float:
    start = time.perf_counter()
    predict(rows)
    return time.perf_counter() - start


def folder_bytes(folder: Path) -> int:
    """Return the size of a folder's files."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def check_comparable(candidates: Sequence[Candidate], metric: str) -> None:
    """Check that all candidates predict the same, and have the metric.

    Raises:
        StepError: They do not.
    """
    first = candidates[0]
    for each in candidates:
        found = (each.model.task, each.model.target)
        if found != (first.model.task, first.model.target):
            raise StepError(
                f"{each.name!r} is for {found[0]} of {found[1]!r}, "
                f"{first.name!r} for {first.model.task} of {first.model.target!r}",
                hint="compare models of one target",
            )
        if metric not in each.scores.metrics:
            known = ", ".join(each.scores.metrics)
            raise StepError(f"{each.name!r} has no {metric}", hint=f"compare by one of: {known}")
