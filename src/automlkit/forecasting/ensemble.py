"""A vote of few trials: those that fit each other best, mixed with the best of each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from automlkit.greedy import greedy_weights
from automlkit.metrics import greater_is_better
from automlmodel.forecast_features import Floats

#: Trials that are looked at, and rounds of choosing: members at most, weights in tenths.
_LOOKED_AT, _ROUNDS = 12, 10
#: Algorithms whose best trials have equal weights in one half of a vote.
_KINDS = 3


def vote_weights(
    predictions: Sequence[Floats], metric: str, measure: Callable[[Floats], float]
) -> dict[int, float]:
    """Choose the members of a vote.

    Args:
        predictions: Forecasts of the validation rows of each trial, the best first.
        metric: What `measure` returns.
        measure: The score of forecasts.

    Returns:
        Weights by place in `predictions`; they sum to 1.
    """

    def loss(found: Floats) -> float:
        # Of metrics of which more is better, 1 is the best.
        return 1.0 - measure(found) if greater_is_better(metric) else measure(found)

    return greedy_weights(predictions[:_LOOKED_AT], loss, rounds=_ROUNDS)


def mixed_weights(greedy: Mapping[int, float], kinds: Sequence[str]) -> dict[int, float]:
    """Return half of the chosen weights, and half of equal ones of the best of three algorithms.

    Weights that were chosen on few folds are as much chance as skill, and equal ones are seldom
    worse (Makridakis, Spiliotis, Assimakopoulos, "The M4 Competition", International Journal of
    Forecasting 36 (2020) 54-74).

    Args:
        greedy: Weights by place; they sum to 1.
        kinds: The algorithm of each place, the best trial first.

    Returns:
        Weights by place; they sum to 1.
    """
    first = [place for place, kind in enumerate(kinds) if kind not in kinds[:place]][:_KINDS]
    weights = {place: weight / 2 for place, weight in greedy.items()}
    for place in first:
        weights[place] = weights.get(place, 0.0) + 0.5 / len(first)
    return dict(sorted(weights.items()))


def mean_gain(
    truth: Floats, best: Floats, vote: Floats, groups: npt.NDArray[np.intp], scales: Floats
) -> tuple[float, float]:
    """Return by how much a vote's error is lower than the best trial's, and the standard error.

    Each series in each fold gives one difference of root mean squared errors.

    Args:
        truth: True values, shape (n,).
        best: Forecasts of the best trial, shape (n,).
        vote: Forecasts of the vote, shape (n,).
        groups: Number of each row's series and fold, shape (n,).
        scales: What each row's error is divided by, shape (n,).

    Returns:
        The mean of the differences, and its standard error: infinite where there is but one.
    """
    count = np.bincount(groups)
    errors = [
        np.sqrt(np.bincount(groups, ((own - truth) / scales) ** 2)[count > 0] / count[count > 0])
        for own in (best, vote)
    ]
    gains = errors[0] - errors[1]
    spread = float(gains.std(ddof=1) / np.sqrt(len(gains))) if len(gains) > 1 else float("inf")
    return float(gains.mean()), spread
