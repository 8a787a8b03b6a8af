"""What counts of true against predicted classes tell, for one table of counts or many at once.

Sources:
    [F] T. Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27 (2006)
        861-874, doi:10.1016/j.patrec.2005.10.010.
    [A] D. G. Altman, J. M. Bland, "Diagnostic tests 2: predictive values", BMJ 309 (1994) 102,
        doi:10.1136/bmj.309.6947.102.
    [S] M. Sokolova, G. Lapalme, "A systematic analysis of performance measures for classification
        tasks", Information Processing & Management 45 (2009) 427-437,
        doi:10.1016/j.ipm.2009.03.002.
    [O] K. H. Brodersen and others, "The balanced accuracy and its posterior distribution",
        ICPR 2010, doi:10.1109/ICPR.2010.764.
    [G] J. Gorodkin, "Comparing two K-category assignments by a K-category correlation
        coefficient", Computational Biology and Chemistry 28 (2004) 367-374,
        doi:10.1016/j.compbiolchem.2004.09.006.
    [C] J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological
        Measurement 20 (1960) 37-46, doi:10.1177/001316446002000104.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Counts: TypeAlias = NDArray[np.int64]

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


def ratio(part: Any, whole: Any) -> Floats:
    """Return part / whole, and 0 where the whole is 0, as scikit-learn's `zero_division` does."""
    part, whole = np.broadcast_arrays(
        np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    )
    found: Floats = np.divide(part, whole, out=np.zeros(part.shape), where=whole != 0)
    return found


def class_rates(matrix: Counts, positive: int) -> dict[str, float]:
    """Return the rates of one class against all others, as `rates_of_class` defines them.

    Args:
        matrix: What `confusion_matrix` returned.
        positive: The class's number.
    """
    return {name: float(value) for name, value in rates_of_class(matrix, positive).items()}


def rates_of_class(counts: NDArray[Any], positive: int) -> dict[str, Floats]:
    """Return the rates of one class against all others.

    With TP, FP, FN, TN of that class:
        precision = TP / (TP + FP) ([F] eq. 3; the positive predictive value of [A]),
        recall = sensitivity = TP / (TP + FN) ([F] eq. 1),
        specificity = TN / (TN + FP) ([F] section 2),
        npv = TN / (TN + FN), the negative predictive value ([A]),
        f1 = 2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall ([S] table 2).

    Args:
        counts: By true and predicted class, shape (classes, classes, ...).
        positive: The class's number.

    Returns:
        Each of shape (...), those of the counts behind the first two.
    """
    tp = counts[positive, positive]
    fp = counts[:, positive].sum(axis=0) - tp
    fn = counts[positive, :].sum(axis=0) - tp
    tn = counts.sum(axis=(0, 1)) - tp - fp - fn
    return {
        "precision": ratio(tp, tp + fp),
        "recall": ratio(tp, tp + fn),
        "specificity": ratio(tn, tn + fp),
        "npv": ratio(tn, tn + fn),
        "f1": ratio(2 * tp, 2 * tp + fp + fn),
    }


def shares_of_class(matrix: Counts, positive: int) -> dict[str, tuple[float, float]]:
    """Return a class's rates that are shares: how many rows are so, and of how many.

    Args:
        matrix: What `confusion_matrix` returned.
        positive: The class's number.
    """
    tp = float(matrix[positive, positive])
    fp = float(matrix[:, positive].sum()) - tp
    fn = float(matrix[positive, :].sum()) - tp
    tn = float(matrix.sum()) - tp - fp - fn
    return {
        "precision": (tp, tp + fp),
        "recall": (tp, tp + fn),
        "specificity": (tn, tn + fp),
        "npv": (tn, tn + fn),
    }


def shares_of(matrix: Counts, positive: int | None) -> dict[str, tuple[float, float]]:
    """Return which metrics of `label_rates` are shares: how many rows are so, and of how many.

    Args:
        matrix: What `confusion_matrix` returned.
        positive: The positive class's number; None where there are more than two classes.
    """
    hits, rows = float(np.trace(matrix)), float(matrix.sum())
    found = {"accuracy": (hits, rows), "error_rate": (rows - hits, rows)}
    return found if positive is None else found | shares_of_class(matrix, positive)


