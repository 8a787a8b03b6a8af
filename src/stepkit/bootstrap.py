"""Paired bootstrap: every model's metrics on the same resamples of the test rows.

A resample is kept as counts, how often each row was drawn; every metric is a formula over counts,
so that thousands of resamples cost a few array operations (B. Efron, R. Tibshirani, "An
Introduction to the Bootstrap", Chapman & Hall 1993, chapters 6 and 13: percentile intervals).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from stepkit.calibration import ECE_BINS, bins_of, judged, squares
from stepkit.confusion import Floats, label_rates, ratio
from stepkit.model import Scores
from stepkit.program import StepError
from stepkit.quantities import absolute_quantiles, error_terms, errors_of_sums

#: Cells of counts that are held at a time: 32 MB.
CELLS = 4_000_000
MOST_AT_ONCE = 256
_RANKINGS = ("auc", "average_precision", "auc_weighted", "average_precision_weighted")
_STATED = ("log_loss", "brier", "ece")
#: Metrics of classes that need probabilities.
PROBABILITY_METRICS = (*_RANKINGS, *_STATED)
#: Metrics of quantities that are no formula over sums.
QUANTILES = ("median_ae", "ae_p90")

#: From counts, shape (n, c), to the metric of each resample, shape (c,).
Statistic = Callable[[Floats], Floats]
#: From counts, shape (n, c), to several metrics of each resample, by name, each of shape (c,).
Panel: TypeAlias = Callable[[Floats], Mapping[str, Floats]]


def draws(rows: int, resamples: int, seed: int) -> Iterator[Floats]:
    """Draw resamples, some at a time.

    Args:
        rows: How many test rows there are.
        resamples: How many samples of that many rows are drawn, with replacement.
        seed: Of the draws.

    Yields:
        How often each row was drawn, shape (rows, c); the c sum up to `resamples`.
    """
    rng = np.random.default_rng(seed)
    at_once = max(1, min(MOST_AT_ONCE, CELLS // rows))
    for start in range(0, resamples, at_once):
        size = min(at_once, resamples - start)
        drawn = rng.integers(rows, size=(rows, size)) * size + np.arange(size)
        counts = np.bincount(drawn.ravel(), minlength=rows * size).reshape(rows, size)
        yield counts.astype(np.float64)


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
    parts = [
        np.array([statistic(counts) for statistic in statistics])
        for counts in draws(rows, resamples, seed)
    ]
    return np.concatenate(parts, axis=1)


def resampled_panels(
    panels: Sequence[Panel], rows: int, resamples: int, seed: int
) -> list[dict[str, Floats]]:
    """Return every metric of each panel on the same resamples.

    Args:
        panels: Such as one of each model, or of each cohort.
        rows: How many test rows there are.
        resamples: How many samples of that many rows are drawn, with replacement.
        seed: Of the draws.

    Returns:
        For each panel its metrics by name, each of shape (..., resamples); NaN where a resample
        does not define it.
    """
    parts: list[list[Mapping[str, Floats]]] = [[] for _ in panels]
    for counts in draws(rows, resamples, seed):
        for place, panel in enumerate(panels):
            parts[place].append(panel(counts))
    return [
        {name: np.concatenate([part[name] for part in own], axis=-1) for name in own[0]}
        for own in parts
    ]


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


def corrected_interval(value: float, values: Floats, confidence: float) -> tuple[float, float]:
    """Return the basic interval of a metric that cannot be below 0 and that noise makes larger.

    A resample of a calibration error has the sample's noise twice, so its percentiles lie too high;
    mirrored at the value, they make up for that (Efron and Tibshirani, section 13.4; A. C. Davison,
    D. V. Hinkley, "Bootstrap Methods and their Application", Cambridge 1997, section 5.2).

    Args:
        value: Of all rows.
        values: Of the resamples.
        confidence: Of the interval.

    Raises:
        StepError: Fewer than half of the resamples define the value.
    """
    low, high = interval(values, confidence)
    return max(0.0, min(value, 2 * value - high)), max(value, 2 * value - low)


def statistic_of(scores: Scores, metric: str) -> Statistic:
    """Return a metric of a model's predictions as a function of counts.

    Args:
        scores: The model's predictions of the test rows.
        metric: One of those that `evaluate` reports; each is what it is there.
    """
    panel = panel_of(scores, [metric])
    return lambda counts: panel(counts)[metric]


def panel_of(scores: Scores, metrics: Sequence[str]) -> Panel:
    """Return metrics of a model's predictions as one function of counts, which share their sums.

    Args:
        scores: The model's predictions of the test rows.
        metrics: Of those that `evaluate` reports; each is what it is there.

    Raises:
        StepError: The rows do not define one of them, or there is no such metric.
    """
    wanted = set(metrics)
    parts: list[Panel] = []
    if scores.task == "regression":
        if wanted - set(QUANTILES):
            parts.append(errors_panel(scores.truth, scores.predicted))
        if wanted & set(QUANTILES):
            parts.append(lambda counts: absolute_quantiles(scores.truth, scores.predicted, counts))
    else:
        ranked = [name for name in metrics if name in _RANKINGS]
        if ranked:
            parts.append(_rankings(scores, ranked))
        if wanted & set(_STATED):
            parts.append(_stated(scores))
        if wanted - set(PROBABILITY_METRICS):
            parts.append(_labels(scores))

    def whole(counts: Floats) -> dict[str, Floats]:
        found: dict[str, Floats] = {}
        # A resample may have no row of a small part of the table.
        with np.errstate(divide="ignore", invalid="ignore"):
            for part in parts:
                found |= part(counts)
        return found

    known = whole(np.ones((len(scores.truth), 1)))
    for name in metrics:
        if name not in known:
            raise StepError(
                f"{name!r} cannot be compared", hint="compare by auc, accuracy, f1, or rmse"
            )

    def panel(counts: Floats) -> dict[str, Floats]:
        found = whole(counts)
        return {name: found[name] for name in metrics}

    return panel


def errors_panel(truth: Floats, predicted: Floats) -> Panel:
    """Return the errors of predicted quantities that are formulas over sums, `bias` among them."""
    terms = error_terms(truth, predicted)
    rows, span = np.array(list(terms.values())), float(np.ptp(truth))

    def panel(counts: Floats) -> dict[str, Floats]:
        return errors_of_sums(dict(zip(terms, rows @ counts, strict=True)), span)

    return panel


def _stated(scores: Scores) -> Panel:
    """Return what is made of the stated probabilities of single rows and of bins."""
    truth, probabilities = scores.truth, scores.probabilities
    stated, came = judged(truth, probabilities, scores.positive)
    rows = np.array([_losses(scores), squares(truth, probabilities, scores.positive)])
    gaps = (np.arange(ECE_BINS)[:, None] == bins_of(stated)) * (stated - came)

    def panel(counts: Floats) -> dict[str, Floats]:
        total = counts.sum(axis=0)
        losses, brier = rows @ counts / total
        return {
            "log_loss": losses,
            "brier": brier,
            "ece": np.abs(gaps @ counts).sum(axis=0) / total,
        }

    return panel


def _losses(scores: Scores) -> Floats:
    """Return -ln p(true class) of each row, as `stepkit.metrics.log_loss` bounds it."""
    eps = np.finfo(np.float64).eps
    clipped = np.clip(scores.probabilities, eps, 1 - eps)
    own = clipped[np.arange(len(scores.truth)), scores.truth]
    losses: Floats = -np.log(own / clipped.sum(axis=1))
    return losses


def summed(groups: NDArray[np.intp], count: int) -> Statistic:
    """Return the sums of counts over groups of rows as a function of counts.

    Args:
        groups: The number of each row's group, shape (n,).
        count: How many groups there are.

    Returns:
        From counts, shape (n, c), to sums, shape (count, c).
    """
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    present = groups[order][starts]

    def sums(counts: Floats) -> Floats:
        found = np.zeros((count, counts.shape[1]))
        found[present] = np.add.reduceat(counts[order], starts, axis=0)
        return found

    return sums


def _labels(scores: Scores) -> Panel:
    classes = len(scores.classes)
    cells = summed(scores.truth * classes + scores.predicted, classes * classes)
    return lambda counts: label_rates(cells(counts).reshape(classes, classes, -1), scores.positive)


def _rankings(scores: Scores, metrics: Sequence[str]) -> Panel:
    """Return areas under curves; a class that a resample has lost makes them undefined."""
    classes = scores.probabilities.shape[1]
    numbers = range(classes) if scores.positive is None else (scores.positive,)
    members = [scores.truth == number for number in numbers]
    kept = [place for place, own in enumerate(members) if 0 < own.sum() < len(own)]
    each = {
        kind: [make(members[place], scores.probabilities[:, numbers[place]]) for place in kept]
        for kind, make in (("auc", auc_statistic), ("average_precision", precision_statistic))
        if any(name.startswith(kind) for name in metrics)
    }

    def panel(counts: Floats) -> dict[str, Floats]:
        found = {}
        support = np.array([counts[members[place]].sum(axis=0) for place in kept])
        for kind, statistics in each.items():
            areas = np.array([statistic(counts) for statistic in statistics])
            found[kind] = areas.mean(axis=0)
            found[f"{kind}_weighted"] = (areas * support).sum(axis=0) / support.sum(axis=0)
        return found

    return panel


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
        return 1 - ratio(wrong, np.where(pairs > 0, pairs, np.nan))

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
        return ratio((found * ratio(right, called)).sum(axis=0), positives)

    return precision
