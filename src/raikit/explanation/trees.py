"""Exact Shapley values of histogram gradient boosting, for raw columns as players.

shap's own tree explainer reads a split of scikit-learn's histogram gradient boosting as a number's
threshold also where it is a set of categories, so its values are of another model. Here a split
is asked for its decision, whatever it is made by, and a raw column is one player, however many
prepared columns it became.

Values are of the interventional game: v(S) is the mean prediction over background rows with the
columns of S taken from the explained row (S. Lundberg et al., "From local explanations to global
understanding with explainable AI for trees", Nature Machine Intelligence 2 (2020) 56-67,
doi:10.1038/s42256-019-0138-9; the pass over one tree for one row and one background row as in
G. Laberge, Y. Pequignot, "Understanding Interventional TreeSHAP", arXiv:2209.15123, 2022).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import factorial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepkit.metrics import Floats
from stepkit.program import cores

#: Columns that one tree may split on: a set of them is the bits of a whole number.
_MOST_PLAYERS = 62


class TooManyColumnsError(ValueError):
    """A tree splits on more raw columns than its sets of columns can hold."""


@dataclass(frozen=True)
class Forest:
    """Trees, one after another; nodes are numbered through.

    Attributes:
        left: Number of each node's left child; -1 at leaves.
        right: Of the right child.
        value: Of leaves; 0 elsewhere.
        player: Number of the split's raw column among those of its tree.
        roots: Each tree's first node.
        outputs: Each tree's output.
        columns: Raw column of each tree's players, shape (trees, most players), -1 where unused.
        base: What the score starts from, shape (outputs,).
    """

    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: Floats
    player: NDArray[np.int64]
    roots: NDArray[np.int32]
    outputs: NDArray[np.int32]
    columns: NDArray[np.int32]
    base: Floats


def prepared(end: Any, matrix: Any) -> Floats:
    """Return the matrix that the trees split, from what histogram gradient boosting is given."""
    # Its own step orders the columns anew, categories first, and numbers the categories.
    return np.asarray(end._preprocess_X(matrix, reset=False), dtype=np.float64)  # noqa: SLF001


def forest_of(end: Any, owner: NDArray[np.intp]) -> Forest:
    """Read the trees of histogram gradient boosting.

    Args:
        end: The fitted estimator.
        owner: Raw column of each column that the trees split.

    Raises:
        TooManyColumnsError: One tree splits on too many.
    """
    left, right, value, player, roots, outputs, columns = [], [], [], [], [], [], []
    total = 0
    for iteration in end._predictors:  # noqa: SLF001 - it has no public form, in shap neither
        for output, predictor in enumerate(iteration):
            nodes = predictor.nodes
            leaf = nodes["is_leaf"].astype(bool)
            column = owner[nodes["feature_idx"].astype(np.intp)]
            used = np.unique(column[~leaf])
            if len(used) > _MOST_PLAYERS:
                raise TooManyColumnsError(f"a tree splits on {len(used)} columns")
            left.append(np.where(leaf, -1, nodes["left"].astype(np.int64) + total))
            right.append(np.where(leaf, -1, nodes["right"].astype(np.int64) + total))
            value.append(np.where(leaf, nodes["value"], 0.0))
            player.append(np.where(leaf, 0, np.searchsorted(used, column)))
            roots.append(total)
            outputs.append(output)
            columns.append(np.pad(used, (0, _MOST_PLAYERS - len(used)), constant_values=-1))
            total += len(nodes)
    return Forest(
        np.concatenate(left).astype(np.int32),
        np.concatenate(right).astype(np.int32),
        np.concatenate(value).astype(np.float64),
        np.concatenate(player).astype(np.int64),
        np.array(roots, dtype=np.int32),
        np.array(outputs, dtype=np.int32),
        np.array(columns, dtype=np.int32),
        np.ravel(end._baseline_prediction).astype(np.float64),  # noqa: SLF001 - as above
    )


def decisions(end: Any, Z: Floats) -> NDArray[np.bool_]:
    """Return whether each row goes left at each node, as scikit-learn decides.

    A missing value goes where the split says; so does a category that training never had.

    Args:
        end: The fitted estimator.
        Z: What `prepared` returned.

    Returns:
        Shape (rows, nodes); False at leaves.
    """
    known, place_of = end._bin_mapper.make_known_categories_bitsets()  # noqa: SLF001 - as above
    parts = []
    for iteration in end._predictors:  # noqa: SLF001 - as above
        for predictor in iteration:
            nodes = predictor.nodes
            values = Z[:, nodes["feature_idx"].astype(np.intp)]
            left = values <= nodes["num_threshold"]
            unknown = np.isnan(values)
            for number in np.flatnonzero(nodes["is_categorical"].astype(bool)):
                node = nodes[number]
                # Sets of 256 categories, as bits of eight whole numbers.
                code = np.where(unknown[:, number] | (values[:, number] < 0), 0, values[:, number])
                code = code.astype(np.int64)
                left[:, number] = _has(predictor.raw_left_cat_bitsets[node["bitset_idx"]], code)
                unknown[:, number] |= values[:, number] < 0
                unknown[:, number] |= ~_has(known[place_of[node["feature_idx"]]], code)
            parts.append(np.where(unknown, nodes["missing_go_to_left"].astype(bool), left))
    return np.concatenate(parts, axis=1)


def _has(bits: NDArray[np.uint32], code: NDArray[np.int64]) -> NDArray[np.bool_]:
    words = np.asarray(bits, dtype=np.uint64)[code // 32]
    return np.asarray((words >> (code % 32).astype(np.uint64)) & np.uint64(1), dtype=bool)


def shapley_values(
    forest: Forest, rows: NDArray[np.bool_], background: NDArray[np.bool_], columns: int
) -> Floats:
    """Return exact Shapley values of raw columns.

    Args:
        forest: The trees.
        rows: Decisions of the explained rows.
        background: Decisions of the background rows.
        columns: How many raw columns there are.

    Returns:
        Shape (rows, columns, outputs).
    """
    kernel = _compiled()
    values = np.zeros((len(rows), columns, len(forest.base)))
    weights = _weights()
    trees = (forest.left, forest.right, forest.value, forest.player)
    shapes = (forest.roots, forest.outputs, forest.columns)
    pieces = np.array_split(np.arange(len(rows)), max(1, min(len(rows), 4 * cores())))

    def one(piece: NDArray[np.intp]) -> None:
        first, last = int(piece[0]), int(piece[-1]) + 1
        kernel(*trees, *shapes, rows[first:last], background, weights, values[first:last])

    with ThreadPoolExecutor(cores()) as pool:  # the kernel holds no lock
        list(pool.map(one, [piece for piece in pieces if len(piece)]))
    return values


def _weights() -> Floats:
    """Return (a - 1)! b! / (a + b)! at [a, b], what a leaf gives a column of a set of a."""
    size = _MOST_PLAYERS + 1
    found = np.zeros((size, size))
    for a in range(1, size):
        for b in range(size - a):
            found[a, b] = factorial(a - 1) * factorial(b) / factorial(a + b)
    return found


def _compiled() -> Callable[..., None]:
    """Compile the pass over all trees, rows, and background rows."""
    from numba import njit  # half a second, and a second to compile; only for trees

    compiled: Callable[..., None] = njit(nogil=True)(_pass)
    return compiled


def _pass(  # noqa: PLR0913, C901 - numba takes arrays, and inlines no smaller parts as fast
    left: Any,
    right: Any,
    value: Any,
    player: Any,
    roots: Any,
    outputs: Any,
    columns: Any,
    rows: Any,
    background: Any,
    weights: Any,
    values: Any,
) -> None:
    """Add up contributions: leaves that a row and a background row reach between them.

    A leaf is reached where columns of set `ours` come from the explained row and those of `theirs`
    from the background row; the others do not matter. It gives each column of `ours`
    value * (a - 1)! b! / (a + b)!, and takes from each of `theirs` value * a! (b - 1)! / (a + b)!,
    with a and b the sizes of the sets.
    """
    nodes = np.empty(128, np.int32)
    ours, theirs = np.empty(128, np.int64), np.empty(128, np.int64)
    sizes = np.empty((128, 2), np.int64)
    for row in range(rows.shape[0]):
        for tree in range(roots.shape[0]):
            output = outputs[tree]
            for other in range(background.shape[0]):
                top = 0
                nodes[0], ours[0], theirs[0], sizes[0, 0], sizes[0, 1] = roots[tree], 0, 0, 0, 0
                while top >= 0:
                    node, mine, its = nodes[top], ours[top], theirs[top]
                    a, b = sizes[top, 0], sizes[top, 1]
                    top -= 1
                    while left[node] >= 0:
                        to_left, other_left = rows[row, node], background[other, node]
                        bit = np.int64(1) << player[node]
                        if to_left != other_left and (mine & bit) == 0 and (its & bit) == 0:
                            # Not settled yet whose value this column has: both ways.
                            top += 1
                            nodes[top] = left[node] if other_left else right[node]
                            ours[top], theirs[top] = mine, its | bit
                            sizes[top, 0], sizes[top, 1] = a, b + 1
                            mine |= bit
                            a += 1
                            node = left[node] if to_left else right[node]
                        elif (its & bit) != 0:
                            node = left[node] if other_left else right[node]
                        else:
                            node = left[node] if to_left else right[node]
                    share = value[node] / background.shape[0]
                    for number in range(columns.shape[1]):
                        column = columns[tree, number]
                        if column < 0 or (mine | its) >> number == 0:
                            break
                        if (mine >> number) & 1:
                            values[row, column, output] += share * weights[a, b]
                        elif (its >> number) & 1:
                            values[row, column, output] -= share * weights[b, a]
