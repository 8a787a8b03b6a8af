"""Feature attribution drift: whether other features matter now than did in the reference.

Where attributions of rows are given, a feature's is the mean of their absolute values. Else, as in
Azure, a surrogate of gradient boosting learns what was predicted from the features, once of
production and once of the reference, and the attributions are the surrogate's. Here it is additive
(trees of one feature each), for which a row's Shapley values are exact and cheap: the feature's own
term minus its mean (S. Lundberg, S. Lee, "A unified approach to interpreting model predictions",
NeurIPS 2017, section 4.1).

The null of NDCG comes from rows that change sides at random. Each draw costs two trainings, so that
there are few, and a gamma distribution is fitted to their 1 - NDCG.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from monitorkit import noise
from monitorkit.columns import Column, Kind, Rows
from monitorkit.distances import Floats, normalized_discounted_cumulative_gain
from monitorkit.request import Threshold
from monitorkit.verdicts import Metric
from stepkit.program import StepError

#: Rows that a surrogate learns from, at most; Azure explains 5,000.
SURROGATE_ROWS = 5_000
_ITERATIONS = 40
#: Categories that a surrogate tells apart; the rarer ones are one.
_MOST_CATEGORIES = 200
#: Draws of the null: with a training each, and without.
_TRAINED_DRAWS, _DRAWS = 20, 200


@dataclass(frozen=True)
class Labelled:
    """Rows as a surrogate learns from them.

    Attributes:
        X: Features, shape (n, k); categories as their place among all.
        y: What is predicted, shape (n,): numbers, or classes as numbers.
        is_category: Of each feature, shape (k,).
        is_classes: Whether `y` are classes.
    """

    X: Floats
    y: Floats
    is_category: NDArray[np.bool_]
    is_classes: bool


def additive_attributions(rows: Labelled, seed: int) -> Floats:
    """Return the mean absolute Shapley value of each feature of an additive surrogate, shape (k,).

    Args:
        rows: What it learns from and explains.
        seed: Of the surrogate.
    """
    # Half a second, and the other signals do without.
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingClassifier if rows.is_classes else HistGradientBoostingRegressor
    if len(np.unique(rows.y)) < 2:
        return np.zeros(rows.X.shape[1])
    model = kind(
        max_iter=_ITERATIONS,
        interaction_cst="no_interactions",
        categorical_features=rows.is_category,
        early_stopping=False,
        random_state=seed,
    ).fit(rows.X, rows.y)
    raw = model.decision_function if rows.is_classes else model.predict
    found = []
    for feature in range(rows.X.shape[1]):
        # All else is as in the first row, so that what differs is the feature's own term.
        values, places = np.unique(rows.X[:, feature], return_inverse=True)
        moved = np.repeat(rows.X[:1], len(values), axis=0)
        moved[:, feature] = values
        term = np.asarray(raw(moved))[places]
        found.append(float(np.abs(term - term.mean(axis=0)).mean()))
    return np.array(found)


def labelled(
    parts: Sequence[Rows], features: Mapping[str, Kind], targets: Sequence[str], seed: int
) -> list[Labelled]:
    """Return rows of production and reference with categories and classes numbered alike.

    Args:
        parts: The rows of each.
        features: What each is.
        targets: The column of each part that the surrogate learns.
        seed: Of the choice of rows, where there are more than `SURROGATE_ROWS`.

    Raises:
        StepError: A part has no values in its target column, or there are no features.
    """
    if not features:
        raise StepError("no feature to learn from", hint="give features, or a reference with some")
    goals = [part.column(name) for part, name in zip(parts, targets, strict=True)]
    is_classes = goals[-1].kind() != "numerical"
    all_rows = [slice(None) for _ in parts]
    labels = _numbered(goals, "categorical" if is_classes else "numerical", all_rows)
    is_category = np.array([kind == "categorical" for kind in features.values()])
    random = np.random.default_rng(seed)
    chosen = []
    for y, target in zip(labels, targets, strict=True):
        known = np.flatnonzero(~np.isnan(y))
        if not len(known):
            raise StepError(f"no value in the column {target!r} that attributions are of")
        if len(known) > SURROGATE_ROWS:
            known = random.choice(known, SURROGATE_ROWS, replace=False)
        chosen.append(known)
    columns = [
        _numbered([part.column(name) for part in parts], kind, chosen)
        for name, kind in features.items()
    ]
    return [
        Labelled(np.column_stack(X), y[known], is_category, is_classes)
        for X, y, known in zip(zip(*columns, strict=True), labels, chosen, strict=True)
    ]


def _numbered(
    columns: Sequence[Column], kind: Kind, chosen: Sequence[NDArray[np.intp] | slice]
) -> list[Floats]:
    """Return chosen rows of columns as numbers; categories as their rank by frequency of all rows.

    The rare ones are one.
    """
    if kind == "numerical":
        return [column.numbers()[0][rows] for column, rows in zip(columns, chosen, strict=True)]
    counted: Counter[str] = Counter()
    for column in columns:
        counted.update(column.categories())
    place = {label: rank for rank, (label, _) in enumerate(counted.most_common(_MOST_CATEGORIES))}
    place = {label: place.get(label, _MOST_CATEGORIES) for label in counted}
    found = []
    for column, rows in zip(columns, chosen, strict=True):
        codes, labels = pd.factorize(column.texts()[rows])
        ranks = np.array([*(place[label] for label in labels), np.nan])
        found.append(ranks[codes])
    return found


def attribution_drift(
    signal: str,
    production: Labelled | Floats,
    reference: Labelled | Floats,
    threshold: Threshold,
    *,
    rows: tuple[int, int],
    minimum_rows: int,
    seed: int,
) -> Metric:
    """Return the NDCG of production's attributions, not yet judged.

    Args:
        signal: The signal's name.
        production: Labelled rows, or attributions of rows, shape (n, k).
        reference: The same.
        threshold: With a value.
        rows: Of both, before any were left out for the surrogate.
        minimum_rows: Rows that both must have.
        seed: Of surrogates and draws.
    """
    value = p_value = None
    note = ""
    bar = threshold.threshold or 0.0
    if min(rows) < minimum_rows:
        note = f"{min(rows)} rows, {minimum_rows} are needed"
    else:
        value, null = _gain_and_null(production, reference, bar, seed)
        # Where the threshold is kept, nothing rests on the null, and it need not be drawn.
        p_value = 1.0 if null is None else noise.gamma_tail(1 - value, null)
    return Metric(
        signal=signal,
        metric=threshold.metric,
        feature="",
        feature_type="",
        value=value,
        threshold=bar,
        p_value=p_value,
        rows=rows[0],
        reference_rows=rows[1],
        note=note,
    )


def _gain_and_null(
    production: Labelled | Floats, reference: Labelled | Floats, bar: float, seed: int
) -> tuple[float, Floats | None]:
    random = np.random.default_rng(seed)
    if isinstance(production, Labelled) and isinstance(reference, Labelled):
        value = normalized_discounted_cumulative_gain(
            additive_attributions(production, seed), additive_attributions(reference, seed)
        )
        if value >= bar:
            return value, None
        return value, _trained_null(production, reference, random)
    ours, theirs = np.abs(np.asarray(production)), np.abs(np.asarray(reference))
    value = normalized_discounted_cumulative_gain(ours.mean(axis=0), theirs.mean(axis=0))
    if value >= bar:
        return value, None
    pooled, found = np.concatenate([ours, theirs]), []
    for _ in range(_DRAWS):
        order = random.permutation(len(pooled))
        sides = pooled[order[: len(ours)]], pooled[order[len(ours) :]]
        found.append(
            1 - normalized_discounted_cumulative_gain(*(part.mean(axis=0) for part in sides))
        )
    return value, np.array(found)


def _trained_null(production: Labelled, reference: Labelled, random: np.random.Generator) -> Floats:
    """Return 1 - NDCG where rows change sides at random."""
    X = np.concatenate([production.X, reference.X])
    y = np.concatenate([production.y, reference.y])
    found = []
    for draw in range(_TRAINED_DRAWS):
        order = random.permutation(len(y))
        sides = np.split(order, [len(production.y)])
        ours, theirs = (
            additive_attributions(replace(production, X=X[side], y=y[side]), draw) for side in sides
        )
        found.append(1 - normalized_discounted_cumulative_gain(ours, theirs))
    return np.array(found)
