"""How one column, or a group of them, becomes features.

An encoder is fitted on a table and class codes or quantities, and then writes its features, NaN
for what is missing, into a block of a matrix. It knows which of its features are indicators (0 or
1, neither imputed nor scaled) and which are numbers of categories.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd

from automlmodel.values import (
    MISSING,
    UNSEEN,
    Codes,
    Floats,
    categories,
    category_codes,
    numbers,
    texts,
    times,
)

#: The parts of a time, and elapsed days; as Azure's DateTimeTransformer has them.
DATE_PARTS = (
    *("Year", "Month", "Day", "DayOfWeek", "DayOfYear", "QuarterOfYear", "WeekOfMonth"),
    *("Hour", "Minute", "Second", "Days"),
)
#: Rows that a category's mean is drawn towards the mean of all by; see `TargetMeans`.
SMOOTHING = 10.0
#: Folds that training rows' own target means are taken over.
_FOLDS = 5


class Encoder(Protocol):
    """Makes features of columns.

    Attributes:
        columns: The raw columns that it reads.
        names: The features' names, known once fitted.
        kind: `number`, `indicator`, or `category` (numbers of categories from 0).
    """

    columns: Sequence[str]
    names: list[str]
    kind: str

    def fit(self, X: pd.DataFrame, targets: Floats) -> None:
        """Learn from training rows; `targets` has shape (rows, targets)."""

    def write(self, X: pd.DataFrame, out: Floats) -> None:
        """Write the features of any rows into `out`, shape (rows, features)."""

    def write_training(self, X: pd.DataFrame, targets: Floats, out: Floats) -> None:
        """Write the features of the training rows themselves."""


class _SameForTraining(ABC):
    """Encoders whose training rows are treated like any others."""

    columns: Sequence[str]
    names: list[str]

    @abstractmethod
    def write(self, X: pd.DataFrame, out: Floats) -> None:
        """Write the features of any rows into `out`, shape (rows, features)."""

    def write_training(self, X: pd.DataFrame, targets: Floats, out: Floats) -> None:  # noqa: ARG002
        """Write the features of the training rows."""
        self.write(X, out)


class Numbers(_SameForTraining):
    """Numbers as they are; those of columns with a strategy are imputed."""

    kind = "number"

    def __init__(self, columns: Sequence[str], strategies: dict[str, Any] | None = None) -> None:
        self.columns = list(columns)
        self.names = list(columns)
        self.strategies = strategies or {}
        self.fill: dict[int, float] = {}

    def fit(self, X: pd.DataFrame, targets: Floats) -> None:  # noqa: ARG002
        """Find what to fill with: mean, median, most_frequent, or a constant given."""
        table = numbers(X, self.columns)
        for place, name in enumerate(self.columns):
            if name in self.strategies:
                self.fill[place] = fill_value(table[:, place], self.strategies[name])

    def write(self, X: pd.DataFrame, out: Floats) -> None:
        """Write the numbers."""
        out[:] = numbers(X, self.columns)
        for place, value in self.fill.items():
            column = out[:, place]
            column[np.isnan(column)] = value


def fill_value(column: Floats, strategy: str | float) -> float:
    """Return what stands for a missing number.

    Args:
        column: Training values, shape (rows,).
        strategy: `mean`, `median`, `most_frequent`, or the number itself.
    """
    if not isinstance(strategy, str):
        return float(strategy)
    present = column[~np.isnan(column)]
    if not len(present):
        return 0.0
    if strategy == "most_frequent":
        values, counts = np.unique(present, return_counts=True)
        return float(values[counts.argmax()])
    return float(np.median(present) if strategy == "median" else present.mean())


class _Categories(_SameForTraining):
    """Numbers a column's most frequent categories, the most frequent first; the rest share one."""

    def __init__(self, column: str, most: int, least_rows: int = 1) -> None:
        self.column = column
        self.columns = [column]
        self.most = most
        self.least_rows = least_rows
        self.known: dict[str, int] = {}
        self.names: list[str] = []

    def learn(self, X: pd.DataFrame) -> Codes:
        """Number the categories and return the training rows' numbers."""
        found, labels = categories(X, self.column)
        counts = np.bincount(found[found >= 0], minlength=len(labels))
        # By label where counts are equal, so that the order of rows does not count.
        order = sorted(range(len(labels)), key=lambda code: (-counts[code], labels[code]))
        kept = [code for code in order if counts[code] >= self.least_rows][: self.most]
        self.known = {labels[code]: place for place, code in enumerate(kept)}
        self.has_rest = len(kept) < len(labels)
        return self.codes(X)

    def codes(self, X: pd.DataFrame) -> Codes:
        """Return numbers; unseen and rare categories share the last where any was rare."""
        found = category_codes(X, self.column, self.known)
        if self.has_rest:
            found[found == UNSEEN] = len(self.known)
        return found

    @property
    def labels(self) -> list[str]:
        """The categories by number."""
        return [*self.known, *(["(other)"] if self.has_rest else [])]


