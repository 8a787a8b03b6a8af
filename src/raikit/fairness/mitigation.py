"""What it would cost to treat groups alike: thresholds of their own for each group.

The thresholds are fairlearn's (`ThresholdOptimizer`, after M. Hardt, E. Price, N. Srebro,
"Equality of opportunity in supervised learning", NIPS 2016). They are fitted on one half of the
test rows and measured on the other, neither of which the model was trained on.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from raikit.fairness import adjusted
from raikit.fairness.adjusted import GroupThresholdClassifier, Thresholds
from raikit.fairness.measures import Decisions, Gap, difference
from raikit.groups import Grouping
from raikit.intervals import mean_interval
from stepkit.calibration import wilson
from stepkit.metrics import Floats
from stepkit.model import Model, typed_features
from stepkit.saved import read_description

#: From what is kept equal, in fairlearn's words, to the difference that it closes.
CONSTRAINTS = {
    "demographic_parity": "demographic_parity_difference",
    "equalized_odds": "equalised_odds_difference",
}
#: What a saved model needs beside its own requirements.
_REQUIREMENTS = ("mlflow", "scikit-learn", "pandas", "numpy", "cloudpickle")

Interval = tuple[float, float, float]


@dataclass(frozen=True)
class Price:
    """What thresholds by group would change, on rows that they were not fitted on.

    Attributes:
        column: Whose groups are treated alike.
        constraint: What is made equal, in fairlearn's words.
        thresholds: By group.
        rows: How many rows it was measured on.
        before: The difference between groups with one threshold for all.
        after: With the thresholds.
        accuracy_before: And the bounds of its interval.
        accuracy_after: Alike.
        change: Of the accuracy, of the same rows.
    """

    column: str
    constraint: str
    thresholds: Mapping[str, Thresholds]
    rows: int
    before: Gap
    after: Gap
    accuracy_before: Interval
    accuracy_after: Interval
    change: Interval


class _Given(BaseEstimator):  # type: ignore[misc]
    """An estimator whose prediction is its only feature: scores that are there already."""

    def fit(self, X: Any, y: Any) -> _Given:
        """Learn nothing; scikit-learn asks every estimator for it."""
        del X, y
        return self

    def __sklearn_is_fitted__(self) -> bool:
        """Say that it needs no fit."""
        return True

    def predict(self, X: Any) -> Any:
        """Return the scores."""
        return np.asarray(X)[:, 0]


def fit_thresholds(
    truth: NDArray[np.bool_], scores: Floats, groups: NDArray[np.object_], constraint: str
) -> dict[str, Thresholds]:
    """Return the thresholds of each group that keep something equal at the best accuracy.

    Args:
        truth: Whether each row is of the positive class, shape (n,); both in each group.
        scores: The probability of it.
        groups: The group of each row.
        constraint: Of `CONSTRAINTS`.
    """
    from fairlearn.postprocessing import ThresholdOptimizer  # a second, and only needed here

    optimizer = ThresholdOptimizer(
        estimator=_Given(),
        constraints=constraint,
        objective="accuracy_score",
        prefit=True,
        predict_method="predict",
    )
    optimizer.fit(scores[:, None], truth.astype(int), sensitive_features=groups.astype(str))
    found = optimizer.interpolated_thresholder_.interpolation_dict
    return {
        str(name): Thresholds(
            first_share=float(rule.p0),
            first=float(rule.operation0.threshold),
            second=float(rule.operation1.threshold),
            ignored=float(rule.get("p_ignore", 0.0)),
            constant=float(rule.get("prediction_constant", 0.0)),
        )
        for name, rule in found.items()
    }


def price_of(
    decisions: Decisions,
    scores: Floats,
    grouping: Grouping,
    enough: NDArray[np.bool_],
    constraint: str,
    seed: int,
) -> Price:
    """Fit thresholds on one half of the rows, and measure them on the other.

    Groups without enough rows are neither fitted nor measured.

    Args:
        decisions: The model's own.
        scores: The probability of the positive class.
        grouping: Of one column.
        enough: Which groups have enough rows; at least two.
        constraint: Of `CONSTRAINTS`.
        seed: Of the halves, and of the chance that the rules ask for.
    """
    rng = np.random.default_rng(seed)
    kept = enough[grouping.codes]
    fitting = _half(grouping.codes * 2 + decisions.truth, rng) & kept
    measured = kept & ~fitting
    texts = grouping.texts
    thresholds = fit_thresholds(
        decisions.truth[fitting], scores[fitting], texts[fitting], constraint
    )
    probable = np.zeros(len(scores))
    for name, rule in thresholds.items():
        own = measured & (texts == name)
        probable[own] = rule.probabilities(scores[own])
    decided = probable > rng.random(len(scores))
    part = Grouping(grouping.name, grouping.labels, grouping.codes[measured])
    truth, old, new = (each[measured] for each in (decisions.truth, decisions.predicted, decided))
    before, after = (
        difference(Decisions(truth, own, None), part, enough, CONSTRAINTS[constraint], seed)
        for own in (old, new)
    )
    change = (new == truth).astype(np.float64) - (old == truth)
    return Price(
        column=grouping.name,
        constraint=constraint,
        thresholds=thresholds,
        rows=len(truth),
        before=before,
        after=after,
        accuracy_before=_share(old == truth),
        accuracy_after=_share(new == truth),
        change=(float(change.mean()), *_change(change)),
    )


def _half(strata: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return half of the rows, chosen at random, as good as half of each stratum."""
    order = np.lexsort((rng.random(len(strata)), strata))
    chosen = np.zeros(len(strata), dtype=bool)
    chosen[order[::2]] = True
    return chosen


