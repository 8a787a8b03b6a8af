"""Metrics of a model on labelled data, each with where its formula comes from.

Those of predicted classes alone are in `confusion`, those of quantities in `quantities`, those of
how far probabilities can be trusted in `calibration`.

Sources:
    [F] T. Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27 (2006)
        861-874, doi:10.1016/j.patrec.2005.10.010.
    [S] M. Sokolova, G. Lapalme, "A systematic analysis of performance measures for classification
        tasks", Information Processing & Management 45 (2009) 427-437,
        doi:10.1016/j.ipm.2009.03.002.
    [D] J. Davis, M. Goadrich, "The relationship between precision-recall and ROC curves",
        ICML 2006, doi:10.1145/1143844.1143874.
    [B] C. M. Bishop, "Pattern Recognition and Machine Learning", Springer 2006.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stepkit.calibration import brier, ece
from stepkit.confusion import (
    RATES,
    Counts,
    Floats,
    averaged_rates,
    class_rates,
    confusion_matrix,
    label_rates,
)
from stepkit.program import StepError
from stepkit.quantities import error_metrics

__all__ = [
    "CLASSIFICATION_METRICS",
    "MORE_IS_BETTER",
    "RATES",
    "REGRESSION_METRICS",
    "Counts",
    "Floats",
    "auc",
    "average_precision",
    "averaged_rates",
    "check_metric",
    "class_rates",
    "classification_metrics",
    "confusion_matrix",
    "default_metric",
    "label_metrics",
    "log_loss",
    "more_is_better",
    "ranking_metrics",
    "regression_metrics",
    "task_of",
    "threshold_curve",
]

#: Metrics of each task, and whether more is better.
CLASSIFICATION_METRICS = {
    "auc": True,
    "average_precision": True,
    "accuracy": True,
    "error_rate": False,
    "precision": True,
    "recall": True,
    "specificity": True,
    "npv": True,
    "f1": True,
    "log_loss": False,
    "balanced_accuracy": True,
    "norm_macro_recall": True,
    "mcc": True,
    "kappa": True,
    "brier": False,
    "ece": False,
}
REGRESSION_METRICS = {
    "mae": False,
    "rmse": False,
    "r2": True,
    "mse": False,
    "median_ae": False,
    "ae_p90": False,
    "mape": False,
    "smape": False,
    "wape": False,
    "rmsle": False,
    "nmae": False,
    "nrmse": False,
    "explained_variance": True,
    # Of forecasts with a history only.
    "mase": False,
}
MORE_IS_BETTER = {**CLASSIFICATION_METRICS, **REGRESSION_METRICS}
#: What a metric's name ends in where it is averaged otherwise than by plain means over classes.
_AVERAGES = ("_weighted", "_micro")


def threshold_curve(positive: NDArray[np.bool_], scores: Floats) -> dict[str, Floats]:
    """Return the confusion counts and rates at every threshold ([F] algorithm 1, [D]).

    A row is predicted positive where its score is at least the threshold. The first threshold is
    infinite (nothing predicted positive); the others are the different scores, falling.

    Args:
        positive: Whether each row is of the positive class, shape (n,).
        scores: The model's scores for that class, shape (n,).

    Returns:
        `threshold`, `tp`, `fp`, `fn`, `tn`, `tpr` (recall), `fpr` (1 - specificity), and
        `precision` (1 at the first threshold, by convention), each of shape (k,).
    """
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], positive[order]
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    tp = np.concatenate(([0.0], np.cumsum(hits)[last]))
    fp = np.concatenate(([0.0], np.cumsum(~hits)[last]))
    positives, negatives = float(positive.sum()), float((~positive).sum())
    called = tp + fp
    return {
        "threshold": np.concatenate(([np.inf], ranked[last])),
        "tp": tp,
        "fp": fp,
        "fn": positives - tp,
        "tn": negatives - fp,
        "tpr": tp / positives if positives else np.zeros_like(tp),
        "fpr": fp / negatives if negatives else np.zeros_like(fp),
        "precision": np.divide(tp, called, out=np.ones_like(tp), where=called > 0),
    }


def auc(curve: dict[str, Floats]) -> float:
    """Return the area under the ROC curve by the trapezoid rule ([F] algorithm 2)."""
    # np.trapezoid is NumPy 2's name of it, and Python 3.10 may have NumPy 1.
    tpr, fpr = curve["tpr"], curve["fpr"]
    return float(np.sum(np.diff(fpr) * (tpr[1:] + tpr[:-1]) / 2))


def average_precision(curve: dict[str, Floats]) -> float:
    """Return the sum of precision times the step in recall, without interpolation ([D], [S])."""
    return float(np.sum(np.diff(curve["tpr"]) * curve["precision"][1:]))


def log_loss(truth: NDArray[np.intp], probabilities: Floats) -> float:
    """Return the mean of -ln p(true class), the cross entropy ([B] eq. 4.108).

    Args:
        truth: Class numbers from 0, shape (n,).
        probabilities: Shape (n, classes). Kept from 0 by the smallest step of a float, as
            scikit-learn does, since one certain error would be infinite.
    """
    eps = np.finfo(np.float64).eps
    clipped = np.clip(probabilities, eps, 1 - eps)
    clipped = clipped / clipped.sum(axis=1, keepdims=True)
    return float(-np.log(clipped[np.arange(len(truth)), truth]).mean())


def ranking_metrics(
    truth: NDArray[np.intp], probabilities: Floats, positive: int | None
) -> dict[str, float]:
    """Return what is made of probabilities: `auc`, `average_precision`, `log_loss`, and so on.

    Of two classes, the first two are those of the positive one. Of more, they are the plain mean
    over the classes, each against the rest ([F] section 9, after Provost and Domingos), and with
    `_weighted` that by the classes' rows. A class that is not among the rows, or is all of them,
    has no curve; with none left, they are left out.

    Args:
        truth: Class numbers from 0, shape (n,).
        probabilities: Shape (n, classes).
        positive: The positive class's number; None where there are more than two classes.
    """
    numbers = range(probabilities.shape[1]) if positive is None else (positive,)
    present = [number for number in numbers if 0 < (truth == number).sum() < len(truth)]
    curves = [threshold_curve(truth == number, probabilities[:, number]) for number in present]
    found = {}
    if curves:
        support = [int((truth == number).sum()) for number in present]
        for name, area in (("auc", auc), ("average_precision", average_precision)):
            areas = [area(curve) for curve in curves]
            found[name] = float(np.mean(areas))
            if positive is None:
                found[f"{name}_weighted"] = float(np.average(areas, weights=support))
    found["log_loss"] = log_loss(truth, probabilities)
    found["brier"] = brier(truth, probabilities, positive)
    found["ece"] = ece(truth, probabilities, positive)
    return found


def classification_metrics(
    truth: NDArray[np.intp],
    predicted: NDArray[np.intp],
    probabilities: Floats,
    positive: int | None,
) -> dict[str, float]:
    """Return every metric of `CLASSIFICATION_METRICS` that the rows allow.

    Args:
        truth: Class numbers from 0, shape (n,).
        predicted: Class numbers from 0, shape (n,).
        probabilities: Shape (n, classes).
        positive: The positive class's number; None where there are more than two classes.
    """
    found = {
        **ranking_metrics(truth, probabilities, positive),
        **label_metrics(truth, predicted, probabilities.shape[1], positive),
    }
    named = [name for name in CLASSIFICATION_METRICS if name in found]
    return {name: found[name] for name in (*named, *sorted(found.keys() - set(named)))}


def label_metrics(
    truth: NDArray[np.intp], predicted: NDArray[np.intp], classes: int, positive: int | None
) -> dict[str, float]:
    """Return the metrics of predicted classes alone, as `stepkit.confusion.label_rates` does.

    Args:
        truth: Class numbers from 0, shape (n,).
        predicted: Class numbers from 0, shape (n,).
        classes: How many classes there are.
        positive: The positive class's number; None where there are more than two classes.
    """
    rates = label_rates(confusion_matrix(truth, predicted, classes), positive)
    return {name: float(value) for name, value in rates.items() if np.isfinite(value)}


def regression_metrics(truth: Floats, predicted: Floats) -> dict[str, float]:
    """Return every metric of `REGRESSION_METRICS` that the rows define.

    See `stepkit.quantities.errors_of_sums`. r2 is left out where all true values are equal, mape
    where one is 0, rmsle where a value is below 0.

    Args:
        truth: Shape (n,), in the target's unit; so are mae, rmse, median_ae, and ae_p90.
        predicted: Shape (n,).
    """
    found = error_metrics(truth, predicted)
    return {name: found[name] for name in REGRESSION_METRICS if name in found}


def task_of(metric: str) -> Literal["classification", "regression"] | None:
    """Return the task that a metric belongs to, or None where there is no such metric."""
    if _plain(metric) in CLASSIFICATION_METRICS:
        return "classification"
    return "regression" if metric in REGRESSION_METRICS else None


def default_metric(task: str) -> str:
    """Return the metric that models are compared by: `auc`, or `rmse` for quantities."""
    return "auc" if task == "classification" else "rmse"


def check_metric(metric: str, task: str) -> str:
    """Return the metric to compare by, where `auto` is the task's own.

    Raises:
        StepError: It is not a metric of the task.
    """
    if metric == "auto":
        return default_metric(task)
    if task_of(metric) != task:
        known = [name for name in MORE_IS_BETTER if task_of(name) == task]
        raise StepError(f"{metric!r} is not a metric of {task}", hint=f"known: {', '.join(known)}")
    return metric


def more_is_better(metric: str) -> bool:
    """Return whether a greater value of a metric is the better one."""
    return MORE_IS_BETTER[_plain(metric)]


def _plain(metric: str) -> str:
    """Return a metric's name without how it is averaged."""
    for ending in _AVERAGES:
        metric = metric.removesuffix(ending)
    return metric
