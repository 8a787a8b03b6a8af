"""A vote of few trials, where it is better than the best one by more than chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from automlkit.forecasting.metrics import is_better
from automlmodel.forecast_features import Floats

#: Trials that are looked at, and rounds of choosing: members at most, weights in tenths.
_LOOKED_AT, _ROUNDS = 12, 10
#: Standard errors by which a vote must gain.
_LEAST_GAIN = 1.0


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


def gain_is_real(
    truth: Floats, best: Floats, vote: Floats, groups: npt.NDArray[np.intp], scales: Floats
) -> tuple[bool, str]:
    """Tell whether a vote's mean error is lower than the best trial's by more than chance.

    Each series in each fold gives one difference of root mean squared errors; their mean must be
    above its own standard error.

    Args:
        truth: True values, shape (n,).
        best: Forecasts of the best trial, shape (n,).
        vote: Forecasts of the vote, shape (n,).
        groups: Number of each row's series and fold, shape (n,).
        scales: What each row's error is divided by, shape (n,).

    Returns:
        Whether it is, and a sentence.
    """
    count = np.bincount(groups)
    errors = [
        np.sqrt(np.bincount(groups, ((own - truth) / scales) ** 2)[count > 0] / count[count > 0])
        for own in (best, vote)
    ]
    gains = errors[0] - errors[1]
    mean = float(gains.mean())
    spread = float(gains.std(ddof=1) / np.sqrt(len(gains))) if len(gains) > 1 else float("inf")
    is_real = mean > _LEAST_GAIN * spread
    verdict = "above" if is_real else "within"
    return is_real, (
        f"the vote's mean gain over the best trial, {mean:.4g} of each series' range, is {verdict} "
        f"its standard error of {spread:.4g}"
    )
