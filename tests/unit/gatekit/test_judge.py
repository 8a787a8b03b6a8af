from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekit.evidence import Champion, Evidence, Finding
from gatekit.judge import Outcome, Span, compare, judge, judge_rule, refusals
from gatekit.policy import Condition, Kind, Policy, Rule
from stepkit.figures import Against, Figure

WORSE_FIRST: list[Outcome] = ["fail", "undecided", "pass"]
numbers = st.floats(-1e6, 1e6, allow_nan=False)


def figure(value: float | None = 0.9, **fields: Any) -> Figure:
    given = {"name": "auc", "area": "predictive", "better": "more", "sample": 1000, **fields}
    return Figure(value=value, **given)


def evidence(*figures: Figure, **fields: Any) -> Evidence:
    found = tuple(Finding("evaluate", each) for each in figures)
    return Evidence(found, **{"task": "classification", "steps": ("evaluate",), **fields})


def rule(kind: Kind = "at_least", limit: float = 0.8, **fields: Any) -> Rule:
    share = fields.pop("is_share", False)
    return Rule(**{"figure": "auc", "condition": Condition(kind, limit, share), **fields})


def outcome(wanted: Rule, *figures: Figure, **fields: Any) -> Outcome:
    (verdict,) = judge_rule(wanted, evidence(*figures, **fields))
    assert verdict.reason
    return verdict.outcome


@pytest.mark.parametrize(
    ("kind", "low", "high", "expected"),
    [
        ("at_least", 0.80, 0.90, "pass"),
        ("at_least", 0.79, 0.90, "undecided"),
        ("at_least", 0.70, 0.80, "undecided"),
        ("at_least", 0.70, 0.79, "fail"),
        ("at_most", 0.70, 0.80, "pass"),
        ("at_most", 0.79, 0.90, "undecided"),
        ("at_most", 0.80, 0.90, "undecided"),
        ("at_most", 0.81, 0.90, "fail"),
        # A bound that nobody knows is infinite.
        ("at_least", 0.85, None, "pass"),
        ("at_least", None, 0.85, "undecided"),
        ("at_least", None, 0.75, "fail"),
        ("at_most", 0.85, None, "fail"),
        ("at_most", None, 0.75, "pass"),
    ],
)
def test_a_figure_is_judged_by_its_interval(
    kind: Kind, low: float | None, high: float | None, expected: Outcome
) -> None:
    # The value is right of the limit by itself, and says nothing where there is an interval.
    assert outcome(rule(kind), figure(0.8, low=low, high=high)) == expected


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("at_least", 0.8, "pass"),
        ("at_least", 0.79, "fail"),
        ("at_most", 0.8, "pass"),
        ("at_most", 0.81, "fail"),
    ],
)
def test_a_figure_without_interval_is_judged_by_its_value(
    kind: Kind, value: float, expected: Outcome
) -> None:
    (verdict,) = judge_rule(rule(kind), evidence(figure(value)))
    assert verdict.outcome == expected
    assert "(no interval)" in verdict.reason


@given(numbers, numbers, numbers, numbers, st.sampled_from(["at_least", "at_most"]))
def test_a_stricter_limit_never_helps(
    a: float, b: float, first: float, second: float, kind: Kind
) -> None:
    found = figure((a + b) / 2, low=min(a, b), high=max(a, b))
    strict, lax = max(first, second), min(first, second)
    if kind == "at_most":
        strict, lax = lax, strict
    ranks = [WORSE_FIRST.index(outcome(rule(kind, limit), found)) for limit in (strict, lax)]
    assert ranks == sorted(ranks)


@given(numbers, numbers, numbers, st.floats(0, 100), st.sampled_from(["at_least", "more_than"]))
def test_a_wider_interval_never_decides(
    a: float, b: float, limit: float, wider: float, kind: Any
) -> None:
    low, high = min(a, b), max(a, b)
    narrow = compare(Span(low, low, high, is_exact=False), kind, limit)
    wide = compare(Span(low, low - wider, high + wider, is_exact=False), kind, limit)
    assert wide in (narrow, "undecided")


