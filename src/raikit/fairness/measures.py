"""Figures of each group, by fairlearn, and the differences between groups with intervals.

Sources:
    fairlearn's user guide, "Common fairness metrics": demographic parity, equalised odds.
    M. Hardt, E. Price, N. Srebro, "Equality of opportunity in supervised learning", NIPS 2016:
        equalised odds, equal opportunity.
    US Equal Employment Opportunity Commission, 29 CFR 1607.4 D: a rate below four fifths of the
        highest group's is taken as evidence of adverse impact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from raikit.groups import Grouping
from raikit.intervals import (
    Estimates,
    greatest_difference,
    log_shares,
    logarithms,
    means,
    shares,
    smallest_ratio,
)
from stepkit.bootstrap import auc_statistic, interval, resampled
from stepkit.calibration import wilson
from stepkit.metrics import Floats

#: Resamples of each group for the interval of its AUC.
_RESAMPLES = 300


@dataclass(frozen=True)
class Decisions:
    """Predictions of a class of two, or of one class against the rest.

    Attributes:
        truth: Whether each row is of the positive class, shape (n,).
        predicted: Whether it is predicted to be.
        score: The probability of the positive class; None where the model tells none.
    """

    truth: NDArray[np.bool_]
    predicted: NDArray[np.bool_]
    score: Floats | None


@dataclass(frozen=True)
class Quantities:
    """Predictions of a quantity.

    Attributes:
        truth: Shape (n,).
        predicted: Shape (n,).
    """

    truth: Floats
    predicted: Floats


@dataclass(frozen=True)
class Measured:
    """The figures of each group.

    Attributes:
        grouping: The groups.
        values: By figure, one value a group; NaN where it is not defined.
        low: Lower bounds, alike.
        high: Upper bounds.
        enough: Which groups have enough rows to be compared.
    """

    grouping: Grouping
    values: Mapping[str, Floats]
    low: Mapping[str, Floats]
    high: Mapping[str, Floats]
    enough: NDArray[np.bool_]


@dataclass(frozen=True)
class Gap:
    """How far groups are apart.

    Attributes:
        name: As in `figures.json`.
        value: The greatest difference of two groups, or the smallest ratio; NaN where a ratio has
            no meaning, since every rate is 0.
        low: Lower bound of its interval; None where there is none.
        high: Upper bound.
        lowest: The group with the lowest rate, and the one with the highest.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    lowest: str
    highest: str


#: What each share is of: which rows count, and which of them are hits.
_SHARES: Mapping[str, Callable[[Decisions], tuple[NDArray[np.bool_], NDArray[np.bool_]]]] = {
    "selection_rate": lambda d: (np.ones_like(d.truth), d.predicted),
    "true_positive_rate": lambda d: (d.truth, d.predicted),
    "false_positive_rate": lambda d: (~d.truth, d.predicted),
    "false_negative_rate": lambda d: (d.truth, ~d.predicted),
    "precision": lambda d: (d.predicted, d.truth),
    "accuracy": lambda d: (np.ones_like(d.truth), d.truth == d.predicted),
}
#: From the name of a difference to the shares that it is of; the greatest counts.
DIFFERENCES = {
    "demographic_parity_difference": ("selection_rate",),
    "equalised_odds_difference": ("true_positive_rate", "false_positive_rate"),
    "equal_opportunity_difference": ("true_positive_rate",),
    "accuracy_difference": ("accuracy",),
}
RATIOS = {
    "demographic_parity_ratio": ("selection_rate",),
    "equalised_odds_ratio": ("true_positive_rate", "false_positive_rate"),
}
QUANTITY_DIFFERENCES = {
    "mean_prediction_difference": "mean_prediction",
    "mae_difference": "mae",
    "bias_difference": "bias",
}


