"""Data drift and prediction drift: how far features, or predictions, are from the reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from monitorkit import distances, noise
from monitorkit.columns import Kind, Rows
from monitorkit.distances import Floats, NumberPair
from monitorkit.request import Threshold
from monitorkit.verdicts import Metric

#: A text of which more than half of the rows, and more than this many, are different is a name of
#: rows, no category.
_MOST_CATEGORIES = 50

_OF_COUNTS: Mapping[str, Callable[[Floats, Floats], float]] = {
    "jensen_shannon_distance": distances.jensen_shannon_distance,
    "population_stability_index": distances.population_stability_index,
    "pearsons_chi_squared_test": distances.pearsons_chi_squared_test,
}


def drift(
    signal: str,
    production: Rows,
    reference: Rows,
    features: Mapping[str, Kind],
    thresholds: Sequence[Threshold],
    minimum_rows: int,
) -> list[Metric]:
    """Return the metrics of each feature, not yet judged.

    Args:
        signal: The signal's name.
        production: Its rows.
        reference: Its rows.
        features: What each is in the reference; those that are neither numbers nor categories are
            left out.
        thresholds: With values.
        minimum_rows: Rows with a value that both must have.
    """
    found: list[Metric] = []
    for feature, kind in features.items():
        wanted = [each for each in thresholds if each.feature_type == kind]
        if not wanted:
            continue
        if kind == "numerical":
            found += _numerical(signal, feature, production, reference, wanted, minimum_rows)
        else:
            found += _categorical(signal, feature, production, reference, wanted, minimum_rows)
    return found


def _numerical(
    signal: str,
    feature: str,
    production: Rows,
    reference: Rows,
    wanted: Sequence[Threshold],
    minimum_rows: int,
) -> list[Metric]:
    ours, theirs = (rows.column(feature).numbers()[0] for rows in (production, reference))
    pair = NumberPair.of(ours, theirs)
    sizes = (len(pair.production), len(pair.reference))
    note = _too_few(sizes, minimum_rows)
    found = []
    for each in wanted:
        value = p_value = None
        if not note:
            value, p_value = number_metric(each.metric, pair)
        found.append(_metric(signal, each, feature, value, p_value, sizes, note))
    return found


def number_metric(metric: str, pair: NumberPair) -> tuple[float, float]:
    """Return a metric of a number and its p-value."""
    if metric == "normalized_wasserstein_distance":
        return distances.normalized_wasserstein_distance(pair), noise.area_noise(pair)
    if metric == "two_sample_kolmogorov_smirnov_test":
        value = distances.two_sample_kolmogorov_smirnov_test(pair)
        return value, value
    return count_metric(metric, *pair.counts)


def count_metric(metric: str, ours: Floats, theirs: Floats) -> tuple[float, float]:
    """Return a metric of counts in bins or categories, and its p-value."""
    return _OF_COUNTS[metric](ours, theirs), noise.homogeneity(ours, theirs)


def _categorical(
    signal: str,
    feature: str,
    production: Rows,
    reference: Rows,
    wanted: Sequence[Threshold],
    minimum_rows: int,
) -> list[Metric]:
    ours, theirs = category_counts(production, reference, feature)
    sizes = (int(ours.sum()), int(theirs.sum()))
    note = _too_few(sizes, minimum_rows)
    different = int((theirs > 0).sum())
    if not note and different > _MOST_CATEGORIES and different > sizes[1] / 2:
        note = f"{different} different values in {sizes[1]} rows: names, no categories"
    found = []
    for each in wanted:
        value = p_value = None
        if not note:
            value, p_value = count_metric(each.metric, ours, theirs)
        found.append(_metric(signal, each, feature, value, p_value, sizes, note))
    return found


def category_counts(production: Rows, reference: Rows, feature: str) -> tuple[Floats, Floats]:
    """Return the rows of each category that either has, shape (k,) each."""
    ours, theirs = (rows.categories(feature) for rows in (production, reference))
    labels = sorted({*ours, *theirs})
    return (
        np.array([ours.get(label, 0) for label in labels], dtype=float),
        np.array([theirs.get(label, 0) for label in labels], dtype=float),
    )


def _too_few(sizes: tuple[int, int], minimum_rows: int) -> str:
    for rows, whose in zip(sizes, ("production", "the reference"), strict=True):
        if rows < minimum_rows:
            return f"{rows} rows with a value in {whose}, {minimum_rows} are needed"
    return ""


def _metric(
    signal: str,
    wanted: Threshold,
    feature: str,
    value: float | None,
    p_value: float | None,
    sizes: tuple[int, int],
    note: str,
) -> Metric:
    return Metric(
        signal=signal,
        metric=wanted.metric,
        feature=feature,
        feature_type=wanted.feature_type,
        value=value,
        threshold=wanted.threshold or 0.0,
        p_value=p_value,
        rows=sizes[0],
        reference_rows=sizes[1],
        note=note,
    )
