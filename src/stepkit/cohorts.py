"""Parts of the test rows by a column, so that a model can be judged on each.

A text column gives a cohort a value, a column of numbers is cut at its quantiles. Every row is in
one cohort of each column, those whose value is missing in a cohort of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stepkit.confusion import confusion_matrix
from stepkit.metrics import classification_metrics, label_metrics, regression_metrics
from stepkit.model import Scores
from stepkit.program import names
from stepkit.table import label_text, require_column

#: Columns that `auto` takes, at most.
MOST_COLUMNS = 6
#: Values of a column that have a cohort each; the others are one.
MOST_VALUES = 10
#: Cohorts that a column of numbers is cut into.
QUANTILES = 4
#: A cohort of fewer rows is called small: its figures may be chance.
SMALL = 50
MISSING, OTHER = "(missing)", "(other values)"


@dataclass(frozen=True)
class Cohort:
    """A part of the rows.

    Attributes:
        column: What it is cut by.
        value: A value, or the range of the numbers in it, such as `17 to 28`.
        rows: Which rows, rising, shape (m,).
        coverage: Their share of all rows.
    """

    column: str
    value: str
    rows: NDArray[np.intp]
    coverage: float

    @property
    def name(self) -> str:
        """As figures name it: `sex=Female`."""
        return f"{self.column}={self.value}"

    @property
    def is_small(self) -> bool:
        """Whether its figures may be chance."""
        return len(self.rows) < SMALL


def settle_columns(text: str, table: pd.DataFrame, target: str) -> tuple[str, ...]:
    """Return the columns to cut by.

    Args:
        text: Names, comma-separated; `none`; or `auto`: columns of few values first (text, truth
            values, whole numbers), then numbers, both in the table's order, `MOST_COLUMNS` at most.
        table: The test rows.
        target: The column that is predicted, which `auto` leaves out.

    Raises:
        StepError: There is no such column; says which are.
    """
    if text.strip() in ("none", ""):
        return ()
    if text.strip() != "auto":
        for name in names(text):
            require_column(table, name, "column for cohorts")
        return names(text)
    others = [str(name) for name in table.columns if name != target]
    few = [name for name in others if 1 < table[name].nunique() <= MOST_VALUES]
    numbers = [
        name
        for name in others
        if name not in few and _is_number(table[name]) and table[name].nunique() > 1
    ]
    return tuple([*few, *numbers][:MOST_COLUMNS])


def cohorts_of(table: pd.DataFrame, columns: Sequence[str]) -> list[Cohort]:
    """Return the cohorts of each column, in the order of their values.

    Args:
        table: The test rows.
        columns: What to cut by.
    """
    return [cohort for name in columns for cohort in _cut(table[name])]


def cut_at_quantiles(column: pd.Series, parts: int) -> list[Cohort]:
    """Return cohorts of about equal numbers of rows; rows of equal numbers stay together.

    Args:
        column: Numbers; missing ones are a cohort of their own.
        parts: How many, at most.
    """
    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    known = np.isfinite(numbers)
    edges = np.unique(np.quantile(numbers[known], np.linspace(0, 1, parts + 1)[1:-1]))
    places = np.where(known, np.searchsorted(edges, np.where(known, numbers, 0)), -1)
    groups = {place: np.flatnonzero(places == place) for place in np.unique(places) if place >= 0}
    shown = _ranges([numbers[rows] for rows in groups.values()])
    found = dict(zip(shown, groups.values(), strict=True))
    return _named(str(column.name), {**found, MISSING: np.flatnonzero(~known)})


def _is_number(column: pd.Series) -> bool:
    numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    return bool(numeric)


def _cut(column: pd.Series) -> list[Cohort]:
    if _is_number(column) and column.nunique() > MOST_VALUES:
        return cut_at_quantiles(column, QUANTILES)
    counts = column.value_counts()
    kept: Collection[object] = sorted(counts.index[:MOST_VALUES], key=_order)
    found = {label_text(value): np.flatnonzero((column == value).to_numpy()) for value in kept}
    missing = column.isna().to_numpy()
    rest = ~missing & ~column.isin(list(kept)).to_numpy()
    parts = {**found, OTHER: np.flatnonzero(rest), MISSING: np.flatnonzero(missing)}
    return _named(str(column.name), parts)


def _order(value: object) -> tuple[bool, float, str]:
    is_number = isinstance(value, int | float | np.number)
    return (not is_number, float(value) if is_number else 0.0, str(value))  # type: ignore[arg-type]


def _named(column: str, parts: Mapping[str, NDArray[np.intp]]) -> list[Cohort]:
    total = sum(len(rows) for rows in parts.values())
    return [
        Cohort(column, value, rows, len(rows) / total) for value, rows in parts.items() if len(rows)
    ]


def _ranges(groups: Sequence[NDArray[np.float64]]) -> list[str]:
    """Return the range of each group as text, with digits enough to tell them apart."""
    ends = [(float(group.min()), float(group.max())) for group in groups]
    shown: list[str] = []
    for digits in (4, 6, 9, 17):
        shown = [
            _shown(low, digits)
            if low == high
            else f"{_shown(low, digits)} to {_shown(high, digits)}"
            for low, high in ends
        ]
        if len(set(shown)) == len(shown):
            break
    return shown


def _shown(number: float, digits: int) -> str:
    return str(int(number)) if number.is_integer() else f"{number:.{digits}g}"


def part_of(scores: Scores, rows: NDArray[np.intp]) -> Scores:
    """Return a model's predictions of some of the rows, with their metrics.

    Args:
        scores: Of all rows.
        rows: Which, shape (m,).
    """
    truth, predicted = scores.truth[rows], scores.predicted[rows]
    if scores.task == "regression":
        metrics = regression_metrics(truth, predicted)
        probabilities, matrix = scores.probabilities[rows], scores.matrix
    else:
        probabilities = scores.probabilities[rows]
        matrix = confusion_matrix(truth, predicted, len(scores.classes))
        metrics = (
            classification_metrics(truth, predicted, probabilities, scores.positive)
            if scores.has_probabilities
            else label_metrics(truth, predicted, len(scores.classes), scores.positive)
        )
    return replace(
        scores,
        truth=truth,
        predicted=predicted,
        probabilities=probabilities,
        matrix=matrix,
        metrics=metrics,
    )
