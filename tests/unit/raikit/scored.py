"""Predictions whose errors and groups are known, for the tests of raikit."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stepkit.metrics import confusion_matrix
from stepkit.model import Scores


def classified(truth, predicted, probabilities=None) -> Scores:
    """Return scores of classes `no` (0) and `yes` (1)."""
    truth, predicted = np.asarray(truth, dtype=np.intp), np.asarray(predicted, dtype=np.intp)
    return Scores(
        task="classification",
        metrics={},
        truth=truth,
        predicted=predicted,
        classes=("no", "yes"),
        positive=1,
        probabilities=np.empty((len(truth), 0)) if probabilities is None else probabilities,
        matrix=confusion_matrix(truth, predicted, 2),
    )


def measured(truth, predicted) -> Scores:
    """Return scores of a quantity."""
    return Scores(
        task="regression",
        metrics={},
        truth=np.asarray(truth, dtype=np.float64),
        predicted=np.asarray(predicted, dtype=np.float64),
        classes=(),
        positive=None,
        probabilities=np.empty((len(truth), 0)),
        matrix=np.empty((0, 0), dtype=np.int64),
    )


def people(rows: int, seed: int) -> pd.DataFrame:
    """Return rows with numbers and texts that have nothing to do with each other."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": rng.integers(18, 80, rows).astype(float),
            "hours": rng.normal(40, 10, rows),
            "region": rng.choice(["north", "east", "south", "west"], rows),
            "sex": rng.choice(["f", "m"], rows),
        }
    )


def wrong_at(rate, seed: int) -> Scores:
    """Return scores that are wrong at a rate of each row, and say so by their probabilities."""
    rng = np.random.default_rng(seed)
    truth = rng.random(len(rate)) < 0.5
    predicted = np.where(rng.random(len(rate)) < rate, ~truth, truth)
    return classified(truth, predicted)


def saying(scores: Scores, chance_of_error) -> Scores:
    """Return scores whose probabilities tell a chance of error of each row."""
    from dataclasses import replace

    probabilities = np.empty((len(scores.truth), 2))
    rows = np.arange(len(scores.truth))
    probabilities[rows, scores.predicted] = 1 - np.asarray(chance_of_error)
    probabilities[rows, 1 - scores.predicted] = chance_of_error
    return replace(scores, probabilities=probabilities)
