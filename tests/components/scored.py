"""Predictions as `stepkit.model.score` returns them, made of arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stepkit.metrics import classification_metrics, confusion_matrix, regression_metrics
from stepkit.model import Scores


def of_classes(truth: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]) -> Scores:
    """Return predictions of classes; of two, the second is the positive one."""
    predicted = probabilities.argmax(axis=1)
    positive = 1 if len(classes) == 2 else None
    return Scores(
        task="classification",
        metrics=classification_metrics(truth, predicted, probabilities, positive),
        truth=truth,
        predicted=predicted,
        classes=tuple(classes),
        positive=positive,
        probabilities=probabilities,
        matrix=confusion_matrix(truth, predicted, len(classes)),
    )


def of_quantities(truth: np.ndarray, predicted: np.ndarray) -> Scores:
    """Return predictions of quantities."""
    return Scores(
        task="regression",
        metrics=regression_metrics(truth, predicted),
        truth=truth,
        predicted=predicted,
        classes=(),
        positive=None,
        probabilities=np.empty((len(truth), 0)),
        matrix=np.empty((0, 0), dtype=np.int64),
    )
