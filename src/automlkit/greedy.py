"""Greedy ensemble selection: members of a vote, chosen one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

#: Choices without a gain after which none is expected any more.
PATIENCE = 5
#: Share of a loss that a longer choice must gain: rounding alone would make it grow.
LEAST_GAIN = 1e-6


def greedy_weights(
    predictions: Sequence[Floats],
    loss: Callable[[Floats], float],
    *,
    rounds: int,
    may_join: Callable[[set[int], int], bool] = lambda _members, _number: True,
) -> dict[int, float]:
    """Choose members with replacement, each time the one that helps most.

    R. Caruana, A. Niculescu-Mizil, G. Crew, A. Ksikes, "Ensemble selection from libraries of
    models", ICML 2004, doi:10.1145/1015330.1015432.

    Args:
        predictions: Of each candidate, for the same rows.
        loss: From predictions to what is to be small, at least 0.
        rounds: Choices made at most; the best prefix of them is kept.
        may_join: Whether a candidate may become a member beside those that there are; the first
            one always may.

    Returns:
        Candidate numbers, and their weights, which add up to 1.
    """
    total = np.zeros_like(predictions[0])
    chosen: list[int] = []
    best_loss, best_length = np.inf, 0
    for turn in range(1, rounds + 1):
        members = set(chosen)
        losses = {
            number: loss((total + part) / turn)
            for number, part in enumerate(predictions)
            if not members or number in members or may_join(members, number)
        }
        number = min(losses, key=lambda one: (losses[one], one))
        chosen.append(number)
        total = total + predictions[number]
        if losses[number] < best_loss * (1 - LEAST_GAIN):
            best_loss, best_length = losses[number], turn
        elif turn - best_length >= PATIENCE:
            break
    kept = chosen[:best_length]
    return {number: kept.count(number) / len(kept) for number in sorted(set(kept))}
