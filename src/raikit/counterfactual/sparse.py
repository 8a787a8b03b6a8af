"""Taking back every change of a counterfactual that it does not need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from raikit.counterfactual.space import Column, Space

Reaches = Callable[[pd.DataFrame], NDArray[np.bool_]]

#: How often the way back to the row's own number is halved.
_HALVINGS = 5


def sparse(space: Space, table: pd.DataFrame, reaches: Reaches) -> pd.DataFrame:
    """Return counterfactuals with fewer and smaller changes, each of which still reaches its goal.

    Every change is taken back where the goal is reached without it; of a number that must change,
    the way back is halved. Each counterfactual begins with another of its changes, so that those of
    one row stay different. The model is asked once for all of them together.

    Args:
        space: The row, and what may change.
        table: Counterfactuals with all features; each reaches the goal.
        reaches: Tells which rows reach it.
    """
    table = _whole(space, table, reaches)
    for column in space.columns:
        if column.is_number:
            table = _nearer(space, column, table, reaches)
    return table


def _whole(space: Space, table: pd.DataFrame, reaches: Reaches) -> pd.DataFrame:
    orders = [_order(space, table, place) for place in range(len(table))]
    for step in range(max(map(len, orders), default=0)):
        trial = table.copy()
        for place, order in enumerate(orders):
            if step < len(order):
                name = order[step]
                trial.at[place, name] = space.row[name].iloc[0]
        table = _kept(table, trial, reaches)
    return table


def _order(space: Space, table: pd.DataFrame, place: int) -> list[str]:
    changed = [
        each.name
        for each in space.columns
        if table.at[place, each.name] != space.row[each.name].iloc[0]
    ]
    first = place % len(changed) if changed else 0
    return changed[first:] + changed[:first]


def _nearer(space: Space, column: Column, table: pd.DataFrame, reaches: Reaches) -> pd.DataFrame:
    start: Any = float(space.row[column.name].iloc[0])
    for halving in range(1, _HALVINGS + 1):
        trial = table.copy()
        values = trial[column.name].to_numpy(dtype=np.float64)
        if np.array_equal(values, np.full(len(values), start)):
            break
        # Half of what is left, then a quarter: where the first overshoots, a shorter way is tried.
        nearer = np.round(values + (start - values) / 2**halving, column.decimals)
        changed = values != start
        nearer = np.where(changed, np.clip(nearer, column.low, column.high), values)
        trial[column.name] = nearer
        table = _kept(table, trial, reaches)
    return table


def _kept(table: pd.DataFrame, trial: pd.DataFrame, reaches: Reaches) -> pd.DataFrame:
    good = reaches(trial)
    return trial.where(pd.Series(good, index=trial.index), table, axis=0)
