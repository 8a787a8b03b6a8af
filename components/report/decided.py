"""What gate and register decided of a model, as the report's answer and its rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raikit.report import Answer, Rule, Verdict, number, read_sections
from stepkit.findings import FILE, read_findings
from stepkit.program import StepError, read_json

QUESTION = "Should this model be released?"
GATE, REGISTRATION = "gate.json", "decision.json"
#: Reasons that the answer has; the table of rules has all.
MOST_REASONS = 6
_OUTCOMES: dict[str, tuple[str, Verdict]] = {
    "pass": ("passed", "good"),
    "fail": ("failed", "bad"),
    "undecided": ("undecided", "warning"),
    "insufficient": ("too little to tell", "warning"),
    "not applied": ("not applied", ""),
}


@dataclass(frozen=True)
class Registration:
    """What register did.

    Attributes:
        name: The model's name in the registry.
        version: Its version; empty where it was not registered.
        alias: `champion` or `challenger`; empty as above.
        reasons: Why.
    """

    name: str
    version: str
    alias: str
    reasons: Sequence[str]


@dataclass(frozen=True)
class GateDecision:
    """What the gate decided.

    Attributes:
        decision: `champion`, `challenger`, or `refused`.
        reasons: Why.
        rules: What each rule says.
        words: The same in words.
        refused_by: Outcomes of the rules that refuse the model.
        model_digest: Of the model that it judged; empty where it does not say.
    """

    decision: str
    reasons: Sequence[str]
    rules: Sequence[Rule]
    words: Sequence[str]
    refused_by: frozenset[str]
    model_digest: str


def read_registration(folder: Path) -> Registration:
    """Read what register wrote.

    Raises:
        StepError: It is not there, or is not of register.
    """
    document = read_json(folder / REGISTRATION)
    try:
        return Registration(
            name=str(document["name"]),
            version=str(document["version"] or ""),
            alias=str(document["alias"] or ""),
            reasons=tuple(str(each) for each in document["reasons"]),
        )
    except (KeyError, TypeError) as error:
        raise StepError(
            f"{folder / REGISTRATION} is not of register: {error!r}", hint="run register again"
        ) from error


def read_gate(folder: Path) -> GateDecision:
    """Read what the gate wrote: its verdicts, and the words of its findings.

    Raises:
        StepError: It is not there, or is not of the gate.
    """
    document = read_json(folder / GATE)
    try:
        verdicts = document["verdicts"]
        gate = GateDecision(
            decision=str(document["decision"]),
            reasons=tuple(str(each) for each in document["reasons"]),
            rules=tuple(_rule(each) for each in verdicts),
            words=_words(folder),
            refused_by=frozenset(each["outcome"] for each in verdicts if each["refuses"]),
            model_digest=str(document.get("model_digest") or ""),
        )
    except (KeyError, TypeError) as error:
        raise StepError(
            f"{folder / GATE} is not of the gate: {error!r}", hint="run gate again"
        ) from error
    return gate


def _words(folder: Path) -> tuple[str, ...]:
    if not (folder / FILE).is_file():
        return ()
    sections = read_sections(read_findings(folder), folder / FILE)
    return tuple(words for section in sections for words in section.words)


def _rule(document: Mapping[str, Any]) -> Rule:
    outcome, verdict = _OUTCOMES.get(document["outcome"], (str(document["outcome"]), ""))
    value, unit = document.get("value"), document.get("unit") or ""
    because = document.get("because")
    reason = str(document.get("reason") or "")
    return Rule(
        figure=str(document["figure"]),
        cohort=str(document.get("cohort") or ""),
        limit=str(document["wanted"]),
        outcome=outcome,
        verdict=verdict,
        required=bool(document["required"]),
        reason=f"{reason}; wanted because {because}" if because else reason,
        shown=f"{number(value)} {unit}".strip(),
    )


def answer(gate: GateDecision | None, registration: Registration | None) -> Answer:
    """Return whether the model should be released, as gate and register have it."""
    if gate is not None:
        short, verdict, said = _of_gate(gate)
        reasons = gate.reasons
    elif registration is not None:
        short, verdict, said = _of_alias(registration.alias)
        reasons = registration.reasons
    else:
        said = "No gate has judged this model: what was found out about it is below."
        return Answer(QUESTION, "Not decided yet", "", (said,))
    if registration is not None and registration.version:
        said += f" In the registry it is version {registration.version} of {registration.name}."
    more = len(reasons) - MOST_REASONS
    others = (f"{more} more reasons are in the table of rules.",) if more > 0 else ()
    shown = [_sentence(each) for each in reasons[:MOST_REASONS]]
    return Answer(QUESTION, short, verdict, (said, *shown, *others))


def _of_gate(gate: GateDecision) -> tuple[str, Verdict, str]:
    """Return the answer to a gate's decision: in short, its colour, and a sentence."""
    if gate.decision != "refused":
        return _of_alias(gate.decision)
    if "fail" in gate.refused_by:
        return "No", "bad", "It breaks at least one rule that was set before."
    if gate.refused_by:
        return (
            "Not decided",
            "warning",
            "It breaks no rule for certain, but at least one cannot be decided on these rows. "
            "More test rows would tell; until then it is not released.",
        )
    return "No", "warning", "It breaks no rule, but there is a reason not to put it in use."


def _of_alias(alias: str) -> tuple[str, Verdict, str]:
    if alias == "champion":
        return "Yes", "good", "It passes what was asked of it, and becomes the model in use."
    if alias == "challenger":
        return (
            "Not instead of the present one",
            "warning",
            "It passes what was asked of it but does not beat the model in use; it is kept ready.",
        )
    return "No", "bad", "It was not let into the registry."


def _sentence(text: str) -> str:
    """Return a text with a stop, and with a capital where it does not begin with a figure."""
    first = text.split(" ", 1)[0]
    start = text if "_" in first or ":" in first else text[:1].upper() + text[1:]
    return start if start.endswith((".", "!", "?")) else f"{start}."
