"""What a search makes smaller: losses that are quick to compute thousands of times.

Trials are reported with Azure's definitions (`automlkit.metrics`). Choosing members of an ensemble
and drawing bootstrap samples needs the primary metric many times, and a metric that counts hits
is too coarse to tell near candidates apart; so each primary metric has a loss here, the metric
itself where it is smooth, else its smooth stand-in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
#: From true values or class numbers, predictions, and weights of rows, to a loss.
Loss: TypeAlias = Callable[[NDArray[np.generic], Floats, Floats], float]


def weighted_auc_loss(truth: NDArray[np.generic], probabilities: Floats, weights: Floats) -> float:
    """Return 1 - AUC, each class against the rest, weighted by the rows of each class.

    The area is the share of pairs that are ranked right (Mann and Whitney 1947), ties counting
    half. Classes that are absent, or are all rows, do not count.
    """
    numbers = truth.astype(np.intp)
    total, area = 0.0, 0.0
    # Of two classes both areas are the same.
    wanted = (1,) if probabilities.shape[1] == 2 else range(probabilities.shape[1])
    for number in wanted:
        positive = numbers == number
        share = float(weights[positive].sum())
        if positive.any() and not positive.all():
            total += share
            area += share * _area(positive, probabilities[:, number], weights)
    return 1.0 - area / total if total else 0.5


def _area(positive: NDArray[np.bool_], scores: Floats, weights: Floats) -> float:
    order = np.argsort(scores, kind="stable")
    ranked = scores[order]
    up = np.where(positive, weights, 0.0)[order]
    down = np.where(positive, 0.0, weights)[order]
    starts = np.flatnonzero(np.concatenate(([True], ranked[1:] != ranked[:-1])))
    ups, downs = np.add.reduceat(up, starts), np.add.reduceat(down, starts)
    below = np.cumsum(downs) - downs
    return float(np.sum(ups * (below + downs / 2)) / (ups.sum() * downs.sum()))


def log_loss(truth: NDArray[np.generic], probabilities: Floats, weights: Floats) -> float:
    """Return the weighted mean of -ln p(true class)."""
    # The bound keeps one certain error from deciding alone.
    chosen = probabilities[np.arange(len(truth)), truth.astype(np.intp)]
    total = np.clip(probabilities.sum(axis=1), 1e-12, None)
    return float(np.average(-np.log(np.clip(chosen / total, 1e-6, 1.0)), weights=weights))


def root_mean_squared_error(
    truth: NDArray[np.generic], predicted: Floats, weights: Floats
) -> float:
    """Return the weighted root mean squared error."""
    error = truth.astype(np.float64) - predicted
    return float(np.sqrt(np.average(error * error, weights=weights)))


def mean_absolute_error(truth: NDArray[np.generic], predicted: Floats, weights: Floats) -> float:
    """Return the weighted mean absolute error."""
    return float(np.average(np.abs(truth.astype(np.float64) - predicted), weights=weights))


_LOSSES: dict[str, Loss] = {
    "AUC_weighted": weighted_auc_loss,
    "accuracy": log_loss,
    "average_precision_score_weighted": log_loss,
    "norm_macro_recall": log_loss,
    "precision_score_weighted": log_loss,
    "normalized_root_mean_squared_error": root_mean_squared_error,
    "r2_score": root_mean_squared_error,
    # Ranks of predictions that are near in squares are near too.
    "spearman_correlation": root_mean_squared_error,
    "normalized_mean_absolute_error": mean_absolute_error,
}


def loss_of(metric: str) -> Loss:
    """Return the loss that stands for a primary metric.

    Raises:
        KeyError: It is no primary metric of classification or regression.
    """
    return _LOSSES[metric]
