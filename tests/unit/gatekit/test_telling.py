from __future__ import annotations

from typing import Any

import pytest

from gatekit.judge import Outcome, Verdict
from gatekit.policy import Condition, Rule
from gatekit.telling import counts, document, in_short, problems, row
from stepkit.figures import Against, Figure

FIGURE = Figure("auc", "predictive", 0.9, "more", 400, 0.88, 0.92, unit="u", cohort="sex=F")
RULE = Rule("auc", Condition("at_least", 0.8), cohort="every sex", because="it matters")


def verdict(outcome: Outcome = "pass", *, required: bool = True, figure: Any = FIGURE) -> Verdict:
    rule = Rule("auc", Condition("at_least", 0.8), required, cohort="every sex")
    return Verdict(rule, outcome, f"it is {outcome}", "evaluate", figure)


def test_a_row_names_the_cohort_that_was_judged() -> None:
    assert row(verdict()) == (
        "required",
        "auc (sex=F)",
        "at least 0.8",
        "0.9 u (0.88 to 0.92)",
        "pass",
    )
    missing = verdict("insufficient", required=False, figure=None)
    assert row(missing) == ("advice", "auc (every sex)", "at least 0.8", "-", "insufficient")


@pytest.mark.parametrize(
    ("against", "got"),
    [
        (None, "-"),
        (Against("3", 0.91, -0.01, -0.02, 0.01), "-0.01 (-0.02 to +0.01) to version 3"),
        (Against("3", 0.91, -0.01), "-0.01 (no interval) to version 3"),
    ],
)
def test_a_comparison_shows_the_difference(against: Against | None, got: str) -> None:
    figure = Figure("auc", "predictive", 0.9, "more", 400, 0.88, 0.92, against=against)
    rule = Rule("auc", Condition("no_worse_than_champion", 0.01))
    assert row(Verdict(rule, "pass", "", "evaluate", figure))[3] == got


def test_a_document_has_figure_interval_limit_and_reason() -> None:
    assert document(Verdict(RULE, "pass", "it is", "evaluate", FIGURE, 0.8)) == {
        "figure": "auc",
        "cohort": "sex=F",
        "wanted": "at least 0.8",
        "required": True,
        "outcome": "pass",
        "reason": "it is",
        "refuses": False,
        "limit": 0.8,
        "minimum_sample": 0,
        "because": "it matters",
        "step": "evaluate",
        "area": "predictive",
        "value": 0.9,
        "low": 0.88,
        "high": 0.92,
        "level": 0.95,
        "sample": 400,
        "unit": "u",
    }
    missing = document(Verdict(RULE, "insufficient", "none"))
    assert (missing["cohort"], missing["value"], missing["refuses"]) == ("every sex", None, True)


def test_verdicts_are_counted_and_told_in_a_line() -> None:
    found = [
        verdict(),
        verdict("undecided"),
        verdict("not applied"),
        verdict("fail", required=False),
    ]
    assert counts(found) == {
        "fail": 1,
        "undecided": 1,
        "insufficient": 0,
        "pass": 1,
        "not applied": 1,
    }
    assert in_short(found) == (
        "1 of 2 required rules hold (1 undecided); 0 of 1 advisory rules hold (1 fail)"
    )
    assert in_short([verdict("not applied")]) == "no rule applies"


def test_what_refuses_is_told_first() -> None:
    found = [verdict("fail", required=False), verdict(), verdict("undecided")]
    assert problems(found) == ["auc (sex=F): it is undecided", "auc (sex=F): it is fail"]
