"""A vote of few trials: those that fit each other best, mixed with the best of each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from automlkit.metrics import is_better
from automlmodel.forecast_features import Floats

#: Trials that are looked at, and rounds of choosing: members at most, weights in tenths.
_LOOKED_AT, _ROUNDS = 12, 10
#: Algorithms whose best trials have equal weights in one half of a vote.
_KINDS = 3


def greedy_weights(
    predictions: Sequence[Floats], metric: str, measure: Callable[[Floats], float]
) -> dict[int, float]:
    """Return the weights of a vote, chosen one by one, with replacement (Caruana et al., 2004).

    Args:
        predictions: Forecasts of the validation rows of each trial, the best first.
        metric: What `measure` returns.
        measure: The score of forecasts.

    Returns:
        Weights by place in `predictions`; they sum to 1.
    """
    pool = list(predictions[:_LOOKED_AT])
    total, chosen = np.zeros_like(pool[0]), list[int]()
    best, best_size = float("nan"), 0
    for size in range(1, _ROUNDS + 1):
        scores = [measure((total + own) / size) for own in pool]
        sign = 1.0 if is_better(metric, 1.0, 0.0) else -1.0
        place = int(np.argmax(sign * np.asarray(scores)))
        total += pool[place]
        chosen.append(place)
        if size == 1 or is_better(metric, scores[place], best):
            best, best_size = scores[place], size
    kept = chosen[:best_size]
    return {place: kept.count(place) / best_size for place in sorted(set(kept))}


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
