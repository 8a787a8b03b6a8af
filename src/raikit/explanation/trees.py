"""Exact Shapley values of trees, with raw columns as the players.

However many prepared columns a raw column became, it is one player, so that nothing is left to be
summed up afterwards; and a split is asked for its decision, whatever it is made by.

Values are of the interventional game: v(S) is the mean prediction over background rows with the
columns of S taken from the explained row (S. Lundberg et al., "From local explanations to global
understanding with explainable AI for trees", Nature Machine Intelligence 2 (2020) 56-67,
doi:10.1038/s42256-019-0138-9; the pass over one tree for one row and one background row as in
G. Laberge, Y. Pequignot, "Understanding Interventional TreeSHAP", arXiv:2209.15123, 2022).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import factorial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepkit.metrics import Floats
from stepkit.program import cores

#: Columns that one tree may split on: a set of them is the bits of a whole number.
MOST_PLAYERS = 62


@dataclass(frozen=True)
class Tree:
    """One tree; its root is node 0.

    Attributes:
        left: Number of each node's left child, -1 at leaves.
        right: Of the right child.
        column: Raw column of each node's split; any at leaves.
        value: What each leaf adds to the outputs, shape (nodes, outputs).
        goes_left: Tells of prepared rows whether each goes left at each node, shape (rows, nodes).
    """

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    column: NDArray[np.intp]
    value: Floats
    goes_left: Callable[[Floats], NDArray[np.bool_]]


def shapley_values(trees: Iterable[Tree], Z: Floats, background: Floats, columns: int) -> Floats:
    """Return exact Shapley values of raw columns.

    Args:
        trees: Whose sum is the score.
        Z: Prepared rows to explain.
        background: Prepared rows that they are compared with.
        columns: How many raw columns there are.

    Returns:
        Shape (rows, columns, outputs).

    Raises:
        ValueError: A tree splits on more than `MOST_PLAYERS` raw columns.
    """
    run, weights = _compiled(), _weights()

    def of_one(tree: Tree) -> Floats:
        is_split = tree.left >= 0
        players = np.unique(tree.column[is_split])
        if len(players) > MOST_PLAYERS:
            raise ValueError(f"a tree splits on {len(players)} columns, more than {MOST_PLAYERS}")
        player = np.where(is_split, np.searchsorted(players, tree.column), 0)
        values = np.zeros((len(Z), len(players), tree.value.shape[1]))
        rows, others = tree.goes_left(Z), tree.goes_left(background)
        run(tree.left, tree.right, player, tree.value, rows, others, weights, values)
        whole = np.zeros((len(Z), columns, tree.value.shape[1]))
        whole[:, players] = values
        return whole

    with ThreadPoolExecutor(cores()) as pool:  # the compiled pass holds no lock
        parts = pool.map(of_one, trees)
        total = next(parts)
        for part in parts:
            total += part
    return total


def _weights() -> Floats:
    """Return (a - 1)! b! / (a + b)! at [a, b], what a leaf gives to each column of a set of a."""
    size = MOST_PLAYERS + 1
    found = np.zeros((size, size))
    for a in range(1, size):
        for b in range(size - a):
            found[a, b] = factorial(a - 1) * factorial(b) / factorial(a + b)
    return found


def _compiled() -> Callable[..., None]:
    """Compile the pass over all pairs of rows and background rows."""
    from numba import njit  # half a second, and a second to compile; only for trees

    compiled: Callable[..., None] = njit(nogil=True)(_pass)
    return compiled


def _pass(
    left: Any,
    right: Any,
    player: Any,
    value: Any,
    rows: Any,
    background: Any,
    weights: Any,
    values: Any,
) -> None:
    """Add up contributions: leaves that a row and a background row reach between them.

    A leaf is reached where columns of the set `ours` come from the explained row and those of
    `theirs` from the background row; the others do not matter. It gives each column of `ours`
    value * (a - 1)! b! / (a + b)!, and takes value * a! (b - 1)! / (a + b)! from each of `theirs`,
    with a and b the sizes of the sets.
    """
    # At most one way is left open for each player.
    nodes, ours, theirs = np.empty(64, np.int64), np.empty(64, np.int64), np.empty(64, np.int64)
    sizes = np.empty((64, 2), np.int64)
    one = np.int64(1)
    for row in range(rows.shape[0]):
        for other in range(background.shape[0]):
            top = 0
            nodes[0], ours[0], theirs[0], sizes[0, 0], sizes[0, 1] = 0, 0, 0, 0, 0
            while top >= 0:
                node, mine, its = nodes[top], ours[top], theirs[top]
                a, b = sizes[top, 0], sizes[top, 1]
                top -= 1
                while left[node] >= 0:
                    goes, other_goes = rows[row, node], background[other, node]
                    bit = one << player[node]
                    if goes != other_goes and (mine & bit) == 0 and (its & bit) == 0:
                        # Not settled yet whose value this column has: the other way is for later.
                        top += 1
                        nodes[top] = left[node] if other_goes else right[node]
                        ours[top], theirs[top] = mine, its | bit
                        sizes[top, 0], sizes[top, 1] = a, b + 1
                        mine |= bit
                        a += 1
                    elif (its & bit) != 0:
                        goes = other_goes
                    node = left[node] if goes else right[node]
                gain = weights[a, b] / background.shape[0]
                loss = weights[b, a] / background.shape[0]
                for number in range(values.shape[1]):
                    if (mine >> number) & one:
                        for output in range(value.shape[1]):
                            values[row, number, output] += gain * value[node, output]
                    elif (its >> number) & one:
                        for output in range(value.shape[1]):
                            values[row, number, output] -= loss * value[node, output]
