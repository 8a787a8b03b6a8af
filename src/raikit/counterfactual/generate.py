"""Counterfactuals of rows, each checked with the model itself."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from raikit.columns import sampled
from raikit.counterfactual.search import candidates
from raikit.counterfactual.settings import Settings, check
from raikit.counterfactual.space import Column, Space, columns_of, distances, space_of
from raikit.counterfactual.sparse import sparse
from raikit.predictor import Predictor, predictor
from stepkit.metrics import Floats
from stepkit.model import Model, typed_features


@dataclass(frozen=True)
class Counterfactuals:
    """What was found for one row.

    Attributes:
        index: The row's label in the table that was given.
        row: Its features, a table of one row.
        predicted: What the model says of it: a class as text, or a number.
        wanted: The class that was to be reached, or the range.
        table: Counterfactuals with all features and a fresh index; the nearest of every set of
            columns that differ first, then the second of each. Empty where none was found.
        outcomes: What the model says of each, shape (k,).
        changed: How many features differ, shape (k,).
        distance: How far each is, as `space.distances` says, shape (k,).
    """

    index: Hashable
    row: pd.DataFrame
    predicted: Any
    wanted: str | tuple[float, float]
    table: pd.DataFrame
    outcomes: NDArray[Any]
    changed: NDArray[np.intp]
    distance: Floats

    @property
    def is_needed(self) -> bool:
        """Whether the model says something else than what was to be reached."""
        if isinstance(self.wanted, tuple):
            return not self.wanted[0] <= self.predicted <= self.wanted[1]
        return bool(self.predicted != self.wanted)

    def changes(self, place: int) -> dict[str, tuple[Any, Any]]:
        """Return what differs in one counterfactual: column, its value in the row, the new one."""
        found = {}
        for name in self.table.columns:
            old, new = self.row[name].iloc[0], self.table[name].iloc[place]
            if not _same(old, new):
                found[str(name)] = (_plain(old), _plain(new))
        return found


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _same(old: Any, new: Any) -> bool:
    return bool(old == new) or bool(pd.isna(old) and pd.isna(new))


def generate(
    model: Model, train: pd.DataFrame, rows: pd.DataFrame, settings: Settings
) -> Iterator[Counterfactuals]:
    """Search counterfactuals of rows, one row after the other.

    A column that is missing in a row stays missing in its counterfactuals. What already is as
    wanted has none.

    Args:
        model: The model.
        train: Rows that ranges and neighbours come from; at least the model's features.
        rows: Rows to find counterfactuals of.
        settings: What is asked.

    Raises:
        StepError: It cannot be asked so, or a column is missing.
    """
    known = sampled(train, settings.train_rows, settings.seed)
    asked = predictor(model, known)
    check(settings, model, asked.classes)
    columns = columns_of(model, known, settings)
    features = typed_features(known, model.features)
    given = typed_features(rows, model.features)
    scores = asked.scores(given)
    for place in range(len(given)):
        own = replace(settings, seed=settings.seed + place)
        yield _of_row(asked, columns, features, given.iloc[[place]], scores[place], own)


def _of_row(
    asked: Predictor,
    columns: tuple[Column, ...],
    features: pd.DataFrame,
    row: pd.DataFrame,
    score: Any,
    settings: Settings,
) -> Counterfactuals:
    goal = _goal(asked, score, settings)
    space = space_of(row.reset_index(drop=True), columns)

    def wanted(scores: Floats) -> NDArray[np.bool_]:
        if isinstance(goal, tuple):
            return np.asarray((scores >= goal[0]) & (scores <= goal[1]))
        return np.asarray(scores.argmax(axis=1) == goal)

    table = space.row.iloc[:0]
    if space.columns and not wanted(np.asarray([score]))[0]:
        made = candidates(asked, space, space.known(features), goal, wanted, settings)
        table = _checked(asked, space, made, wanted, settings)
    return Counterfactuals(
        index=row.index[0],
        row=space.row,
        predicted=_outcome(asked, score),
        wanted=goal if isinstance(goal, tuple) else asked.classes[goal],
        table=table,
        outcomes=asked.labels(table) if len(table) else np.empty(0),
        changed=_changed(space, table),
        distance=distances(space, table, asked.model.features),
    )


def _goal(asked: Predictor, score: Any, settings: Settings) -> int | tuple[float, float]:
    if settings.desired_range is not None:
        low, high = settings.desired_range
        return float(low), float(high)
    if settings.desired_class in asked.classes:
        return asked.classes.index(settings.desired_class)
    # The opposite of two is the next probable, too.
    return int(np.argsort(-np.asarray(score), kind="stable")[1])


def _outcome(asked: Predictor, score: Any) -> Any:
    return asked.classes[int(np.argmax(score))] if asked.classes else float(score)


def _checked(
    asked: Predictor, space: Space, made: pd.DataFrame, wanted: Any, settings: Settings
) -> pd.DataFrame:
    """Return candidates that reach the goal, as near as can be, nearest first."""
    if not len(made):
        return space.row.iloc[:0]

    def reaches(table: pd.DataFrame) -> NDArray[np.bool_]:
        return np.asarray(wanted(asked.scores(table)), dtype=bool)

    table = _within(space, space.table(made))
    table = table[reaches(table)].drop_duplicates(ignore_index=True)
    if not len(table):
        return table
    table = sparse(space, table, reaches).drop_duplicates(ignore_index=True)
    table = typed_features(table[reaches(table)], asked.model.features)
    order = _order(space, table, distances(space, table, asked.model.features))
    return table.iloc[order[: settings.total_cfs]].reset_index(drop=True)


def _order(space: Space, table: pd.DataFrame, far: Floats) -> NDArray[np.intp]:
    """Return the nearest of every set of columns that differ, then the second of each, and on."""
    differs = np.column_stack(
        [table[each.name] != space.row[each.name].iloc[0] for each in space.columns]
    )
    sets = pd.Series([row.tobytes() for row in differs])
    turn = pd.Series(far).groupby(sets).rank(method="first")
    return np.lexsort((far, differs.sum(axis=1), turn))


def _within(space: Space, table: pd.DataFrame) -> pd.DataFrame:
    """Round numbers to what counts, and bring them into range: DiCE works in single precision."""
    for each in space.columns:
        if each.is_number:
            start = float(space.row[each.name].iloc[0])
            values = table[each.name].to_numpy(dtype=np.float64)
            moved = np.abs(values - start) > 10.0**-each.decimals / 2
            rounded = np.clip(np.round(values, each.decimals), each.low, each.high)
            table[each.name] = np.where(moved, rounded, start)
    return table


def _changed(space: Space, table: pd.DataFrame) -> NDArray[np.intp]:
    total = np.zeros(len(table), dtype=np.intp)
    for each in space.columns:
        total += (table[each.name] != space.row[each.name].iloc[0]).to_numpy(dtype=np.intp)
    return total


def importance(found: Counterfactuals) -> dict[str, float]:
    """Return the share of a row's counterfactuals in which each feature differs, as DiCE counts."""
    total = len(found.table)
    counts = dict.fromkeys(map(str, found.table.columns), 0)
    for place in range(total):
        for name in found.changes(place):
            counts[name] += 1
    return {name: count / total if total else 0.0 for name, count in counts.items()}


def summary_importance(found: list[Counterfactuals]) -> dict[str, float]:
    """Return the share of all counterfactuals in which each feature differs, as DiCE counts."""
    totals: dict[str, float] = {}
    rows = sum(len(each.table) for each in found)
    for each in found:
        for name, share in importance(each).items():
            totals[name] = totals.get(name, 0.0) + share * len(each.table)
    return {name: total / rows if rows else 0.0 for name, total in totals.items()}
