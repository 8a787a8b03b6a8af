"""Explainable boosting machines: a sum of one curve a feature and of some pairs."""

from __future__ import annotations

from typing import Any

from automlkit.learners.base import BOTH, Case, Config, Learner, Made
from automlkit.learners.base import Setting as _Setting


def _portfolio(case: Case) -> list[Config]:
    # Bags steady the curves of small tables, where they cost little.
    bags = 8 if case.rows < 2_000 else 4
    # Larger steps than its own of 0.015: Adult's hold-out AUC is the same (0.934), and sooner.
    plain: Config = {"outer_bags": bags, "learning_rate": 0.05, "interactions": 0}
    if case.class_count > 2:
        return [plain]
    return [plain, {**plain, "interactions": min(10, case.columns)}]


def _ebm(setting: _Setting) -> Made:
    from interpret.glassbox import ExplainableBoostingClassifier, ExplainableBoostingRegressor

    kind = (
        ExplainableBoostingClassifier if setting.is_classification else ExplainableBoostingRegressor
    )
    config = {"outer_bags": 4, "interactions": 0, **setting.config}
    if setting.class_count > 2:
        config["interactions"] = 0  # its explanations have no pairs of more than two classes
    # Its default of all cores but one leaves one process on two cores.
    model = kind(**config, n_jobs=setting.threads, random_state=setting.seed)
    return Made(model, category_option="nominal")


def _domain(task: str, rows: int) -> dict[str, dict[str, Any]]:  # noqa: ARG001
    from flaml import tune

    return {
        "learning_rate": {"domain": tune.loguniform(0.01, 0.1), "init_value": 0.04},
        "max_leaves": {"domain": tune.randint(2, 5), "init_value": 3},
        "min_samples_leaf": {"domain": tune.lograndint(2, 33), "init_value": 4},
        "interactions": {
            "domain": tune.randint(0, 16),
            "init_value": 4,
            "low_cost_init_value": 0,
        },
    }


LEARNERS = (Learner("ExplainableBoosting", BOTH, "ebm", _ebm, _portfolio, _domain),)
