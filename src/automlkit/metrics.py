"""Azure's metrics of classification, regression, and forecasts, under Azure's names.

Definitions follow Microsoft's own code (`azureml.training.tabular.score` of
azureml-training-tabular 1.62): what is averaged over classes counts only classes that are among the
rows; of two classes, both count; r2 is cut off at -1 and normalized errors at 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Metrics of which less is better; of all others more is.
_LESS_IS_BETTER = frozenset(
    {
        *("log_loss", "mean_absolute_error", "mean_absolute_percentage_error"),
        *("median_absolute_error", "root_mean_squared_error", "root_mean_squared_log_error"),
        *("normalized_mean_absolute_error", "normalized_median_absolute_error"),
        *("normalized_root_mean_squared_error", "normalized_root_mean_squared_log_error"),
    }
)


def greater_is_better(metric: str) -> bool:
    """Return whether more of a metric is better."""
    return metric not in _LESS_IS_BETTER


def is_better(metric: str, score: float, than: float) -> bool:
    """Return whether a score is better than another."""
    return score > than if greater_is_better(metric) else score < than


def score_all(
    task: str,
    y_true: Any,
    prediction: Any,
    *,
    classes: Sequence[Any] | None = None,
    weights: Any = None,
    y_train_range: tuple[float, float] | None = None,
    positive_label: str | None = None,
) -> dict[str, float]:
    """Return every metric of a task that the rows allow; others are left out.

    Args:
        task: `classification`, `regression`, or `forecasting` (of one series, else see
            `score_forecast`).
        y_true: Labels, or quantities, shape (rows,).
        prediction: Probabilities, shape (rows, classes), or quantities, shape (rows,).
        classes: The labels of the columns of `prediction`. Labels in `y_true` that are not among
            them count as classes of probability 0.
        weights: Each row's weight, or None.
        y_train_range: Least and greatest quantity of all rows, which errors are normalized by;
            None is that of `y_true`.
        positive_label: The class that `_binary` metrics are about, as text; None leaves them out.
    """
    each = None if weights is None else np.asarray(weights, dtype=np.float64)
    if task == "classification":
        if classes is None:
            raise ValueError("classification metrics need the classes")
        found = _classification(y_true, np.asarray(prediction), classes, each, positive_label)
    else:
        truth = np.asarray(y_true, dtype=np.float64)
        predicted = np.asarray(prediction, dtype=np.float64).ravel()
        found = _regression(truth, predicted, each, y_train_range)
    return {name: float(value) for name, value in found.items() if np.isfinite(value)}


def _classification(
    y_true: Any,
    probabilities: Floats,
    classes: Sequence[Any],
    weights: Floats | None,
    positive_label: str | None,
) -> dict[str, float]:
    import pandas as pd

    labels = list(classes)
    known = set(labels)
    more = [label for label in pd.unique(np.asarray(y_true)).tolist() if label not in known]
    if more:
        probabilities = np.hstack([probabilities, np.zeros((len(probabilities), len(more)))])
        labels += more
    truth = pd.Index(labels).get_indexer(pd.Index(np.asarray(y_true)))
    predicted = probabilities.argmax(axis=1)
    positive = None
    if positive_label is not None:
        positive = [str(label) for label in labels].index(positive_label)
    return {
        **_ranking(truth, probabilities, weights, positive),
        **_hits(truth, predicted, weights, positive),
        **_log_loss(truth, probabilities, weights),
    }


def _ranking(
    truth: NDArray[np.intp], probabilities: Floats, weights: Floats | None, positive: int | None
) -> dict[str, float]:
    """Return areas under the ROC curve and average precisions."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    found: dict[str, float] = {}
    count = probabilities.shape[1]
    member = truth[:, None] == np.arange(count)
    present = np.flatnonzero(member.any(axis=0))
    support = np.array([_total(member[:, c], weights) for c in present])
    scored = [(member[:, c], probabilities[:, c]) for c in present]
    repeated = None if weights is None else np.repeat(weights, count)
    if len(present) > 1:
        areas = [roc_auc_score(is_in, p, sample_weight=weights) for is_in, p in scored]
        found["AUC_macro"] = np.mean(areas)
        found["AUC_weighted"] = np.average(areas, weights=support)
        found["AUC_micro"] = roc_auc_score(
            member.ravel(), probabilities.ravel(), sample_weight=repeated
        )
        if positive is not None and positive in present:
            found["AUC_binary"] = areas[int(np.searchsorted(present, positive))]
    name = "average_precision_score"
    each = [average_precision_score(is_in, p, sample_weight=weights) for is_in, p in scored]
    found[f"{name}_macro"] = np.mean(each)
    found[f"{name}_weighted"] = np.average(each, weights=support)
    found[f"{name}_micro"] = average_precision_score(
        member.ravel(), probabilities.ravel(), sample_weight=repeated
    )
    if positive is not None and positive in present:
        found[f"{name}_binary"] = each[int(np.searchsorted(present, positive))]
    return found


