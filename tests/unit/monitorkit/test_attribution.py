"""Attributions are Shapley's values by their definition, and their NDCG scikit-learn's."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import ndcg_score

from monitorkit.attribution import (
    SURROGATE_ROWS,
    Labelled,
    additive_attributions,
    attribution_drift,
)
from monitorkit.attribution import labelled as labelled_rows
from monitorkit.columns import Gatherer, Kind, Rows
from monitorkit.distances import Floats
from monitorkit.request import Threshold
from stepkit.program import StepError

THRESHOLD = Threshold("normalized_discounted_cumulative_gain", threshold=0.9)


def labelled(rows: int, seed: int) -> Labelled:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 3))
    y = 2 * X[:, 0] + np.abs(X[:, 1]) + 0.1 * rng.normal(size=rows)
    return Labelled(X, y, np.zeros(3, dtype=bool), is_classes=False)


def by_definition(rows: Labelled) -> Floats:
    """Mean absolute Shapley values: of every coalition, over all rows as the background."""
    model = HistGradientBoostingRegressor(
        max_iter=40, interaction_cst="no_interactions", early_stopping=False, random_state=0
    ).fit(rows.X, rows.y)
    count, features = rows.X.shape
    worth = {}
    for size in range(features + 1):
        for coalition in itertools.combinations(range(features), size):
            mixed = np.tile(rows.X, (count, 1))
            mixed[:, coalition] = np.repeat(rows.X, count, axis=0)[:, coalition]
            worth[coalition] = model.predict(mixed).reshape(count, count).mean(axis=1)
    values = np.zeros((count, features))
    for feature in range(features):
        others = [each for each in range(features) if each != feature]
        for size in range(features):
            weight = math.factorial(size) * math.factorial(features - size - 1)
            for coalition in itertools.combinations(others, size):
                joined = tuple(sorted((*coalition, feature)))
                gain = worth[joined] - worth[coalition]
                values[:, feature] += gain * weight / math.factorial(features)
    return np.asarray(np.abs(values).mean(axis=0))


def test_attributions_are_shapleys_values() -> None:
    rows = labelled(120, 0)
    np.testing.assert_allclose(additive_attributions(rows, 0), by_definition(rows), atol=1e-9)


def test_what_is_constant_has_no_attributions() -> None:
    rows = labelled(50, 1)
    constant = Labelled(rows.X, np.ones(50), rows.is_category, is_classes=False)
    assert additive_attributions(constant, 0).tolist() == [0, 0, 0]


def test_the_gain_of_given_attributions_is_scikit_learns() -> None:
    rng = np.random.default_rng(2)
    now, before = rng.normal(0, [1, 2, 3, 4], (300, 4)), rng.normal(0, [4, 3, 2, 1], (500, 4))
    found = attribution_drift(
        "a", now, before, THRESHOLD, rows=(300, 500), minimum_rows=100, seed=0
    )
    expected = ndcg_score([np.abs(before).mean(axis=0)], [np.abs(now).mean(axis=0)])
    assert found.value == pytest.approx(expected, abs=1e-9)
    assert found.p_value is not None
    assert found.p_value < 1e-6


def test_the_same_rows_have_a_gain_of_one() -> None:
    rows = labelled(200, 3)
    found = attribution_drift("a", rows, rows, THRESHOLD, rows=(200, 200), minimum_rows=100, seed=0)
    assert found.value == pytest.approx(1, abs=1e-9)
    assert found.p_value == 1


def test_too_few_rows_have_no_gain() -> None:
    rows = labelled(30, 4)
    found = attribution_drift("a", rows, rows, THRESHOLD, rows=(30, 30), minimum_rows=31, seed=0)
    assert (found.value, found.note) == (None, "30 rows, 31 are needed")


def gathered(**columns: Any) -> Rows:
    gatherer = Gatherer(10**6, 0)
    gatherer.add(pa.table(columns))
    return gatherer.rows()


def test_of_many_rows_some_are_learned_from_and_stay_rows() -> None:
    size = np.arange(8_000.0)
    text = np.where(size < 6_000, "often", "seldom").astype(object)
    text[::7] = None
    part = gathered(size=size, text=text, goal=pa.array(np.where(size < 500, np.nan, size + 1)))
    kinds: dict[str, Kind] = {"size": "numerical", "text": "categorical"}
    (rows,) = labelled_rows([part], kinds, ["goal"], 0)
    assert rows.X.shape == (SURROGATE_ROWS, 2)
    assert len(np.unique(rows.y)) == SURROGATE_ROWS
    assert rows.y.min() > 500
    np.testing.assert_array_equal(rows.X[:, 0], rows.y - 1)
    # By frequency among all rows; a row without a value has no number.
    expected = np.where(rows.X[:, 0] % 7 == 0, np.nan, rows.X[:, 0] >= 6_000)
    np.testing.assert_array_equal(rows.X[:, 1], expected)


def test_what_cannot_be_learned_is_told() -> None:
    part = gathered(a=[1.0, 2.0], goal=pa.array([None, None], pa.float64()))
    with pytest.raises(StepError, match="no value in the column 'goal'"):
        labelled_rows([part], {"a": "numerical"}, ["goal"], 0)
    with pytest.raises(StepError, match="no feature to learn from"):
        labelled_rows([part], {}, ["a"], 0)
