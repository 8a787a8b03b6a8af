from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from automlmodel.encoders import Numbers
from automlmodel.featurizer import Completion, Featurizer
from automlmodel.tabular import Stopping, TabularClassifier, TabularRegressor

ROWS = np.random.default_rng(3)
X = pd.DataFrame({"a": ROWS.normal(size=90), "b": ROWS.normal(size=90)})
LABELS = np.where(X["a"] > 0.5, "high", np.where(X["a"] < -0.5, "low", "middle"))


def featurizer() -> Featurizer:
    return Featurizer([Numbers(["a", "b"])], Completion("mean", markers=False), class_count=3)


def classifier(**more: Any) -> TabularClassifier:
    return TabularClassifier(featurizer(), LogisticRegression(C=100), **more)


def test_labels_come_back_as_they_were_given() -> None:
    for labels in (LABELS, (LABELS == "low"), np.searchsorted(["high", "low", "middle"], LABELS)):
        model = classifier().fit(X, labels)
        assert set(model.predict(X)) <= set(labels.tolist())
        assert model.score(X, labels) > 0.9
        assert model.predict_proba(X).sum(axis=1) == pytest.approx(np.ones(90))


def test_a_class_without_training_rows_has_probability_0() -> None:
    classes = ["high", "low", "middle", "none"]
    model = classifier(classes=classes).fit(X, LABELS)
    assert model.classes_.tolist() == classes
    assert model.predict_proba(X).shape == (90, 4)
    assert not model.predict_proba(X)[:, 3].any()
    kept = LABELS != "high"  # the first, so that the others' numbers have a gap
    model = classifier(classes=classes).fit(X[kept], LABELS[kept])
    assert not model.predict_proba(X)[:, 0].any()
    assert model.score(X[kept], LABELS[kept]) > 0.9


def test_one_class_alone_is_certain() -> None:
    model = classifier(classes=["high", "low"]).fit(X, np.full(90, "low"))
    assert model.predict_proba(X)[:, 1].tolist() == [1.0] * 90
    assert set(model.predict(X)) == {"low"}


def test_labels_beyond_the_classes_are_refused() -> None:
    with pytest.raises(ValueError, match="label 'middle' is none of the classes"):
        classifier(classes=["high", "low"]).fit(X, LABELS)


def test_weights_count() -> None:
    y = X["a"] + np.where(np.arange(90) < 45, 0.0, 10.0)
    model = TabularRegressor(featurizer(), Ridge())
    model.fit(X, y, sample_weight=np.where(np.arange(90) < 45, 1.0, 0.0))
    assert np.abs(model.predict(X.head(45)) - y.head(45)).max() < 0.3


def stopping_regressor() -> TabularRegressor:
    rows = Stopping(("X_val", "y_val"), {"early_stopping": True, "n_iter_no_change": 5})
    boosted = HistGradientBoostingRegressor(max_iter=500, early_stopping=False, random_state=0)
    return TabularRegressor(featurizer(), boosted, rows)


def test_it_stops_early_on_validation_rows_only() -> None:
    y = X["a"] + ROWS.normal(size=90)
    model = stopping_regressor().fit(X, y, eval_set=(X, ROWS.normal(size=90)))
    assert model.best_iteration_ is not None
    assert model.best_iteration_ < 100
    whole = stopping_regressor().fit(X, y)
    assert whole.best_iteration_ is None
    assert whole.model_.n_iter_ == 500


def test_features_made_before_give_the_same_model() -> None:
    shared = featurizer()
    codes = np.searchsorted(["high", "low", "middle"], LABELS)
    matrix = shared.fit_transform(X, codes)
    model = TabularClassifier(shared, LogisticRegression(C=100)).fit_features(matrix, LABELS)
    expected = classifier().fit(X, LABELS).predict_proba(X)
    assert model.predict_proba_features(matrix) == pytest.approx(expected)


def test_validation_rows_of_unknown_classes_are_left_out() -> None:
    kept = LABELS != "high"
    model = classifier(classes=["high", "low", "middle"])
    model.fit(X[kept], LABELS[kept], eval_set=(X, LABELS))
    assert model.best_iteration_ is None  # this learner does not stop early
    assert model.score(X[kept], LABELS[kept]) > 0.9


def test_models_survive_a_pickle() -> None:
    model = classifier().fit(X, LABELS)
    again = pickle.loads(pickle.dumps(model))
    assert (again.predict(X) == model.predict(X)).all()
    assert not hasattr(model.model, "coef_")  # the one given is left as it was
