"""Model performance: predictions against the truth that became known.

A metric with a threshold is tested against that number, one without against the same metric of the
reference, which is its threshold then. Shares of rows are tested exactly (binomial, and Fisher's
test), the others by the normal approximation with the error of their influence function (A. van der
Vaart, "Asymptotic Statistics", Cambridge 1998, chapter 20).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from monitorkit import noise
from monitorkit.columns import Rows
from monitorkit.request import Data, Signal, Threshold
from monitorkit.verdicts import MORE_IS_BETTER, Metric
from stepkit.program import StepError

_OF_CLASSES = ("accuracy", "precision", "recall", "f1_score")
_OF_QUANTITIES = ("mean_absolute_error", "root_mean_squared_error")
#: A precision or recall of fewer rows is not told.
_FEWEST = 30


@dataclass(frozen=True)
class Score:
    """A metric of rows.

    Attributes:
        value: The metric.
        error: Its standard error.
        hits: Where it is a share, the rows that are right.
        rows: The rows that it is of.
    """

    value: float
    error: float
    rows: int
    hits: int | None = None


def performance(
    signal: Signal,
    production: Rows,
    reference: Rows | None,
    columns: tuple[str, str],
    thresholds: Sequence[Threshold],
    minimum_rows: int,
) -> list[Metric]:
    """Return the metrics, not yet judged.

    Args:
        signal: The signal.
        production: Rows with predictions and truth.
        reference: The same of the reference, or None.
        columns: Names of the columns of prediction and truth in production.
        thresholds: None of them has Azure's metrics of the task; without a value the reference's is
            the threshold.
        minimum_rows: Rows that both must have.

    Raises:
        StepError: A threshold has no value, and there is no reference.
    """
    known = reference or production
    if known.kept:
        is_classes = _is_classes(known, signal.reference if reference else None, columns)
    else:
        is_classes = all(each.metric in _OF_CLASSES for each in thresholds)
    ours = _pairs(production, columns, is_classes)
    theirs = None
    if reference is not None:
        theirs = _pairs(reference, _columns_of(signal.reference, columns), is_classes)
    default = ("accuracy", "precision", "recall") if is_classes else _OF_QUANTITIES
    wanted = thresholds or [Threshold(metric) for metric in default]
    positive = _positive(signal, ours, theirs) if is_classes else None
    found = []
    for each in wanted:
        if (each.metric in _OF_CLASSES) != is_classes:
            raise StepError(
                f"signal {signal.name!r}: {each.metric} is not of "
                f"{'classes' if is_classes else 'quantities'}"
            )
        if each.threshold is None and theirs is None:
            raise StepError(
                f"signal {signal.name!r}: {each.metric} has no threshold and no reference",
                hint="give either",
            )
        found.append(_metric(signal.name, each, ours, theirs, positive, minimum_rows))
    return found


def _columns_of(data: Data | None, columns: tuple[str, str]) -> tuple[str, str]:
    if data is None:
        return columns
    return data.prediction_column or columns[0], data.target_column or columns[1]


def _is_classes(rows: Rows, data: Data | None, columns: tuple[str, str]) -> bool:
    return rows.column(_columns_of(data, columns)[1]).kind() != "numerical"


#: Predictions and truth: texts of classes, or numbers.
Pairs: TypeAlias = "tuple[NDArray[Any], NDArray[Any]]"


def _pairs(rows: Rows, columns: tuple[str, str], is_classes: bool) -> Pairs:
    """Return predictions and truth of the rows that have both."""
    said, true = (rows.column(name) for name in columns)
    if is_classes:
        classes, labels = said.texts(), true.texts()
        is_known = ~(pd.isna(classes) | pd.isna(labels))
        return classes[is_known], labels[is_known]
    numbers, truth = said.numbers()[0], true.numbers()[0]
    is_finite = np.isfinite(numbers) & np.isfinite(truth)
    return numbers[is_finite], truth[is_finite]


def _positive(signal: Signal, ours: Pairs, theirs: Pairs | None) -> str | None:
    """Return the label that precision and recall are of; None where there are more than two."""
    labels = sorted({*ours[1], *(theirs[1] if theirs else ())})
    if signal.positive_label is not None:
        return signal.positive_label
    return str(labels[-1]) if len(labels) == 2 else None


def score(metric: str, pairs: Pairs, positive: str | None = None) -> Score:
    """Return a metric of rows.

    Args:
        metric: Its name.
        pairs: Predictions and truth, shape (n,) each.
        positive: The class that precision, recall, and F1 are of; None is the mean over classes.
    """
    predicted, truth = pairs
    rows = len(truth)
    if metric == "accuracy":
        return _share(int((predicted == truth).sum()), rows)
    if metric in _OF_CLASSES:
        classes = [positive] if positive is not None else sorted(set(truth))
        return _class_score(metric, predicted, truth, classes)
    errors = np.asarray(predicted, dtype=float) - np.asarray(truth, dtype=float)
    terms = np.abs(errors) if metric == "mean_absolute_error" else errors**2
    mean, error = float(terms.mean()), float(terms.std(ddof=1)) / math.sqrt(rows)
    if metric != "root_mean_squared_error":
        return Score(mean, error, rows)
    root = math.sqrt(mean)
    return Score(root, error / (2 * root) if root else 0.0, rows)


def _share(hits: int, rows: int) -> Score:
    value = hits / rows
    return Score(value, math.sqrt(value * (1 - value) / rows), rows, hits)


def _class_score(
    metric: str, predicted: NDArray[Any], truth: NDArray[Any], classes: Sequence[str]
) -> Score:
    """Return precision, recall, or F1: each is 2 hits over what was said or true, weighed."""
    influence, values = np.zeros(len(truth)), []
    fewest = len(truth)
    for label in classes:
        said, true = (predicted == label).astype(float), (truth == label).astype(float)
        below = {"precision": said, "recall": true, "f1_score": (said + true) / 2}[metric]
        total = float(below.sum())
        fewest = min(fewest, int(total))
        values.append(float((said * true).sum()) / total if total else 0.0)
        if total:
            influence += (said * true - values[-1] * below) * (len(truth) / total)
    value = float(np.mean(values))
    if len(classes) == 1 and metric != "f1_score":
        return _share(round(value * fewest), fewest) if fewest else Score(0.0, 0.0, 0, 0)
    spread = float(influence.std()) / len(classes)
    return Score(value, spread / math.sqrt(len(truth)), fewest)


def _metric(
    signal: str,
    wanted: Threshold,
    ours: Pairs,
    theirs: Pairs | None,
    positive: str | None,
    minimum_rows: int,
) -> Metric:
    sizes = (len(ours[1]), len(theirs[1]) if theirs is not None else 0)
    note, value, p_value = "", None, None
    before = None
    if sizes[0] < minimum_rows:
        note = f"{sizes[0]} rows with a prediction and the truth, {minimum_rows} are needed"
    elif theirs is not None and sizes[1] < minimum_rows:
        note = f"{sizes[1]} such rows in the reference, {minimum_rows} are needed"
    threshold = wanted.threshold
    if not note:
        now = score(wanted.metric, ours, positive)
        before = score(wanted.metric, theirs, positive) if theirs is not None else None
        if min(now.rows, before.rows if before else now.rows) < min(_FEWEST, minimum_rows):
            note = f"{now.rows} rows that it is a share of"
        else:
            value = now.value
            p_value = worse(wanted.metric, now, threshold, before)
    if threshold is None:
        threshold = before.value if before is not None else 0.0
    return Metric(
        signal=signal,
        metric=wanted.metric,
        feature="",
        feature_type="",
        value=value,
        threshold=threshold,
        p_value=p_value,
        rows=sizes[0],
        reference_rows=sizes[1],
        reference_value=before.value if before is not None else None,
        note=note,
    )


def worse(metric: str, now: Score, threshold: float | None, before: Score | None) -> float:
    """Return the p-value that a metric is no worse than its threshold, else than the reference.

    Args:
        metric: Its name.
        now: Of production.
        threshold: A number that is known exactly, or None.
        before: Of the reference; counts where there is no threshold.
    """
    if now.hits is not None and threshold is not None:
        return float(stats.binom.cdf(now.hits, now.rows, min(max(threshold, 0.0), 1.0)))
    if (
        threshold is None
        and before is not None
        and now.hits is not None
        and before.hits is not None
    ):
        misses, reference_misses = now.rows - now.hits, before.rows - before.hits
        return noise.higher_rate(misses, now.rows, reference_misses, before.rows)
    bar, error = threshold or 0.0, 0.0
    if threshold is None and before is not None:
        bar, error = before.value, before.error
    excess = (now.value - bar) * (-1 if metric in MORE_IS_BETTER else 1)
    spread = math.hypot(now.error, error)
    if spread == 0:
        return 0.0 if excess > 0 else 1.0
    return float(stats.norm.sf(excess / spread))
