"""Cohorts that a model errs most in, with what they are measured by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from raikit.errors.settings import Settings
from raikit.errors.tree import ErrorTree, Node, grow
from raikit.intervals import LEVEL, mean_interval, ratio_interval
from stepkit.metrics import Floats
from stepkit.model import Scores

#: Cohorts that are listed.
MOST_COHORTS = 6
#: How much more than its probabilities say a model may err and still know; and how much more than
#: elsewhere, where it tells none. A share of that.
TOLERANCE = 0.25


@dataclass(frozen=True)
class Measured:
    """What a node's rows came to, on the half that the tree has not seen.

    Attributes:
        node: Its place in the tree.
        rows: How many there are.
        share: Of all rows.
        error: The mean loss: the error rate, or the mean absolute or squared error.
        low: Lower bound of its interval; None with no rows.
        high: Upper bound.
        coverage: Share of the whole loss that falls on it.
    """

    node: int
    rows: int
    share: float
    error: float | None
    low: float | None
    high: float | None
    coverage: float


@dataclass(frozen=True)
class Worst:
    """The node that errs most.

    Attributes:
        measured: What its rows came to.
        condition: All that it asks for.
        rest: The mean loss of all other rows.
        ratio: Its loss over that; None where no other row errs.
        low: Lower bound of the ratio's interval; None where there is none.
        high: Upper bound.
        expected: The loss that the model's own probabilities lead to expect; None where it tells
            none.
        unexpected: How far the loss exceeds that, and the bounds of its interval.
    """

    measured: Measured
    condition: str
    rest: float
    ratio: float | None
    low: float | None
    high: float | None
    expected: float | None = None
    unexpected: tuple[float, float, float] | None = None

    @property
    def is_beyond_chance(self) -> bool:
        """Whether the cohort errs more than the rest beyond the doubt of the interval."""
        return self.low is not None and self.low > 1

    @property
    def is_unexpected(self) -> bool:
        """Whether the model errs there much more than it says itself, or than elsewhere."""
        if not self.is_beyond_chance:
            return False
        if self.expected is None or self.unexpected is None:
            return self.low is not None and self.low > 1 + TOLERANCE
        return self.unexpected[1] > TOLERANCE * self.expected


def losses_of(scores: Scores, error: str) -> Floats:
    """Return each row's loss: 1 for a wrong class, or the absolute or squared error."""
    if scores.task == "classification":
        wrong: Floats = (scores.truth != scores.predicted).astype(np.float64)
        return wrong
    missed: Floats = np.abs(np.asarray(scores.truth - scores.predicted, dtype=np.float64))
    return missed**2 if error == "squared" else missed


def expected_losses(scores: Scores) -> Floats | None:
    """Return how probable an error is by the model's own probabilities; None without them."""
    if not scores.has_probabilities:
        return None
    rows = np.arange(len(scores.predicted))
    own: Floats = 1.0 - scores.probabilities[rows, scores.predicted]
    return own


def halves(rows: int, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return which rows the tree is found on, and which it is measured on."""
    order = np.random.default_rng(seed).permutation(rows)
    return np.sort(order[: rows // 2]), np.sort(order[rows // 2 :])


def measure(tree: ErrorTree, table: pd.DataFrame, losses: Floats) -> list[Measured]:
    """Return what each node's rows came to."""
    found, total = [], float(losses.sum())
    for number, node in enumerate(tree.nodes):
        own = losses[node.rows(table)]
        low, high = mean_interval(own, LEVEL) if len(own) else (None, None)
        found.append(
            Measured(
                node=number,
                rows=len(own),
                share=len(own) / len(losses),
                error=float(own.mean()) if len(own) else None,
                low=None if low is None else max(0.0, low),
                high=high,
                coverage=float(own.sum()) / total if total else 0.0,
            )
        )
    return found


def ranked(tree: ErrorTree, table: pd.DataFrame, losses: Floats) -> list[int]:
    """Return the nodes but the root, the worst first, by the rows that the tree was found on.

    The worst is not the one with the highest loss, which would be a small one with bad luck, but
    the one whose loss exceeds that of all other rows by the most standard errors.
    """
    found = []
    for number, node in enumerate(tree.nodes):
        inside = node.rows(table)
        rows, others = int(inside.sum()), int((~inside).sum())
        if rows and others:
            error = float(losses.std()) * np.sqrt(1 / rows + 1 / others)
            excess = float(losses[inside].mean() - losses[~inside].mean())
            found.append((-excess / error if error else 0.0, number))
    return [number for _, number in sorted(found)]


def listed(tree: ErrorTree, order: list[int]) -> list[int]:
    """Return the worst node and the worst leaves that are not part of it, in their order."""
    first = order[0]
    leaves = [n for n in order[1:] if tree.nodes[n].is_leaf and first not in _above(tree, n)]
    return [first, *leaves][:MOST_COHORTS]


def _above(tree: ErrorTree, number: int) -> set[int]:
    above = set()
    parent = tree.nodes[number].parent
    while parent is not None:
        above.add(parent)
        parent = tree.nodes[parent].parent
    return above


def judge(
    tree: ErrorTree,
    measured: Measured,
    table: pd.DataFrame,
    losses: Floats,
    expected: Floats | None,
) -> Worst:
    """Compare a node with all other rows, on the half that the tree has not seen."""
    node: Node = tree.nodes[measured.node]
    inside = node.rows(table)
    own, others = losses[inside], losses[~inside]
    rest = float(others.mean()) if len(others) else 0.0
    bounds = ratio_interval(own, others) if len(own) and len(others) else None
    low, high = bounds or (None, None)
    told, beyond = None, None
    if expected is not None and len(own) > 1:
        told = float(expected[inside].mean())
        excess = own - expected[inside]
        # By the standard error, since an excess is no share.
        bounds = mean_interval(excess)
        beyond = (float(excess.mean()), *bounds)
    return Worst(
        measured=measured,
        condition=tree.describe(node),
        rest=rest,
        ratio=float(own.mean()) / rest if len(own) and rest > 0 else None,
        low=low,
        high=high,
        expected=told,
        unexpected=beyond,
    )


@dataclass(frozen=True)
class Examined:
    """What the tree found.

    Attributes:
        tree: The tree.
        nodes: What each node came to.
        cohorts: The worst first.
    """

    tree: ErrorTree
    nodes: list[Measured]
    cohorts: list[Worst]


def find(scores: Scores, table: pd.DataFrame, settings: Settings) -> Examined | None:
    """Grow a tree on one half of the rows, and measure it on the other.

    Args:
        scores: Of the rows.
        table: What `raikit.errors.tree.readable` gave of the same rows.
        settings: Say how large the tree is, and which half is which.

    Returns:
        None where no column tells rows with errors from others.
    """
    losses = losses_of(scores, settings.error)
    found, measuring = halves(len(losses), settings.seed)
    tree = grow(table, losses, found, settings)
    order = ranked(tree, table.iloc[found], losses[found])
    if not order:
        return None
    kept, unseen = table.iloc[measuring], losses[measuring]
    nodes = measure(tree, kept, unseen)
    expected = expected_losses(scores)
    told = None if expected is None else expected[measuring]
    cohorts = [judge(tree, nodes[number], kept, unseen, told) for number in listed(tree, order)]
    return Examined(tree, nodes, cohorts)
