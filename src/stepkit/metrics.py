"""Metrics of a model on labelled data, each with where its formula comes from.

Sources:
    [F] T. Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27 (2006)
        861-874, doi:10.1016/j.patrec.2005.10.010.
    [A] D. G. Altman, J. M. Bland, "Diagnostic tests 2: predictive values", BMJ 309 (1994) 102,
        doi:10.1136/bmj.309.6947.102.
    [S] M. Sokolova, G. Lapalme, "A systematic analysis of performance measures for classification
        tasks", Information Processing & Management 45 (2009) 427-437,
        doi:10.1016/j.ipm.2009.03.002.
    [D] J. Davis, M. Goadrich, "The relationship between precision-recall and ROC curves",
        ICML 2006, doi:10.1145/1143844.1143874.
    [B] C. M. Bishop, "Pattern Recognition and Machine Learning", Springer 2006.
    [H] T. Hastie, R. Tibshirani, J. Friedman, "The Elements of Statistical Learning", 2nd edition,
        Springer 2009.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stepkit.program import StepError

Floats: TypeAlias = NDArray[np.float64]
Counts: TypeAlias = NDArray[np.int64]

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
}
REGRESSION_METRICS = {"mae": False, "mse": False, "rmse": False, "r2": True}
MORE_IS_BETTER = {**CLASSIFICATION_METRICS, **REGRESSION_METRICS}

#: The rates that a confusion matrix gives for one class.
RATES = ("precision", "recall", "specificity", "npv", "f1")


def confusion_matrix(truth: NDArray[np.intp], predicted: NDArray[np.intp], classes: int) -> Counts:
    """Count rows by true (row) and predicted (column) class; [F] section 2, transposed.

    Args:
        truth: Class numbers from 0, shape (n,).
        predicted: Class numbers from 0, shape (n,).
        classes: How many classes there are.

    Returns:
        Counts, shape (classes, classes).
    """
    counts = np.bincount(truth * classes + predicted, minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.int64)


def ratio(part: float, whole: float) -> float:
    """Return part / whole, and 0 where both are 0, as scikit-learn's `zero_division` does."""
    return float(part) / float(whole) if whole else 0.0


def class_rates(matrix: Counts, positive: int) -> dict[str, float]:
    """Return the rates of one class against all others.

    With TP, FP, FN, TN of that class:
        precision = TP / (TP + FP) ([F] eq. 3; the positive predictive value of [A]),
        recall = sensitivity = TP / (TP + FN) ([F] eq. 1),
        specificity = TN / (TN + FP) ([F] section 2),
        npv = TN / (TN + FN), the negative predictive value ([A]),
        f1 = 2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall ([S] table 2).

    Args:
        matrix: What `confusion_matrix` returned.
        positive: The class's number.
    """
    tp = matrix[positive, positive]
    fp = matrix[:, positive].sum() - tp
    fn = matrix[positive, :].sum() - tp
    tn = matrix.sum() - tp - fp - fn
    return {
        "precision": ratio(tp, tp + fp),
        "recall": ratio(tp, tp + fn),
        "specificity": ratio(tn, tn + fp),
        "npv": ratio(tn, tn + fn),
        "f1": ratio(2 * tp, 2 * tp + fp + fn),
    }


def accuracy_metrics(matrix: Counts) -> dict[str, float]:
    """Return accuracy, the share of rows predicted right ([S] table 2), and 1 - accuracy."""
    accuracy = ratio(np.trace(matrix), matrix.sum())
    return {"accuracy": accuracy, "error_rate": 1.0 - accuracy}


def averaged_rates(matrix: Counts) -> dict[str, float]:
    """Return the rates of more than two classes, averaged ([S] table 3).

    Under their own names the plain means over the classes (macro); with `_weighted` the means
    weighted by how many rows each class has.
    """
    each = [class_rates(matrix, number) for number in range(len(matrix))]
    support = matrix.sum(axis=1)
    averages = {}
    for name in RATES:
        values = np.array([rates[name] for rates in each])
        averages[name] = float(values.mean())
        averages[f"{name}_weighted"] = float(np.average(values, weights=support))
    return averages


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
    """Return `auc`, `average_precision`, and `log_loss`.

    Of two classes, those of the positive one. Of more, the plain mean over the classes, each
    against the rest ([F] section 9, after Provost and Domingos). A class that is not among the
    rows, or is all of them, has no curve; with none left, both are left out.

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
        found["auc"] = float(np.mean([auc(curve) for curve in curves]))
        found["average_precision"] = float(np.mean([average_precision(c) for c in curves]))
    return {**found, "log_loss": log_loss(truth, probabilities)}


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
    """Return the metrics of predicted classes alone: accuracy, its complement, and the rates.

    Args:
        truth: Class numbers from 0, shape (n,).
        predicted: Class numbers from 0, shape (n,).
        classes: How many classes there are.
        positive: The positive class's number; None where there are more than two classes.
    """
    matrix = confusion_matrix(truth, predicted, classes)
    rates = averaged_rates(matrix) if positive is None else class_rates(matrix, positive)
    return {**accuracy_metrics(matrix), **rates}


def regression_metrics(truth: Floats, predicted: Floats) -> dict[str, float]:
    """Return the errors of predicted quantities.

    With e = truth - predicted: mae = mean |e|, mse = mean e^2, rmse = sqrt(mse) ([H] section 7.2);
    r2 = 1 - sum e^2 / sum (truth - mean truth)^2, the share of variance explained ([H] section
    3.2). r2 is left out where all true values are equal, since it is not defined there.

    Args:
        truth: Shape (n,), in the target's unit; so are mae and rmse.
        predicted: Shape (n,).
    """
    error = truth - predicted
    mse = float(np.mean(error**2))
    found = {"mae": float(np.mean(np.abs(error))), "mse": mse, "rmse": float(np.sqrt(mse))}
    spread = float(np.sum((truth - truth.mean()) ** 2))
    if spread > 0:
        found["r2"] = 1.0 - float(np.sum(error**2)) / spread
    return found


def task_of(metric: str) -> Literal["classification", "regression"] | None:
    """Return the task that a metric belongs to, or None where there is no such metric."""
    if metric.removesuffix("_weighted") in CLASSIFICATION_METRICS:
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
    return MORE_IS_BETTER[metric.removesuffix("_weighted")]
