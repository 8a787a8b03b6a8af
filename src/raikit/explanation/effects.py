"""What the model says as one column changes: partial dependence, ICE, and ALE.

[F] J. Friedman, "Greedy function approximation", Annals of Statistics 29 (2001) 1189-1232, section
    8.2: partial dependence, the mean prediction with the column set to a value in every row.
[G] A. Goldstein et al., "Peeking inside the black box", Journal of Computational and Graphical
    Statistics 24 (2015) 44-65: ICE, the same for each row by itself.
[A] D. Apley, J. Zhu, "Visualizing the effects of predictor variables in black box supervised
    learning models", JRSS B 82 (2020) 1059-1086: ALE, which changes a value only to its neighbours
    among rows that have about that value, and so asks of no row what there is none like. Equations
    15 and 16, and the order of categories of their supplement, as in their R package ALEPlot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from raikit.explanation.subject import Subject, Unit, codes_of, level_text, levels_of
from stepkit.metrics import Floats

#: Categories beyond the most frequent, and of fewer rows, are not told of.
MOST_LEVELS, FEWEST_ROWS = 15, 10
#: Rows whose own curves are kept for a reader.
KEPT_CURVES = 25


@dataclass(frozen=True)
class Effect:
    """The effect of one column.

    Attributes:
        column: Its name.
        ordered: Whether it has an order (a number or a time), or is a category.
        unit: Of the effects: a probability, or the target's.
        grid: Where partial dependence is told: numbers, texts of times, or categories.
        dependence: Mean prediction there, shape (grid, outputs).
        low: The tenth percentile of the rows' own predictions, shape (grid, outputs).
        high: The ninetieth.
        curves: Predictions of some rows, shape (rows, grid, outputs).
        ale_grid: Where ALE is told.
        ale: Accumulated local effect there, with mean 0 over the rows, shape (ale_grid, outputs).
        ale_rows: Rows that ALE is of.
        missing: Rows whose value is missing, and which are not in ALE of an ordered column.
        left_out: Categories that are too rare to be told.
    """

    column: str
    ordered: bool
    unit: Unit
    grid: Sequence[float | str]
    dependence: Floats
    low: Floats
    high: Floats
    curves: Floats
    ale_grid: Sequence[float | str]
    ale: Floats
    ale_rows: int
    missing: int
    left_out: int = 0


def effect_of(
    subject: Subject,
    name: str,
    X: pd.DataFrame,
    *,
    few: int = 200,
    points: int = 20,
    unit: Unit | None = None,
) -> Effect:
    """Return a column's effect.

    Args:
        subject: The model.
        name: The column.
        X: Raw columns, in random order; all rows are for ALE.
        few: So many of the first rows are for partial dependence and ICE, each at every point.
        points: Values of an ordered column, and the ends of ALE's bins, at equal shares of rows.
        unit: Of the predictions; None is that which readers know.
    """
    unit = unit or subject.plain_unit
    missing = int(X[name].isna().sum())
    left_out = 0
    if subject.is_ordered(name):
        values = _points(X[name], points)
        grid = _shown(values)
        known = X[X[name].notna()]
        ale_grid, ale = grid, ordered_ale(subject, name, known, values, unit)
        rows = len(known)
    else:
        levels = _told_levels(X[name])
        left_out = X[name].nunique() + (missing > 0) - len(levels)
        values = pd.Series(levels, dtype=object)
        order, ale, rows = category_ale(subject, name, X, levels, unit)
        grid = [level_text(each) for each in levels]
        ale_grid = [level_text(levels[each]) for each in order]
    if len(values):
        curves = individual_curves(subject, name, X.head(few), values, unit)
        low, high = np.quantile(curves, [0.1, 0.9], axis=0)
    else:  # a column without any value
        curves = np.empty((0, 0, len(subject.outputs)))
        low = high = np.empty((0, len(subject.outputs)))
    return Effect(
        column=name,
        ordered=subject.is_ordered(name),
        unit=unit,
        grid=grid,
        dependence=curves.mean(axis=0) if len(curves) else low,
        low=low,
        high=high,
        curves=curves[:KEPT_CURVES],
        ale_grid=ale_grid,
        ale=ale,
        ale_rows=rows,
        missing=missing,
        left_out=left_out,
    )


def _points(column: pd.Series, points: int) -> pd.Series:
    """Return values of a column at equal shares of its rows, each once, the least first.

    Where most rows share few values, such as 0, those at equal shares of the other rows as well.
    """
    known = column.dropna().sort_values()
    found = _at_equal_shares(known, points)
    if 0 < len(found) <= points // 2:
        rest = known[known != known.mode().iloc[0]]
        found = pd.concat([found, _at_equal_shares(rest, points // 2)])
    values: pd.Series = found.drop_duplicates().sort_values().reset_index(drop=True)
    return values


def _at_equal_shares(ranked: pd.Series, points: int) -> pd.Series:
    ends = np.linspace(0, max(0, len(ranked) - 1), points + 1).round().astype(int)
    found: pd.Series = ranked.iloc[ends[: len(ranked)]].drop_duplicates()
    return found


def _told_levels(column: pd.Series) -> list[Any]:
    """Return the categories that have enough rows, the most frequent first; at least two."""
    levels = levels_of(column)
    counts = np.bincount(codes_of(column, levels), minlength=len(levels))
    order = np.argsort(-counts, kind="stable")[:MOST_LEVELS]
    return [levels[place] for n, place in enumerate(order) if n < 2 or counts[place] >= FEWEST_ROWS]


def _shown(values: pd.Series) -> list[float | str]:
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return [each.isoformat() for each in values]
    return [float(each) for each in values]


def _with(X: pd.DataFrame, name: str, values: Any) -> pd.DataFrame:
    """Return the rows with other values of a column, of the column's own type."""
    return X.assign(**{name: pd.Series(np.asarray(values), index=X.index).astype(X[name].dtype)})


