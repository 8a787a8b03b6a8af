"""Small models with known answers, as subjects."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd

import stepkit  # noqa: F401 - before scikit-learn, for how its threads wait
from raikit.explanation.subject import Subject


class Formula:
    """A model that is a formula of its raw columns."""

    def __init__(self, formula: Callable[[pd.DataFrame], object]) -> None:
        self.formula = formula

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        return np.asarray(self.formula(X), dtype=float)


def quantity(estimator: object, X: pd.DataFrame) -> Subject:
    """Return a subject that predicts y."""
    return Subject(estimator, "regression", "y", kinds(X))


def classes(estimator: object, X: pd.DataFrame, positive: int | None = 1) -> Subject:
    """Return a subject that predicts classes."""
    names = tuple(str(each) for each in estimator.classes_)
    known = {name: place for place, name in enumerate(names)}
    return Subject(estimator, "classification", "y", kinds(X), names, positive, known)


def kinds(X: pd.DataFrame) -> dict[str, str]:
    return {name: "string" if X[name].dtype == object else "double" for name in X.columns}


def brute_force(score: Callable, row: pd.DataFrame, background: pd.DataFrame) -> np.ndarray:
    """Return one row's Shapley values by their definition, shape (columns, outputs)."""
    names = list(row.columns)

    def value(chosen: tuple[str, ...]) -> np.ndarray:
        mixed = background.copy()
        for name in chosen:
            mixed[name] = row[name].iloc[0]
        return score(mixed).mean(axis=0)

    found = []
    for name in names:
        others = [each for each in names if each != name]
        total = 0.0
        for size in range(len(names)):
            weight = factorial(size) * factorial(len(names) - size - 1) / factorial(len(names))
            for chosen in combinations(others, size):
                total = total + weight * (value((*chosen, name)) - value(chosen))
        found.append(total)
    return np.array(found)
