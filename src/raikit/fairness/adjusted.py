"""A model whose threshold depends on the group, as it is saved and served.

It needs no more than numpy and pandas beside what the model itself needs: it is pickled with its
class, and fairlearn's thresholds are in it as plain numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin


class Thresholds(NamedTuple):
    """How the rows of one group are decided.

    With probability `first_share` a row is positive where its score is above `first`, else where
    it is above `second`; before that, with probability `ignored`, it is positive with probability
    `constant` whatever its score is (Hardt, Price, Srebro 2016, section 3.2).
    """

    first_share: float
    first: float
    second: float
    ignored: float
    constant: float

    def probabilities(self, scores: Any) -> Any:
        """Return how probable it is that each row is decided to be positive."""
        decided = self.first_share * (scores > self.first)
        decided = decided + (1 - self.first_share) * (scores > self.second)
        return self.ignored * self.constant + (1 - self.ignored) * decided


class GroupThresholdClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier of two classes with thresholds of its own for each group.

    Where a rule asks for chance, the chance of a row is drawn from its own values: the same row is
    always decided the same way, and rows are as good as drawn anew.

    Args:
        estimator: A fitted classifier with `predict_proba`.
        features: The columns that it takes.
        positive: Which of its classes the thresholds are of.
        column: The column that says of which group a row is.
        edges: Where numbers of that column are cut; empty where they are not.
        ranges: Names of the ranges between them.
        thresholds: By group; rows of others are decided at 0.5.
    """

    def __init__(
        self,
        estimator: Any,
        features: Sequence[str],
        positive: int,
        column: str,
        edges: Sequence[float],
        ranges: Sequence[str],
        thresholds: Mapping[str, Thresholds],
    ) -> None:
        self.estimator = estimator
        self.features = features
        self.positive = positive
        self.column = column
        self.edges = edges
        self.ranges = ranges
        self.thresholds = thresholds

    @property
    def classes_(self) -> Any:
        """The classes, as those of the estimator."""
        return self.estimator.classes_

    def __sklearn_is_fitted__(self) -> bool:
        """Say that it needs no fit."""
        return True

    def groups(self, table: Any) -> Any:
        """Return the group of each row, as `raikit.groups.group` names it."""
        values = table[self.column]
        if not len(self.edges):
            is_float = pd.api.types.is_float_dtype(values)
            return np.array([_text(value, is_float) for value in values], dtype=object)
        numbers = values.to_numpy(dtype=np.float64)
        places = np.searchsorted(np.asarray(self.edges), numbers, side="right")
        names = np.array([*self.ranges, "missing"], dtype=object)
        return names[np.where(np.isnan(numbers), len(self.ranges), places)]

    def positive_probabilities(self, table: Any) -> Any:
        """Return how probable it is that each row is decided to be positive, shape (n,)."""
        scores = self.estimator.predict_proba(table[list(self.features)])[:, self.positive]
        decided = (scores > 0.5).astype(np.float64)
        keys = self.groups(table)
        for key, own in self.thresholds.items():
            rows = keys == key
            decided[rows] = own.probabilities(scores[rows])
        return decided

    def predict(self, table: Any) -> Any:
        """Return the class of each row."""
        columns = list(dict.fromkeys([*self.features, self.column]))
        hashed = pd.util.hash_pandas_object(table[columns].astype(str), index=False)
        chance = hashed.to_numpy(dtype=np.uint64) / 2.0**64
        is_positive = self.positive_probabilities(table) > chance
        return np.asarray(self.classes_)[np.where(is_positive, self.positive, 1 - self.positive)]


def _text(value: Any, is_float: bool) -> str:
    """Return a label as text, as `stepkit.table.label_text` does."""
    if value is None or value != value:  # NaN alone differs from itself
        return "missing"
    return str(int(value)) if is_float and float(value).is_integer() else str(value)
