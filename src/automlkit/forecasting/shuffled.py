"""Forecasts of validation rows with features shuffled: what a forecast looks at, by its loss."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from automlkit.forecasting.portfolio import Candidate
from automlkit.forecasting.problem import Problem
from automlkit.forecasting.trial import fit, whole_future
from automlkit.search.explain import permutation_importance
from automlkit.search.objective import root_mean_squared_error
from automlkit.search.selection import Truth
from automlmodel.forecast_features import SERIES, TARGET, Floats
from automlmodel.forecast_members import Member, RegressionMember

#: Folds, the latest first, that importance is measured on at most: each takes a fit of its own.
_MOST_FOLDS = 3
#: Sine and cosine terms of a cycle, which mean nothing one by one.
_TERM = re.compile(r"^(year|week|day)_(?:sin|cos)\d+$")
#: mlforecast's names of windows, which are on the last known value here.
_WINDOW = re.compile(r"^rolling_(mean|min|max)_lag1_window_size(\d+)_min_samples1$")


def importance(
    problem: Problem,
    members: Sequence[tuple[Candidate, float]],
    *,
    threads: int,
    seconds: float,
) -> list[tuple[str, float, float]]:
    """Return by how much forecasts get worse where a column or a feature is shuffled.

    Members are fitted to what came before a fold and forecast it, all steps ahead. Values are
    shuffled over all series, steps, and folds: those of a column known ahead in the rows to be
    forecast, those of lags and windows at each step, as they were without a shuffle.

    Args:
        problem: Folds and features.
        members: Candidates and their weights.
        threads: Of a fit.
        seconds: After these no further fit or shuffle begins.

    Returns:
        Name, mean growth of the loss, its standard deviation; the most important first. Empty if
        the members look at nothing but each series' own past, or there is no time.
    """
    end = time.monotonic() + seconds
    folds = []
    for fold in range(min(problem.folds.count, _MOST_FOLDS)):
        if time.monotonic() >= end:
            break
        training = problem.training(fold)
        fitted = [fit(problem, candidate, training, threads) for candidate, _ in members]
        if not any(seen(member) for member in fitted):
            return []
        folds.append(_Fold(problem, fold, fitted, [weight for _, weight in members]))
    if not folds:
        return []
    rows = pd.concat([fold.rows for fold in folds])
    scale = _scales(problem, rows)
    truth = Truth(
        rows[TARGET].to_numpy(dtype=np.float64) / scale,
        np.concatenate([fold.is_asked for fold in folds]).astype(np.float64),
        root_mean_squared_error,
    )
    # One column of places a group: what shuffles a column shuffles the group's features together.
    places = np.arange(len(rows))
    table = pd.DataFrame(dict.fromkeys(groups(problem, folds[0].features), places))
    return permutation_importance(
        partial(_forecast, folds, groups(problem, folds[0].features), scale),
        table,
        truth,
        seed=problem.request.seed,
        seconds=end - time.monotonic(),
    )


def seen(member: Member) -> tuple[str, ...]:
    """Return the features that a member looks at, those made of the target's past included."""
    if isinstance(member, RegressionMember):
        return tuple(str(name) for name in member.model.ts.features_order_)
    return member.columns


def groups(problem: Problem, features: Sequence[str]) -> dict[str, list[str]]:
    """Return the features that are shuffled together, by a name for a reader.

    Those of one raw column are together, its past apart from its present; so are the terms of one
    cycle of the calendar.
    """
    sources, lag = problem.features.sources(), f"_lag{problem.features.lag}"
    found: dict[str, list[str]] = {}
    for feature in features:
        name = sources.get(feature, feature)
        if feature in sources and feature.endswith(lag):
            name += lag
        elif feature not in sources:
            name = _TERM.sub(r"cycle of the \1", _WINDOW.sub(r"\1 of last \2", feature))
        found.setdefault(name, []).append(feature)
    return found


def _scales(problem: Problem, rows: pd.DataFrame) -> Floats:
    """Return what each row's error is divided by: the range of its series."""
    ranges = dict(zip(problem.series, problem.ranges, strict=True))
    return np.asarray([ranges[str(name)] or 1.0 for name in rows[SERIES]])


class _Fold:
    """A fold's fitted members, and what they see when they forecast it.

    Attributes:
        rows: As many of each series, with features.
        is_asked: Which of them are the fold's, shape (rows,).
        features: All that a member looks at.
        values: The features of each row, without a shuffle.
    """

    def __init__(
        self, problem: Problem, fold: int, members: list[Member], weights: list[float]
    ) -> None:
        self.rows, self.is_asked = whole_future(problem.validation(fold), problem.frequency)
        self.rows = self.rows.reset_index(drop=True)
        self._members, self._weights = members, weights
        self._steps = len(self.rows) // len(problem.series)
        self._floors = self.rows[SERIES].map(problem.floors).to_numpy(dtype=np.float64)
        self.features = list(dict.fromkeys(name for m in members for name in seen(m)))
        self.values = pd.DataFrame(index=self.rows.index, columns=self.features, dtype=float)
        ahead = [name for name in self.features if name in self.rows]
        self.values[ahead] = self.rows[ahead]
        self._plain = [self._of(member, None, record=True) for member in members]

    def forecast(self, shuffled: pd.DataFrame | None) -> Floats:
        """Return the forecast of each row, some features having other values, shape (rows,)."""
        total = np.zeros(len(self.rows))
        for member, weight, plain in zip(self._members, self._weights, self._plain, strict=True):
            looks = shuffled is not None and set(shuffled.columns) & set(seen(member))
            total += weight * (self._of(member, shuffled) if looks else plain)
        found: Floats = np.maximum(total, self._floors)
        return found

    def _of(self, member: Member, shuffled: pd.DataFrame | None, *, record: bool = False) -> Floats:
        future = self.rows
        if shuffled is not None:
            ahead = [str(name) for name in shuffled if name in future]
            future = future.copy()
            future[ahead] = shuffled[ahead].to_numpy()
        if not isinstance(member, RegressionMember):
            return member.predict(self._steps, future).ravel()
        names, step = seen(member), 0

        def look(values: Any) -> Any:
            nonlocal step
            places = np.arange(step, len(future), self._steps)
            step += 1
            if record:
                self.values.loc[places, list(names)] = values
            if shuffled is None:
                return values
            changed = np.array(values, dtype=np.float64)
            for name in set(names) & set(shuffled.columns):
                changed[:, names.index(name)] = shuffled[name].to_numpy()[places]
            return changed

        return member.predict(self._steps, future, look).ravel()


def _forecast(
    folds: Sequence[_Fold], members: dict[str, list[str]], scale: Floats, table: pd.DataFrame
) -> Floats:
    """Return the forecasts of all folds' rows, each group's features taken from the places given.

    Args:
        folds: What forecasts.
        members: The features of each group.
        scale: What forecasts are divided by, shape (rows,).
        table: A column of places a group.
    """
    plain: npt.NDArray[np.intp] = np.arange(len(table))
    values = pd.concat([fold.values for fold in folds], ignore_index=True)
    other: dict[str, Floats] = {}
    for group in table:
        order = table[group].to_numpy()
        if (order != plain).any():
            other |= {name: values[name].to_numpy()[order] for name in members[str(group)]}
    found, start = [], 0
    for fold in folds:
        rows = slice(start, start + len(fold.rows))
        start += len(fold.rows)
        shuffled = pd.DataFrame({name: each[rows] for name, each in other.items()})
        found.append(fold.forecast(shuffled if other else None))
    return np.concatenate(found) / scale
