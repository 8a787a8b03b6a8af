"""Azure's metrics of classification and regression, under Azure's names.

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
        task: `classification` or `regression` (forecasting has the same metrics).
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


def _regression(
    truth: Floats, predicted: Floats, weights: Floats | None, whole: tuple[float, float] | None
) -> dict[str, float]:
    from scipy.stats import spearmanr
    from sklearn.metrics import (
        explained_variance_score,
        mean_absolute_error,
        mean_squared_error,
        median_absolute_error,
        r2_score,
    )

    found: dict[str, float] = {
        "mean_absolute_error": mean_absolute_error(truth, predicted, sample_weight=weights),
        "median_absolute_error": median_absolute_error(truth, predicted),
        "root_mean_squared_error": mean_squared_error(truth, predicted, sample_weight=weights)
        ** 0.5,
    }
    low, high = whole or (float(truth.min()), float(truth.max()))
    if (truth >= 0).all() and (predicted >= 0).all():
        error = mean_squared_error(np.log1p(truth), np.log1p(predicted), sample_weight=weights)
        found["root_mean_squared_log_error"] = error**0.5
    for name in tuple(found):
        logs = name.endswith("log_error")
        span = np.log1p(high) - np.log1p(low) if logs else high - low
        # With all targets equal there is no range: perfect is 0, anything else the worst.
        worst = min(1.0, found[name] / span) if span > 0 else float(found[name] > 0)
        found[f"normalized_{name}"] = worst
    nonzero = ~np.isclose(truth, 0.0)
    if nonzero.any():
        error = np.abs((truth - predicted)[nonzero] / truth[nonzero]).mean()
        found["mean_absolute_percentage_error"] = 100 * error
    if len(truth) > 1 and np.ptp(truth) > 0:
        found["r2_score"] = max(-1.0, r2_score(truth, predicted, sample_weight=weights))
        found["explained_variance"] = explained_variance_score(
            truth, predicted, sample_weight=weights
        )
        # -1 where all predictions are equal and have no ranks, as in Azure.
        ranked = np.ptp(predicted) > 0
        found["spearman_correlation"] = spearmanr(truth, predicted)[0] if ranked else -1.0
    return found