def counts_of(
    decisions: Decisions, grouping: Grouping, share: str
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return hits and rows of a share in each group."""
    rows, hits = _SHARES[share](decisions)
    size = len(grouping.labels)
    return (
        np.bincount(grouping.codes[rows & hits], minlength=size).astype(np.int64),
        np.bincount(grouping.codes[rows], minlength=size).astype(np.int64),
    )


def by_group(decisions: Decisions, grouping: Grouping, min_rows: int, seed: int) -> Measured:
    """Return the rates of each group as fairlearn computes them, with intervals (Wilson).

    A group without a row that a rate is of has no such rate. The interval of the AUC is that of
    resampled rows of the group.

    Args:
        decisions: The predictions.
        grouping: Of the same rows.
        min_rows: Of each class; groups with fewer are not `enough`.
        seed: Of the resamples.
    """
    values = _metric_frame(decisions, grouping)
    low, high = {}, {}
    for share in _SHARES:
        hits, rows = counts_of(decisions, grouping, share)
        bounds = [
            wilson(int(hit), int(row)) if row else (np.nan, np.nan)
            for hit, row in zip(hits, rows, strict=True)
        ]
        values[share] = np.where(rows > 0, values[share], np.nan)
        low[share], high[share] = (np.array(side) for side in zip(*bounds, strict=True))
    positives = np.bincount(grouping.codes[decisions.truth], minlength=len(grouping.labels))
    enough = np.minimum(positives, grouping.counts - positives) >= min_rows
    if decisions.score is not None:
        values["auc"], low["auc"], high["auc"] = _areas(
            decisions.truth, decisions.score, grouping, enough, seed
        )
    return Measured(grouping, values, low, high, enough)


def _metric_frame(decisions: Decisions, grouping: Grouping) -> dict[str, Floats]:
    from fairlearn.metrics import (  # a second, and only needed here
        MetricFrame,
        false_negative_rate,
        false_positive_rate,
        selection_rate,
        true_positive_rate,
    )
    from sklearn.metrics import accuracy_score, precision_score

    def precision(y_true: Any, y_pred: Any) -> float:
        return float(precision_score(y_true, y_pred, zero_division=0))

    frame = MetricFrame(
        metrics={
            "selection_rate": selection_rate,
            "true_positive_rate": true_positive_rate,
            "false_positive_rate": false_positive_rate,
            "false_negative_rate": false_negative_rate,
            "precision": precision,
            "accuracy": accuracy_score,
        },
        y_true=decisions.truth.astype(int),
        y_pred=decisions.predicted.astype(int),
        sensitive_features=pd.Series(grouping.codes, name="group"),
    )
    return _columns(frame.by_group)


def _columns(table: pd.DataFrame) -> dict[str, Floats]:
    ordered = table.sort_index()
    return {str(name): ordered[name].to_numpy(dtype=np.float64) for name in ordered}


def _areas(
    truth: NDArray[np.bool_],
    score: Floats,
    grouping: Grouping,
    enough: NDArray[np.bool_],
    seed: int,
) -> tuple[Floats, Floats, Floats]:
    found = np.full((3, len(grouping.labels)), np.nan)
    for number in np.flatnonzero(enough):
        own = grouping.codes == number
        statistic = auc_statistic(truth[own], score[own])
        found[0, number] = statistic(np.ones((int(own.sum()), 1)))[0]
        drawn = resampled([statistic], int(own.sum()), _RESAMPLES, seed)[0]
        found[1:, number] = interval(drawn, 0.95)
    return found[0], found[1], found[2]


def gaps(
    decisions: Decisions, grouping: Grouping, enough: NDArray[np.bool_], seed: int
) -> list[Gap]:
    """Return the differences and ratios between groups that have enough rows.

    They are fairlearn's, of those groups alone: the greatest less the smallest rate, and the
    smallest over the greatest; equalised odds are the worse of true and false positive rate.
    """
    found = [difference(decisions, grouping, enough, name, seed) for name in DIFFERENCES]
    for name, parts in RATIOS.items():
        counts = [_counts(decisions, grouping, enough, part) for part in parts]
        rates = [hits / rows for hits, rows in counts]
        value, lowest, highest = _extremes(grouping, enough, rates, _ratio, worst=min)
        # Where each holds with half of the doubt, their minimum holds with all of it.
        level = 1 - 0.05 / len(parts)
        bounds = [smallest_ratio(log_shares(*each, seed), level) for each in counts]
        low = min(value, *(low for low, _ in bounds))
        high = max(value, min(high for _, high in bounds))
        is_defined = np.isfinite(value)
        found.append(
            Gap(
                name,
                value,
                low if is_defined else None,
                high if is_defined else None,
                lowest,
                highest,
            )
        )
    return found


def difference(
    decisions: Decisions, grouping: Grouping, enough: NDArray[np.bool_], name: str, seed: int
) -> Gap:
    """Return one of `DIFFERENCES` between groups that have enough rows."""
    counts = [_counts(decisions, grouping, enough, part) for part in DIFFERENCES[name]]
    rates = [hits / rows for hits, rows in counts]
    value, lowest, highest = _extremes(grouping, enough, rates, _difference, worst=max)
    low, high = greatest_difference([shares(*each, seed) for each in counts])
    return Gap(name, value, min(low, value), min(1.0, max(high, value)), lowest, highest)


def _counts(
    decisions: Decisions, grouping: Grouping, enough: NDArray[np.bool_], share: str
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    hits, rows = counts_of(decisions, grouping, share)
    return hits[enough], rows[enough]


def _difference(low: float, high: float) -> float:
    return high - low


def _ratio(low: float, high: float) -> float:
    return low / high if high > 0 else float("nan")


def _extremes(
    grouping: Grouping,
    enough: NDArray[np.bool_],
    figures: Sequence[Floats],
    compare: Callable[[float, float], float],
    worst: Callable[..., tuple[float, str, str]],
) -> tuple[float, str, str]:
    """Return the worst comparison of the lowest and highest group, in any of some figures."""
    names = np.array(grouping.labels, dtype=object)[enough]
    found = []
    for values in figures:
        low, high = int(values.argmin()), int(values.argmax())
        compared = compare(float(values[low]), float(values[high]))
        found.append((compared, str(names[low]), str(names[high])))
    defined = [each for each in found if np.isfinite(each[0])]
    return worst(defined, key=lambda each: each[0]) if defined else found[0]


def quantities_by_group(
    quantities: Quantities, grouping: Grouping, min_rows: int, seed: int
) -> tuple[Measured, list[Gap]]:
    """Return mean truth, mean prediction, MAE, and bias of each group, and their differences.

    The bias is the mean of predicted minus true. Intervals of a group are those of its resamples.

    Args:
        quantities: The predictions.
        grouping: Of the same rows.
        min_rows: Groups with fewer are not `enough`, and have no intervals.
        seed: Of the resamples.
    """
    values = _quantity_frame(quantities, grouping)
    error = quantities.predicted - quantities.truth
    each = {"mean_prediction": quantities.predicted, "mae": np.abs(error), "bias": error}
    enough = grouping.counts >= max(2, min_rows)
    low: dict[str, Floats] = {}
    high: dict[str, Floats] = {}
    drawn: dict[str, Estimates] = {}
    places = np.flatnonzero(enough)
    for name, rows in each.items():
        low[name], high[name] = np.full((2, len(enough)), np.nan)
        if not len(places):
            continue
        drawn[name] = means([rows[grouping.codes == number] for number in places], seed)
        bounds = np.quantile(drawn[name].draws, [0.025, 0.975], axis=0)
        low[name][places], high[name][places] = bounds
    measured = Measured(grouping, values, low, high, enough)
    return measured, _quantity_gaps(measured, drawn) if len(places) > 1 else []


def _quantity_frame(quantities: Quantities, grouping: Grouping) -> dict[str, Floats]:
    from fairlearn.metrics import MetricFrame, mean_prediction  # as above
    from sklearn.metrics import mean_absolute_error

    def bias(y_true: Any, y_pred: Any) -> float:
        return float(np.mean(np.asarray(y_pred) - np.asarray(y_true)))

    def mean_truth(y_true: Any, y_pred: Any) -> float:
        del y_pred  # fairlearn gives both to every metric
        return float(np.mean(y_true))

    frame = MetricFrame(
        metrics={
            "mean_truth": mean_truth,
            "mean_prediction": mean_prediction,
            "mae": mean_absolute_error,
            "bias": bias,
        },
        y_true=quantities.truth,
        y_pred=quantities.predicted,
        sensitive_features=pd.Series(grouping.codes, name="group"),
    )
    return _columns(frame.by_group)


def _quantity_gaps(measured: Measured, drawn: Mapping[str, Estimates]) -> list[Gap]:
    grouping, enough = measured.grouping, measured.enough
    found = []
    for name, figure in QUANTITY_DIFFERENCES.items():
        values = [measured.values[figure][enough]]
        value, lowest, highest = _extremes(grouping, enough, values, _difference, worst=max)
        low, high = greatest_difference([drawn[figure]])
        found.append(Gap(name, value, min(low, value), max(high, value), lowest, highest))
    errors = measured.values["mae"][enough]
    value, lowest, highest = _extremes(grouping, enough, [errors], _ratio, worst=min)
    if (drawn["mae"].draws > 0).all() and (errors > 0).all():
        low, high = smallest_ratio(logarithms(drawn["mae"]))
        found.append(Gap("mae_ratio", value, min(low, value), max(high, value), lowest, highest))
    return found