class CategoryCodes(_Categories):
    """Numbers of categories, for learners that split sets of them."""

    kind = "category"

    def fit(self, X: pd.DataFrame, targets: Floats) -> None:  # noqa: ARG002
        """Number the categories."""
        self.learn(X)
        self.names = [self.column]

    def write(self, X: pd.DataFrame, out: Floats) -> None:
        """Write the numbers; NaN for missing and for unseen ones."""
        found = self.codes(X)
        out[:, 0] = np.where(found < 0, np.nan, found)


class OneHot(_Categories):
    """One indicator a category, one for rare ones together, one for missing."""

    kind = "indicator"

    def fit(self, X: pd.DataFrame, targets: Floats) -> None:  # noqa: ARG002
        """Number the categories, and see whether any value is missing."""
        found = self.learn(X)
        self.has_missing = bool((found == MISSING).any())
        labels = [*self.labels, *(["(missing)"] if self.has_missing else [])]
        self.names = [f"{self.column}={label}" for label in labels]

    def write(self, X: pd.DataFrame, out: Floats) -> None:
        """Write the indicators; an unseen category has none."""
        found = self.codes(X)
        if self.has_missing:
            found[found == MISSING] = out.shape[1] - 1
        out[:] = 0.0
        seen = np.flatnonzero(found >= 0)
        out[seen, found[seen]] = 1.0


class HashOneHot(_SameForTraining):
    """One indicator a hash of `bits` bits; takes categories that training never saw."""

    kind = "indicator"

    def __init__(self, column: str, bits: int) -> None:
        self.column = column
        self.columns = [column]
        self.bits = bits
        self.names: list[str] = []

    def fit(self, X: pd.DataFrame, targets: Floats) -> None:  # noqa: ARG002
        """Name the features."""
        self.names = [f"{self.column}#{number}" for number in range(1 << self.bits)]

    def write(self, X: pd.DataFrame, out: Floats) -> None:
        """Write the indicators; a missing value has none."""
        from zlib import crc32

        found, labels = categories(X, self.column)
        hashes = [crc32(label.encode()) % (1 << self.bits) for label in labels]
        place = np.array([*hashes, MISSING], dtype=np.intp)[found]
        out[:] = 0.0
        seen = np.flatnonzero(place >= 0)
        out[seen, place[seen]] = 1.0


class TargetMeans(_Categories):
    """The mean target of each category, drawn towards the mean of all where rows are few.

    With n rows of mean m, of all rows' mean M: (n m + s M) / (n + s), s = `SMOOTHING`
    (D. Micci-Barreca, "A preprocessing scheme for high-cardinality categorical attributes",
    SIGKDD Explorations 3 (2001), doi:10.1145/507533.507538). Training rows get the means of other
    rows only, by folds: with their own, a learner would take the target's echo for a signal.
    """

    kind = "number"

    def __init__(self, column: str, seed: int = 0) -> None:
        super().__init__(column, most=1_000_000)
        self.seed = seed

    def fit(self, X: pd.DataFrame, targets: Floats) -> None:
        """Take the means of all training rows."""
        found = self.learn(X)
        self.means = self._means(found, targets)
        count = targets.shape[1]
        of = [f" {number}" for number in range(count)] if count > 1 else [""]
        self.names = [f"mean target{which} of {self.column}" for which in of]

    def _means(self, found: Codes, targets: Floats) -> Floats:
        """Return the means by code, then those of unseen and of missing values."""
        overall = targets.mean(axis=0)
        # One row more for what is missing, which is a category here.
        rows = np.where(found < 0, len(self.known), found)
        counts = np.bincount(rows, minlength=len(self.known) + 1)[:, None]
        sums = np.column_stack(
            [np.bincount(rows, column, minlength=len(self.known) + 1) for column in targets.T]
        )
        means = (sums + SMOOTHING * overall) / (counts + SMOOTHING)
        return np.vstack([means[:-1], overall, means[-1]])

    def write(self, X: pd.DataFrame, out: Floats) -> None:
        """Write the means; codes -1 and -2 are its last rows."""
        out[:] = self.means[self.codes(X)]

    def write_training(self, X: pd.DataFrame, targets: Floats, out: Floats) -> None:
        """Write means that each row's own target has no part in."""
        found = self.codes(X)
        folds = np.random.default_rng(self.seed).integers(_FOLDS, size=len(found))
        for fold in range(_FOLDS):
            own = folds == fold
            if own.all():
                out[:] = self.means[found]
            elif own.any():
                out[own] = self._means(found[~own], targets[~own])[found[own]]


