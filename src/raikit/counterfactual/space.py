"""The columns that a search may change, as DiCE takes them: numbers, and codes for all else."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from raikit.columns import numbers
from raikit.counterfactual.settings import Settings, may_vary
from stepkit.metrics import Floats
from stepkit.model import Model, typed_features

#: DiCE rounds to these many decimals at most; a number that has more gets three digits that count.
_DECIMALS = 6


@dataclass(frozen=True)
class Column:
    """A column that may change.

    Attributes:
        name: In the table.
        code: As DiCE knows it; of one length, since DiCE finds columns by how they begin.
        low: Lowest permitted number; None of names.
        high: Highest permitted number.
        decimals: How many of a number count.
        spread: Median absolute deviation of the training rows' numbers; 1 where that is 0.
        values: What it may be, of names, in the order of their codes.
        permitted: Which of `values` it may become.
    """

    name: str
    code: str
    low: float = 0.0
    high: float = 0.0
    decimals: int = 0
    spread: float = 1.0
    values: tuple[Any, ...] = ()
    permitted: tuple[Any, ...] = ()

    @property
    def is_number(self) -> bool:
        """Whether it holds quantities."""
        return not self.values

    def encoded(self, column: pd.Series) -> pd.Series:
        """Return values as DiCE takes them; each must be present."""
        if self.is_number:
            return column.astype("float64")
        place = {value: _code(number) for number, value in enumerate(self.values)}
        return column.map(place)

    def decoded(self, column: pd.Series) -> list[Any]:
        """Return what DiCE made as the table has it."""
        if self.is_number:
            return [float(each) for each in column]
        return [self.values[int(str(each)[1:])] for each in column]


def _code(number: int) -> str:
    return f"v{number:05d}"


def columns_of(model: Model, train: pd.DataFrame, settings: Settings) -> tuple[Column, ...]:
    """Return the columns that may change, with what the training rows say of them.

    Columns of one value in all training rows are left out where nothing else is permitted.

    Raises:
        StepError: A column is missing, or none may vary.
    """
    features = typed_features(train, model.features)
    quantities = numbers(model.features, settings.categorical)
    found = []
    for place, name in enumerate(may_vary(settings, model)):
        present = features[name].dropna()
        allowed = settings.permitted_range.get(name)
        code = f"f{place:05d}"
        made = (
            _number(name, code, present, allowed)
            if name in quantities
            else _names(name, code, present, allowed)
        )
        if made is not None:
            found.append(made)
    return tuple(found)


def _number(
    name: str, code: str, present: pd.Series, allowed: Sequence[Any] | None
) -> Column | None:
    values = present.to_numpy(dtype=np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    low, high = (float(each) for each in allowed or (values.min(), values.max()))
    if low == high == values.min() == values.max():
        return None
    spread = float(np.median(np.abs(values - np.median(values)))) or 1.0
    return Column(name, code, low, high, _decimals(np.unique(values)), spread)


def _decimals(values: Floats) -> int:
    for decimals in range(_DECIMALS + 1):
        if np.allclose(values, np.round(values, decimals), rtol=1e-9, atol=0):
            return decimals
    width = float(values.max() - values.min())
    return min(max(2 - math.floor(math.log10(width)), 0), 12) if width > 0 else _DECIMALS


def _names(
    name: str, code: str, present: pd.Series, allowed: Sequence[Any] | None
) -> Column | None:
    # The most frequent first: it stands for what is missing in training rows.
    known = tuple(present.value_counts().index)
    if not known:
        return None
    permitted = tuple(each for each in known if allowed is None or each in allowed)
    if allowed is not None:
        extra = tuple(each for each in allowed if each not in known)
        known, permitted = (*known, *extra), (*permitted, *extra)
    if len(known) == 1:
        return None
    return Column(name, code, values=known, permitted=permitted)


@dataclass(frozen=True)
class Space:
    """What may change of one row, and what is held.

    Attributes:
        row: The row's features, a table of one row.
        columns: Those that may change.
    """

    row: pd.DataFrame
    columns: tuple[Column, ...]

    @property
    def start(self) -> pd.DataFrame:
        """The row as DiCE takes it."""
        return pd.DataFrame({each.code: each.encoded(self.row[each.name]) for each in self.columns})

    def known(self, features: pd.DataFrame) -> pd.DataFrame:
        """Return training rows as DiCE takes them, what is missing filled in."""
        made = {}
        for each in self.columns:
            column = features[each.name]
            fill = column.median() if each.is_number else each.values[0]
            made[each.code] = each.encoded(column.fillna(fill))
        return pd.DataFrame(made, index=features.index)

    def table(self, made: pd.DataFrame) -> pd.DataFrame:
        """Return rows that DiCE made as the model takes them, with all that is held."""
        repeated = self.row.iloc[np.zeros(len(made), dtype=np.intp)].reset_index(drop=True)
        for each in self.columns:
            repeated[each.name] = pd.Series(
                each.decoded(made[each.code]), dtype=None if each.is_number else object
            )
        return repeated

    def permitted(self) -> dict[str, list[Any]]:
        """Return what each column may be, by its code."""
        return {
            each.code: [each.low, each.high]
            if each.is_number
            else [_code(each.values.index(value)) for value in each.permitted]
            for each in self.columns
        }


def space_of(row: pd.DataFrame, columns: Sequence[Column]) -> Space:
    """Return what may change of a row: not what is missing in it, nor what training never saw.

    Args:
        row: The features of one row, as `typed_features` gives them.
        columns: Those that may change in any row.
    """
    able = []
    for each in columns:
        value = row[each.name].iloc[0]
        if pd.isna(value) or (not each.is_number and value not in each.values):
            continue
        able.append(each)
    return Space(row, tuple(able))


def distances(space: Space, table: pd.DataFrame, features: Mapping[str, str]) -> Floats:
    """Return how far rows are from the row, shape (n,).

    The mean over all features of |difference| / MAD for numbers and of 0 or 1 for names: the two
    distances of Mothilal, Sharma and Tan (FAT* 2020, section 3.2), weighted by their features.
    """
    total = np.zeros(len(table))
    for each in space.columns:
        start, values = space.row[each.name].iloc[0], table[each.name]
        if each.is_number:
            total += np.abs(values.to_numpy(dtype=np.float64) - float(start)) / each.spread
        else:
            total += (values != start).to_numpy(dtype=np.float64)
    return total / len(features)
