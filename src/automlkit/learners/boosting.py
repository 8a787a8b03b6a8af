"""Boosted trees: LightGBM, XGBoost, and scikit-learn's histogram gradient boosting."""

from __future__ import annotations

from inspect import signature
from typing import Any

from automlkit.learners.base import BOTH, CLASSIFICATION, REGRESSION, Case, Config, Learner, Made
from automlkit.learners.base import Setting as _Setting
from automlmodel.tabular import Stopping

#: Tables of fewer rows get small trees that may have small leaves.
FEW_ROWS = 1_000


def most_rounds(learning_rate: float) -> int:
    """Return the rounds at most; on rows that are told apart perfectly, the gain never ends."""
    return round(min(max(50 / learning_rate, 200), 3_000))


def patience(learning_rate: float) -> int:
    """Return the rounds without gain after which training ends; small steps need more of them."""
    return round(min(max(2.5 / learning_rate, 20), 150))


def _few_leaves(case: Case) -> bool:
    return case.rows < FEW_ROWS


def _lightgbm_portfolio(case: Case) -> list[Config]:
    small: Config = {"num_leaves": 7, "min_child_samples": 5, "learning_rate": 0.05}
    usual: Config = {"num_leaves": 31, "min_child_samples": 20, "learning_rate": 0.05}
    wide: Config = {"num_leaves": 95, "min_child_samples": 5, "learning_rate": 0.03}
    stumpy: Config = {"num_leaves": 8, "min_child_samples": 40, "learning_rate": 0.08}
    sampled = {"colsample_bytree": 0.8, "subsample": 0.9, "reg_lambda": 1.0}
    if _few_leaves(case):
        chosen = [small, {**small, "num_leaves": 4, "min_child_samples": 10}]
    else:
        chosen = [usual, stumpy, {**wide, "colsample_bytree": 0.6}]
    return [{**sampled, **config} for config in chosen]


def _lightgbm(setting: _Setting) -> Made:
    from lightgbm import LGBMClassifier, LGBMRegressor, early_stopping

    config = {"learning_rate": 0.05, **setting.config}
    rate = float(config["learning_rate"])
    if "log_max_bin" in config:
        config["max_bin"] = (1 << int(config.pop("log_max_bin"))) - 1
    parameters: Config = {
        "n_estimators": most_rounds(rate),
        "subsample_freq": 1,
        # Categories with few rows are pooled less eagerly than by default (100 rows).
        "min_data_per_group": 20,
        **config,
    }
    kind = LGBMClassifier if setting.is_classification else LGBMRegressor
    model = kind(
        **parameters,
        n_jobs=setting.threads,
        random_state=setting.seed,
        # The same model whatever the number of threads.
        deterministic=True,
        force_col_wise=True,
        verbosity=-1,
    )
    callbacks = [early_stopping(patience(rate), verbose=False)]
    # LightGBM 4.7 has new names, and warns of the old one.
    rows = ("eval_X", "eval_y") if "eval_X" in signature(kind.fit).parameters else None
    return Made(model, Stopping(rows, {}, {"callbacks": callbacks}), "categorical_feature")