class Dates(_SameForTraining):
    """The parts of a time that vary in training."""

    kind = "number"

    def __init__(self, column: str) -> None:
        self.column = column
        self.columns = [column]
        self.names: list[str] = []

    def fit(self, X: pd.DataFrame, targets: Floats) -> None:  # noqa: ARG002
        """Keep the parts that have more than one value."""
        parts = date_parts(times(X, self.column))
        varied = [len(np.unique(part[~np.isnan(part)])) > 1 for part in parts.T]
        self.kept = np.flatnonzero(varied)
        self.names = [f"{self.column} {DATE_PARTS[place]}" for place in self.kept]

    def write(self, X: pd.DataFrame, out: Floats) -> None:
        """Write the parts."""
        out[:] = date_parts(times(X, self.column))[:, self.kept]


def date_parts(index: pd.DatetimeIndex) -> Floats:
    """Return the parts of times, shape (rows, `DATE_PARTS`); NaN where a time is missing."""
    parts = [
        *(index.year, index.month, index.day, index.dayofweek, index.dayofyear, index.quarter),
        *((index.day - 1) // 7 + 1, index.hour, index.minute, index.second),
        (index - pd.Timestamp(0)) / pd.Timedelta(days=1),
    ]
    return np.column_stack([np.asarray(part, dtype=np.float64) for part in parts])


class Texts(_SameForTraining):
    """Weighted frequencies of words, word pairs, and character triples, in few dimensions."""

    kind = "number"

    def __init__(self, column: str, dimensions: int, seed: int, options: dict[str, Any]) -> None:
        self.column = column
        self.columns = [column]
        self.dimensions = dimensions
        self.seed = seed
        self.options = options
        self.names: list[str] = []

    def fit(self, X: pd.DataFrame, targets: Floats) -> None:  # noqa: ARG002
        """Learn the vocabulary, its weights, and the dimensions that tell most."""
        from sklearn.decomposition import TruncatedSVD  # heavy, and only for tables with texts
        from sklearn.feature_extraction.text import TfidfVectorizer

        words: dict[str, Any] = {"ngram_range": (1, 2), "max_features": 20_000, **self.options}
        self.vectorizers = [
            TfidfVectorizer(sublinear_tf=True, **words),
            TfidfVectorizer(
                sublinear_tf=True, analyzer="char_wb", ngram_range=(3, 3), max_features=20_000
            ),
        ]
        found = texts(X, self.column)
        self.projections = []
        self.names = []
        for what, vectorizer in zip(("words", "characters"), list(self.vectorizers), strict=True):
            try:
                matrix = vectorizer.fit_transform(found)
            except ValueError:  # no word of two letters in all of it
                self.vectorizers.remove(vectorizer)
                continue
            most = min(self.dimensions, *(side - 1 for side in matrix.shape))
            projection = TruncatedSVD(max(most, 1), random_state=self.seed).fit(matrix)
            self.projections.append(projection.components_.T)
            self.names += [f"{self.column} {what} {place}" for place in range(max(most, 1))]

    def write(self, X: pd.DataFrame, out: Floats) -> None:
        """Write the texts' places in the dimensions."""
        found = texts(X, self.column)
        start = 0
        for vectorizer, projection in zip(self.vectorizers, self.projections, strict=True):
            stop = start + projection.shape[1]
            out[:, start:stop] = vectorizer.transform(found) @ projection
            start = stop
