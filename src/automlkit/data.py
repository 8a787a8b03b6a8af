"""The tables of a request: training, validation, and test rows, checked and without gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from automlkit.request import Request
from stepkit.program import StepError
from stepkit.table import read_table, require_column

#: Fewer training rows than this teach nothing.
LEAST_ROWS = 10


@dataclass(frozen=True)
class Rows:
    """Rows of a table.

    Attributes:
        X: Raw columns, without those of target, weight, and splits.
        y: The target, with the same index.
        weights: Each row's weight, or None.
    """

    X: pd.DataFrame
    y: pd.Series
    weights: pd.Series | None

    def take(self, places: np.ndarray) -> Rows:
        """Return the rows at some places, with an index of their own."""
        weights = None if self.weights is None else self.weights.iloc[places]
        return Rows(
            self.X.iloc[places].reset_index(drop=True),
            self.y.iloc[places].reset_index(drop=True),
            None if weights is None else weights.reset_index(drop=True),
        )


@dataclass(frozen=True)
class Tables:
    """What a search learns from.

    Attributes:
        train: Training rows.
        validation: Validation rows, where they were given.
        test: Test rows, where they were given or a share of the training rows was asked for.
        split_columns: Of the training rows, the columns that say which fold validates; or None.
        classes: All labels in order, of classification; else empty.
        rows_without_target: Rows that were left out, of all tables together.
    """

    train: Rows
    validation: Rows | None
    test: Rows | None
    split_columns: pd.DataFrame | None
    classes: tuple[object, ...] = ()
    rows_without_target: int = 0


def load(request: Request) -> Tables:
    """Read and check the request's tables.

    Raises:
        StepError: A table cannot be read, a column is missing, or nothing can be learned from it.
    """
    whole = _read(request.training_data, "training_data")
    train, split_columns, left_out = _rows(whole, request, request.cv_split_column_names)
    if len(train.y) < LEAST_ROWS:
        raise StepError(
            f"training_data has {len(train.y)} rows with a target; {LEAST_ROWS} are needed"
        )
    tables = {"validation_data": request.validation_data, "test_data": request.test_data}
    others: dict[str, Rows | None] = {}
    for name, path in tables.items():
        others[name] = None
        if path is not None:
            rows, _, more = _rows(_read(path, name), request, ())
            _check_columns(rows.X, train.X, name)
            others[name] = Rows(rows.X[train.X.columns], rows.y, rows.weights)
            left_out += more
    test = others["test_data"]
    if test is None and request.test_data_size:
        train, test, split_columns = _cut_test(train, split_columns, request)
    validation = others["validation_data"]
    classes = _classes(request, train, validation)
    return Tables(train, validation, test, split_columns, classes, left_out)


def _read(path: str, what: str) -> pd.DataFrame:
    try:
        return read_table(Path(path))
    except StepError as error:
        raise StepError(f"{what}: {error.message}", hint=error.hint) from error


def _rows(
    table: pd.DataFrame, request: Request, split_names: Sequence[str]
) -> tuple[Rows, pd.DataFrame | None, int]:
    """Take a table apart; return its rows, its split columns, and how many rows had no target."""
    target, weight = request.target_column_name, request.weight_column_name
    require_column(table, target, "target column (target_column_name)")
    for name in split_names:
        require_column(table, name, "column (cv_split_column_names)")
    if weight is not None:
        require_column(table, weight, "column (weight_column_name)")
    kept = _has_target(table[target])
    dropped = int((~kept).sum())
    table = table[kept].reset_index(drop=True)
    if table.empty:
        raise StepError(f"no row has a value in the target column {target!r}")
    y = _target(table[target], request)
    named = {target, weight, *request.cv_split_column_names}
    X = table[[name for name in table.columns if name not in named]]
    if X.empty:
        raise StepError("no column is left to learn from besides the target")
    splits = table[list(split_names)] if split_names else None
    return Rows(X, y, None if weight is None else _weights(table[weight])), splits, dropped


def _has_target(target: pd.Series) -> pd.Series:
    present = target.notna()
    if target.dtype == object:
        return present & target.ne("")  # as in Azure, empty text is no label
    return present & ~np.isinf(target) if target.dtype.kind == "f" else present


def _target(target: pd.Series, request: Request) -> pd.Series:
    name = request.target_column_name
    if request.task == "classification":
        # Whole numbers come as floats where some were missing; as labels they are whole.
        is_whole = target.dtype.kind == "f" and bool((target == target.round()).all())
        return target.astype("int64") if is_whole else target
    if target.dtype.kind not in "iuf":
        raise StepError(
            f"the target {name!r} is not a number, so it cannot be regressed on",
            hint="set task: classification, or name another target_column_name",
        )
    return target.astype("float64")


def _weights(weights: pd.Series) -> pd.Series:
    if weights.dtype.kind not in "iufb" or weights.isna().any() or (weights < 0).any():
        raise StepError(
            f"weights in {weights.name!r} must be numbers from 0, none missing",
            hint="mend the column, or leave weight_column_name out",
        )
    if not (weights > 0).any():
        raise StepError(f"all weights in {weights.name!r} are 0")
    return weights.astype("float64")


def _check_columns(X: pd.DataFrame, like: pd.DataFrame, what: str) -> None:
    missing = [name for name in like.columns if name not in X.columns]
    if missing:
        raise StepError(
            f"{what} has no column {', '.join(map(repr, missing))}, which training_data has"
        )


def _cut_test(
    train: Rows, split_columns: pd.DataFrame | None, request: Request
) -> tuple[Rows, Rows, pd.DataFrame | None]:
    """Keep a share of the training rows for testing."""
    from automlkit.splits import hold_out  # it needs this module's types

    assert request.test_data_size is not None
    kept, cut = hold_out(request.task, train.y, request.test_data_size, request.seed)
    splits = None if split_columns is None else split_columns.iloc[kept].reset_index(drop=True)
    return train.take(kept), train.take(cut), splits


def _classes(request: Request, train: Rows, validation: Rows | None) -> tuple[object, ...]:
    """Return the labels in order; checks that there is something to learn."""
    name = request.target_column_name
    if train.y.nunique() < 2:
        raise StepError(
            f"the target {name!r} has one value only, {train.y.iloc[0]!r}: nothing to learn",
            hint="check target_column_name and the rows of training_data",
        )
    if request.task != "classification":
        return ()
    labels = train.y if validation is None else pd.concat([train.y, validation.y])
    distinct, rows = train.y.nunique(), len(train.y)
    if distinct > 20 and distinct > rows / 2:
        raise StepError(
            f"the target {name!r} has {distinct} different values in {rows} rows: no classes",
            hint="set task: regression for a quantity, or name another target_column_name",
        )
    classes = tuple(np.unique(labels.to_numpy()).tolist())
    positive = request.positive_label
    if positive is not None and positive not in {str(label) for label in classes}:
        raise StepError(
            f"positive_label {positive!r} is none of the classes",
            hint=f"classes: {', '.join(map(str, classes))}",
        )
    return classes
