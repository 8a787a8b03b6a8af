"""Whether a model's figures are what a policy wants, rule by rule.

A figure with an interval is judged by the interval: it passes where all of the interval is on the
right side of the limit, fails where all of it is on the wrong side, and is undecided between. So a
figure that happens to lie right by chance is no pass. A figure without an interval is taken as
exact, and judged by its value; the verdict says so. A bound that is missing on one side is
infinite. Comparisons with the champion are judged by the paired interval of the difference: both
models were seen on the same rows, so what the rows do to both cancels out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Literal

from gatekit.evidence import Evidence, Finding
from gatekit.policy import Condition, Policy, Rule
from stepkit.figures import Against, Figure

Outcome = Literal["pass", "fail", "undecided", "insufficient", "not applied"]


@dataclass(frozen=True)
class Span:
    """Where a number lies.

    Attributes:
        value: The number.
        low: Lower bound; the value itself where it is exact.
        high: Upper bound.
        is_exact: Whether there is no interval.
    """

    value: float
    low: float
    high: float
    is_exact: bool

    @classmethod
    def of(cls, value: float, low: float | None, high: float | None) -> Span:
        """Make one of bounds that may be missing."""
        if low is None and high is None:
            return cls(value, value, value, is_exact=True)
        lowest = -math.inf if low is None else low
        highest = math.inf if high is None else high
        return cls(value, lowest, highest, is_exact=False)

    def __neg__(self) -> Span:
        return Span(-self.value, -self.high, -self.low, self.is_exact)


@dataclass(frozen=True)
class Verdict:
    """What a rule says of one figure.

    Attributes:
        rule: The rule.
        outcome: `insufficient` where the figure is missing or stands on too few rows.
        reason: The same in words, with figure, interval, and limit.
        step: The step that told the figure; empty where it is missing.
        figure: The figure; None where it is missing.
        limit: What the figure, or its gain on the champion's, was compared with.
    """

    rule: Rule
    outcome: Outcome
    reason: str
    step: str = ""
    figure: Figure | None = None
    limit: float | None = None

    @property
    def about(self) -> str:
        """The figure's name, with the cohort that it is of."""
        cohort = self.rule.cohort if self.figure is None else self.figure.cohort
        return f"{self.rule.figure} ({cohort})" if cohort else self.rule.figure

    @property
    def refuses(self) -> bool:
        """Whether the model is refused for it."""
        return self.rule.is_required and self.outcome not in ("pass", "not applied")


def judge(policy: Policy, evidence: Evidence) -> tuple[Verdict, ...]:
    """Return a verdict for each rule, and for each cohort that a rule covers."""
    return tuple(verdict for rule in policy.rules for verdict in judge_rule(rule, evidence))


def judge_rule(rule: Rule, evidence: Evidence) -> list[Verdict]:
    """Return the verdict on each figure that a rule covers."""
    if rule.task is not None and evidence.task and rule.task != evidence.task:
        return [Verdict(rule, "not applied", f"it is for {rule.task}, this is {evidence.task}")]
    champion = evidence.champion
    if rule.condition.needs_champion and champion is not None:
        if champion.version is None:
            return [Verdict(rule, "not applied", "there is no champion yet")]
        if champion.is_candidate:
            reason = f"this model is the champion, version {champion.version}"
            return [Verdict(rule, "not applied", reason)]
    covered = [each for each in evidence.named(rule.figure) if rule.covers(each.figure.cohort)]
    if not covered:
        return [Verdict(rule, "insufficient", missing(rule, evidence))]
    version = champion.version if champion is not None else None
    return [_judged(rule, each, version) for each in covered]


def compare(span: Span, kind: Literal["at_least", "more_than"], limit: float) -> Outcome:
    """Return whether a number that may lie anywhere in an interval is on the right side."""
    if kind == "at_least":
        passes, fails = span.low >= limit, span.high < limit
    else:
        passes, fails = span.low > limit, span.high <= limit
    return "pass" if passes else "fail" if fails else "undecided"


