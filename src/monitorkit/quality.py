"""Data quality: rows without a value, of a wrong type, or out of the reference's bounds.

The reference profile is what each feature is, its least and greatest number, and its categories. As
in Azure a row without a value is in bounds and of the right type, a text that reads as a number is
a number, and any value is a text. Unlike in Azure, the reference is a sample: a rate is a breach
only where it is higher than the reference's by more than chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from monitorkit import noise
from monitorkit.columns import Kind, Rows
from monitorkit.drift import category_counts
from monitorkit.request import Threshold
from monitorkit.verdicts import Metric


@dataclass(frozen=True)
class _Counts:
    """Rows of one feature that violate something, in production and reference.

    Attributes:
        hits: Rows by metric.
        reference_hits: The same.
        outside: The p-value of rows out of bounds.
    """

    hits: Mapping[str, int]
    reference_hits: Mapping[str, int]
    outside: float


def quality(
    signal: str,
    production: Rows,
    reference: Rows,
    features: Mapping[str, Kind],
    thresholds: Sequence[Threshold],
    minimum_rows: int,
) -> list[Metric]:
    """Return the metrics of each feature, not yet judged; arguments as of `drift.drift`."""
    found: list[Metric] = []
    note = ""
    for rows, whose in ((production.kept, "production"), (reference.kept, "the reference")):
        if rows < minimum_rows:
            note = f"{rows} rows in {whose}, {minimum_rows} are needed"
    for feature, kind in features.items():
        wanted = [each for each in thresholds if each.feature_type == kind]
        if not wanted:
            continue
        count = _numerical if kind == "numerical" else _categorical
        counts = None if note else count(feature, production, reference)
        found += [
            _metric(signal, feature, each, counts, production, reference, note) for each in wanted
        ]
    return found


def _numerical(feature: str, production: Rows, reference: Rows) -> _Counts:
    ours, wrong = production.column(feature).numbers()
    theirs, reference_wrong = reference.column(feature).numbers()
    ours, theirs = ours[~np.isnan(ours)], theirs[~np.isnan(theirs)]
    outside = 0
    if len(theirs):
        outside = int(((ours < theirs.min()) | (ours > theirs.max())).sum())
    return _Counts(
        {
            "null_value_rate": production.column(feature).missing(),
            "data_type_error_rate": wrong,
            "out_of_bounds_rate": outside,
        },
        {
            "null_value_rate": reference.column(feature).missing(),
            "data_type_error_rate": reference_wrong,
            "out_of_bounds_rate": 0,
        },
        noise.outside_range(outside, len(ours), len(theirs)) if len(theirs) > 1 else 1.0,
    )


def _categorical(feature: str, production: Rows, reference: Rows) -> _Counts:
    ours, theirs = category_counts(production, reference, feature)
    return _Counts(
        {
            "null_value_rate": production.column(feature).missing(),
            "data_type_error_rate": 0,
            "out_of_bounds_rate": int(ours[theirs == 0].sum()) if theirs.any() else 0,
        },
        {
            "null_value_rate": reference.column(feature).missing(),
            "data_type_error_rate": 0,
            "out_of_bounds_rate": 0,
        },
        noise.unseen_labels(ours, theirs) if theirs.any() else 1.0,
    )


def _metric(
    signal: str,
    feature: str,
    wanted: Threshold,
    counts: _Counts | None,
    production: Rows,
    reference: Rows,
    note: str,
) -> Metric:
    value = p_value = before = None
    threshold = wanted.threshold or 0.0
    if counts is not None:
        hits, reference_hits = counts.hits[wanted.metric], counts.reference_hits[wanted.metric]
        value, before = hits / production.kept, reference_hits / reference.kept
        p_value = counts.outside
        if wanted.metric != "out_of_bounds_rate":
            p_value = noise.higher_rate(hits, production.kept, reference_hits, reference.kept)
        if wanted.threshold and before > threshold:
            note = "the reference is above this threshold itself"
    return Metric(
        signal=signal,
        metric=wanted.metric,
        feature=feature,
        feature_type=wanted.feature_type,
        value=value,
        threshold=threshold,
        p_value=p_value,
        rows=production.kept,
        reference_rows=reference.kept,
        reference_value=before,
        note=note,
    )
