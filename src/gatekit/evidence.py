"""What the steps found out about one model, gathered from their reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from stepkit.figures import FILE, Figure, Figures, read_figures
from stepkit.program import StepError, read_json

#: What `evaluate` says of the model beside its figures.
METRICS = "metrics.json"
#: What a report is known by.
FIGURES = FILE
#: What the gate decided.
DECISION = "gate.json"


class EvidenceError(StepError):
    """The reports cannot be read, or are not all of the same model and the same test rows."""


@dataclass(frozen=True)
class Champion:
    """The registered model that a candidate is compared with.

    Attributes:
        version: Its version; None where there is no champion.
        is_candidate: Whether it is the very model that is judged.
    """

    version: str | None
    is_candidate: bool = False


@dataclass(frozen=True)
class Finding:
    """A figure, and the step that told it."""

    step: str
    figure: Figure


@dataclass(frozen=True)
class Evidence:
    """Everything that was found out about one model.

    Attributes:
        findings: All figures, in the order of the reports.
        model_digest: Of the model; empty where no report says it.
        test_data_digest: Of the test rows; empty where no report says it.
        task: `classification` or `regression`; empty where no report says it.
        steps: The steps whose reports were read.
        champion: What the registry says; None where it was not asked.
    """

    findings: tuple[Finding, ...]
    model_digest: str = ""
    test_data_digest: str = ""
    task: str = ""
    steps: tuple[str, ...] = ()
    champion: Champion | None = None

    def named(self, name: str) -> list[Finding]:
        """Return the figures of a name, of all rows and of every cohort."""
        return [each for each in self.findings if each.figure.name == name]

    def overall(self, name: str) -> Figure | None:
        """Return the figure of all rows, or None."""
        found = [each.figure for each in self.named(name) if not each.figure.cohort]
        return found[0] if found else None

    def with_champion(self, champion: Champion | None) -> Evidence:
        """Return the same, with what the registry says."""
        return replace(self, champion=champion)


def read_evidence(reports: Iterable[Path]) -> Evidence:
    """Read the reports of one model's steps.

    Args:
        reports: Folders with `figures.json`; that of `evaluate` says the task, too.

    Raises:
        EvidenceError: They cannot be read, or are not of the same model and the same test rows.
    """
    task = ""
    found = []
    try:
        for folder in reports:
            found.append(read_figures(folder))
            if (folder / METRICS).is_file():
                task = str(read_json(folder / METRICS).get("task", ""))
    except StepError as error:
        raise EvidenceError(error.message, hint=error.hint) from error
    return gather(found, task)


def read_champion(decision: Path) -> Champion | None:
    """Return who was champion when a gate decided; None where it did not know.

    Args:
        decision: The folder that the gate wrote.

    Raises:
        EvidenceError: There is no decision in it.
    """
    try:
        champion = read_json(decision / DECISION)["champion"]
        return None if champion is None else Champion(**champion)
    except (StepError, KeyError, TypeError) as error:
        raise EvidenceError(f"{decision / DECISION} cannot be read: {error}") from error


def gather(found: Sequence[Figures], task: str = "") -> Evidence:
    """Put together what several steps found out about one model.

    Raises:
        EvidenceError: They are not all of the same model and the same test rows.
    """
    return Evidence(
        findings=tuple(Finding(each.step, figure) for each in found for figure in each.figures),
        model_digest=_one("model", {each.step: each.model_digest for each in found}),
        test_data_digest=_one("test rows", {each.step: each.test_data_digest for each in found}),
        task=task,
        steps=tuple(each.step for each in found),
    )


def _one(what: str, digests: Mapping[str, str]) -> str:
    """Return the digest that all steps with one name."""
    by_digest: dict[str, list[str]] = {}
    for step, digest in digests.items():
        if digest:
            by_digest.setdefault(digest, []).append(step)
    if len(by_digest) > 1:
        said = "; ".join(f"{' and '.join(steps)}: {each[:12]}" for each, steps in by_digest.items())
        raise EvidenceError(
            f"the reports are not of the same {what} ({said})",
            hint="give the reports of one job, or run the steps again on the same "
            + ("model" if what == "model" else "rows"),
        )
    return next(iter(by_digest), "")
