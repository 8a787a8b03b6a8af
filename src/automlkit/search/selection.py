"""Chooses what is delivered: one model, or a weighted vote where its gain is above the noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automlkit.greedy import greedy_weights
from automlkit.search.objective import Floats, Loss

#: Rows that members are chosen on at most: beyond it, choosing costs time and gains nothing.
MOST_ROWS = 8_000
#: Parts of the rows for judging a choice on rows that it was not made on.
PARTS = 5
#: Samples of the paired bootstrap.
SAMPLES = 100


@dataclass(frozen=True)
class Truth:
    """What predictions are compared with.

    Attributes:
        values: True values, or class numbers, shape (rows,).
        weights: Weights of rows, shape (rows,).
        loss: What is to be small.
    """

    values: NDArray[Any]
    weights: Floats
    loss: Loss

    def of(self, predictions: Floats, rows: NDArray[Any] | None = None) -> float:
        """Return the loss of predictions, on all rows or on some."""
        if rows is None:
            return self.loss(self.values, predictions, self.weights)
        return self.loss(self.values[rows], predictions[rows], self.weights[rows])


@dataclass(frozen=True)
class Verdict:
    """How a candidate compares with the best single model, each judged on rows not chosen on.

    Attributes:
        gain: How much smaller the candidate's loss is.
        error: The standard error of the gain, by paired bootstrap.
    """

    gain: float
    error: float

    @property
    def is_above_noise(self) -> bool:
        """Whether the gain is above one standard error."""
        return self.gain > self.error


def vote_weights(
    predictions: Sequence[Floats],
    truth: Truth,
    rows: NDArray[Any],
    *,
    costs: Sequence[float],
    most_cost: float,
    rounds: int = 20,
    most_members: int = 6,
) -> dict[int, float]:
    """Choose the members of a vote.

    Args:
        predictions: Out-of-fold predictions of each candidate.
        truth: What they are compared with.
        rows: Numbers of the rows that the choice is made on.
        costs: What each candidate adds to the cost of a prediction.
        most_cost: What all members may cost; the best single one may cost more.
        rounds: Choices made; the best prefix of them is kept.
        most_members: Different members at most.

    Returns:
        Candidate numbers, and their weights, which add up to 1.
    """
    values, weights = truth.values[rows], truth.weights[rows]

    def may_join(members: set[int], number: int) -> bool:
        spent = sum(costs[member] for member in members)
        return len(members) < most_members and spent + costs[number] <= most_cost

    return greedy_weights(
        [one[rows] for one in predictions],
        lambda found: truth.loss(values, found, weights),
        rounds=rounds,
        may_join=may_join,
    )


def blend(predictions: Sequence[Floats], weights: Mapping[int, float]) -> Floats:
    """Return the weighted sum of predictions."""
    parts = [predictions[number] * weight for number, weight in weights.items()]
    return np.asarray(np.sum(parts, axis=0))


def parts_of(rows: int, seed: int) -> list[NDArray[Any]]:
    """Return row numbers in `PARTS` random parts."""
    order = np.random.default_rng(seed).permutation(rows)
    return [np.sort(part) for part in np.array_split(order, PARTS)]


def limited(rows: NDArray[Any], seed: int) -> NDArray[Any]:
    """Return at most `MOST_ROWS` of the rows, by chance."""
    if len(rows) <= MOST_ROWS:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, MOST_ROWS, replace=False))


def crossfit_vote(
    predictions: Sequence[Floats],
    truth: Truth,
    seed: int,
    *,
    costs: Sequence[float],
    most_cost: float,
    rounds: int = 20,
) -> Floats:
    """Return a vote's predictions, its members chosen without the rows that are predicted."""
    found = np.zeros_like(predictions[0])
    every = np.arange(len(truth.values))
    for part in parts_of(len(every), seed):
        others = limited(np.setdiff1d(every, part), seed)
        weights = vote_weights(
            predictions, truth, others, costs=costs, most_cost=most_cost, rounds=rounds
        )
        found[part] = blend([one[part] for one in predictions], weights)
    return found


def crossfit_best(predictions: Sequence[Floats], truth: Truth, seed: int) -> Floats:
    """Return the best single model's predictions, chosen without the rows that are predicted."""
    found = np.zeros_like(predictions[0])
    every = np.arange(len(truth.values))
    for part in parts_of(len(every), seed):
        others = limited(np.setdiff1d(every, part), seed)
        losses = [truth.of(one, others) for one in predictions]
        found[part] = predictions[int(np.argmin(losses))][part]
    return found


def compare(candidate: Floats, single: Floats, truth: Truth, seed: int) -> Verdict:
    """Compare two sets of predictions of the same rows by paired bootstrap (Efron 1979)."""
    random = np.random.default_rng(seed)
    rows = len(truth.values)
    size = min(rows, MOST_ROWS)
    gains = np.empty(SAMPLES)
    for number in range(SAMPLES):
        drawn = random.integers(0, rows, size)
        gains[number] = truth.of(single, drawn) - truth.of(candidate, drawn)
    # A sample of fewer rows varies more than all of them would.
    error = float(gains.std(ddof=1)) * float(np.sqrt(size / rows))
    return Verdict(truth.of(single) - truth.of(candidate), error)
