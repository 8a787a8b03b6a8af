"""What a gate decided, as a section of the model's report and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gatekit.evidence import Evidence
from gatekit.judge import Verdict
from gatekit.policy import Policy
from gatekit.promotion import Comparison, Decision
from gatekit.telling import HEAD, ORDER, in_short, row
from stepkit.findings import Cell, Section, Table
from stepkit.program import markdown_table

_OUTCOMES = {
    "champion": "passes, and becomes the champion",
    "challenger": "passes, and becomes the challenger",
    "refused": "is not let through",
}


@dataclass(frozen=True)
class Gate:
    """What a gate was given, and what it decided.

    Attributes:
        policy: What was wanted.
        evidence: What was found out.
        verdicts: What each rule says.
        decision: What becomes of the model.
        comparisons: Whom it was compared with.
        model_name: Its name in the registry; empty where no evaluation told it.
        target: The column that it predicts; empty as above.
        challenger: Version of the challenger; None where there is none, or no registry.
    """

    policy: Policy
    evidence: Evidence
    verdicts: Sequence[Verdict]
    decision: Decision
    comparisons: Sequence[Comparison]
    model_name: str
    target: str
    challenger: str | None

    @property
    def summary(self) -> str:
        """The decision in a line."""
        outcome = self.decision.outcome
        name = self.model_name or "the model"
        return f"REFUSED {name}" if outcome == "refused" else f"PASSED {name} as {outcome}"


def sections(gate: Gate) -> list[Section]:
    """Return what the report says of a gate: the decision in plain words, then every rule."""
    has_advice = any(
        not each.rule.is_required and each.outcome in ("fail", "undecided", "insufficient")
        for each in gate.verdicts
    )
    words = [
        f"Before a model is released, its figures are held against a policy, "
        f"{gate.policy.name!r}, that was written down before. This model "
        f"{_OUTCOMES[gate.decision.outcome]}: {in_short(gate.verdicts)}.",
        " ".join(f"{_sentence(reason)}" for reason in gate.decision.reasons),
        "A figure that is measured on some rows would be a little different on others, so it comes "
        "with an interval. A rule holds where the whole interval is on the right side of the "
        "limit; where the limit lies within the interval, the rule is undecided, which does not "
        "count as passed. Required rules must hold; advisory ones are said and no more.",
    ]
    if gate.policy.description:
        words.insert(1, _sentence(gate.policy.description))
    refused = gate.decision.outcome == "refused"
    rows = [_cells(verdict) for verdict in _worst_first(gate.verdicts)]
    table = Table(
        (*HEAD, "why"), rows, {}, caption="Every rule of the policy, the broken ones first."
    )
    return [
        Section(
            title="The gate",
            words=words,
            blocks=[table] if rows else [],
            verdict="bad" if refused else "warning" if has_advice else "good",
        )
    ]


def markdown(gate: Gate) -> str:
    """Return the decision as Markdown."""
    rows = [(*row(verdict), _why(verdict)) for verdict in gate.verdicts]
    parts = [
        f"# Gate: {gate.policy.name}",
        f"**{gate.summary}.** {in_short(gate.verdicts)}.",
        "\n".join(f"- {reason}" for reason in gate.decision.reasons),
        markdown_table((*HEAD, "why"), rows),
    ]
    return "\n\n".join(parts) + "\n"


def _cells(verdict: Verdict) -> tuple[Cell, ...]:
    return (*row(verdict), _why(verdict))


def _why(verdict: Verdict) -> str:
    because = f" Wanted because {verdict.rule.because}." if verdict.rule.because else ""
    return _sentence(verdict.reason) + because


def _sentence(text: str) -> str:
    """Return a text with a capital, where it does not begin with a name of a figure, and a stop."""
    first = text.split(" ", 1)[0]
    start = text if "_" in first or ":" in first else text[:1].upper() + text[1:]
    return start if start.endswith((".", "!", "?")) else f"{start}."


def _worst_first(verdicts: Sequence[Verdict]) -> list[Verdict]:
    return sorted(verdicts, key=lambda each: (not each.refuses, ORDER.index(each.outcome)))