def averaged_rates(counts: NDArray[Any]) -> dict[str, Floats]:
    """Return the rates of more than two classes, averaged ([S] table 3).

    Under their own names the plain means over the classes (macro); with `_weighted` the means
    weighted by how many rows each class has; with `_micro` those of all decisions pooled, which
    for one label a row are all the accuracy.

    Args:
        counts: By true and predicted class, shape (classes, classes, ...).
    """
    each = [rates_of_class(counts, number) for number in range(len(counts))]
    support = counts.sum(axis=1)
    averages = {}
    for name in RATES:
        values = np.array([rates[name] for rates in each])
        averages[name] = values.mean(axis=0)
        averages[f"{name}_weighted"] = ratio((values * support).sum(axis=0), support.sum(axis=0))
    hits = _trace(counts)
    pooled = ratio(hits, counts.sum(axis=(0, 1)))
    return averages | dict.fromkeys(("precision_micro", "recall_micro", "f1_micro"), pooled)


def label_rates(counts: NDArray[Any], positive: int | None) -> dict[str, Floats]:
    """Return every metric of predicted classes.

    Of two classes, the rates of the positive one; of more, the averages. Beside them:
        accuracy, the share of rows predicted right ([S] table 2); error_rate = 1 - accuracy,
        balanced_accuracy, the mean recall of the classes that are among the rows ([O]),
        norm_macro_recall = (balanced_accuracy - 1 / C) / (1 - 1 / C) with C such classes, 0 where
        that is below 0: 0 is guessing, 1 is perfect (Azure ML's definition),
        mcc, Matthews' correlation, 0 where either side has one class only ([G] eq. 8),
        kappa = (p_o - p_e) / (1 - p_e), agreement beyond chance ([C]); NaN where p_e is 1.

    Args:
        counts: By true and predicted class, shape (classes, classes, ...).
        positive: The positive class's number; None where there are more than two classes.
    """
    total, hits = counts.sum(axis=(0, 1)), _trace(counts)
    true, called = counts.sum(axis=1), counts.sum(axis=0)
    accuracy = ratio(hits, total)
    present = np.maximum((true > 0).sum(axis=0), 1)
    diagonal = np.array([counts[number, number] for number in range(len(counts))])
    balanced = ratio(diagonal, true).sum(axis=0) / present
    chance = 1 / present
    rates = averaged_rates(counts) if positive is None else rates_of_class(counts, positive)
    return {
        "accuracy": accuracy,
        "error_rate": 1.0 - accuracy,
        **rates,
        "balanced_accuracy": balanced,
        "norm_macro_recall": np.maximum(0.0, ratio(balanced - chance, 1 - chance)),
        "mcc": _matthews(hits, true, called, total),
        "kappa": _kappa(accuracy, true, called, total),
    }


def _trace(counts: NDArray[Any]) -> NDArray[Any]:
    found: NDArray[Any] = np.trace(counts, axis1=0, axis2=1)
    return found


def _matthews(hits: Any, true: Any, called: Any, total: Any) -> Floats:
    # As floats: the products of whole numbers would overflow at some 3e9.
    hits, total = np.asarray(hits, dtype=np.float64), np.asarray(total, dtype=np.float64)
    true, called = true.astype(np.float64), called.astype(np.float64)
    joint = hits * total - (true * called).sum(axis=0)
    spreads = (total**2 - (true**2).sum(axis=0)) * (total**2 - (called**2).sum(axis=0))
    return ratio(joint, np.sqrt(np.maximum(spreads, 0.0)))


def _kappa(accuracy: Floats, true: Any, called: Any, total: Any) -> Floats:
    expected = (ratio(true, total) * ratio(called, total)).sum(axis=0)
    rest = 1 - expected
    found: Floats = (accuracy - expected) / np.where(rest > 0, rest, np.nan)
    return found
