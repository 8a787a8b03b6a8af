"""Worked examples: counts in, verdicts out."""

from __future__ import annotations

from typing import Any

import pytest

from amlocal.plan import (
    AgreementRule,
    DeploymentMetrics,
    ErrorRule,
    LatencyRule,
    RolloutPolicy,
    RolloutStage,
    Verdict,
)
from amlocal.rollout.judge import early, judge, outcome_of, requests_of

STAGE = RolloutStage(kind="traffic", percent=10, duration=60, minimum_requests=100, timeout=300)


def policy(**rules: Any) -> RolloutPolicy:
    return RolloutPolicy(endpoint_name="adult", deployment_name="green", stages=(STAGE,), **rules)


def did(answered: int, failed: int = 0, *, slow: int = 0, **fields: Any) -> DeploymentMetrics:
    """Return counts: answers in 10 to 20 ms, and `slow` of them in 40 to 80 ms."""
    requests = answered + failed
    latency = {"0.01": 0, "0.02": requests - slow, "0.04": requests - slow, "0.08": requests}
    return DeploymentMetrics(
        requests={"200": answered, "424": failed}, latency={**latency, "+Inf": requests}, **fields
    )


def verdict(
    rules: RolloutPolicy,
    new: DeploymentMetrics,
    old: DeploymentMetrics | None = None,
    confidence: float = 0.99,
) -> Verdict:
    (found,) = judge(
        rules, new, old or DeploymentMetrics(), confidence=confidence, with_agreement=True
    )
    return found


@pytest.mark.parametrize(
    ("failed", "outcome", "low"),
    # Of 200 requests, with a limit of 1 %: 2 % may be chance, since the lower bound of 4 in 200 is
    # 0.66 %; 3 % may not, since that of 6 in 200 is 1.21 %.
    [(0, "passed", 0.0), (4, "passed", 0.00664), (6, "breached", 0.01205)],
)
def test_errors_breach_their_limit_where_chance_does_not_explain_them(
    failed: int, outcome: str, low: float
) -> None:
    found = verdict(policy(errors=ErrorRule(maximum=0.01)), did(200 - failed, failed))
    assert (found.outcome, found.value) == (outcome, failed / 200)
    assert found.bound == pytest.approx(low, abs=5e-5)
    assert found.requests == 200


def test_errors_of_the_old_deployment_excuse_the_new_one() -> None:
    rules = policy(errors=ErrorRule(maximum_increase=0.01))
    # Both fail at 10 %: callers send what neither can answer.
    assert verdict(rules, did(180, 20), did(1800, 200)).outcome == "passed"
    # 10 % against 1 %, of 200 and of 2000 requests: 5.0 % more at least.
    found = verdict(rules, did(180, 20), did(1980, 20))
    assert found.outcome == "breached"
    assert (found.value, found.reference) == (0.1, 0.01)
    assert found.bound == pytest.approx(0.05016, abs=5e-5)
    assert "at least +5.02%" in found.reason


def test_nothing_is_concluded_without_requests() -> None:
    assert verdict(policy(errors=ErrorRule(maximum=0.01)), did(0)).outcome == "unclear"
    found = verdict(policy(errors=ErrorRule(maximum_increase=0.0)), did(100))
    assert (found.outcome, found.reason) == ("unclear", "no requests of the old deployment")


@pytest.mark.parametrize(
    ("status", "counts"),
    [
        *(("408", 1), ("424", 1), ("429", 1), ("503", 1), ("unanswered", 1)),
        *(("401", 0), ("404", 0), ("413", 0)),
    ],
)
def test_what_callers_do_wrong_is_not_held_against_a_deployment(status: str, counts: int) -> None:
    new = DeploymentMetrics(requests={"200": 99, status: 1})
    assert requests_of(new) == 99 + counts
    assert verdict(policy(errors=ErrorRule(maximum=1.0)), new).value == counts / (99 + counts)


def test_latency_is_judged_by_its_percentile_and_its_surest_ratio() -> None:
    rules = policy(latencies=(LatencyRule(percentile=95, maximum_ratio=1.5, minimum_requests=0),))
    # Old: all 1000 in 10 to 20 ms, so its p95 is 0.01 * 2 ** 0.95 s. New: 10 % of 1000 in 40 to 80.
    found = verdict(rules, did(1000, slow=100), did(1000))
    assert found.outcome == "breached"
    assert found.reference == pytest.approx(0.01 * 2**0.95)
    assert found.value == pytest.approx(0.04 * 2**0.5)
    # By the edges of the buckets: at least 40 against at most 20 ms, put together as logarithms.
    assert found.bound == pytest.approx(2.91 / 2**0.5, abs=0.06)
    assert found.rule == "p95 latency"
    # 3 % slow ones leave the 95th percentile where it was.
    assert verdict(rules, did(1000, slow=30), did(1000)).outcome == "passed"


