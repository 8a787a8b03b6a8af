from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.unit.automlkit.models import built

from automlkit.columns import purposes
from automlkit.learners import LEARNERS, choose
from automlkit.request import Featurization, Request, Training
from stepkit.program import StepError

#: Azure's names, from its own documentation of supported algorithms.
CLASSIFIERS = {
    *("LogisticRegression", "SGD", "MultinomialNaiveBayes", "BernoulliNaiveBayes", "SVM"),
    *("LinearSVM", "KNN", "DecisionTree", "RandomForest", "ExtremeRandomTrees", "LightGBM"),
    *("GradientBoosting", "XGBoostClassifier"),
}
REGRESSORS = {
    *("ElasticNet", "GradientBoosting", "DecisionTree", "KNN", "LassoLars", "SGD"),
    *("RandomForest", "ExtremeRandomTrees", "LightGBM", "XGBoostRegressor"),
}
OURS = {"ExplainableBoosting", "LinearSplines"}

SOME = np.random.default_rng(5)
X = pd.DataFrame(
    {
        "a": SOME.normal(size=160),
        "b": SOME.normal(size=160),
        "k": [f"k{n % 3}" for n in range(160)],
    }
)
SIGNAL = X["a"] + (X["k"] == "k1")
LABELS = np.where(SIGNAL > 0.3, "yes", "no")
QUANTITY = 100 * SIGNAL + SOME.normal(size=160)


def request(task: Any = "classification", **more: Any) -> Request:
    training = Training(
        **{key: more.pop(key) for key in list(more) if key.endswith("_training_algorithms")}
    )
    return Request(task, "accuracy", "y", "t", training=training, **more)


def level(model: Any) -> float:
    """Return the mean of what a model predicts: of classes, the last one's probability."""
    if hasattr(model, "predict_proba"):
        return float(model.predict_proba(X)[:, -1].mean())
    return float(model.predict(X).mean())


def first(name: str, task: str, classes: Any = None) -> dict[str, Any]:
    columns = purposes(X, Featurization())
    # Few rounds, since this is about whether they work.
    short = {"n_estimators": 30} if LEARNERS[name].iterations else {}
    if name == "ExplainableBoosting":
        short = {"outer_bags": 1, "max_rounds": 60}
    return {**LEARNERS[name].portfolio(task, 160, columns, classes)[0], **short}


def test_every_name_of_azures_is_there() -> None:
    of = {
        task: {name for name, learner in LEARNERS.items() if task in learner.tasks}
        for task in ("classification", "regression")
    }
    assert of["classification"] == CLASSIFIERS | OURS
    assert of["regression"] == REGRESSORS | OURS


@pytest.mark.parametrize("name", sorted(CLASSIFIERS | OURS))
def test_classifiers_learn(name: str) -> None:
    classes = ["no", "yes"]
    model = built(X, name, "classification", first(name, "classification", classes), classes)
    model.fit(X, LABELS)
    assert model.score(X, LABELS) > 0.65
    assert model.predict_proba(X).sum(axis=1) == pytest.approx(np.ones(160))
    again = pickle.loads(pickle.dumps(model))
    assert again.predict_proba(X.head(3)) == pytest.approx(model.predict_proba(X.head(3)))


@pytest.mark.parametrize("name", sorted(REGRESSORS | OURS))
def test_regressors_learn(name: str) -> None:
    model = built(X, name, "regression", first(name, "regression"))
    model.fit(X, QUANTITY)
    assert model.score(X, QUANTITY) > 0.5
    assert model.predict(X.head(1)).shape == (1,)


@pytest.mark.parametrize(
    ("name", "task"),
    [
        *((name, "classification") for name in ("LightGBM", "XGBoostClassifier")),
        *((name, "regression") for name in ("LightGBM", "XGBoostRegressor")),
        ("GradientBoosting", "classification"),
        ("GradientBoosting", "regression"),
    ],
)
def test_boosting_stops_early_and_says_where(name: str, task: str) -> None:
    y = LABELS if task == "classification" else QUANTITY
    y_valid = SOME.permutation(y)[:40]  # noise, on which nothing is gained
    classes = ["no", "yes"] if task == "classification" else None
    model = built(X, name, task, {}, classes)
    model.fit(X.iloc[40:], y[40:], eval_set=(X.iloc[:40], y_valid))
    assert 1 <= model.best_iteration_ < 400
    again = built(X, name, task, {"n_estimators": model.best_iteration_}, classes)
    again.fit(X.iloc[40:], y[40:])
    assert again.best_iteration_ is None


@pytest.mark.parametrize("name", [n for n, x in LEARNERS.items() if x.takes_weights])
@pytest.mark.slow
def test_learners_that_take_weights_do(name: str) -> None:
    task = min(LEARNERS[name].tasks)
    classes = ["no", "yes"] if task == "classification" else None
    y = LABELS if task == "classification" else QUANTITY
    config = first(name, task, classes)
    weights = np.where(y == "yes", 0.01, 1.0) if classes else np.where(y > np.median(y), 0.01, 1.0)
    equal = built(X, name, task, config, classes).fit(X, y)
    uneven = built(X, name, task, config, classes).fit(X, y, weights)
    # What hardly counts is predicted less.
    assert level(uneven) < level(equal)


@pytest.mark.parametrize("name", sorted(LEARNERS))
@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("rows", [150, 50_000])
def test_portfolios_and_spaces_fit_each_other(name: str, task: str, rows: int) -> None:
    learner = LEARNERS[name]
    if task not in learner.tasks:
        return
    classes = ["no", "yes"] if task == "classification" else None
    portfolio = learner.portfolio(task, rows, purposes(X, Featurization()), classes)
    assert portfolio
    assert len({str(config) for config in portfolio}) == len(portfolio)
    space = learner.space(task, rows)
    start = {key: entry["init_value"] for key, entry in space.items()}
    for key, entry in space.items():
        assert {"domain", "init_value"} <= entry.keys()
        if hasattr(entry["domain"], "lower"):
            assert entry["domain"].lower <= entry["init_value"] <= entry["domain"].upper, key
    for config in (*portfolio, start):  # every hyperparameter exists
        model = built(X, name, task, config, classes)
        assert model.model.get_params() is not None


def test_allowed_and_blocked_names() -> None:
    asked = request(allowed_training_algorithms=("LightGBM", "xg_boost_classifier", "KNN"))
    assert [x.name for x in choose(asked)] == ["LightGBM", "XGBoostClassifier", "KNN"]
    asked = request(blocked_training_algorithms=("LightGBM", "SVM"))
    assert {x.name for x in choose(asked)} == (CLASSIFIERS | OURS) - {"LightGBM", "SVM"}


def test_learners_that_cannot_weigh_rows_are_left_out() -> None:
    names = {x.name for x in choose(request("regression", weight_column_name="w"))}
    assert names == (REGRESSORS | OURS) - {"KNN", "LassoLars"}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (request(allowed_training_algorithms=("LightGMB",)), "did you mean 'LightGBM'"),
        (request(allowed_training_algorithms=("ElasticNet",)), "'ElasticNet' for classification"),
        (
            request(allowed_training_algorithms=("KNN",), blocked_training_algorithms=("KNN",)),
            "every algorithm is blocked",
        ),
        (
            request(allowed_training_algorithms=("KNN",), weight_column_name="w"),
            "KNN cannot weigh rows",
        ),
    ],
)
def test_names_that_cannot_be_are_refused(asked: Request, message: str) -> None:
    with pytest.raises(StepError, match=message):
        choose(asked)
