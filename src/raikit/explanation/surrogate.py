"""A small tree that imitates the model, and how well it does on rows that it was not fitted on.

M. Craven, J. Shavlik, "Extracting tree-structured representations of trained networks", NIPS 1995:
fidelity is agreement with the model, not with the truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from raikit.explanation.subject import Subject, codes_of, level_text, levels_of
from stepkit.bootstrap import interval
from stepkit.metrics import Floats

#: Categories beyond the most frequent share one place.
_MOST_LEVELS = 12
_RESAMPLES = 400


@dataclass(frozen=True)
class Branch:
    """One node of the tree.

    Attributes:
        parent: Its number; None at the root, which is first.
        condition: What leads here from the parent; empty at the root.
        scores: Mean of the model's scores over the training rows here, shape (outputs,).
        rows: Training rows here.
        is_leaf: Whether it has no branches of its own.
    """

    parent: int | None
    condition: str
    scores: Floats
    rows: int
    is_leaf: bool


@dataclass(frozen=True)
class Surrogate:
    """A tree that imitates a model.

    Attributes:
        branches: Its nodes, each parent before its children.
        fidelity: R2 of its scores against the model's on test rows; None where all of the model's
            are equal.
        low: Lower bound of the 95 % percentile interval of that; None with it.
        high: Upper bound.
        same_class: Share of test rows where both name the same class; None for a quantity.
        importance: Share of each raw column in the tree's gain, shape (columns,).
        train_rows: Rows that it was fitted on.
        test_rows: Rows that it was held against.
    """

    branches: tuple[Branch, ...]
    fidelity: float | None
    low: float | None
    high: float | None
    same_class: float | None
    importance: Floats
    train_rows: int
    test_rows: int


@dataclass(frozen=True)
class _Split:
    """A column of numbers that the tree may split, and the words for it."""

    column: int
    name: str
    level: str | None

    def words(self, threshold: float, *, is_left: bool, fill: float | None, is_time: bool) -> str:
        if self.level is not None:
            return f"{self.name} {'is not' if is_left else 'is'} {self.level}"
        shown = f"{pd.Timestamp(int(threshold)).isoformat()}" if is_time else f"{threshold:.6g}"
        # Missing values stand for the median, so they go with it.
        with_missing = fill is not None and (fill <= threshold) == is_left
        tail = " or missing" if with_missing else ""
        return f"{self.name} {'<=' if is_left else '>'} {shown}{tail}"


def fit_surrogate(
    subject: Subject,
    train: pd.DataFrame,
    test: pd.DataFrame,
    *,
    leaves: int = 8,
    seed: int = 0,
) -> Surrogate:
    """Fit a tree to what the model says of training rows, and hold it against test rows.

    Scores are probabilities, or the quantity.

    Args:
        subject: The model.
        train: Raw columns to fit it on.
        test: Raw columns that it is not fitted on.
        leaves: Most leaves: what a reader can take in.
        seed: Of ties between splits.
    """
    from sklearn.tree import DecisionTreeRegressor  # a second

    splits, fills, train_matrix, test_matrix = _encoded(subject, train, test)
    wanted = subject.scores(train, subject.plain_unit)
    tree = DecisionTreeRegressor(
        max_leaf_nodes=leaves, min_samples_leaf=max(1, len(train) // 200), random_state=seed
    )
    tree.fit(train_matrix, wanted)
    imitated = np.asarray(tree.predict(test_matrix)).reshape(len(test), -1)
    predictions = subject.predictions(test)
    truth = subject.in_unit(predictions, subject.plain_unit)
    importance = np.zeros(train.shape[1])
    for split, gain in zip(splits, tree.feature_importances_, strict=True):
        importance[split.column] += gain
    fidelity = _r2(truth, imitated)
    low = high = None
    if fidelity is not None:
        low, high = _interval(truth, imitated, seed)
    return Surrogate(
        branches=_branches(subject, tree.tree_, splits, fills),
        fidelity=fidelity,
        low=low,
        high=high,
        same_class=_same_class(subject, predictions, imitated),
        importance=importance,
        train_rows=len(train),
        test_rows=len(test),
    )


def _encoded(
    subject: Subject, train: pd.DataFrame, test: pd.DataFrame
) -> tuple[list[_Split], dict[int, float], Floats, Floats]:
    """Return numbers and times as they are, missing ones as the median, and a place a category."""
    splits, fills = [], {}
    parts: tuple[list[Floats], list[Floats]] = ([], [])
    for column, name in enumerate(train.columns):
        if subject.is_ordered(name):
            numbers = [_as_numbers(each[name]) for each in (train, test)]
            known = numbers[0][~np.isnan(numbers[0])]
            fill = float(np.median(known)) if len(known) else 0.0
            if any(np.isnan(each).any() for each in numbers):
                fills[column] = fill
            splits.append(_Split(column, name, None))
            for part, each in zip(parts, numbers, strict=True):
                part.append(np.where(np.isnan(each), fill, each)[:, None])
        else:
            levels = levels_of(train[name])[:_MOST_LEVELS]
            splits += [_Split(column, name, level_text(level)) for level in levels]
            for part, table in zip(parts, (train, test), strict=True):
                codes = codes_of(table[name], levels)
                part.append((codes[:, None] == np.arange(len(levels))).astype(np.float64))
    return splits, fills, np.concatenate(parts[0], axis=1), np.concatenate(parts[1], axis=1)


def _as_numbers(column: pd.Series) -> Floats:
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return np.where(column.isna(), np.nan, column.to_numpy("datetime64[ns]").astype(np.float64))
    return column.to_numpy(dtype=np.float64)


def _branches(
    subject: Subject, tree: Any, splits: list[_Split], fills: dict[int, float]
) -> tuple[Branch, ...]:
    left, right = np.asarray(tree.children_left), np.asarray(tree.children_right)
    values = np.asarray(tree.value)[:, :, 0]
    counts = np.asarray(tree.n_node_samples)
    found: list[Branch] = []
    pending: list[tuple[int, int | None, str]] = [(0, None, "")]
    while pending:
        node, parent, condition = pending.pop(0)
        is_leaf = bool(left[node] < 0)
        found.append(Branch(parent, condition, values[node], int(counts[node]), is_leaf))
        if is_leaf:
            continue
        split = splits[int(tree.feature[node])]
        is_time = subject.features[split.name] == "datetime"
        for child, is_left in ((left[node], True), (right[node], False)):
            words = split.words(
                float(tree.threshold[node]),
                is_left=is_left,
                fill=fills.get(split.column),
                is_time=is_time,
            )
            pending.append((int(child), len(found) - 1, words))
    return tuple(found)


def _same_class(subject: Subject, predictions: Floats, imitated: Floats) -> float | None:
    if subject.task == "regression":
        return None
    said = predictions.argmax(axis=1)
    if subject.positive is None:
        return float((said == imitated.argmax(axis=1)).mean())
    return float(((said == subject.positive) == (imitated[:, 0] > 0.5)).mean())


def _r2(truth: Floats, imitated: Floats) -> float | None:
    """Return the share of the scores' variance that is imitated, over all outputs together."""
    spread = float(((truth - truth.mean(axis=0)) ** 2).sum())
    return 1 - float(((truth - imitated) ** 2).sum()) / spread if spread > 0 else None


def _interval(truth: Floats, imitated: Floats, seed: int) -> tuple[float, float]:
    rng = np.random.default_rng(seed)
    found = np.full(_RESAMPLES, np.nan)
    for place in range(_RESAMPLES):
        drawn = rng.integers(len(truth), size=len(truth))
        found[place] = _r2(truth[drawn], imitated[drawn]) or np.nan
    return interval(found, 0.95)
