"""Nearest neighbours and naive Bayes."""

from __future__ import annotations

from typing import Any

from automlkit.learners.base import BOTH, CLASSIFICATION, Case, Config, Learner, Made
from automlkit.learners.base import Setting as _Setting


def _knn_portfolio(case: Case) -> list[Config]:
    count = max(3, min(25, round(case.rows**0.5 / 2)))
    return [{"n_neighbors": count, "weights": "distance"}]


def _knn(setting: _Setting) -> Made:
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

    kind = KNeighborsClassifier if setting.is_classification else KNeighborsRegressor
    config = {"n_neighbors": 15, "weights": "distance", **setting.config}
    return Made(kind(**config))


def _knn_domain(task: str, rows: int) -> dict[str, dict[str, Any]]:  # noqa: ARG001
    from flaml import tune

    return {
        "n_neighbors": {
            "domain": tune.lograndint(1, max(3, min(200, rows // 5))),
            "init_value": 2,
        },
        "weights": {"domain": tune.choice(["distance", "uniform"]), "init_value": "distance"},
    }


def _bayes_portfolio(case: Case) -> list[Config]:  # noqa: ARG001
    return [{"alpha": 1.0}]


def _multinomial(setting: _Setting) -> Made:
    from sklearn.naive_bayes import MultinomialNB
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import MinMaxScaler

    model = MultinomialNB(**{"alpha": 1.0, **setting.config})
    # It counts, so there is nothing below 0.
    return Made(Pipeline([("scale", MinMaxScaler(clip=True)), ("model", model)]))


def _bernoulli(setting: _Setting) -> Made:
    from sklearn.naive_bayes import BernoulliNB

    # Features are scaled: above or below the mean.
    return Made(BernoulliNB(**{"alpha": 1.0, **setting.config}))


def _bayes_domain(task: str, rows: int) -> dict[str, dict[str, Any]]:  # noqa: ARG001
    from flaml import tune

    return {"alpha": {"domain": tune.loguniform(1e-3, 100), "init_value": 1.0}}


LEARNERS = (
    Learner("KNN", BOTH, "linear", _knn, _knn_portfolio, _knn_domain, takes_weights=False),
    Learner(
        "MultinomialNaiveBayes",
        CLASSIFICATION,
        "linear",
        _multinomial,
        _bayes_portfolio,
        _bayes_domain,
        takes_weights=False,
    ),
    Learner(
        "BernoulliNaiveBayes",
        CLASSIFICATION,
        "linear",
        _bernoulli,
        _bayes_portfolio,
        _bayes_domain,
    ),
)
