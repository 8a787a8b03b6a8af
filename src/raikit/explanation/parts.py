"""What a model is made of: a preparation of the raw columns, and an end that learns from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stepkit.metrics import Floats

#: Rows around which columns are varied, one at a time, to see what is made of them.
_PROBED_ROWS = 3
#: Values of a column that are tried around the first such row, and around the others.
_FIRST_VALUES, _OTHER_VALUES = 2_000, 40


@dataclass(frozen=True)
class Parts:
    """A model taken apart.

    Attributes:
        prepare: Makes the end's columns of raw columns; None where the end takes the raw ones.
        end: The fitted estimator at the end.
    """

    prepare: Callable[[pd.DataFrame], Any] | None
    end: Any


def take_apart(estimator: Any) -> Parts:
    """Take apart a scikit-learn Pipeline, or an AutoML model of raw columns.

    Of anything else, the end is the model itself.
    """
    if hasattr(estimator, "named_steps") and hasattr(estimator, "steps"):
        if len(estimator.steps) == 1:
            return take_apart(estimator.steps[-1][1])
        return Parts(estimator[:-1].transform, estimator.steps[-1][1])
    if hasattr(estimator, "featurizer") and getattr(estimator, "model_", None) is not None:
        return Parts(estimator.featurizer.transform, estimator.model_)
    return Parts(None, estimator)


def dense(matrix: Any) -> Floats:
    """Return a matrix as floats, from a sparse one or a table too.

    Raises:
        ValueError: It holds what is no number.
    """
    if hasattr(matrix, "toarray"):
        matrix = matrix.toarray()
    return np.asarray(matrix, dtype=np.float64)


def owners(
    prepare: Callable[[pd.DataFrame], Floats], X: pd.DataFrame, seed: int = 0
) -> NDArray[np.intp] | None:
    """Find of which raw column each prepared column is made, by varying one at a time.

    It needs no names and knows no class of transformer: a prepared column belongs to the raw one
    that changes it. Every value of a column that the rows have is tried (a sample of
    `_FIRST_VALUES` of more), and a missing one where there are some.

    Args:
        prepare: Makes a matrix of raw columns, row by row.
        X: Raw columns, as many rows as there are.
        seed: Of the rows that are varied.

    Returns:
        The raw column's number of each prepared column, -1 where none changes it; None where one
        is made of several, so that nothing can be grouped.
    """
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(X), size=min(_PROBED_ROWS, len(X)), replace=False)
    changed: list[NDArray[np.bool_]] = []
    for name in X.columns:
        values = _values(X[name], rng)
        found = None
        for turn, row in enumerate(chosen):
            tried = values if turn == 0 else values[:_OTHER_VALUES]
            probe = X.iloc[np.repeat(row, len(tried) + 1)].reset_index(drop=True)
            probe[name] = pd.concat([probe[name].iloc[:1], tried], ignore_index=True).astype(
                X[name].dtype
            )
            made = prepare(probe)
            differs = ~((made == made[0]) | (np.isnan(made) & np.isnan(made[0])))
            moved = differs.any(axis=0)
            found = moved if found is None else found | moved
        if found is not None:
            changed.append(found)
    table = np.array(changed)
    if (table.sum(axis=0) > 1).any():
        return None
    return np.where(table.any(axis=0), table.argmax(axis=0), -1).astype(np.intp)


def _values(column: pd.Series, rng: np.random.Generator) -> pd.Series:
    """Return a column's different values in random order, the missing one first."""
    different = column.drop_duplicates()
    known = different.dropna()
    if len(known) > _FIRST_VALUES:
        known = known.sample(_FIRST_VALUES, random_state=rng)
    missing = different[different.isna()]
    values: pd.Series = pd.concat([missing, known.iloc[rng.permutation(len(known))]])
    return values


def grouped(values: Floats, owner: NDArray[np.intp], columns: int) -> Floats:
    """Sum contributions of prepared columns to the raw columns that they are made of.

    Args:
        values: Shape (rows, prepared, outputs).
        owner: The raw column's number of each prepared one, shape (prepared,).
        columns: How many raw columns there are.

    Returns:
        Shape (rows, columns, outputs).
    """
    found = np.zeros((len(values), columns, values.shape[2]))
    for place, column in enumerate(owner):
        found[:, column] += values[:, place]
    return found


def is_tree_library(end: Any) -> bool:
    """Return whether it is of a library of boosted trees that shap's tree explainer reads."""
    return type(end).__module__.partition(".")[0] in ("lightgbm", "xgboost", "catboost")


def is_linear_model(end: Any) -> bool:
    """Return whether its score is a weighted sum of its columns."""
    return hasattr(end, "coef_") and hasattr(end, "intercept_") and not hasattr(end, "dual_coef_")


def is_ebm(end: Any) -> bool:
    """Return whether it is an explainable boosting machine."""
    return hasattr(end, "eval_terms") and hasattr(end, "term_features_")
