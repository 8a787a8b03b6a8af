"""Forests on few rows, without the threads that scikit-learn starts for each prediction."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from automlmodel.values import Floats

#: More rows are worth the start of threads: one row takes 50 ms with them, and 2 ms without.
MOST_ROWS = 64
_FORESTS = (
    *(RandomForestClassifier, RandomForestRegressor),
    *(ExtraTreesClassifier, ExtraTreesRegressor),
)


def is_forest_for(model: Any, Z: Floats) -> bool:
    """Return whether a model is a forest, and the rows so few that `mean_of_trees` is quicker."""
    return len(Z) <= MOST_ROWS and isinstance(model, _FORESTS)


def mean_of_trees(forest: Any, Z: Floats) -> Floats:
    """Return what a forest predicts: the mean over its trees.

    Args:
        forest: A fitted forest.
        Z: Features, shape (rows, features).

    Returns:
        Probabilities, shape (rows, classes), or quantities, shape (rows, 1).
    """
    narrow = np.ascontiguousarray(Z, dtype=np.float32)  # what trees compare
    values = sum(tree.tree_.predict(narrow) for tree in forest.estimators_)
    mean = np.asarray(values, dtype=np.float64).reshape(len(Z), -1)
    if hasattr(forest, "classes_"):
        return np.asarray(mean / mean.sum(axis=1, keepdims=True))
    return mean / len(forest.estimators_)
