"""Columns that alone predict the target, and those that no model should learn from.

Each feature alone goes into a shallow tree, cross-validated on a sample. What it reaches is on one
scale for both tasks, from 0 (guessing) to 1 (certainty): for classes 2 AUC - 1 (the Gini
coefficient; D. Hand, R. Till, Machine Learning 45 (2001) 171-186), for a quantity R2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stepkit.metrics import Floats, ranking_metrics, regression_metrics
from stepkit.table import Task, label_text

#: Rows of the sample.
SAMPLE = 6000
FOLDS = 3
_DEPTH = 4
_LEAF_SHARE = 0.01
#: Of what the whole model reaches: a column that alone reaches as much makes all others idle.
IDLE = 0.95
#: Below which no column is suspected, since then nobody predicts much.
_LEAST_SUSPECT = 0.5
#: Share of different values from which a column of text or whole numbers looks like an identifier.
_DISTINCT = 0.95


@dataclass(frozen=True)
class ColumnPower:
    """What a feature alone can do.

    Attributes:
        name: The column.
        power: From 0 (guessing) to 1 (certainty); a little below 0 by chance.
        is_leaking: Whether it alone predicts the target nearly with certainty.
        is_suspect: Whether it alone does what the whole model does.
        is_trusted: Whether it was said to be known when the model is used.
        is_identifier: Whether nearly every row has a value of its own, as a key has.
        is_target_named: Whether its name has all words of the target's.
    """

    name: str
    power: float
    is_leaking: bool = False
    is_suspect: bool = False
    is_trusted: bool = False
    is_identifier: bool = False
    is_target_named: bool = False

    @property
    def notes(self) -> list[str]:
        """What is odd about it, in words."""
        said = {
            "predicts the target alone": self.is_leaking,
            "alone does what the whole model does": self.is_suspect,
            "looks like an identifier": self.is_identifier,
            "is named after the target": self.is_target_named,
            "trusted": self.is_trusted,
        }
        return [words for words, holds in said.items() if holds]


def column_powers(
    features: pd.DataFrame,
    target: pd.Series,
    task: Task,
    *,
    model_power: float,
    limit: float,
    trusted: Sequence[str],
    seed: int,
) -> list[ColumnPower]:
    """Return what each feature alone can do, the strongest first.

    Args:
        features: Train rows, numbers and text.
        target: Of the same rows.
        task: What is predicted.
        model_power: What all features together reach, on the same scale.
        limit: A column leaks from this power on.
        trusted: Columns that are known when the model is used, however strong.
        seed: Of the sample and the folds.
    """
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(features))[:SAMPLE]
    truth = _numbers(target.iloc[rows], task)
    folds = np.arange(len(rows)) % FOLDS
    found = []
    for name in features.columns:
        power = _power(features[name].iloc[rows], truth, folds, task)
        is_trusted = name in trusted
        found.append(
            ColumnPower(
                name=name,
                power=power,
                is_leaking=power >= limit and not is_trusted,
                is_suspect=(
                    _LEAST_SUSPECT <= power < limit
                    and power >= IDLE * model_power
                    and len(features.columns) > 1
                    and not is_trusted
                ),
                is_trusted=is_trusted,
                is_identifier=_is_identifier(features[name]),
                is_target_named=_is_named_after(name, str(target.name)),
            )
        )
    return sorted(found, key=lambda each: -each.power)


def power_of(metrics: Mapping[str, float], task: Task) -> float:
    """Return what a whole model reaches, on the scale of the columns; 0 where it is not known."""
    if task == "regression":
        return metrics.get("r2", 0.0)
    return 2 * metrics["auc"] - 1 if "auc" in metrics else 0.0


def _numbers(target: pd.Series, task: Task) -> NDArray[np.float64]:
    if task == "regression":
        return target.to_numpy(dtype=np.float64)
    codes, _ = pd.factorize(target.map(label_text), sort=True)
    return codes.astype(np.float64)


def _power(
    column: pd.Series, truth: NDArray[np.float64], folds: NDArray[np.intp], task: Task
) -> float:
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor  # loaded with the model

    classes = int(truth.max()) + 1 if task == "classification" else 0
    predicted = np.zeros((len(truth), max(1, classes)))
    leaf = max(5, round(_LEAF_SHARE * len(truth)))
    for fold in range(FOLDS):
        fit, held = folds != fold, folds == fold
        seen = _shares(column, truth, fit, classes)
        if classes:
            tree = DecisionTreeClassifier(max_depth=_DEPTH, min_samples_leaf=leaf, random_state=0)
            tree.fit(seen[fit], truth[fit].astype(np.intp))
            predicted[np.ix_(held, tree.classes_)] = tree.predict_proba(seen[held])
        else:
            tree = DecisionTreeRegressor(max_depth=_DEPTH, min_samples_leaf=leaf, random_state=0)
            predicted[held, 0] = tree.fit(seen[fit], truth[fit]).predict(seen[held])
    if not classes:
        return regression_metrics(truth, predicted[:, 0]).get("r2", 0.0)
    positive = 1 if classes == 2 else None
    return 2 * ranking_metrics(truth.astype(np.intp), predicted, positive).get("auc", 0.5) - 1


def _shares(
    column: pd.Series, truth: NDArray[np.float64], fit: NDArray[np.bool_], classes: int
) -> Floats:
    """Return a column as numbers for a tree, shape (n, k).

    Text becomes the mean target, or the share of each class, of its value in the rows to fit on;
    numbers stay. Values that those rows do not have get the mean of all.
    """
    if column.dtype != object:
        numbers = column.to_numpy(dtype=np.float64)[:, None]
        return np.where(np.isfinite(numbers), numbers, np.finfo(np.float32).min / 2)
    texts = column.fillna("").to_numpy()
    wanted = [truth == each for each in range(classes)] if classes else [truth]
    columns = []
    for one in wanted:
        means = pd.Series(one[fit].astype(np.float64)).groupby(texts[fit]).mean()
        columns.append(pd.Series(texts).map(means).fillna(one[fit].mean()).to_numpy(np.float64))
    return np.column_stack(columns)


def _is_identifier(column: pd.Series) -> bool:
    present = column.dropna()
    if len(present) < SAMPLE / 100 or present.nunique() < _DISTINCT * len(present):
        return False
    if present.dtype == object:
        return True
    values = np.sort(present.to_numpy(dtype=np.float64))
    # Whole numbers that count rows lie close; measured ones, such as amounts, are spread.
    is_whole = bool((values == np.round(values)).all())
    return is_whole and values[-1] - values[0] < 2 * len(values)


def _is_named_after(name: str, target: str) -> bool:
    words, named = _words(name), _words(target)
    return bool(named) and named <= words


def _words(name: str) -> frozenset[str]:
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return frozenset(part for part in re.split(r"[^a-z0-9]+", parts) if part)
