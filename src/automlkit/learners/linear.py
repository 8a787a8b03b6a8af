"""Regularised linear models, on one-hot features and on splines, and support vector machines."""

from __future__ import annotations

from typing import Any

import numpy as np

from automlkit.learners.base import BOTH, CLASSIFICATION, REGRESSION, Case, Config, Learner, Made
from automlkit.learners.base import Setting as _Setting

#: Penalties that cross-validation inside a fit chooses from.
_PENALTIES = tuple(np.logspace(-2, 4, 13))
_MOST_STEPS = 2_000


def _logistic_portfolio(case: Case) -> list[Config]:
    first = 0.1 if case.rows < 1_000 else 1.0
    return [{"C": first}, {"C": first / 10}, {"C": first * 10}]


def _logistic(setting: _Setting) -> Made:
    from sklearn.linear_model import LogisticRegression

    config = {"C": 1.0, **setting.config}
    return Made(LogisticRegression(**config, max_iter=_MOST_STEPS, random_state=setting.seed))


def _c_domain(task: str, rows: int) -> dict[str, dict[str, Any]]:  # noqa: ARG001
    from flaml import tune

    return {"C": {"domain": tune.loguniform(1e-4, 100), "init_value": 0.3}}


def _elastic_portfolio(case: Case) -> list[Config]:  # noqa: ARG001
    # "cross-validated" costs little here: ridge has a closed form for it.
    return [
        {"l1_ratio": 0.0, "alpha": "cross-validated"},
        {"l1_ratio": 0.5, "alpha": "cross-validated"},
    ]


def _elastic(setting: _Setting) -> Made:
    """Make an elastic net; without an absolute penalty it is ridge regression.

    Ridge's penalty is that of the sum of squared errors, the elastic net's that of their mean.
    """
    from sklearn.linear_model import ElasticNet, ElasticNetCV, Ridge, RidgeCV

    config = {"l1_ratio": 0.0, "alpha": "cross-validated", **setting.config}
    ratio, alpha = float(config["l1_ratio"]), config["alpha"]
    is_chosen = alpha == "cross-validated"
    if ratio == 0:
        model = RidgeCV(alphas=_PENALTIES) if is_chosen else Ridge(alpha=float(alpha))
    elif is_chosen:
        model = ElasticNetCV(
            l1_ratio=ratio,
            alphas=30,
            cv=5,
            max_iter=_MOST_STEPS,
            selection="random",
            random_state=setting.seed,
        )
    else:
        model = ElasticNet(
            alpha=float(alpha), l1_ratio=ratio, max_iter=_MOST_STEPS, random_state=setting.seed
        )
    return Made(model)


def _elastic_domain(task: str, rows: int) -> dict[str, dict[str, Any]]:  # noqa: ARG001
    from flaml import tune

    return {
        "alpha": {"domain": tune.loguniform(1e-4, 10), "init_value": 0.01},
        "l1_ratio": {"domain": tune.uniform(0.01, 1.0), "init_value": 0.5},
    }


def _lars_portfolio(case: Case) -> list[Config]:  # noqa: ARG001
    return [{"alpha": "cross-validated"}]


def _lars(setting: _Setting) -> Made:
    from sklearn.linear_model import LassoLars, LassoLarsCV

    alpha = setting.config.get("alpha", "cross-validated")
    if alpha == "cross-validated":
        return Made(LassoLarsCV(cv=5))
    return Made(LassoLars(alpha=float(alpha), random_state=setting.seed))


def _lars_domain(task: str, rows: int) -> dict[str, dict[str, Any]]:  # noqa: ARG001
    from flaml import tune

    return {"alpha": {"domain": tune.loguniform(1e-5, 1), "init_value": 1e-3}}


def _spline_portfolio(case: Case) -> list[Config]:
    if case.task == "regression":
        return [{"penalty": "cross-validated"}]
    return [{"penalty": 10.0}, {"penalty": 1.0}, {"penalty": 100.0}]