@given(numbers, numbers, numbers)
def test_at_most_is_at_least_seen_from_the_other_side(a: float, b: float, limit: float) -> None:
    low, high = min(a, b), max(a, b)
    there = outcome(rule("at_most", limit), figure(low, low=low, high=high))
    mirrored = figure(-low, low=-high, high=-low)
    assert outcome(rule("at_least", -limit), mirrored) == there


@given(numbers, numbers, st.floats(0, 1e6))
def test_an_interval_that_straddles_a_limit_never_passes(a: float, b: float, share: float) -> None:
    low, high = min(a, b), max(a, b)
    limit = low + (high - low) * (share % 1)
    straddles = low < limit < high
    for kind in ("at_least", "at_most"):
        found = outcome(rule(kind, limit), figure(limit, low=low, high=high))  # type: ignore[arg-type]
        assert not straddles or found == "undecided"


def against(
    low: float | None, high: float | None, difference: float = 0.0, **fields: Any
) -> Against:
    return Against(
        **{"version": "3", "value": 0.9, **fields}, difference=difference, low=low, high=high
    )


@pytest.mark.parametrize(
    ("kind", "limit", "low", "high", "expected"),
    [
        ("no_worse_than_champion", 0.01, -0.010, 0.02, "pass"),
        ("no_worse_than_champion", 0.01, -0.011, 0.02, "undecided"),
        ("no_worse_than_champion", 0.01, -0.020, -0.011, "fail"),
        ("no_worse_than_champion", 0.0, 0.0, 0.0, "pass"),
        ("better_than_champion", 0.01, 0.011, 0.02, "pass"),
        ("better_than_champion", 0.01, 0.010, 0.02, "undecided"),
        ("better_than_champion", 0.01, -0.010, 0.01, "fail"),
        ("better_than_champion", 0.0, 0.0, 0.0, "fail"),
        ("better_than_champion", 0.0, None, None, "fail"),
        ("no_worse_than_champion", 0.0, None, None, "pass"),
    ],
)
@pytest.mark.parametrize("better", ["more", "less"])
def test_a_comparison_is_judged_by_the_interval_of_the_difference(
    kind: Kind, limit: float, low: float | None, high: float | None, expected: Outcome, better: Any
) -> None:
    if better == "less" and low is not None and high is not None:
        low, high = -high, -low
    found = figure(better=better, against=against(low, high))
    assert outcome(rule(kind, limit), found, champion=Champion("3")) == expected


def test_a_margin_may_be_a_share_of_the_champions_figure() -> None:
    found = figure(12.0, name="auc", better="less", against=against(None, None, 2.0, value=10.0))
    assert outcome(rule("no_worse_than_champion", 0.2, is_share=True), found) == "pass"
    assert outcome(rule("no_worse_than_champion", 0.19, is_share=True), found) == "fail"


@pytest.mark.parametrize(
    ("champion", "expected", "reason"),
    [
        (Champion(None), "not applied", "there is no champion yet"),
        (Champion("4", is_candidate=True), "not applied", "this model is the champion, version 4"),
        (Champion("4"), "insufficient", "with version 3, and the champion is version 4 now"),
        (Champion("3"), "pass", "0.9 against 0.9 of version 3, difference +0 (+0 to +0): is no wo"),
        (None, "pass", "version 3"),
    ],
)
def test_a_comparison_is_with_the_present_champion(
    champion: Champion | None, expected: Outcome, reason: str
) -> None:
    found = evidence(figure(against=against(0.0, 0.0)), champion=champion)
    (verdict,) = judge_rule(rule("no_worse_than_champion", 0.0), found)
    assert verdict.outcome == expected
    assert reason in verdict.reason


@pytest.mark.parametrize("champion", [None, Champion("3")])
def test_a_comparison_that_was_not_made_is_no_pass(champion: Champion | None) -> None:
    found = evidence(figure(), champion=champion)
    (verdict,) = judge_rule(rule("no_worse_than_champion", 0.0), found)
    assert verdict.outcome == "insufficient"
    assert "give that step the input champion" in verdict.reason


