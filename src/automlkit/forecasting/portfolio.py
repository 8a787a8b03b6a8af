"""What is tried, and in which order: all quick models first, then more of the better kinds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from automlkit.forecasting.panel import Guardrail, guardrail
from automlkit.forecasting.problem import Problem
from automlkit.forecasting.regression import REGRESSIONS
from automlkit.forecasting.statistical import SEASONAL, STATISTICAL
from automlkit.request import Request
from automlmodel.forecast_features import TARGET
from stepkit.program import StepError

Config = dict[str, Any]

#: Azure's names of what this machine does not have.
NOT_INSTALLED = ("Prophet", "TCNForecaster")
#: Algorithms whose fit takes next to no time.
CHEAP = ("SeasonalNaive", "Naive", "SeasonalAverage", "Average")
#: Configurations that are drawn after the portfolio.
_DRAWN = 24


@dataclass(frozen=True)
class Candidate:
    """One algorithm with its hyperparameters."""

    algorithm: str
    config: Config

    @property
    def key(self) -> str:
        """A text that tells one candidate from another."""
        return f"{self.algorithm} {json.dumps(self.config, sort_keys=True)}"


def choose(request: Request) -> tuple[frozenset[str], list[Guardrail]]:
    """Return the algorithms that may be tried, by allowed and blocked names.

    Raises:
        StepError: A name is unknown, or none is left.
    """
    allowed = request.training.allowed_training_algorithms
    blocked = request.training.blocked_training_algorithms
    known = (*STATISTICAL, *REGRESSIONS)
    for name in (*allowed, *blocked):
        if name not in (*known, *NOT_INSTALLED):
            raise StepError(f"no forecasting algorithm {name!r}", hint=f"known: {', '.join(known)}")
    asked = [name for name in allowed or (*known, NOT_INSTALLED[0]) if name not in blocked]
    chosen = frozenset(asked) & frozenset(known)
    absent = [name for name in NOT_INSTALLED if name in asked]
    if not chosen:
        why = f": {' and '.join(absent)} are not installed here" if absent else ""
        raise StepError(
            f"no algorithm is left to try{why}", hint="allow others, such as ExponentialSmoothing"
        )
    rows = []
    if absent:
        detail = f"{', '.join(absent)}: not installed on this machine, left out"
        rows.append(guardrail("Algorithm availability", "alerted", detail))
    if request.training.enable_stack_ensemble:
        detail = "StackEnsemble is not made of forecasts; VotingEnsemble is, where enabled"
        rows.append(guardrail("Stack ensemble", "alerted", detail))
    return chosen, rows


def _ordered(problem: Problem, *, is_positive: bool) -> list[tuple[str, Config]]:
    """Return the portfolio: of what logarithms can be taken, both ways.

    What gains most for its seconds comes first, as measured on the series of the benchmark.
    """
    season = max(problem.seasons, default=1)
    windows = [season] if season > 1 else [3]
    log = {"log": True} if is_positive else {}
    boosted = {"n_estimators": 300, "learning_rate": 0.05, "num_leaves": 15, "min_child_samples": 5}
    first = {"differences": [1], "windows": windows}
    yearly = {"differences": [season], "windows": []} if season > 1 else {"windows": []}
    net = {"alpha": 0.01, "l1_ratio": 0.5}
    found: list[tuple[str, Config]] = [
        ("SeasonalNaive", {}),
        ("Naive", {}),
        ("ComplexExponentialSmoothing", {}),
        ("MSTL", {"trend": "ets", **log}),
        ("Theta", {}),
        ("ElasticNet", {**net, **first, **log}),
        ("ElasticNet", {**net, **yearly, **log}),
        ("Arimax", {}),
        ("MSTL", {"trend": "ets"}),
        ("LightGBM", {**boosted, "colsample_bytree": 0.8, **first, **log}),
        ("ExponentialSmoothing", {**log}),
        ("AutoArima", {**log}),
        (
            "XGBoostRegressor",
            {"n_estimators": 200, "learning_rate": 0.05, "max_depth": 4, **first, **log},
        ),
        ("ExponentialSmoothing", {}),
        ("ComplexExponentialSmoothing", {**log}),
        ("LightGBM", {**boosted, "colsample_bytree": 0.8, **yearly, **log}),
        ("Average", {}),
        ("SeasonalAverage", {}),
        ("ExtremeRandomTrees", {"n_estimators": 200, "min_samples_leaf": 2, **first, **log}),
        ("MSTL", {"trend": "arima", **log}),
        ("ExponentialSmoothing", {"damped": True}),
        ("Theta", {"decomposition": "additive"}),
        ("AutoArima", {}),
        ("Naive", {"drift": True}),
        (
            "GradientBoosting",
            {"max_iter": 200, "learning_rate": 0.05, "min_samples_leaf": 5, **first, **log},
        ),
        ("RandomForest", {"n_estimators": 200, "min_samples_leaf": 2, **first, **log}),
        ("LassoLars", {"alpha": 0.001, **first, **log}),
        ("KNN", {"n_neighbors": 5, "weights": "distance", **first, **log}),
        ("SGD", {"alpha": 0.001, **first, **log}),
        ("DecisionTree", {"min_samples_leaf": 5, **first, **log}),
        ("Average", {"window": max(season, 3)}),
    ]
    return found


def _drawn(rng: np.random.Generator, problem: Problem, *, is_positive: bool) -> tuple[str, Config]:
    """Return one configuration of a kind that pays for being tuned."""
    season = max(problem.seasons, default=1)
    kind = str(rng.choice(["LightGBM", "ElasticNet", "XGBoostRegressor", "ExtremeRandomTrees"]))
    differences = [[1], [], [season] if season > 1 else [1]][int(rng.integers(3))]
    common: Config = {
        "differences": differences,
        "windows": [[], [season if season > 1 else 3]][int(rng.integers(2))],
        "calendar": bool(rng.integers(2)),
    }
    if is_positive and rng.integers(2):
        common["log"] = True
    rate, count = float(np.round(10 ** rng.uniform(-2, -0.7), 4)), int(rng.integers(50, 600))
    own: dict[str, Config] = {
        "LightGBM": {
            "n_estimators": count,
            "learning_rate": rate,
            "num_leaves": int(2 ** rng.integers(2, 7)),
            "min_child_samples": int(rng.integers(3, 40)),
            "colsample_bytree": float(np.round(rng.uniform(0.4, 1.0), 2)),
            "reg_lambda": float(np.round(10 ** rng.uniform(-3, 1), 4)),
        },
        "XGBoostRegressor": {
            "n_estimators": count,
            "learning_rate": rate,
            "max_depth": int(rng.integers(2, 9)),
            "colsample_bytree": float(np.round(rng.uniform(0.4, 1.0), 2)),
        },
        "ElasticNet": {
            "alpha": float(np.round(10 ** rng.uniform(-4, 0), 5)),
            "l1_ratio": float(np.round(rng.uniform(0.05, 1.0), 2)),
        },
        "ExtremeRandomTrees": {
            "n_estimators": 200,
            "min_samples_leaf": int(rng.integers(1, 8)),
            "max_features": float(np.round(rng.uniform(0.3, 1.0), 2)),
        },
    }
    return kind, {**own[kind], **common}


def candidates(problem: Problem, algorithms: frozenset[str]) -> Iterator[Candidate]:
    """Return what is tried, each once, in order; equal for equal problems and seeds.

    Args:
        problem: Its data tell what makes sense: seasonal models need a season, Arimax columns or
            holidays, logarithms a target above 0.
        algorithms: Those that may be tried.
    """
    is_positive = bool((problem.frame[TARGET] > 0).all())
    rng = np.random.default_rng(problem.request.seed)
    listed = _ordered(problem, is_positive=is_positive)
    listed += [_drawn(rng, problem, is_positive=is_positive) for _ in range(_DRAWN)]
    seen: set[str] = set()
    for algorithm, config in listed:
        candidate = Candidate(algorithm, config)
        if algorithm not in algorithms or candidate.key in seen:
            continue
        if algorithm in SEASONAL and not problem.seasons and len(algorithms) > 1:
            continue
        if algorithm == "Arimax" and not problem.given_features:
            continue
        seen.add(candidate.key)
        yield candidate


def find_cheapest(problem: Problem, algorithms: frozenset[str]) -> Candidate | None:
    """Return what can be delivered where there is time for nothing else; None if none may be."""
    tried = {(one.algorithm, one.key): one for one in candidates(problem, algorithms)}
    plain = (tried.get((name, Candidate(name, {}).key)) for name in CHEAP)
    return next((one for one in plain if one is not None), None)