def individual_curves(
    subject: Subject, name: str, X: pd.DataFrame, values: pd.Series, unit: Unit
) -> Floats:
    """Return each row's prediction at each value of a column [G]; their mean over rows is [F].

    Args:
        subject: The model.
        name: The column.
        X: Raw columns.
        values: What the column is set to.
        unit: Of the predictions.

    Returns:
        Shape (rows, values, outputs).
    """
    repeated = X.iloc[np.repeat(np.arange(len(X)), len(values))].reset_index(drop=True)
    told = values.to_numpy()[np.tile(np.arange(len(values)), len(X))]
    scores = subject.scores(_with(repeated, name, told), unit)
    return scores.reshape(len(X), len(values), -1)


def ordered_ale(
    subject: Subject, name: str, X: pd.DataFrame, values: pd.Series, unit: Unit
) -> Floats:
    """Return the accumulated local effect of an ordered column ([A] equations 15 and 16).

    Between two neighbouring values, the mean over the rows in between of how the prediction
    changes from the one to the other; summed up from the least; less the mean over all rows, for
    which the sum is taken as straight between the values.

    Args:
        subject: The model.
        name: The column.
        X: Rows whose value of it is there.
        values: Ends of the bins, rising; the first and last are the least and greatest of X.
        unit: Of the predictions.

    Returns:
        Shape (values, outputs).
    """
    outputs = len(subject.outputs)
    if len(values) < 2:
        return np.zeros((len(values), outputs))
    ends, own = values.to_numpy(), X[name].to_numpy()
    upper = np.clip(np.searchsorted(ends, own, side="left"), 1, len(ends) - 1)
    changes = subject.scores(_with(X, name, ends[upper]), unit)
    changes = changes - subject.scores(_with(X, name, ends[upper - 1]), unit)
    counts = np.bincount(upper, minlength=len(ends))[1:]
    sums = np.stack([np.bincount(upper, each, len(ends))[1:] for each in changes.T], axis=1)
    # A bin between two values has rows, but for the first where only the least value is.
    means = sums / np.maximum(counts, 1)[:, None]
    total = np.concatenate([np.zeros((1, outputs)), np.cumsum(means, axis=0)])
    scale, at = ends.astype(np.float64), own.astype(np.float64)
    centre = [float(np.interp(at, scale, each).mean()) for each in total.T]
    return np.asarray(total - centre)


