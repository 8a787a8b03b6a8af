"""How the model does on the test rows, by sklearn's metrics: all of them, and by groups of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn import metrics as sk

from raikit.insights.store import Subject
from stepkit.findings import Section, Table
from stepkit.model import Scores, score
from stepkit.program import StepError

#: By the names of a scorecard's configuration, which are scikit-learn's.
_CLASSES: Mapping[str, Callable[..., float]] = {
    "accuracy_score": sk.accuracy_score,
    "precision_score": sk.precision_score,
    "recall_score": sk.recall_score,
    "f1_score": sk.f1_score,
    "zero_one_loss": sk.zero_one_loss,
}
_QUANTITIES: Mapping[str, Callable[..., float]] = {
    "mean_absolute_error": sk.mean_absolute_error,
    "mean_squared_error": sk.mean_squared_error,
    "root_mean_squared_error": sk.root_mean_squared_error,
    "median_absolute_error": sk.median_absolute_error,
    "r2_score": sk.r2_score,
}
_OF_POSITIVE = ("precision_score", "recall_score", "f1_score")
#: Of these, less is better.
ERRORS = frozenset((*list(_QUANTITIES)[:4], "zero_one_loss"))


def names_of(task: str) -> tuple[str, ...]:
    """Return the metrics of a task."""
    return tuple(_CLASSES if task == "classification" else _QUANTITIES)


def measured(name: str, scores: Scores, rows: NDArray[np.bool_] | None = None) -> float:
    """Return a metric of some rows.

    Args:
        name: Of scikit-learn.
        scores: What the model says of all labelled rows.
        rows: Which of them; all where None.

    Raises:
        StepError: There is no such metric of this task.
    """
    known = _CLASSES if scores.task == "classification" else _QUANTITIES
    if name not in known:
        raise StepError(f"no metric {name!r} of {scores.task}", hint=f"known: {', '.join(known)}")
    chosen = slice(None) if rows is None else rows
    given: dict[str, Any] = {}
    if name in _OF_POSITIVE:
        given["zero_division"] = 0.0
        if scores.positive is None:
            given["average"] = "macro"
        else:
            given["pos_label"] = scores.positive
    return float(known[name](scores.truth[chosen], scores.predicted[chosen], **given))


def labelled(subject: Subject) -> tuple[Scores, pd.DataFrame]:
    """Return what the model says of the test rows that have a target, and these rows."""
    table = subject.test[subject.test[subject.model.target].notna()].reset_index(drop=True)
    return score(subject.model, table), table


def overview(subject: Subject, scores: Scores) -> Section:
    """Return how the model does on all test rows, as a section."""
    rows = [(name, measured(name, scores)) for name in names_of(scores.task)]
    words = [
        f"How right the model is on {len(scores.truth):,} test rows, which it has not learned from."
    ]
    if scores.positive is not None:
        label = subject.class_name(scores.classes[scores.positive])
        words.append(f"Precision, recall, and F1 are of {label!r}.")
    elif scores.classes:
        words.append("Precision, recall, and F1 are means over the classes.")
    return Section(
        "How right the model is", words, (Table(("metric", "value"), rows, {"value": ".4g"}),)
    )


def groups_of(column: pd.Series, most: int = 8) -> pd.Series:
    """Return the group of each row: the value, or the quarter of numbers of many values."""
    if pd.api.types.is_numeric_dtype(column) and column.nunique() > most:
        cut = pd.qcut(column, 4, duplicates="drop")
        shown = cut.map(lambda each: f"{each.left:.4g} to {each.right:.4g}", na_action="ignore")
        return shown.astype(object).where(column.notna(), "(missing)")
    named = column.astype(object).where(column.notna(), "(missing)").map(str)
    frequent = named.value_counts().index[:most]
    return named.where(named.isin(set(frequent)), "(other)")
