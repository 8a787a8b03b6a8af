"""The trees of scikit-learn's models, for `raikit.explanation.trees`.

shap's own tree explainer reads a split of histogram gradient boosting as a number's threshold also
where it is a set of categories, and compares a forest's columns in another precision than the
forest does, so that its values are not quite those of the model (shap 0.50).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from raikit.explanation.trees import Tree
from stepkit.metrics import Floats


def is_histogram_boosting(end: Any) -> bool:
    """Return whether it is scikit-learn's histogram gradient boosting."""
    return hasattr(end, "_predictors") and hasattr(end, "_baseline_prediction")


def has_trees(end: Any) -> bool:
    """Return whether it is one of scikit-learn's trees, forests, or boosted trees."""
    if is_histogram_boosting(end) or hasattr(end, "tree_"):
        return True
    return type(end).__module__ in ("sklearn.ensemble._forest", "sklearn.ensemble._gb")


def prepared(end: Any, matrix: Any) -> Floats:
    """Return the matrix that the trees split, from the one that the estimator is given."""
    if is_histogram_boosting(end):
        # Its own step orders the columns anew, categories first, and numbers the categories.
        return np.asarray(end._preprocess_X(matrix, reset=False), dtype=np.float64)  # noqa: SLF001
    # The others compare single precision with thresholds of double precision.
    return np.asarray(matrix, dtype=np.float32).astype(np.float64)


def trees_of(end: Any, owner: NDArray[np.intp]) -> Iterator[Tree]:
    """Yield the trees of a fitted estimator; their sum, but for a constant, is its score.

    The score is of probabilities for trees and forests, and the raw one for boosted trees.

    Args:
        end: What `has_trees` is true of.
        owner: Raw column of each column that the trees split.
    """
    if is_histogram_boosting(end):
        yield from _histogram_trees(end, owner)
    elif hasattr(end, "tree_"):
        yield _tree(end, owner, 1.0)
    elif hasattr(end, "learning_rate"):
        width = end.estimators_.shape[1]
        for iteration in end.estimators_:
            for output, member in enumerate(iteration):
                yield _tree(member, owner, end.learning_rate, (output, width))
    else:
        for member in end.estimators_:
            yield _tree(member, owner, 1 / len(end.estimators_))


def _tree(
    member: Any, owner: NDArray[np.intp], share: float, place: tuple[int, int] | None = None
) -> Tree:
    """Read a DecisionTree; where a place is given, its one output becomes that of so many."""
    tree = member.tree_
    value = np.asarray(tree.value, dtype=np.float64)[:, 0, :]
    if hasattr(member, "classes_"):
        value = value / value.sum(axis=1, keepdims=True)
    if place is not None:
        value = value * (np.arange(place[1]) == place[0])
    splits = np.asarray(tree.feature)
    missing_left = np.asarray(tree.missing_go_to_left, dtype=bool)
    threshold = np.asarray(tree.threshold)

    def goes_left(Z: Floats) -> NDArray[np.bool_]:
        values = Z[:, np.maximum(splits, 0)]
        return np.where(np.isnan(values), missing_left, values <= threshold)

    return Tree(
        np.asarray(tree.children_left, dtype=np.int64),
        np.asarray(tree.children_right, dtype=np.int64),
        owner[np.maximum(splits, 0)],
        share * value,
        goes_left,
    )


def _histogram_trees(end: Any, owner: NDArray[np.intp]) -> Iterator[Tree]:
    # None of this has a public form; shap and others read it in the same way.
    known = end._bin_mapper.make_known_categories_bitsets()  # noqa: SLF001
    for iteration in end._predictors:  # noqa: SLF001
        for output, predictor in enumerate(iteration):
            nodes = predictor.nodes
            leaf = nodes["is_leaf"].astype(bool)
            is_output = np.arange(len(iteration)) == output
            yield Tree(
                np.where(leaf, -1, nodes["left"].astype(np.int64)),
                np.where(leaf, -1, nodes["right"].astype(np.int64)),
                owner[nodes["feature_idx"].astype(np.intp)],
                np.where(leaf, nodes["value"], 0.0)[:, None] * is_output,
                _HistogramSplits(nodes, predictor.raw_left_cat_bitsets, *known),
            )


class _HistogramSplits:
    """Decisions of one tree of histogram gradient boosting.

    A missing value goes where the split says, and so does a category that training never had.

    Args:
        nodes: The tree's nodes.
        left_sets: Of each split by categories, those that go left, as bits of eight whole numbers.
        known_sets: Of each column of categories, those of training.
        place_of: Number in `known_sets` of each column.
    """

    def __init__(self, nodes: Any, left_sets: Any, known_sets: Any, place_of: Any) -> None:
        self._nodes, self._left, self._known = nodes, left_sets, known_sets
        self._place_of = place_of

    def __call__(self, Z: Floats) -> NDArray[np.bool_]:
        """Return whether each row goes left at each node, shape (rows, nodes)."""
        nodes = self._nodes
        values = Z[:, nodes["feature_idx"].astype(np.intp)]
        left, unknown = values <= nodes["num_threshold"], np.isnan(values)
        for number in np.flatnonzero(nodes["is_categorical"].astype(bool)):
            own, node = values[:, number], nodes[number]
            is_code = ~np.isnan(own) & (own >= 0)
            code = np.where(is_code, own, 0).astype(np.int64)
            known = self._known[self._place_of[node["feature_idx"]]]
            left[:, number] = _has(self._left[node["bitset_idx"]], code)
            unknown[:, number] = ~is_code | ~_has(known, code)
        return np.asarray(np.where(unknown, nodes["missing_go_to_left"].astype(bool), left))


def _has(bits: Any, code: NDArray[np.int64]) -> NDArray[np.bool_]:
    words = np.asarray(bits, dtype=np.uint64)[code // 32]
    return np.asarray((words >> (code % 32).astype(np.uint64)) & np.uint64(1), dtype=bool)
