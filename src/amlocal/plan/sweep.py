"""Sweeps: what of a step is searched, how, for which goal, and when a trial is given up."""

from __future__ import annotations

from typing import Literal

from amlocal.plan.base import Value
from amlocal.plan.ports import Scalar

#: Azure's limit where a sweep built in Python gives none.
DEFAULT_TRIALS = 1000


class Choice(Value, frozen=True, tag_field="kind", tag="choice"):
    """`choice`: one of some values, each as likely as another."""

    values: tuple[Scalar, ...]


class Randint(Value, frozen=True, tag_field="kind", tag="randint"):
    """`randint`: a whole number from 0 to below `upper`."""

    upper: int


class Uniform(Value, frozen=True, tag_field="kind", tag="uniform"):
    """`uniform`, `quniform`, `loguniform`, `qloguniform`.

    Attributes:
        min_value: Least value; of a logarithmic one, its logarithm.
        max_value: Greatest value; of a logarithmic one, its logarithm.
        q: What values are rounded to multiples of, or None.
        is_log: Whether the value's logarithm is what is uniform.
    """

    min_value: float
    max_value: float
    q: float | None = None
    is_log: bool = False


class Normal(Value, frozen=True, tag_field="kind", tag="normal"):
    """`normal`, `qnormal`, `lognormal`, `qlognormal`.

    Attributes:
        mu: The mean; of a logarithmic one, of the logarithm.
        sigma: The standard deviation; of a logarithmic one, of the logarithm.
        q: What values are rounded to multiples of, or None.
        is_log: Whether the value's logarithm is what is normal.
    """

    mu: float
    sigma: float
    q: float | None = None
    is_log: bool = False


#: How one parameter is distributed.
Distributed = Choice | Randint | Uniform | Normal


class Sampling(Value, frozen=True):
    """How the points of the search space are chosen.

    Attributes:
        type: `random`, `grid`, or `bayesian`.
        rule: Of random: `random` or `sobol`.
        seed: Of random; without one, the sweep's own definition gives it.
        logbase: Of random: base of the logarithmic distributions; None is e.
    """

    type: Literal["random", "grid", "bayesian"] = "random"
    rule: Literal["random", "sobol"] = "random"
    seed: int | None = None
    logbase: float | None = None


class Objective(Value, frozen=True):
    """What the best trial is best in.

    Attributes:
        goal: `minimize` or `maximize`.
        primary_metric: Name of the metric as trials log it.
    """

    goal: Literal["minimize", "maximize"]
    primary_metric: str


class EarlyTermination(Value, frozen=True):
    """When a trial that runs is given up.

    Attributes:
        type: `bandit`, `median_stopping`, or `truncation_selection`.
        evaluation_interval: How often it is looked at: every so many logs of the metric.
        delay_evaluation: Logs of the metric before the first look.
        slack_factor: Of bandit: the distance from the best that is allowed, as a ratio.
        slack_amount: Of bandit: the distance from the best that is allowed.
        truncation_percentage: Of truncation selection: the share of trials that is given up.
    """

    type: Literal["bandit", "median_stopping", "truncation_selection"]
    evaluation_interval: int = 1
    delay_evaluation: int = 0
    slack_factor: float | None = None
    slack_amount: float | None = None
    truncation_percentage: int = 0


class Sweep(Value, frozen=True):
    """What makes a step a sweep.

    Attributes:
        search_space: How each parameter is distributed, by name.
        objective: What the best trial is best in.
        sampling: How points are chosen.
        early_termination: When a trial is given up, or None.
        max_total_trials: Trials in all.
        max_concurrent_trials: Trials side by side; None is as many as the target has room for.
        trial_timeout: Seconds after which a trial is ended and Canceled, or None.
    """

    search_space: dict[str, Distributed]
    objective: Objective
    sampling: Sampling = Sampling()
    early_termination: EarlyTermination | None = None
    max_total_trials: int = DEFAULT_TRIALS
    max_concurrent_trials: int | None = None
    trial_timeout: float | None = None
