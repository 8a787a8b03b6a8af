"""What the steps found out about one model, gathered from their reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from stepkit.figures import FILE, Figure, Figures, read_figures
from stepkit.program import StepError, read_json

#: What `evaluate` says of the model beside its figures.
METRICS = "metrics.json"


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
    champion: Champion | None = field(default=None)

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
        reports: Folders; one without `figures.json` is an error.

    Raises:
        StepError: They are not all of the same model and the same test rows, or cannot be read.
    """
    task = ""
    found = []
    for folder in reports:
        found.append(read_figures(folder))
        if (folder / METRICS).is_file():
            said = read_json(folder / METRICS)
            task = str(said.get("task", "")) if isinstance(said, Mapping) else ""
    return gather(found, task)


def gather(found: Sequence[Figures], task: str = "") -> Evidence:
    """Put together what several steps found out about one model.

    Raises:
        StepError: They are not all of the same model and the same test rows.
    """
    return Evidence(
        findings=tuple(Finding(each.step, figure) for each in found for figure in each.figures),
        model_digest=_one("model", {each.step: each.model_digest for each in found}),
        test_data_digest=_one("test rows", {each.step: each.test_data_digest for each in found}),
        task=task,
        steps=tuple(each.step for each in found),
    )


def has_figures(folder: Path) -> bool:
    """Return whether a folder is a report with figures."""
    return (folder / FILE).is_file()


def _one(what: str, digests: Mapping[str, str]) -> str:
    """Return the digest that all steps with one name."""
    by_digest: dict[str, list[str]] = {}
    for step, digest in digests.items():
        if digest:
            by_digest.setdefault(digest, []).append(step)
    if len(by_digest) > 1:
        said = "; ".join(f"{' and '.join(steps)}: {each[:12]}" for each, steps in by_digest.items())
        raise StepError(
            f"the reports are not of the same {what} ({said})",
            hint="give the reports of one job, or run the steps again on the same "
            + ("model" if what == "model" else "rows"),
        )
    return next(iter(by_digest), "")
