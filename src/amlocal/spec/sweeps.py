"""Builds a sweep from the mappings that a YAML file holds; nothing is judged, as in `build`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from amlocal.plan import (
    Choice,
    Distributed,
    EarlyTermination,
    Normal,
    Objective,
    Randint,
    Sampling,
    Scalar,
    Sweep,
    Uniform,
)
from amlocal.plan.sweep import DEFAULT_TRIALS
from amlocal.spec import build

_POLICIES: Mapping[str, Literal["bandit", "median_stopping", "truncation_selection"]] = {
    "bandit": "bandit",
    "medianstopping": "median_stopping",
    "truncationselection": "truncation_selection",
}
_SAMPLINGS: Mapping[str, Literal["random", "grid", "bayesian"]] = {
    "random": "random",
    "grid": "grid",
    "bayesian": "bayesian",
}


def sweep(value: Mapping[str, Any]) -> Sweep:
    """Build what makes a job or a step a sweep, from its fields."""
    space = build.mapping(value.get("search_space"))
    limits = build.mapping(value.get("limits"))
    at_once = limits.get("max_concurrent_trials")
    return Sweep(
        search_space={
            name: found
            for name, item in space.items()
            if (found := distributed(build.mapping(item))) is not None
        },
        objective=_objective(build.mapping(value.get("objective"))),
        sampling=_sampling(value.get("sampling_algorithm")),
        early_termination=_early_termination(build.mapping(value.get("early_termination"))),
        max_total_trials=build.integer(limits.get("max_total_trials"), DEFAULT_TRIALS),
        max_concurrent_trials=None if at_once is None else build.integer(at_once, 1),
        trial_timeout=build.number(limits.get("trial_timeout")),
    )


def distributed(value: Mapping[str, Any]) -> Distributed | None:
    """Build how a parameter is distributed; None where that is not said."""
    kind = build.text(value.get("type")).lower()
    if kind == "choice":
        values = value.get("values")
        known = values if isinstance(values, list) else []
        return Choice(values=tuple(item for item in known if build.is_scalar(item)))
    if kind == "randint":
        return Randint(upper=build.integer(value.get("upper"), 0))
    first, second = ("mu", "sigma") if kind.endswith("normal") else ("min_value", "max_value")
    one, other = build.number(value.get(first)), build.number(value.get(second))
    if one is None or other is None:
        return None
    q = build.number(value.get("q")) if kind.startswith("q") else None
    is_log = "log" in kind
    if first == "mu":
        return Normal(mu=one, sigma=other, q=q, is_log=is_log)
    return Uniform(min_value=one, max_value=other, q=q, is_log=is_log)


def _objective(value: Mapping[str, Any]) -> Objective:
    maximize = build.text(value.get("goal")).lower() == "maximize"
    return Objective(
        goal="maximize" if maximize else "minimize",
        primary_metric=build.text(value.get("primary_metric")),
    )


def _sampling(value: Any) -> Sampling:
    data = build.mapping(value)
    said = build.text(value if isinstance(value, str) else data.get("type")).lower()
    seed = data.get("seed")
    return Sampling(
        type=_SAMPLINGS.get(said, "random"),
        rule="sobol" if build.text(data.get("rule")).lower() == "sobol" else "random",
        seed=None if seed is None else build.integer(seed, 0),
        logbase=logbase(data.get("logbase")),
    )


def logbase(value: Scalar | None) -> float | None:
    """Return the base of logarithmic distributions; None is e."""
    return math.e if value == "e" else build.number(value)


def _early_termination(value: Mapping[str, Any]) -> EarlyTermination | None:
    kind = build.text(value.get("type")).lower().replace("_", "")
    if kind not in _POLICIES:
        return None
    return EarlyTermination(
        type=_POLICIES[kind],
        # Azure's client sends 0 where nothing is said, and its service takes that for 1.
        evaluation_interval=build.integer(value.get("evaluation_interval"), 1) or 1,
        delay_evaluation=build.integer(value.get("delay_evaluation"), 0),
        slack_factor=build.number(value.get("slack_factor")) or None,
        slack_amount=build.number(value.get("slack_amount")) or None,
        truncation_percentage=build.integer(value.get("truncation_percentage"), 0),
    )
