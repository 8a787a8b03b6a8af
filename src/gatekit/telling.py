"""Verdicts as tables and as JSON, alike in the step's report and on the command line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from gatekit.judge import Outcome, Span, Verdict, spread

HEAD = ("rule", "figure", "wanted", "got", "verdict")
#: From what refuses to what says nothing.
ORDER: tuple[Outcome, ...] = ("fail", "undecided", "insufficient", "pass", "not applied")


def row(verdict: Verdict) -> tuple[str, ...]:
    """Return a verdict as a row under `HEAD`."""
    return (
        "required" if verdict.rule.is_required else "advice",
        verdict.about,
        str(verdict.rule.condition),
        got(verdict),
        verdict.outcome,
    )


def got(verdict: Verdict) -> str:
    """Return what was judged, with its interval: a figure, or its difference to the champion's."""
    figure = verdict.figure
    if figure is None or figure.value is None:
        return "-"
    if verdict.rule.condition.needs_champion:
        against = figure.against
        if against is None:
            return "-"
        span = Span.of(against.difference, against.low, against.high)
        return f"{spread(span, figure.unit, signed=True)} to version {against.version}"
    return spread(Span.of(figure.value, figure.low, figure.high), figure.unit)


def document(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as JSON has it."""
    rule, figure = verdict.rule, verdict.figure
    found: dict[str, Any] = {
        "figure": rule.figure,
        "cohort": figure.cohort if figure is not None else rule.cohort,
        "wanted": str(rule.condition),
        "required": rule.is_required,
        "outcome": verdict.outcome,
        "reason": verdict.reason,
        "refuses": verdict.refuses,
        "limit": verdict.limit,
        "minimum_sample": rule.minimum_sample,
        "because": rule.because,
        "step": verdict.step,
    }
    for name in ("area", "value", "low", "high", "level", "sample", "unit"):
        found[name] = None if figure is None else getattr(figure, name)
    return found


def counts(verdicts: Sequence[Verdict]) -> dict[Outcome, int]:
    """Return how many verdicts there are of each outcome."""
    found = Counter(verdict.outcome for verdict in verdicts)
    return {outcome: found[outcome] for outcome in ORDER}


def problems(verdicts: Sequence[Verdict]) -> list[str]:
    """Return a line for each verdict that is no pass, those that refuse first."""
    found = [each for each in verdicts if each.outcome not in ("pass", "not applied")]
    return [
        f"{each.about}: {each.reason}" for each in sorted(found, key=lambda each: not each.refuses)
    ]


def in_short(verdicts: Sequence[Verdict]) -> str:
    """Return the verdicts in a line: how many required rules hold, and what advice says."""
    parts = []
    for what, is_required in (("required", True), ("advisory", False)):
        those = [
            each
            for each in verdicts
            if each.rule.is_required is is_required and each.outcome != "not applied"
        ]
        if those:
            passed = sum(each.outcome == "pass" for each in those)
            others = [
                f"{number} {outcome}"
                for outcome, number in counts(those).items()
                if number and outcome != "pass"
            ]
            also = f" ({', '.join(others)})" if others else ""
            parts.append(f"{passed} of {len(those)} {what} rules hold{also}")
    return "; ".join(parts) or "no rule applies"