def _spline(setting: _Setting) -> Made:
    from sklearn.linear_model import LogisticRegression, Ridge, RidgeCV

    penalty = setting.config.get("penalty", 10.0)
    if setting.is_classification:
        c = 1 / float(penalty)
        return Made(LogisticRegression(C=c, max_iter=_MOST_STEPS, random_state=setting.seed))
    if penalty == "cross-validated":
        return Made(RidgeCV(alphas=_PENALTIES))
    return Made(Ridge(alpha=float(penalty)))


def _spline_domain(task: str, rows: int) -> dict[str, dict[str, Any]]:  # noqa: ARG001
    from flaml import tune

    return {"penalty": {"domain": tune.loguniform(0.01, 10_000), "init_value": 10.0}}


def _sgd_portfolio(case: Case) -> list[Config]:  # noqa: ARG001
    return [{"alpha": 1e-3, "l1_ratio": 0.0}]


def _sgd(setting: _Setting) -> Made:
    from sklearn.linear_model import SGDClassifier, SGDRegressor

    config = {"alpha": 1e-3, "l1_ratio": 0.0, **setting.config, "penalty": "elasticnet"}
    if setting.is_classification:
        # The loss with which it gives probabilities.
        return Made(
            SGDClassifier(loss="log_loss", **config, average=True, random_state=setting.seed)
        )
    # Quantities of any size: steps are in units of the target, so it is scaled.
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler

    model = SGDRegressor(**config, average=True, random_state=setting.seed)
    return Made(TransformedTargetRegressor(model, transformer=StandardScaler()))


def _sgd_domain(task: str, rows: int) -> dict[str, dict[str, Any]]:  # noqa: ARG001
    from flaml import tune

    return {
        "alpha": {"domain": tune.loguniform(1e-6, 1), "init_value": 1e-3},
        "l1_ratio": {"domain": tune.uniform(0.0, 1.0), "init_value": 0.0},
    }


def _svm_portfolio(case: Case) -> list[Config]:  # noqa: ARG001
    return [{"C": 1.0}]


def _svm(setting: _Setting) -> Made:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.svm import SVC

    config = {"C": 1.0, **setting.config}
    model = SVC(**config, random_state=setting.seed)
    # Probabilities by Platt's sigmoid, fitted on folds.
    return Made(CalibratedClassifierCV(model, cv=3, ensemble=False))


def _linear_svm(setting: _Setting) -> Made:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.svm import LinearSVC

    config = {"C": 0.1, **setting.config}
    model = LinearSVC(**config, dual="auto", max_iter=_MOST_STEPS, random_state=setting.seed)
    return Made(CalibratedClassifierCV(model, cv=3, ensemble=False))


def _linear_svm_portfolio(case: Case) -> list[Config]:  # noqa: ARG001
    return [{"C": 0.1}]


LEARNERS = (
    Learner(
        "LogisticRegression",
        CLASSIFICATION,
        "linear",
        _logistic,
        _logistic_portfolio,
        _c_domain,
    ),
    Learner("ElasticNet", REGRESSION, "linear", _elastic, _elastic_portfolio, _elastic_domain),
    Learner(
        "LassoLars",
        REGRESSION,
        "linear",
        _lars,
        _lars_portfolio,
        _lars_domain,
        takes_weights=False,
    ),
    Learner("LinearSplines", BOTH, "splines", _spline, _spline_portfolio, _spline_domain),
    Learner("SGD", BOTH, "linear", _sgd, _sgd_portfolio, _sgd_domain),
    Learner("SVM", CLASSIFICATION, "linear", _svm, _svm_portfolio, _c_domain),
    Learner(
        "LinearSVM",
        CLASSIFICATION,
        "linear",
        _linear_svm,
        _linear_svm_portfolio,
        _c_domain,
    ),
)
