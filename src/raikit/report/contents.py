"""What a report says, before it is drawn: as one HTML page, or as a scorecard for printing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stepkit.figures import Figure
from stepkit.findings import Section

Verdict = Literal["good", "warning", "bad", ""]
#: What people read for a verdict.
VERDICTS: dict[Verdict, str] = {
    "good": "good",
    "warning": "look closer",
    "bad": "problem",
    "": "for information",
}
#: From the worst to what says nothing.
_WORST_FIRST: tuple[Verdict, ...] = ("bad", "warning", "good")


@dataclass(frozen=True)
class Answer:
    """What stands on top.

    Attributes:
        question: Such as `Should this model be released?`.
        short: Such as `Yes`, `No`, `Not decided`.
        verdict: For its colour.
        reasons: Why, a sentence each.
    """

    question: str
    short: str
    verdict: Verdict
    reasons: Sequence[str] = ()


@dataclass(frozen=True)
class Rule:
    """What a gate asked of a figure.

    Attributes:
        figure: The figure's name.
        cohort: The part of the rows; empty for all.
        limit: What was asked, such as `at least 0.9`.
        outcome: Such as `passed`, `failed`, `undecided`.
        verdict: For its colour.
        required: Whether the release hangs on it; else it is advice.
        reason: In words.
        shown: The figure as the gate saw it, for one that no part has; else empty.
    """

    figure: str
    limit: str
    outcome: str
    verdict: Verdict
    required: bool = True
    cohort: str = ""
    reason: str = ""
    shown: str = ""


@dataclass(frozen=True)
class Part:
    """What one step found.

    Attributes:
        name: Of the part: letters, digits, and `_`; its address within the page.
        title: What people read.
        sections: In the order to be read in.
        figures: All its figures, in their order.
        pictures: The folder that holds the files of its pictures; None where it has none.
    """

    name: str
    title: str
    sections: Sequence[Section]
    figures: Sequence[Figure] = ()
    pictures: Path | None = None

    def headlines(self, most: int) -> list[Figure]:
        """Return the figures that stand for the part.

        They are its first ones with a value, of all rows or (fairness) of a whole column. Of a
        part that answers several questions, some of each.

        Args:
            most: How many at most where it answers one question.
        """
        areas: dict[str, list[Figure]] = {}
        for each in self.figures:
            whole = not each.cohort or (each.area == "fairness" and "=" not in each.cohort)
            if each.value is not None and whole:
                areas.setdefault(each.area, []).append(each)
        share = most if len(areas) == 1 else max(1, most - 1)
        return [each for figures in areas.values() for each in figures[:share]]

    @property
    def lead(self) -> str:
        """The first sentence of the section that its verdict is of, if bad, else of its first."""
        troubled = [each for each in self.sections if each.verdict in ("bad", "warning")]
        said = [each for each in troubled if each.verdict == self.verdict] or self.sections
        words = said[0].words if said else ()
        first = words[0] if words else ""
        end = re.search(r"[.!?](?=\s+[A-Z`])", first)
        return first[: end.end()] if end else first

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of its sections."""
        return worst([section.verdict for section in self.sections])


@dataclass(frozen=True)
class Facts:
    """Names and what they are: where a model comes from, or packages.

    Attributes:
        title: What people read.
        words: Paragraphs in plain words.
        rows: Name and value.
    """

    title: str
    words: Sequence[str]
    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Report:
    """All that is known of a model.

    Attributes:
        title: The model's name.
        subtitle: Such as its version, task, and target.
        parts: In the order to be read in.
        answer: On top; None where nothing is asked.
        rules: What a gate asked, in its order.
        rules_words: What is to be said of them, in paragraphs.
        facts: Lineage and environment, at the end.
    """

    title: str
    parts: Sequence[Part]
    subtitle: str = ""
    answer: Answer | None = None
    rules: Sequence[Rule] = ()
    rules_words: Sequence[str] = ()
    facts: Sequence[Facts] = ()


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the worst of verdicts; the empty one where none says anything."""
    return next((each for each in _WORST_FIRST if each in verdicts), "")