def test_latency_within_one_bucket_never_breaches() -> None:
    rules = policy(latencies=(LatencyRule(percentile=50, maximum_ratio=1, minimum_requests=0),))
    assert verdict(rules, did(5000), did(5000)).outcome == "passed"


@pytest.mark.parametrize(("requests", "lacking"), [((50, 900), "new"), ((900, 50), "old")])
def test_latency_of_too_few_requests_is_unclear(requests: tuple[int, int], lacking: str) -> None:
    rules = policy(latencies=(LatencyRule(percentile=95, maximum_ratio=1.5, minimum_requests=60),))
    found = verdict(rules, did(requests[0]), did(requests[1]))
    assert found.outcome == "unclear"
    # The statistics need more than the policy asks for.
    assert found.reason == f"50 requests of the {lacking} deployment; 104 are needed"


def test_mirrored_requests_tell_of_the_new_deployment_as_live_ones_do() -> None:
    rules = policy(
        errors=ErrorRule(maximum=0.01),
        latencies=(LatencyRule(percentile=50, maximum_ratio=2, minimum_requests=10),),
    )
    live = did(150, 50)
    new = DeploymentMetrics(mirrored=live.requests, mirrored_latency=live.latency)
    errors, latency = judge(rules, new, live, confidence=0.99, with_agreement=False)
    assert (errors.requests, errors.outcome) == (200, "breached")
    assert (latency.requests, latency.outcome) == (200, "passed")


@pytest.mark.parametrize(
    ("disagreed", "outcome"),
    # Of 500 answers, at least 95 % the same: 94 % may be chance (its upper bound is 96.0 %),
    # 90 % (92.7 %) may not.
    [(0, "passed"), (30, "passed"), (50, "breached")],
)
def test_agreement_breaches_its_limit_where_chance_does_not_explain_it(
    disagreed: int, outcome: str
) -> None:
    rules = policy(agreement=AgreementRule(minimum=0.95))
    found = verdict(rules, did(500, agreed=500 - disagreed, disagreed=disagreed))
    assert (found.outcome, found.requests) == (outcome, 500)
    assert verdict(rules, did(500)).outcome == "unclear"


def test_agreement_is_not_asked_of_a_stage_that_compares_nothing() -> None:
    rules = policy(agreement=AgreementRule(minimum=0.95))
    new = did(5)
    assert judge(rules, new, new, confidence=0.99, with_agreement=False) == ()


def test_looks_before_the_end_are_harder_to_convince() -> None:
    assert early(policy()) == 0.999
    assert early(policy(confidence=0.9999)) == 0.9999
    rules, new = policy(errors=ErrorRule(maximum=0.01)), did(194, 6)
    assert verdict(rules, new, confidence=early(rules)).outcome == "passed"
    assert verdict(rules, new).outcome == "breached"


PASSED = Verdict(rule="error rate", outcome="passed", limit=0.01)
BREACHED = Verdict(rule="error rate", outcome="breached", limit=0.01)
UNCLEAR = Verdict(rule="p95 latency", outcome="unclear", limit=1.5)


@pytest.mark.parametrize(
    ("seconds", "requests", "now", "sooner", "outcome"),
    [
        (59, 500, [PASSED], [PASSED], None),
        (60, 500, [PASSED], [PASSED], "passed"),
        (60, 99, [PASSED], [PASSED], None),
        (60, 500, [PASSED, UNCLEAR], [PASSED], None),
        (5, 20, [BREACHED], [BREACHED], "breached"),
        (5, 20, [BREACHED], [PASSED], None),
        (60, 500, [BREACHED], [PASSED], "breached"),
        (300, 99, [BREACHED], [PASSED], "breached"),
        (299, 99, [PASSED], [PASSED], None),
    ],
)
def test_a_stage_ends_when_its_time_and_its_requests_are_there(
    seconds: float, requests: int, now: list[Verdict], sooner: list[Verdict], outcome: str | None
) -> None:
    found = outcome_of(
        policy(),
        STAGE,
        seconds=seconds,
        requests=requests,
        verdicts=now,
        early_verdicts=sooner,
    )
    assert found == outcome


@pytest.mark.parametrize(
    ("said", "outcome"), [("wait", None), ("proceed", "proceeded"), ("abort", "insufficient")]
)
def test_too_few_requests_in_time_are_dealt_with_as_the_policy_says(
    said: Any, outcome: str | None
) -> None:
    rules = policy(on_insufficient=said)
    given: dict[str, Any] = {"verdicts": [UNCLEAR], "early_verdicts": [UNCLEAR]}
    assert outcome_of(rules, STAGE, seconds=300, requests=500, **given) == outcome
