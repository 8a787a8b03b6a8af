"""What makes a model look better than it is: rows in both parts, test rows before train rows.

S. Kaufman et al., "Leakage in data mining: formulation, detection, and avoidance", ACM Transactions
on Knowledge Discovery from Data 6 (2012) 15, doi:10.1145/2382577.2382579: leakage is information on
the target that is not there when the model is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stepkit.program import StepError
from stepkit.table import require_column

#: Share of test rows that are train rows too above which the test is no longer one of new rows.
SHARE_LIMIT = 0.01
#: Of a number's standard deviation: rows that differ by less in every number are near duplicates.
NEAR = 1e-3
#: Numbers of more different values than this are measured ones, where equal rows are no chance.
_FEW_VALUES = 50


@dataclass(frozen=True)
class Shared:
    """Test rows that are among the train rows, too.

    Attributes:
        whole: Equal in every column that both parts have, shape (test rows,).
        features: Equal in every feature of the model, whatever their target.
        near: Equal or nearly so in the model's features and the target; None where no feature is a
            measured number.
        repeated: Share of the train rows that are equal to another one, in every column: where it
            is as high, equal rows may be chance.
    """

    whole: NDArray[np.bool_]
    features: NDArray[np.bool_]
    near: NDArray[np.bool_] | None
    repeated: float

    @property
    def share(self) -> float:
        """Share of the test rows that are train rows, too."""
        return float(self.whole.mean())

    @property
    def is_leaking(self) -> bool:
        """Whether they are more than can be overlooked."""
        return self.share > SHARE_LIMIT or (
            self.near is not None and self.near.mean() > SHARE_LIMIT
        )


def shared_rows(
    train: pd.DataFrame, test: pd.DataFrame, features: Sequence[str], target: str
) -> Shared:
    """Find the test rows that are among the train rows."""
    common = [name for name in train.columns if name in test.columns]
    whole_train, whole_test = _keys(train, test, common)
    names = [name for name in features if name in common]
    own_train, own_test = _keys(train, test, names)
    is_repeated = pd.Series(whole_train).duplicated(keep=False)
    return Shared(
        whole=np.isin(whole_test, whole_train),
        features=np.isin(own_test, own_train),
        near=_near(train, test, names, target),
        repeated=float(is_repeated.mean()),
    )


def _keys(
    train: pd.DataFrame, test: pd.DataFrame, names: Sequence[str]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return a hash of each row; one table of both, so that 1 and 1.0 are equal."""
    both = pd.concat([train[list(names)], test[list(names)]], ignore_index=True)
    keys = np.asarray(pd.util.hash_pandas_object(both, index=False))
    return keys[: len(train)], keys[len(train) :]


def _near(
    train: pd.DataFrame, test: pd.DataFrame, names: Sequence[str], target: str
) -> NDArray[np.bool_] | None:
    """Find test rows in one cell of a fine grid with a train row.

    Two near rows may lie on either side of a cell's edge; of a second grid, moved by half a cell,
    the edges are elsewhere.
    """
    columns = [*names, *([target] if target not in names else [])]
    cells = {
        name: 2 * NEAR * float(train[name].std())
        for name in columns
        if pd.api.types.is_float_dtype(train[name]) and train[name].nunique() > _FEW_VALUES
    }
    if not cells.keys() - {target}:
        return None
    found = np.zeros(len(test), dtype=bool)
    for offset in (0.0, 0.5):
        parts = []
        for table in (train, test):
            part = table[columns].copy()
            for name, cell in cells.items():
                part[name] = np.floor(part[name].astype("float64") / cell + offset)
            parts.append(part)
        cells_train, cells_test = _keys(parts[0], parts[1], columns)
        found |= np.isin(cells_test, cells_train)
    return found


@dataclass(frozen=True)
class TimeOrder:
    """Whether test rows come after train rows.

    Attributes:
        column: Of the times.
        early: Test rows before the last train row.
        rows: Test rows that have a time.
        is_named: Whether the column was given, not found.
    """

    column: str
    early: int
    rows: int
    is_named: bool


def time_order(train: pd.DataFrame, test: pd.DataFrame, column: str) -> TimeOrder | None:
    """Count test rows that are earlier than the last train row.

    Args:
        train: The train rows.
        test: The test rows.
        column: Of the times; `auto` is the first column of times, `none` is none.

    Returns:
        What was found; None without such a column.

    Raises:
        StepError: No such column, or it holds no times.
    """
    is_named = column not in ("auto", "none")
    if is_named:
        require_column(train, column, "time column")
        require_column(test, column, "time column")
    elif column == "auto":
        times = [
            name
            for name in train.columns
            if name in test.columns and pd.api.types.is_datetime64_any_dtype(train[name])
        ]
        column = times[0] if times else "none"
    if column == "none":
        return None
    before, after = moments(train[column]), moments(test[column]).dropna()
    early = int((after < before.max()).sum())
    return TimeOrder(column, early, len(after), is_named)


def moments(column: pd.Series) -> pd.Series:
    """Return a column of times, numbers, or texts that read as dates, to be compared.

    Raises:
        StepError: Its texts are no dates.
    """
    if column.dtype != object:
        return column
    try:
        return pd.to_datetime(column, format="ISO8601", utc=True)
    except ValueError as error:
        raise StepError(
            f"column {column.name!r} has values that are no dates: {error}",
            hint="write dates as 2024-12-31 or 2024-12-31T23:59:59",
        ) from error


def groups_in_both(train: pd.DataFrame, test: pd.DataFrame, column: str) -> NDArray[np.bool_]:
    """Return whether the group of each test row has train rows, too.

    Raises:
        StepError: No such column.
    """
    require_column(train, column, "group column")
    require_column(test, column, "group column")
    return test[column].isin(train[column].dropna()).to_numpy()
