"""The featurizer: raw columns in, one matrix of floats out, quick on one row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from automlmodel.encoders import Encoder, fill_value
from automlmodel.splines import Splines
from automlmodel.values import Floats, require_columns


class Completion:
    """Fills what is missing, marks where it was, bends numbers into splines, and scales.

    Args:
        strategy: What missing numbers are filled with: `mean`, `median`, `most_frequent`.
        markers: Whether a feature with missing values gets an indicator of them.
        knots: Knots of the splines; 0 is none.
    """

    def __init__(self, strategy: str, *, markers: bool, knots: int = 0) -> None:
        self.strategy = strategy
        self.markers = markers
        self.splines = Splines(knots) if knots else None

    def fit(self, table: Floats, is_indicator: np.ndarray[Any, np.dtype[np.bool_]]) -> None:
        """Learn fill values, knots, means, and spreads, from shape (rows, features)."""
        missing = np.isnan(table)
        self.numbers: list[int] = np.flatnonzero(~is_indicator).tolist()
        self.fill = np.array([fill_value(column, self.strategy) for column in table.T])
        self.marked: list[int] = (
            np.flatnonzero(missing.any(axis=0)).tolist() if self.markers else []
        )
        if self.splines is not None:
            filled = np.where(missing, self.fill, table)
            self.splines.fit(filled[:, self.numbers])
        self.mean, self.inverse_spread = np.zeros(0), np.ones(0)
        rough = self._widen(table)
        scaled = np.ones(rough.shape[1], dtype=bool)
        scaled[np.flatnonzero(is_indicator)] = False
        scaled[table.shape[1] : table.shape[1] + len(self.marked)] = False
        spread = rough.std(axis=0)
        self.mean = np.where(scaled, rough.mean(axis=0), 0.0)
        self.inverse_spread = np.where(
            scaled & (spread > 1e-12), 1 / np.maximum(spread, 1e-12), 1.0
        )

    def transform(self, table: Floats) -> Floats:
        """Return complete, scaled features, shape (rows, more features)."""
        scaled: Floats = (self._widen(table) - self.mean) * self.inverse_spread
        return scaled

    def _widen(self, table: Floats) -> Floats:
        missing = np.isnan(table)
        filled = np.where(missing, self.fill, table)
        parts = [filled, missing[:, self.marked].astype(np.float64)]
        if self.splines is not None:
            parts.append(self.splines.transform(filled[:, self.numbers]))
        return np.hstack(parts)

    def names(self, features: Sequence[str]) -> list[str]:
        """Return the names of what comes out."""
        bends = []
        if self.splines is not None:
            numbers = [features[place] for place in self.numbers]
            bends = [f"{numbers[place]} bend {bend}" for place, bend in self.splines.places()]
        return [*features, *(f"{features[place]} missing" for place in self.marked), *bends]


class Featurizer(BaseEstimator):  # type: ignore[misc]
    """Makes a matrix of raw columns.

    Args:
        encoders: How each column becomes features.
        completion: What is done to the features after; None leaves NaN for the learner.
        class_count: Classes of the target; 0 where it is a quantity.
    """

    def __init__(
        self,
        encoders: Sequence[Encoder],
        completion: Completion | None = None,
        class_count: int = 0,
    ) -> None:
        self.encoders = encoders
        self.completion = completion
        self.class_count = class_count

    def fit_transform(self, X: pd.DataFrame, y: Any) -> Floats:
        """Learn from training rows and return their features.

        Args:
            X: Raw columns.
            y: Class numbers from 0, or quantities, shape (rows,).

        Raises:
            ValueError: A column is missing, or holds no numbers where it should.
        """
        self.columns_ = list(dict.fromkeys(c for e in self.encoders for c in e.columns))
        require_columns(X, self.columns_)
        targets = self._targets(np.asarray(y))
        self.places_: list[slice] = []
        names: list[str] = []
        kinds: list[str] = []
        for encoder in self.encoders:
            encoder.fit(X, targets)
            self.places_.append(slice(len(names), len(names) + len(encoder.names)))
            names += encoder.names
            kinds += [encoder.kind] * len(encoder.names)
        self.width_ = len(names)
        self.categorical_features_ = [i for i, kind in enumerate(kinds) if kind == "category"]
        table = np.empty((len(X), self.width_))
        for encoder, place in zip(self.encoders, self.places_, strict=True):
            encoder.write_training(X, targets, table[:, place])
        self.feature_names_ = names
        if self.completion is None:
            return table
        self.completion.fit(table, np.array([kind == "indicator" for kind in kinds], dtype=bool))
        self.feature_names_ = self.completion.names(names)
        return self.completion.transform(table)

    def fit(self, X: pd.DataFrame, y: Any) -> Featurizer:
        """Learn from training rows."""
        self.fit_transform(X, y)
        return self

    def transform(self, X: pd.DataFrame) -> Floats:
        """Return the features of any rows; columns that were not there in training are left alone.

        Raises:
            ValueError: A column is missing, or holds no numbers where it should.
        """
        require_columns(X, self.columns_)
        table = np.empty((len(X), self.width_))
        for encoder, place in zip(self.encoders, self.places_, strict=True):
            encoder.write(X, table[:, place])
        return table if self.completion is None else self.completion.transform(table)

    def _targets(self, y: Any) -> Floats:
        """Return what target means are taken of: the quantity, or one indicator a class."""
        if self.class_count == 0:
            return np.asarray(y, dtype=np.float64)[:, None]
        classes = [1] if self.class_count <= 2 else range(self.class_count)
        return np.column_stack([np.asarray(y == number, dtype=np.float64) for number in classes])
