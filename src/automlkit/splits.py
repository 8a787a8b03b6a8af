"""How models are validated: by cross-validation, on rows held out, or on rows given.

Without a wish of the user's, by Azure's rules of size: 10 folds under 1,000 rows, 3 folds under
20,000, else a tenth of the rows is held out; classes with fewer rows than folds mean a hold-out
(`azureml.automl.runtime._validation_strategy_selector` of azureml-automl-runtime 1.62).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automlkit.data import Rows, Tables
from automlkit.request import Request
from stepkit.program import StepError

Places: TypeAlias = NDArray[np.intp]

#: Rows from which on there are 3 folds, and from which on a tenth is held out.
FEW_ROWS, MANY_ROWS = 1_000, 20_000
HELD_OUT_SHARE = 0.1


@dataclass(frozen=True)
class Validation:
    """Which rows train and which validate.

    Attributes:
        kind: `cross_validation`, `holdout`, or `given`.
        rows: The rows that the places are of: the training rows; validation rows that were given
            stand behind them.
        folds: Places of the training and of the validation rows, a pair a fold.
    """

    kind: Literal["cross_validation", "holdout", "given"]
    rows: Rows
    folds: list[tuple[Places, Places]]

    def describe(self) -> dict[str, Any]:
        """Return what the `setup` event says of it."""
        train, valid = self.folds[0]
        facts: dict[str, Any] = {"type": self.kind, "folds": len(self.folds)}
        if self.kind == "cross_validation":
            return {**facts, "rows": len(self.rows.y)}
        return {**facts, "rows": len(train), "validation_rows": len(valid)}


def plan_validation(request: Request, tables: Tables) -> Validation:
    """Return how the request's models are validated.

    Raises:
        StepError: The split columns or the number of folds do not fit the rows.
    """
    train = tables.train
    if tables.validation is not None:
        return _given(train, tables.validation)
    if tables.split_columns is not None:
        return Validation("cross_validation", train, _by_columns(tables.split_columns))
    if request.n_cross_validations is not None:
        folds = _folds(request, train.y, request.n_cross_validations)
        return Validation("cross_validation", train, folds)
    if request.validation_data_size:
        share = request.validation_data_size
    else:
        count = _count_by_size(request, train.y)
        if count > 1:
            return Validation("cross_validation", train, _folds(request, train.y, count))
        share = HELD_OUT_SHARE
    return Validation("holdout", train, [hold_out(request.task, train.y, share, request.seed)])


def _given(train: Rows, validation: Rows) -> Validation:
    def joined(first: Any, second: Any) -> Any:
        return pd.concat([first, second], ignore_index=True)

    weights = None if train.weights is None else joined(train.weights, validation.weights)
    rows = Rows(joined(train.X, validation.X), joined(train.y, validation.y), weights)
    places = np.arange(len(rows.y))
    return Validation("given", rows, [(places[: len(train.y)], places[len(train.y) :])])


def _by_columns(columns: pd.DataFrame) -> list[tuple[Places, Places]]:
    folds = []
    for name in columns.columns:
        marks = columns[name]
        if not marks.isin([0, 1]).all() or marks.nunique() != 2:
            raise StepError(
                f"the split column {name!r} must hold 1 (trains) and 0 (validates), and both",
                hint="mend the column, or give n_cross_validations instead",
            )
        folds.append((np.flatnonzero(marks == 1), np.flatnonzero(marks == 0)))
    return folds


def _count_by_size(request: Request, y: pd.Series) -> int:
    """Return Azure's number of folds; 1 is a hold-out."""
    count = 10 if len(y) < FEW_ROWS else 3 if len(y) < MANY_ROWS else 1
    if request.task == "classification" and y.value_counts().min() < count:
        return 1
    return count


def _folds(request: Request, y: pd.Series, count: int) -> list[tuple[Places, Places]]:
    from sklearn.model_selection import KFold, StratifiedKFold

    if count > len(y):
        raise StepError(
            f"n_cross_validations is {count}, but there are {len(y)} training rows",
            hint="lower n_cross_validations",
        )
    stratified = request.task == "classification" and y.value_counts().min() >= count
    kind = StratifiedKFold if stratified else KFold
    splitter = kind(n_splits=count, shuffle=True, random_state=request.seed)
    return list(splitter.split(np.zeros(len(y)), y))


def hold_out(task: str, y: pd.Series, share: float, seed: int) -> tuple[Places, Places]:
    """Return the places of the rows kept and of a share held out, by class where classes allow."""
    from sklearn.model_selection import train_test_split

    places = np.arange(len(y))
    counts = y.value_counts()
    held_out = max(1, round(share * len(y)))
    by_class = (
        task == "classification"
        and counts.min() >= 2
        and len(counts) <= min(held_out, len(y) - held_out)
    )
    kept, out = train_test_split(
        places, test_size=held_out, random_state=seed, stratify=y if by_class else None
    )
    if task == "classification":
        kept, out = _keep_every_class(y, kept, out)
    return np.sort(kept), np.sort(out)


def _keep_every_class(y: pd.Series, kept: Places, out: Places) -> tuple[Places, Places]:
    """Move the rows of classes that would not be trained on back to the training rows."""
    alone = ~y.iloc[out].isin(y.iloc[kept].unique()).to_numpy()
    if alone.all():
        return kept, out
    return np.concatenate([kept, out[alone]]), out[~alone]