def test_what_is_neither_better_nor_worse_is_not_compared() -> None:
    found = figure(better=None, against=against(0.0, 0.0))
    assert outcome(rule("better_than_champion", 0.0), found) == "insufficient"


def test_a_rule_of_the_other_task_is_not_applied() -> None:
    assert outcome(rule(task="regression"), figure()) == "not applied"
    assert outcome(rule(task="classification"), figure()) == "pass"
    assert outcome(rule(task="regression"), figure(), task="") == "pass"


def test_a_small_sample_is_insufficient_whatever_the_figure() -> None:
    assert outcome(rule(minimum_sample=1000), figure()) == "pass"
    (verdict,) = judge_rule(rule(minimum_sample=1001), evidence(figure()))
    assert verdict.outcome == "insufficient"
    assert verdict.reason == (
        "it stands on 1,000 rows or measurements, and at least 1,001 are wanted"
    )


def test_a_figure_without_a_value_is_insufficient_and_says_why() -> None:
    (verdict,) = judge_rule(rule(), evidence(figure(None, note="one class only")))
    assert (verdict.outcome, verdict.reason) == ("insufficient", "it has no value: one class only")


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (rule(figure="auk"), "no figure 'auk' in the reports of evaluate; did you mean 'auc'?"),
        (rule(figure="zzz"), "no figure 'zzz' in the reports of evaluate"),
        (rule(figure="recall"), "recall is not told of all rows, but of sex=F, sex=M; add `cohort"),
        (rule(figure="auc", cohort="every sex"), "auc is not told of every sex, but of all rows"),
    ],
)
def test_a_missing_figure_is_insufficient_and_says_what_there_is(wanted: Rule, reason: str) -> None:
    cohorts = [figure(name="recall", cohort=f"sex={each}") for each in "FM"]
    (verdict,) = judge_rule(wanted, evidence(figure(), *cohorts))
    assert verdict.outcome == "insufficient"
    assert verdict.reason.startswith(reason)


def test_a_figure_that_no_cohort_has_says_why() -> None:
    without = replace(figure(name="parity"), value=None, low=None, high=None, note="no groups")
    wanted = rule(figure="parity", cohort="every cohort")
    (verdict,) = judge_rule(wanted, evidence(figure(), without))
    assert (verdict.outcome, verdict.reason) == ("insufficient", "it has no value: no groups")


def test_every_cohort_gets_a_verdict() -> None:
    cohorts = [figure(value, cohort=f"sex={name}") for name, value in (("F", 0.9), ("M", 0.7))]
    verdicts = judge_rule(rule(cohort="every cohort"), evidence(figure(0.1), *cohorts))
    assert [each.outcome for each in verdicts] == ["pass", "fail"]
    assert refusals(verdicts) == ("auc (sex=M): fail, 0.7 (no interval) is not at least 0.8",)


@pytest.mark.parametrize(
    ("found", "refused"),
    [
        (figure(0.9), False),
        (figure(0.9, low=0.7, high=0.95), True),
        (figure(0.1), True),
        (figure(None, note="none"), True),
        (None, True),
    ],
)
def test_only_a_pass_of_a_required_rule_is_no_refusal(found: Figure | None, refused: bool) -> None:
    figures = [] if found is None else [found]
    required = Policy("p", (rule(),))
    assert bool(refusals(judge(required, evidence(*figures)))) is refused
    advisory = Policy("p", (replace(rule(), is_required=False),))
    assert refusals(judge(advisory, evidence(*figures))) == ()


def test_reasons_have_figure_interval_and_limit_with_the_unit() -> None:
    slow = figure(12.3456, name="latency", better="less", unit="ms", low=11.0, high=1234567.0)
    (verdict,) = judge_rule(rule("at_most", 10, figure="latency"), evidence(slow))
    assert verdict.reason == "12.35 ms (11 to 1,234,567) is not at most 10 ms"