def _hits(
    truth: NDArray[np.intp],
    predicted: NDArray[np.intp],
    weights: Floats | None,
    positive: int | None,
) -> dict[str, float]:
    """Return what depends on the predicted class alone."""
    from sklearn.metrics import (
        accuracy_score,
        matthews_corrcoef,
        precision_recall_fscore_support,
    )

    found: dict[str, float] = {
        "accuracy": accuracy_score(truth, predicted, sample_weight=weights),
        "matthews_correlation": matthews_corrcoef(truth, predicted, sample_weight=weights),
    }
    shares = np.bincount(truth) / len(truth)
    found["weighted_accuracy"] = np.average(truth == predicted, weights=shares[truth])
    names = ("precision_score", "recall_score", "f1_score")
    for average in ("macro", "micro", "weighted"):
        rates = precision_recall_fscore_support(
            truth, predicted, average=average, sample_weight=weights, zero_division=0.0
        )
        found.update({f"{name}_{average}": rates[i] for i, name in enumerate(names)})
    found["balanced_accuracy"] = found["recall_score_macro"]
    present = np.unique(truth)
    if len(present) > 1:
        recalls = [_share(predicted[truth == c] == c, weights, truth == c) for c in present]
        chance = 1 / len(present)
        found["norm_macro_recall"] = max(0.0, (np.mean(recalls) - chance) / (1 - chance))
    if positive is not None:
        rates = precision_recall_fscore_support(
            *(truth == positive, predicted == positive),
            average="binary",
            sample_weight=weights,
            zero_division=0.0,
        )
        found.update({f"{name}_binary": rates[i] for i, name in enumerate(names)})
    return found


def _total(rows: NDArray[np.bool_], weights: Floats | None) -> float:
    return float(rows.sum() if weights is None else weights[rows].sum())


def _share(hit: NDArray[np.bool_], weights: Floats | None, rows: NDArray[np.bool_]) -> float:
    if weights is None or not weights[rows].any():
        return float(hit.mean())
    return float(np.average(hit, weights=weights[rows]))


def _log_loss(
    truth: NDArray[np.intp], probabilities: Floats, weights: Floats | None
) -> dict[str, float]:
    """Return the mean of -ln p(true class), probabilities kept from 0 as scikit-learn does."""
    least = np.finfo(np.float64).eps
    chosen = np.clip(probabilities[np.arange(len(truth)), truth], least, 1 - least)
    return {"log_loss": float(np.average(-np.log(chosen), weights=weights))}


def _errors(truth: Floats, predicted: Floats, weights: Floats | None) -> dict[str, float]:
    """Return the errors that are normalized too; as in Azure the median goes without weights."""
    found: dict[str, float] = {
        "mean_absolute_error": np.average(np.abs(predicted - truth), weights=weights),
        "median_absolute_error": np.median(np.abs(predicted - truth)),
        "root_mean_squared_error": np.average((truth - predicted) ** 2, weights=weights) ** 0.5,
    }
    if (truth >= 0).all() and (predicted >= 0).all():
        squares = (np.log1p(truth) - np.log1p(predicted)) ** 2
        found["root_mean_squared_log_error"] = np.average(squares, weights=weights) ** 0.5
    return found


def _normalized(errors: dict[str, float], low: float, high: float) -> dict[str, float]:
    """Return errors as shares of the range from `low` to `high`, cut off at 1."""
    found = {}
    for name, error in errors.items():
        is_log = name.endswith("log_error")
        if is_log and low <= -1:
            continue
        span = np.log1p(high) - np.log1p(low) if is_log else high - low
        # Of equal targets, what is right is 0 and all else the worst. Azure takes rounding for
        # wrong, by which a series that never changes would decide over all others.
        rounding = 1e-9 * max(1.0, abs(high))
        found[f"normalized_{name}"] = (
            min(1.0, error / span) if span > 0 else float(error > rounding)
        )
    return found


def _regression(
    truth: Floats, predicted: Floats, weights: Floats | None, whole: tuple[float, float] | None
) -> dict[str, float]:
    from scipy.stats import spearmanr
    from sklearn.metrics import explained_variance_score, r2_score

    errors = _errors(truth, predicted, weights)
    low, high = whole or (float(truth.min()), float(truth.max()))
    found = {**errors, **_normalized(errors, low, high)}
    nonzero = ~np.isclose(truth, 0.0)
    if nonzero.any():
        error = np.abs((truth - predicted)[nonzero] / truth[nonzero]).mean()
        found["mean_absolute_percentage_error"] = 100 * error
    if len(truth) > 1:
        found["r2_score"] = max(-1.0, r2_score(truth, predicted, sample_weight=weights))
    else:
        found["r2_score"] = float(truth[0] == predicted[0])
    found["explained_variance"] = explained_variance_score(truth, predicted, sample_weight=weights)
    # The worst where either are all equal, and so have no ranks.
    is_ranked = np.ptp(truth) > 0 and np.ptp(predicted) > 0
    found["spearman_correlation"] = spearmanr(truth, predicted)[0] if is_ranked else -1.0
    return found


def score_forecast(
    y_true: Floats, prediction: Floats, series: NDArray[np.intp], extents: Floats
) -> dict[str, float]:
    """Return every metric of a forecast of several series that the rows allow.

    Those of regression over all rows, but normalized errors are each series' own, by its own range,
    and their mean (`compute_normalized_metrics_forecasting_by_grain` of azureml-automl-runtime
    1.62): large series do not drown small ones. Unlike there, the rows of all folds count together,
    since a fold of a short horizon has too few for an r2 or for ranks.

    Args:
        y_true: True values of all series and folds, shape (rows,).
        prediction: Forecasts, shape (rows,).
        series: The number of each row's series, shape (rows,).
        extents: Least and greatest known value of each series, shape (series, 2).
    """
    found = score_all("forecasting", y_true, prediction)
    order = np.argsort(series, kind="stable")
    cuts = np.flatnonzero(np.diff(series[order])) + 1
    shares: dict[str, list[float]] = {}
    for rows in np.split(order, cuts):
        low, high = extents[series[rows[0]]]
        own = _normalized(_errors(y_true[rows], prediction[rows], None), low, high)
        for name, value in own.items():
            shares.setdefault(name, []).append(value)
    whole = {name: value for name, value in found.items() if not name.startswith("normalized_")}
    return whole | {name: float(np.mean(values)) for name, values in shares.items()}
