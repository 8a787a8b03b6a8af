"""Azure's early termination policies, on the examples of its documentation.

They are those of the page "Hyperparameter tuning a model (v2)", section "Specify early termination
policy" (learn.microsoft.com/azure/machine-learning/how-to-tune-hyperparameters).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest

from amlocal.local.sweep.policies import best_of, is_due, why_ended
from amlocal.plan import EarlyTermination, Objective

MAXIMIZE = Objective(goal="maximize", primary_metric="accuracy")
MINIMIZE = Objective(goal="minimize", primary_metric="loss")


def bandit(**fields: Any) -> EarlyTermination:
    return EarlyTermination(type="bandit", **fields)


MEDIAN = EarlyTermination(type="median_stopping", delay_evaluation=5)
TRUNCATION = EarlyTermination(type="truncation_selection", truncation_percentage=20)


def ends(
    policy: EarlyTermination,
    own: Sequence[float],
    *others: Sequence[float],
    objective: Objective = MAXIMIZE,
) -> bool:
    return bool(why_ended(policy, objective, own, others, len(own)))


@pytest.mark.parametrize(
    ("policy", "due"),
    [
        # "applied at every interval when metrics are reported, starting at evaluation interval 5"
        (bandit(evaluation_interval=1, delay_evaluation=5), [5, 6, 7, 8, 9, 10]),
        # "will apply the policy every other time"
        (bandit(evaluation_interval=2), [2, 4, 6, 8, 10]),
        # "every multiple of evaluation_interval that is greater than or equal to delay_evaluation"
        (bandit(evaluation_interval=3, delay_evaluation=5), [6, 9]),
        (bandit(evaluation_interval=0), list(range(1, 11))),
    ],
)
def test_a_policy_is_due_at_multiples_from_the_delay_on(
    policy: EarlyTermination, due: list[int]
) -> None:
    assert [interval for interval in range(11) if is_due(policy, interval)] == due


@pytest.mark.parametrize(("mine", "ended"), [(0.66, True), (0.67, False), (0.8, False)])
def test_bandit_is_as_in_azures_example(mine: float, ended: bool) -> None:
    """The best at interval 10 is 0.8: with a slack of 0.2 what is below 0.8 / 1.2 ends."""
    best = [*[0.5] * 9, 0.8]
    assert ends(bandit(slack_factor=0.2), [*[0.1] * 9, mine], best) is ended


@pytest.mark.parametrize(("mine", "ended"), [(0.59, True), (0.61, False)])
def test_bandit_takes_an_amount_of_slack(mine: float, ended: bool) -> None:
    """ "If instead, the policy was specified with a `slack_amount` of 0.2 [...] less than 0.6"."""
    assert ends(bandit(slack_amount=0.2), [mine], [0.8]) is ended


@pytest.mark.parametrize(("mine", "ended"), [(1.25, True), (1.15, False)])
def test_bandit_minimises_too(mine: float, ended: bool) -> None:
    assert ends(bandit(slack_factor=0.2), [mine], [1.0], objective=MINIMIZE) is ended
    assert ends(bandit(slack_amount=0.2), [mine], [1.0], objective=MINIMIZE) is ended


@pytest.mark.parametrize("objective", [MAXIMIZE, MINIMIZE])
def test_bandit_never_ends_the_best_of_negative_values(objective: Objective) -> None:
    sign = 1.0 if objective is MAXIMIZE else -1.0
    best, worse = -0.5 * sign, -0.7 * sign
    policy = bandit(slack_factor=0.2)
    assert not ends(policy, [best], [worse], objective=objective)
    assert ends(policy, [worse], [best], objective=objective)


def test_bandit_compares_with_what_others_had_reached_at_the_same_interval() -> None:
    older = [0.3, 0.4, 0.9]
    assert not ends(bandit(slack_factor=0.1), [0.4, 0.4], older)
    assert ends(bandit(slack_factor=0.1), [0.4, 0.4, 0.4], older)


def test_a_trials_best_counts_and_not_its_last_value() -> None:
    assert not ends(bandit(slack_factor=0.1), [0.8, 0.1], [0.8, 0.8])


def test_median_stopping_is_as_in_azures_example() -> None:
    """Stopped at interval 5 if its best is worse than the median of the averages over 1:5."""
    averages = ([0.5] * 5, [0.6] * 5, [0.7, 0.7, 0.7, 0.7, 0.7])
    assert ends(MEDIAN, [0.1, 0.2, 0.3, 0.4, 0.45], *averages)
    assert not ends(MEDIAN, [0.1, 0.2, 0.3, 0.4, 0.62], *averages)


def test_median_stopping_minimises_too() -> None:
    averages = ([0.5] * 5, [0.6] * 5, [0.7] * 5)
    assert ends(MEDIAN, [0.9, 0.8, 0.8, 0.8, 0.8], *averages, objective=MINIMIZE)
    assert not ends(MEDIAN, [0.9, 0.8, 0.7, 0.6, 0.5], *averages, objective=MINIMIZE)


def test_only_trials_that_came_so_far_count() -> None:
    short = [0.99, 0.99]
    assert not ends(MEDIAN, [0.2] * 5, short)


def test_truncation_selection_is_as_in_azures_example() -> None:
    """A run ends at interval 5 if it is in the lowest 20 % of all runs at interval 5."""
    others = [[0.5] * 5, [0.6] * 5, [0.7] * 5, [0.8] * 5]
    assert ends(TRUNCATION, [0.4] * 5, *others)
    assert not ends(TRUNCATION, [0.55] * 5, *others)
    assert ends(TRUNCATION, [0.9] * 5, *others, objective=MINIMIZE)


def test_truncation_rounds_down() -> None:
    """Of four trials 20 % is none."""
    assert not ends(TRUNCATION, [0.1], [0.5], [0.6], [0.7])


def test_what_is_no_number_is_the_worst() -> None:
    assert ends(bandit(slack_factor=0.1), [math.nan], [0.5])
    assert not ends(bandit(slack_factor=0.1), [0.5], [math.nan])


def test_the_reason_names_interval_value_and_limit() -> None:
    why = why_ended(bandit(slack_amount=0.5), MINIMIZE, [3.0, 2.0], [[1.0, 1.0]], 2)
    assert why == (
        "ended early at interval 2: loss 2 is outside the slack of the best trial, "
        "whose limit is 1.5"
    )


def test_the_best_is_a_finite_value() -> None:
    assert best_of(MAXIMIZE, [0.1, 0.3, math.inf, math.nan, 0.2]) == 0.3
    assert best_of(MINIMIZE, [0.2, 0.1, 0.3]) == 0.1
    assert best_of(MINIMIZE, [math.nan]) is None
