"""Paired bootstrap: every model's metric on the same resamples of the test rows.

A resample is kept as counts, how often each row was drawn; every metric is a formula over counts,
so that thousands of resamples cost a few array operations (B. Efron, R. Tibshirani, "An
Introduction to the Bootstrap", Chapman & Hall 1993, chapters 6 and 13: percentile intervals).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from stepkit.metrics import RATES, Floats
from stepkit.model import Scores
from stepkit.program import StepError

#: Cells of counts that are held at a time: 32 MB.
CELLS = 4_000_000
MOST_AT_ONCE = 256

#: From counts, shape (n, c), to the metric of each resample, shape (c,).
Statistic = Callable[[Floats], Floats]


def resampled(statistics: Sequence[Statistic], rows: int, resamples: int, seed: int) -> Floats:
    """Return each statistic on the same resamples.

    Args:
        statistics: One of each model.
        rows: How many test rows there are.
        resamples: How many samples of that many rows are drawn, with replacement.
        seed: Of the draws.

    Returns:
        Shape (models, resamples); NaN where a resample does not define the metric.
    """
    rng = np.random.default_rng(seed)
    at_once = max(1, min(MOST_AT_ONCE, CELLS // rows))
    found = np.empty((len(statistics), resamples))
    for start in range(0, resamples, at_once):
        size = min(at_once, resamples - start)
        drawn = rng.integers(rows, size=(rows, size)) * size + np.arange(size)
        counts = np.bincount(drawn.ravel(), minlength=rows * size).reshape(rows, size)
        for number, statistic in enumerate(statistics):
            found[number, start : start + size] = statistic(counts.astype(np.float64))
    return found


def interval(values: Floats, confidence: float) -> tuple[float, float]:
    """Return the percentile interval of resampled values; NaN are left out.

    Raises:
        StepError: Fewer than half of the resamples define the value.
    """
    defined = values[np.isfinite(values)]
    if len(defined) < len(values) / 2:
        raise StepError(
            "most resamples of the test rows do not define the metric",
            hint="give more test rows of every class, or compare by another metric",
        )
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)


def statistic_of(scores: Scores, metric: str) -> Statistic:
    """Return a metric of a model's predictions as a function of counts.

    Args:
        scores: The model's predictions of the test rows.
        metric: One of those that `evaluate` reports; each is what it is there.
    """
    if scores.task == "regression":
        return _errors(scores, metric)
    if metric in ("auc", "average_precision"):
        return _ranking(scores, metric)
    if metric == "log_loss":
        return _mean(_losses(scores))
    right = (scores.truth == scores.predicted).astype(np.float64)
    if metric == "accuracy":
        return _mean(right)
    if metric == "error_rate":
        return _mean(1 - right)
    return _rates(scores, metric)


def _mean(values: Floats) -> Statistic:
    return lambda counts: values @ counts / counts.sum(axis=0)


def _errors(scores: Scores, metric: str) -> Statistic:
    truth = scores.truth
    error = truth - scores.predicted
    if metric == "mae":
        return _mean(np.abs(error))
    mse = _mean(error**2)
    if metric == "mse":
        return mse
    if metric == "rmse":
        return lambda counts: np.sqrt(mse(counts))
    centred = truth - truth.mean()  # else the difference of two large numbers
    first, second = _mean(centred), _mean(centred**2)

    def r2(counts: Floats) -> Floats:
        spread = second(counts) - first(counts) ** 2
        return 1 - _ratio(mse(counts), np.where(spread > 0, spread, np.nan))

    return r2


def _losses(scores: Scores) -> Floats:
    """Return -ln p(true class) of each row, as `stepkit.metrics.log_loss` bounds it."""
    eps = np.finfo(np.float64).eps
    clipped = np.clip(scores.probabilities, eps, 1 - eps)
    own = clipped[np.arange(len(scores.truth)), scores.truth]
    losses: Floats = -np.log(own / clipped.sum(axis=1))
    return losses


def _ranking(scores: Scores, metric: str) -> Statistic:
    classes = scores.probabilities.shape[1]
    numbers = range(classes) if scores.positive is None else (scores.positive,)
    make = auc_statistic if metric == "auc" else precision_statistic
    each = [
        make(scores.truth == number, scores.probabilities[:, number])
        for number in numbers
        if 0 < (scores.truth == number).sum() < len(scores.truth)
    ]
    # A class that a resample has lost makes it undefined.
    return lambda counts: np.mean([one(counts) for one in each], axis=0)


def auc_statistic(positive: NDArray[np.bool_], score: Floats) -> Statistic:
    """Return the area under the ROC curve as a function of counts.

    It is the share of pairs of a positive and a negative row that the score orders rightly, ties
    counting half (the Mann-Whitney statistic). The rows are sorted once; of each resample only
    cumulative sums are left to do.
    """
    up = np.flatnonzero(positive)
    up = up[np.argsort(score[up], kind="stable")]
    down = np.flatnonzero(~positive)
    down = down[np.argsort(score[down], kind="stable")]
    below = np.searchsorted(score[up], score[down], side="left")
    until = np.searchsorted(score[up], score[down], side="right")
    has_ties = not np.array_equal(below, until)

    def area(counts: Floats) -> Floats:
        total = np.zeros((len(up) + 1, counts.shape[1]))
        np.cumsum(counts[up], axis=0, out=total[1:])
        negatives = counts[down]
        wrong = np.einsum("ij,ij->j", negatives, total[below])
        if has_ties:
            wrong = (wrong + np.einsum("ij,ij->j", negatives, total[until])) / 2
        pairs = total[-1] * negatives.sum(axis=0)
        return 1 - _ratio(wrong, np.where(pairs > 0, pairs, np.nan))

    return area


def precision_statistic(positive: NDArray[np.bool_], score: Floats) -> Statistic:
    """Return the average precision as a function of counts."""
    order = np.argsort(-score, kind="stable")
    hits = positive[order][:, None]
    last = np.append(np.flatnonzero(np.diff(score[order])), len(order) - 1)

    def precision(counts: Floats) -> Floats:
        ranked = counts[order]
        called = np.cumsum(ranked, axis=0)[last]
        right = np.cumsum(ranked * hits, axis=0)[last]
        found = np.diff(right, axis=0, prepend=0.0)
        positives = np.where(right[-1] > 0, right[-1], np.nan)
        return _ratio((found * _ratio(right, called)).sum(axis=0), positives)

    return precision


def _rates(scores: Scores, metric: str) -> Statistic:
    rate = metric.removesuffix("_weighted")
    if rate not in RATES:
        raise StepError(f"{metric!r} cannot be compared", hint="compare by auc, accuracy, or f1")
    numbers = range(len(scores.classes)) if scores.positive is None else (scores.positive,)
    masks = [(scores.truth == number, scores.predicted == number) for number in numbers]

    def averaged(counts: Floats) -> Floats:
        each, support = [], []
        for true, called in masks:
            tp, fp = counts[true & called].sum(axis=0), counts[~true & called].sum(axis=0)
            fn, tn = counts[true & ~called].sum(axis=0), counts[~true & ~called].sum(axis=0)
            part, whole = {
                "precision": (tp, tp + fp),
                "recall": (tp, tp + fn),
                "specificity": (tn, tn + fp),
                "npv": (tn, tn + fn),
                "f1": (2 * tp, 2 * tp + fp + fn),
            }[rate]
            each.append(_ratio(part, whole))
            support.append(tp + fn)
        weights = np.array(support) if metric != rate else np.ones((len(masks), counts.shape[1]))
        mean: Floats = (np.array(each) * weights).sum(axis=0) / weights.sum(axis=0)
        return mean

    return averaged


def _ratio(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, and 0 where the whole is 0, as `stepkit.metrics.ratio` does."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole != 0)
