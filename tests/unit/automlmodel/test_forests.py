from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import Ridge

from automlmodel.forests import MOST_ROWS, is_forest_for, mean_of_trees

X = np.random.default_rng(0).normal(size=(120, 4))
X[::7, 1] = np.nan


@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
def test_probabilities_are_the_forests_own(kind: type) -> None:
    y = (np.nan_to_num(X[:, 0]) > 0).astype(int) + (X[:, 2] > 1)
    forest = kind(n_estimators=12, random_state=0).fit(X, y)
    assert mean_of_trees(forest, X[:9]) == pytest.approx(forest.predict_proba(X[:9]))


@pytest.mark.parametrize("kind", [RandomForestRegressor, ExtraTreesRegressor])
def test_quantities_are_the_forests_own(kind: type) -> None:
    forest = kind(n_estimators=12, random_state=0).fit(X, X[:, 0] ** 2)
    assert mean_of_trees(forest, X[:9])[:, 0] == pytest.approx(forest.predict(X[:9]))


def test_only_few_rows_of_forests_go_this_way() -> None:
    forest = RandomForestRegressor(n_estimators=2).fit(X, X[:, 0])
    assert is_forest_for(forest, X[:1])
    assert not is_forest_for(forest, np.zeros((MOST_ROWS + 1, 4)))
    assert not is_forest_for(Ridge(), X[:1])
