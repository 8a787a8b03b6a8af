"""Put what the other steps found out about a model into one HTML page and a scorecard."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from decided import GateDecision, Registration, answer, read_gate, read_registration
from sources import data_digests, data_sections, environment, lineage

from raikit.report import (
    VERDICTS,
    Part,
    Report,
    read_part,
    render_html,
    render_scorecard,
)
from stepkit.figures import FILE as FIGURES
from stepkit.figures import Figures, read_figures
from stepkit.program import StepError, run, text_table, write_bytes, write_text
from stepkit.registry import settle_name
from stepkit.saved import read_description
from stepkit.table import digest
from stepkit.tracking import Tracking, tracked

HTML, PDF = "report.html", "scorecard.pdf"
#: The tag of a model version that names the run whose artifacts hold its report.
REPORT_RUN_TAG = "report_run_id"
ARTIFACTS = "report"
#: The parts in the order to be read in: the argument that gives them, and their titles.
PARTS = {
    "evaluation": "How good are its predictions?",
    "generalisation": "Does it hold for new rows?",
    "profile": "How fast is it?",
    "explanation": "What does it look at?",
    "responsible_ai": "Whom does it fail, and is it fair?",
    "data_report": "What was it made of?",
}


@dataclass(frozen=True)
class Given:
    """What the steps wrote.

    Attributes:
        parts: Of the report.
        figures: What `figures.json` of each part says, by the part's name.
        gate: What the gate decided; None where it was not asked.
        registration: What register did; None where it was not asked.
    """

    parts: Sequence[Part]
    figures: Mapping[str, Figures]
    gate: GateDecision | None
    registration: Registration | None


def read_given(args: argparse.Namespace) -> Given:
    """Read all that is given.

    Raises:
        StepError: Nothing is given, or something cannot be read.
    """
    folders = {name: getattr(args, name) for name in PARTS if getattr(args, name) is not None}
    if not folders:
        raise StepError("there is nothing to report on", hint=f"give one of {', '.join(PARTS)}")
    return Given(
        parts=[_part(folder, name) for name, folder in folders.items()],
        figures={
            name: read_figures(folder)
            for name, folder in folders.items()
            if (folder / FIGURES).is_file()
        },
        gate=read_gate(args.decision) if args.decision else None,
        registration=read_registration(args.registration) if args.registration else None,
    )


def _part(folder: Path, name: str) -> Part:
    if name == "data_report":
        sections = data_sections(folder)
        if sections is not None:
            return Part(name, PARTS[name], sections)
    return read_part(folder, name, PARTS[name])


def check_model(given: Given, model_digest: str) -> None:
    """Check that every step looked at this very model.

    Raises:
        StepError: One looked at another.
    """
    said = {name: each.model_digest for name, each in given.figures.items()}
    if given.gate is not None:
        said["decision"] = given.gate.model_digest
    others = [name for name, each in said.items() if each and each != model_digest]
    if others:
        raise StepError(
            f"{' and '.join(others)} {'is' if len(others) == 1 else 'are'} of another model",
            hint="give the reports that were made of the model that is given",
        )


def build(args: argparse.Namespace, run_id: str, run_tags: Mapping[str, str]) -> Report:
    """Return the report of all that is given.

    Args:
        args: See `parse`.
        run_id: The MLflow run of this step; empty where there is none.
        run_tags: Tags of the run that trained the model.

    Raises:
        StepError: Something cannot be read, or is of another model.
    """
    description = read_description(args.model)
    given = read_given(args)
    model_digest = digest(args.model)
    check_model(given, model_digest)
    metadata = description["metadata"]
    task, target = str(metadata.get("task", "")), str(metadata.get("target", ""))
    registration = given.registration
    title = args.title
    if title == "auto" and registration is not None:
        title = registration.name
    elif title == "auto":
        title = settle_name("auto", target, task) or "Model"
    test_digests = {each.test_data_digest for each in given.figures.values()} - {""}
    digests = {
        "the model": model_digest,
        **{
            f"the test rows{f' ({number})' if len(test_digests) > 1 else ''}": each
            for number, each in enumerate(sorted(test_digests), 1)
        },
        **data_digests(args.data_report),
    }
    about = f"{task} of {target}" if task and target else task
    version = f"version {registration.version}" if registration and registration.version else ""
    alias = registration.alias if registration else ""
    return Report(
        title=title,
        subtitle=" · ".join(each for each in (version, alias, about) if each),
        parts=given.parts,
        answer=answer(given.gate, registration),
        rules=given.gate.rules if given.gate else (),
        rules_words=given.gate.words if given.gate else (),
        facts=[lineage(description, digests, run_tags, run_id), *environment(args.model)],
    )


def tags_of_training(model: Path, tracking: Tracking) -> dict[str, str]:
    """Return the tags of the run that trained a model; none where it is not known here."""
    run_id = str(read_description(model)["metadata"].get("training_run_id", ""))
    if not run_id or not tracking.run_id:
        return {}
    import mlflow  # imported already by `tracked`; 2 s that untracked programs are spared

    from stepkit.registry import training_run_tags  # imports mlflow

    return training_run_tags(mlflow.MlflowClient(), run_id)


def point_at(registration: Registration | None, tracking: Tracking) -> None:
    """Let the model's version name the run that holds its report."""
    if registration is None or not registration.version or not tracking.run_id:
        return
    import mlflow  # as above

    client = mlflow.MlflowClient()
    version = registration.version
    client.set_model_version_tag(registration.name, version, REPORT_RUN_TAG, tracking.run_id)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--title", default="auto", help="auto: the registered name")
    for name, title in PARTS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=Path, help=title)
    parser.add_argument("--decision", type=Path, help="of gate")
    parser.add_argument("--registration", type=Path, help="of register")
    parser.add_argument("--report", type=Path, required=True)
    return parser.parse_args(argv)


def print_parts(report: Report) -> None:
    """Print what is in the report, and what it says."""
    rows = [
        (
            part.title,
            VERDICTS[part.verdict],
            f"{len(part.sections)}",
            f"{len(part.figures)}",
        )
        for part in report.parts
    ]
    print(text_table(("part", "verdict", "sections", "figures"), rows))


def main(argv: Sequence[str] | None = None) -> None:
    """Read, render, write, and log."""
    args = parse(argv)
    with tracked() as tracking:
        report = build(args, tracking.run_id, tags_of_training(args.model, tracking))
        page, card = render_html(report), render_scorecard(report)
        write_text(args.report / HTML, page)
        write_bytes(args.report / PDF, card)
        tracking.metrics({"report_bytes": len(page.encode()), "parts": len(report.parts)})
        tracking.artifacts(args.report, ARTIFACTS)
        registration = read_registration(args.registration) if args.registration else None
        point_at(registration, tracking)
        print_parts(report)
        said = report.answer.short if report.answer else ""
        size = len(page.encode()) / 1e6
        summary = f"{report.title}: released? {said}; {HTML} of {size:.1f} MB, and {PDF}"
        tracking.conclude(summary)
        print(f"\n{summary}\n  {args.report / HTML}")


if __name__ == "__main__":
    run(main)