def _lightgbm_domain(task: str, rows: int) -> dict[str, dict[str, Any]]:  # noqa: ARG001
    from flaml import tune

    most = max(5, min(2_048, rows // 4))
    return {
        "num_leaves": {
            "domain": tune.lograndint(4, most),
            "init_value": min(16, most - 1),
            "low_cost_init_value": 4,
        },
        "min_child_samples": {"domain": tune.lograndint(2, 129), "init_value": 20},
        "learning_rate": {"domain": tune.loguniform(0.01, 0.3), "init_value": 0.08},
        "log_max_bin": {"domain": tune.lograndint(4, 11), "init_value": 8},
        "colsample_bytree": {"domain": tune.uniform(0.2, 1.0), "init_value": 0.9},
        "subsample": {"domain": tune.uniform(0.5, 1.0), "init_value": 0.9},
        "reg_alpha": {"domain": tune.loguniform(1 / 1024, 64), "init_value": 1 / 1024},
        "reg_lambda": {"domain": tune.loguniform(1 / 1024, 256), "init_value": 1.0},
    }


def _xgboost_portfolio(case: Case) -> list[Config]:
    sampled = {"subsample": 0.9, "colsample_bytree": 0.8, "reg_lambda": 1.0}
    if _few_leaves(case):
        chosen: list[Config] = [
            {"max_depth": 3, "min_child_weight": 2.0, "learning_rate": 0.05},
            {"max_depth": 2, "min_child_weight": 1.0, "learning_rate": 0.05},
        ]
    else:
        chosen = [
            {"max_depth": 6, "min_child_weight": 1.0, "learning_rate": 0.05},
            {"max_depth": 4, "min_child_weight": 5.0, "learning_rate": 0.08},
            {"max_depth": 9, "min_child_weight": 2.0, "learning_rate": 0.03},
        ]
    return [{**sampled, **config} for config in chosen]


def _xgboost(setting: _Setting) -> Made:
    from xgboost import XGBClassifier, XGBRegressor

    config = {"learning_rate": 0.05, **setting.config}
    rate = float(config["learning_rate"])
    kind = XGBClassifier if setting.is_classification else XGBRegressor
    model = kind(
        **{"n_estimators": most_rounds(rate), **config},
        tree_method="hist",
        enable_categorical=True,
        n_jobs=setting.threads,
        random_state=setting.seed,
        verbosity=0,
    )
    stopping = Stopping(None, {"early_stopping_rounds": patience(rate)}, {"verbose": False})
    return Made(model, stopping, "feature_types")


def _xgboost_domain(task: str, rows: int) -> dict[str, dict[str, Any]]:  # noqa: ARG001
    from flaml import tune

    return {
        "max_depth": {"domain": tune.randint(2, 11), "init_value": 5, "low_cost_init_value": 2},
        "min_child_weight": {"domain": tune.loguniform(0.001, 128), "init_value": 1.0},
        "learning_rate": {"domain": tune.loguniform(0.01, 0.3), "init_value": 0.08},
        "subsample": {"domain": tune.uniform(0.5, 1.0), "init_value": 0.9},
        "colsample_bylevel": {"domain": tune.uniform(0.2, 1.0), "init_value": 1.0},
        "colsample_bytree": {"domain": tune.uniform(0.2, 1.0), "init_value": 0.9},
        "reg_alpha": {"domain": tune.loguniform(1 / 1024, 64), "init_value": 1 / 1024},
        "reg_lambda": {"domain": tune.loguniform(1 / 1024, 256), "init_value": 1.0},
    }


def _histogram_portfolio(case: Case) -> list[Config]:
    if _few_leaves(case):
        return [{"max_leaf_nodes": 7, "min_samples_leaf": 5, "learning_rate": 0.05}]
    return [
        {"max_leaf_nodes": 31, "min_samples_leaf": 20, "learning_rate": 0.06},
        {"max_leaf_nodes": 10, "min_samples_leaf": 40, "learning_rate": 0.08},
    ]


def _histogram(setting: _Setting) -> Made:
    from sklearn.ensemble import (
        HistGradientBoostingClassifier,
        HistGradientBoostingRegressor,
    )

    config = {"learning_rate": 0.06, **setting.config}
    rate = float(config["learning_rate"])
    rounds = config.pop("n_estimators", most_rounds(rate))
    kind = (
        HistGradientBoostingClassifier
        if setting.is_classification
        else HistGradientBoostingRegressor
    )
    model = kind(**config, max_iter=rounds, early_stopping=False, random_state=setting.seed)
    stopping = Stopping(
        ("X_val", "y_val"),
        {"early_stopping": True, "n_iter_no_change": patience(rate)},
    )
    return Made(model, stopping, "categorical_features")


def _histogram_domain(task: str, rows: int) -> dict[str, dict[str, Any]]:  # noqa: ARG001
    from flaml import tune

    most = max(5, min(1_024, rows // 4))
    return {
        "max_leaf_nodes": {
            "domain": tune.lograndint(3, most),
            "init_value": min(15, most - 1),
            "low_cost_init_value": 4,
        },
        "min_samples_leaf": {"domain": tune.lograndint(2, 129), "init_value": 20},
        "learning_rate": {"domain": tune.loguniform(0.01, 0.3), "init_value": 0.08},
        "l2_regularization": {"domain": tune.loguniform(1e-6, 64), "init_value": 1e-3},
        "max_features": {"domain": tune.uniform(0.2, 1.0), "init_value": 1.0},
    }


def _xgboost_learner(name: str, tasks: frozenset[str]) -> Learner:
    return Learner(
        name, tasks, "trees", _xgboost, _xgboost_portfolio, _xgboost_domain, "n_estimators"
    )


LEARNERS = (
    Learner(
        "LightGBM",
        BOTH,
        "trees",
        _lightgbm,
        _lightgbm_portfolio,
        _lightgbm_domain,
        "n_estimators",
    ),
    _xgboost_learner("XGBoostClassifier", CLASSIFICATION),
    _xgboost_learner("XGBoostRegressor", REGRESSION),
    Learner(
        "GradientBoosting",
        BOTH,
        "trees",
        _histogram,
        _histogram_portfolio,
        _histogram_domain,
        "n_estimators",
    ),
)