def missing(rule: Rule, evidence: Evidence) -> str:
    """Return why no figure is there for a rule, and what may have been meant."""
    named = evidence.named(rule.figure)
    without = [each.figure.note for each in named if each.figure.value is None]
    if without and len(without) == len(named):
        return f"it has no value: {without[0]}"
    cohorts = sorted({each.figure.cohort for each in named})
    if cohorts:
        known = ", ".join(each or "all rows" for each in cohorts[:6])
        more = f", and {len(cohorts) - 6} more" if len(cohorts) > 6 else ""
        wanted = f"of {rule.cohort}" if rule.cohort else "of all rows"
        hint = "" if rule.cohort else "; add `cohort: every cohort`"
        return f"{rule.figure} is not told {wanted}, but of {known}{more}{hint}"
    names = {each.figure.name for each in evidence.findings}
    near = get_close_matches(rule.figure, sorted(names), n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    steps = ", ".join(sorted(evidence.steps)) or "no step"
    return f"no figure {rule.figure!r} in the reports of {steps}{meant}"


def _judged(rule: Rule, finding: Finding, version: str | None) -> Verdict:
    figure = finding.figure
    verdict = Verdict(rule, "insufficient", "", finding.step, figure)
    if figure.value is None:
        return replace(verdict, reason=f"it has no value: {figure.note}")
    if figure.sample < rule.minimum_sample:
        reason = (
            f"it stands on {figure.sample:,} rows or measurements, and at least "
            f"{rule.minimum_sample:,} are wanted"
        )
        return replace(verdict, reason=reason)
    if not rule.condition.needs_champion:
        span = Span.of(figure.value, figure.low, figure.high)
        return _by_limit(verdict, span, rule.condition, figure.unit)
    if figure.better is None:
        reason = "neither more nor less of it is better, so it cannot be compared"
        return replace(verdict, reason=reason)
    if figure.against is None:
        reason = f"{finding.step} did not compare it with a champion"
        return replace(verdict, reason=f"{reason}; give that step the input champion")
    if version is not None and figure.against.version != version:
        reason = (
            f"{finding.step} compared it with version {figure.against.version}, and the champion "
            f"is version {version} now; run it again (--set settings.force_rerun=true)"
        )
        return replace(verdict, reason=reason)
    return _by_gain(verdict, figure, figure.against, rule.condition)


def _by_limit(verdict: Verdict, span: Span, condition: Condition, unit: str) -> Verdict:
    limit = condition.limit
    if condition.kind == "at_least":
        outcome = compare(span, "at_least", limit)
    else:
        outcome = compare(-span, "at_least", -limit)
    words = {"pass": "is", "fail": "is not", "undecided": "may or may not be"}[outcome]
    wanted = f"{condition.kind.replace('_', ' ')} {number(limit, unit)}"
    reason = f"{spread(span, unit)} {words} {wanted}"
    return replace(verdict, outcome=outcome, reason=reason, limit=limit)


def _by_gain(verdict: Verdict, figure: Figure, against: Against, condition: Condition) -> Verdict:
    """Judge how much better than the champion's a figure is; below 0 where it is worse."""
    difference = Span.of(against.difference, against.low, against.high)
    gain = difference if figure.better == "more" else -difference
    margin = condition.limit * abs(against.value) if condition.is_share else condition.limit
    if condition.kind == "better_than_champion":
        limit, outcome = margin, compare(gain, "more_than", margin)
    else:
        limit, outcome = -margin, compare(gain, "at_least", -margin)
    words = {"pass": "is", "fail": "is not", "undecided": "may or may not be"}[outcome]
    reason = (
        f"{number(figure.value or 0.0, figure.unit)} against {number(against.value, figure.unit)} "
        f"of version {against.version}, difference {spread(difference, figure.unit, signed=True)}: "
        f"{words} {condition}"
    )
    return replace(verdict, outcome=outcome, reason=reason, limit=limit)


def number(value: float, unit: str = "", *, signed: bool = False) -> str:
    """Return a number as it is read, with its unit."""
    text = f"{value:+.4g}" if signed else f"{value:.4g}"
    if "e" in text and 1e-4 <= abs(value) < 1e7:
        text = f"{value:+,.0f}" if signed else f"{value:,.0f}"
    return f"{text} {unit}".strip()


def spread(span: Span, unit: str = "", *, signed: bool = False) -> str:
    """Return a number with its interval, or with the word that it has none."""
    value = number(span.value, unit, signed=signed)
    if span.is_exact:
        return f"{value} (no interval)"
    low, high = (number(each, signed=signed) for each in (span.low, span.high))
    return f"{value} ({low} to {high})"


def refusals(verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    """Return, as sentences, what a model is refused for."""
    return tuple(
        f"{each.about}: {each.outcome}, {each.reason}" for each in verdicts if each.refuses
    )