def _share(hits: NDArray[np.bool_]) -> Interval:
    return (float(hits.mean()), *wilson(int(hits.sum()), len(hits)))


def _change(change: Floats) -> tuple[float, float]:
    # Without any change there is no spread to tell an interval from.
    return mean_interval(change) if change.any() else (0.0, 0.0)


def save_mitigated(
    model: Model,
    source: Path,
    test: pd.DataFrame,
    grouping: Grouping,
    price: Price,
    positive: int,
    folder: Path,
) -> None:
    """Save the model with the thresholds of a price, as an MLflow model that needs no raikit.

    Args:
        model: The model as loaded.
        source: Its folder, for its requirements.
        test: Rows with its features and the sensitive column.
        grouping: Of the price's column.
        price: Whose thresholds are taken.
        positive: The number of the positive class among the estimator's.
        folder: Where to; it may be there, and empty.
    """
    import cloudpickle
    import mlflow.sklearn  # 2 s, and only needed where a model is asked for
    from mlflow.models import infer_signature

    logging.getLogger("mlflow.sklearn").setLevel(logging.ERROR)  # it warns of pickles
    classifier = GroupThresholdClassifier(
        model.estimator,
        tuple(model.features),
        positive,
        grouping.name,
        grouping.edges,
        grouping.ranges,
        dict(price.thresholds),
    )
    features = typed_features(test, model.features)
    if grouping.name not in features:
        features[grouping.name] = test[grouping.name]
    example = features.head(5)
    cloudpickle.register_pickle_by_value(adjusted)
    try:
        mlflow.sklearn.save_model(
            classifier,
            str(folder),
            signature=infer_signature(features, classifier.predict(example)),
            input_example=example,
            serialization_format="cloudpickle",
            pip_requirements=_requirements(source),
            metadata={
                **read_description(source)["metadata"],
                "mitigation": f"{price.constraint} by {price.column}",
            },
        )
    finally:
        cloudpickle.unregister_pickle_by_value(adjusted)


def _requirements(source: Path) -> list[str]:
    """Return what the model says it needs, and what the thresholds need."""
    file = source / "requirements.txt"
    said = file.read_text(encoding="utf-8").split() if file.is_file() else []
    names = {line.partition("==")[0].lower() for line in said}
    return [*said, *(f"{name}=={version(name)}" for name in _REQUIREMENTS if name not in names)]
