"""When a trial is given up: Azure's early termination policies, pure.

Rules and examples are those of Azure ML's page "Hyperparameter tuning a model", section "Specify
early termination policy". Each log of the metric is one interval. A trial is compared with what
others had reached at the same interval, so that a young one is not judged by the results of those
which have run for longer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, median

from amlocal.plan import EarlyTermination, Objective

#: Every value of the metric that a trial has logged, in order.
Logged = Sequence[float]


def best_of(objective: Objective, logged: Logged) -> float | None:
    """Return the best of the finite values, or None where there is none."""
    numbers = [value for value in logged if math.isfinite(value)]
    if not numbers:
        return None
    return max(numbers) if objective.goal == "maximize" else min(numbers)


def is_due(policy: EarlyTermination, interval: int) -> bool:
    """Return whether a policy applies at an interval, counted from 1.

    It applies at "every multiple of evaluation_interval that is greater than or equal to
    delay_evaluation".
    """
    return interval % max(policy.evaluation_interval, 1) == 0 and interval >= max(
        policy.delay_evaluation, 1
    )


def why_ended(
    policy: EarlyTermination,
    objective: Objective,
    own: Logged,
    others: Sequence[Logged],
    interval: int,
) -> str:
    """Say why a trial is to be ended at an interval; an empty string where it is not.

    Args:
        policy: The policy.
        objective: What is minimised or maximised.
        own: What the trial has logged.
        others: What each other trial has logged, ended ones included.
        interval: How many logs of the trial count.
    """
    # From here on, greater is better.
    sign = 1.0 if objective.goal == "maximize" else -1.0
    mine = _comparable(own, interval, sign)
    reached = [_comparable(logged, interval, sign) for logged in others if len(logged) >= interval]
    best = max(mine)
    if policy.type == "bandit":
        limit = _bandit_limit(policy, max([best, *map(max, reached)]), sign)
        what = "outside the slack of the best trial, whose limit is"
    elif policy.type == "median_stopping":
        limit = median([fmean(mine), *map(fmean, reached)])
        what = "worse than the median of the trials' running averages,"
    else:
        limit = _truncation_limit(policy, [best, *map(max, reached)])
        what = f"among the worst {policy.truncation_percentage} % of the trials, below"
    if best >= limit:
        return ""
    return (
        f"ended early at interval {interval}: {objective.primary_metric} {sign * best:g} is "
        f"{what} {sign * limit:g}"
    )


def _comparable(logged: Logged, interval: int, sign: float) -> list[float]:
    """Return the values up to an interval, greater ones better; what is no number is the worst."""
    return [-math.inf if math.isnan(value) else sign * value for value in logged[:interval]]


def _bandit_limit(policy: EarlyTermination, top: float, sign: float) -> float:
    """Return the least that is allowed beside the best.

    Azure's example maximises: with a best of 0.8 and a `slack_factor` of 0.2, what is below
    0.8 / (1 + 0.2) ends. Minimising, what is above best * (1 + slack_factor) does. Of a best on
    the other side of 0, its distance from 0 gives the slack, which would else end the best itself.
    """
    if policy.slack_amount:
        return top - policy.slack_amount
    factor = policy.slack_factor or 0.0
    share = factor / (1 + factor) if sign > 0 else factor
    return top - abs(top) * share if math.isfinite(top) else top


def _truncation_limit(policy: EarlyTermination, bests: list[float]) -> float:
    """Return the least that is not among the worst share of the trials, rounded down."""
    worst = math.floor(len(bests) * policy.truncation_percentage / 100)
    return sorted(bests)[worst]