def category_ale(
    subject: Subject, name: str, X: pd.DataFrame, levels: Sequence[Any], unit: Unit
) -> tuple[NDArray[np.intp], Floats, int]:
    """Return the accumulated local effect of a category ([A], supplement, and ALEPlot).

    Categories are put in an order in which neighbours are alike in the other columns. From one to
    the next, the effect is the mean change of the prediction over the rows of both.

    Args:
        subject: The model.
        name: The column.
        X: Raw columns.
        levels: Its categories, None for missing; rows of others are left out.
        unit: Of the predictions.

    Returns:
        The order, as places in `levels`; the effects in that order, with mean 0 over the rows,
        shape (levels, outputs); and how many rows they are of.
    """
    codes = codes_of(X[name], list(levels))
    X, codes = X[codes >= 0], codes[codes >= 0]
    order = similarity_order(subject, X.drop(columns=name), codes, len(levels))
    if len(levels) < 2:
        return order, np.zeros((len(levels), len(subject.outputs))), len(X)
    own = np.argsort(order)[codes]  # each row's place in the order
    named = np.array([*levels, None], dtype=object)[:-1][order]
    has_next, has_last = own < len(levels) - 1, own > 0
    stays = subject.scores(X, unit)
    ahead = subject.scores(_with(X[has_next], name, named[own[has_next] + 1]), unit)
    behind = subject.scores(_with(X[has_last], name, named[own[has_last] - 1]), unit)
    changes = np.concatenate([ahead - stays[has_next], stays[has_last] - behind])
    step = np.concatenate([own[has_next], own[has_last] - 1])
    counts = np.bincount(step, minlength=len(levels) - 1)
    sums = np.stack([np.bincount(step, each, len(levels) - 1) for each in changes.T], axis=1)
    total = np.concatenate(
        [np.zeros((1, changes.shape[1])), np.cumsum(sums / counts[:, None], axis=0)]
    )
    return order, np.asarray(total - total[own].mean(axis=0)), len(X)


def similarity_order(
    subject: Subject, others: pd.DataFrame, codes: NDArray[np.intp], levels: int
) -> NDArray[np.intp]:
    """Put categories in an order in which neighbours are alike, by one-dimensional scaling.

    The distance of two is the sum over the other columns of the greatest difference of their
    distribution functions (Kolmogorov and Smirnov's) of an ordered column, and half the sum of
    differences of shares of a category ([A], supplement). Its main axis is by classical scaling
    (W. Torgerson, "Multidimensional scaling: I", Psychometrika 17 (1952) 401-419).

    Args:
        subject: Tells which columns are ordered.
        others: All columns but this one.
        codes: Each row's category.
        levels: How many categories there are.
    """
    distance = np.zeros((levels, levels))
    sizes = np.maximum(np.bincount(codes, minlength=levels), 1)[:, None]
    for name in others.columns:
        column = others[name]
        ordered = subject.is_ordered(name)
        values = column.rank(method="dense", na_option="bottom").to_numpy() if ordered else None
        bins = (
            codes_of(column, levels_of(column))
            if values is None
            else np.searchsorted(np.unique(np.quantile(values, np.linspace(0, 1, 101))), values)
        )
        width = int(bins.max()) + 1
        counts = np.bincount(codes * width + bins, minlength=levels * width).reshape(levels, width)
        shares = counts / sizes
        if ordered:
            below = np.cumsum(shares, axis=1)
            distance += np.abs(below[:, None] - below[None]).max(axis=2)
        else:
            distance += np.abs(shares[:, None] - shares[None]).sum(axis=2) / 2
    if levels < 3:
        return np.arange(levels)
    centring = np.eye(levels) - 1 / levels
    _, vectors = np.linalg.eigh(-centring @ distance**2 @ centring / 2)
    main = vectors[:, -1]
    # An axis has no direction of its own; the most frequent category is put towards the start.
    return np.argsort(main if main[0] <= 0 else -main, kind="stable")
