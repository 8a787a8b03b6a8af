"""Forests and single trees."""

from __future__ import annotations

from typing import Any

from automlkit.learners.base import BOTH, Case, Config, Learner, Made
from automlkit.learners.base import Setting as _Setting

#: More trees add little, and each costs 30 microseconds for one row.
TREES = 200


def _leaf(case: Case) -> int:
    """Return the rows of a leaf: leaves of one row make forests of hundreds of megabytes."""
    return 1 if case.rows < 500 else 3 if case.rows < 5_000 else 5


def _forest_portfolio(case: Case) -> list[Config]:
    leaf = _leaf(case)
    if case.task == "classification":
        return [
            {"max_features": "sqrt", "min_samples_leaf": leaf},
            {"max_features": 0.5, "min_samples_leaf": 2 * leaf},
        ]
    # Where quantities have long tails, as wages do, small leaves follow the noise.
    return [
        {"max_features": 0.5, "min_samples_leaf": leaf},
        {"max_features": 0.4, "min_samples_leaf": 5 * leaf},
    ]


def _random_forest(setting: _Setting) -> Made:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    kind = RandomForestClassifier if setting.is_classification else RandomForestRegressor
    return Made(_forest(kind, setting))


def _extra_trees(setting: _Setting) -> Made:
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    kind = ExtraTreesClassifier if setting.is_classification else ExtraTreesRegressor
    return Made(_forest(kind, setting))


def _forest(kind: Any, setting: _Setting) -> Any:
    config = {"n_estimators": TREES, "min_samples_leaf": 3, **setting.config}
    return kind(**config, n_jobs=setting.threads, random_state=setting.seed)


def _forest_domain(task: str, rows: int) -> dict[str, dict[str, Any]]:
    from flaml import tune

    first = 0.3 if task == "classification" else 0.6
    return {
        "max_features": {"domain": tune.loguniform(0.05, 1.0), "init_value": first},
        "min_samples_leaf": {
            "domain": tune.lograndint(1, max(3, min(64, rows // 20))),
            "init_value": 2,
        },
    }


def _tree_portfolio(case: Case) -> list[Config]:
    return [{"max_leaf_nodes": 32, "min_samples_leaf": max(5, min(50, case.rows // 100))}]


def _tree(setting: _Setting) -> Made:
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    kind = DecisionTreeClassifier if setting.is_classification else DecisionTreeRegressor
    config = {"max_leaf_nodes": 32, "min_samples_leaf": 10, **setting.config}
    return Made(kind(**config, random_state=setting.seed))


def _tree_domain(task: str, rows: int) -> dict[str, dict[str, Any]]:  # noqa: ARG001
    from flaml import tune

    return {
        "max_leaf_nodes": {
            "domain": tune.lograndint(4, max(6, min(1_024, rows // 4))),
            "init_value": 5,
        },
        "min_samples_leaf": {"domain": tune.lograndint(2, 129), "init_value": 10},
    }


LEARNERS = (
    Learner("RandomForest", BOTH, "trees", _random_forest, _forest_portfolio, _forest_domain),
    Learner("ExtremeRandomTrees", BOTH, "trees", _extra_trees, _forest_portfolio, _forest_domain),
    Learner("DecisionTree", BOTH, "trees", _tree, _tree_portfolio, _tree_domain),
)
