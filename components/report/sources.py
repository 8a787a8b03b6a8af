"""Where a model comes from and what it runs with, as the last parts of its report."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from raikit.report import Facts
from stepkit.findings import FILE as FINDINGS
from stepkit.findings import Section, Table
from stepkit.program import read_json

#: Tags of a run that name the code it ran.
COMMIT_TAGS = ("mlflow.source.git.commit", "azureml.git.commit")
#: The file that `check_data` writes.
DATA_REPORT = "report.json"
_METADATA = {
    "estimator": "Kind of model",
    "task": "Task",
    "target": "Target",
    "train_data_digest": "Digest of the training rows",
    "source_data_digest": "Digest of the table that they are of",
    "code_digest": "Digest of the training code",
    "training_run_id": "MLflow run of the training",
    "hyperparameters": "Settings of the training",
    "training_seconds": "Seconds of training",
}


def lineage(
    description: Mapping[str, Any],
    digests: Mapping[str, str],
    run_tags: Mapping[str, str],
    run_id: str,
) -> Facts:
    """Return where a model comes from.

    Args:
        description: Its MLmodel file.
        digests: What each digest is of, and the digest.
        run_tags: Tags of the run that trained it.
        run_id: The MLflow run that makes the report; empty where there is none.
    """
    said = {str(key): str(value) for key, value in description["metadata"].items()}
    metadata = {key: value for key, value in said.items() if value not in ("", "{}")}
    rows = [(f"Digest of {what}", digest) for what, digest in digests.items() if digest]
    rows += [(title, metadata.pop(key)) for key, title in _METADATA.items() if key in metadata]
    rows += [(key.replace("_", " ").capitalize(), value) for key, value in metadata.items()]
    known = {
        "Git commit of the training": next(
            (run_tags[tag] for tag in COMMIT_TAGS if tag in run_tags), ""
        ),
        "Job": os.environ.get("AZUREML_ROOT_RUN_ID", ""),
        "Experiment": os.environ.get("AZUREML_EXPERIMENT_NAME", ""),
        "MLflow run of this report": run_id,
        "Model saved": str(description.get("utc_time_created", "")),
        "Saved with MLflow": str(description.get("mlflow_version", "")),
    }
    rows += [(name, value) for name, value in known.items() if value]
    words = [
        "With these the model can be traced to its data and code, and made again. A digest is a "
        "fingerprint: as long as it is the same, so is every byte of what it was taken of."
    ]
    return Facts("Where it comes from", words, rows)


def environment(model: Path) -> list[Facts]:
    """Return what a model needs to run, and what this report was made with."""
    requirements = model / "requirements.txt"
    found = []
    if requirements.is_file():
        lines = [line.strip() for line in requirements.read_text(encoding="utf-8").splitlines()]
        wanted = [line for line in lines if line and not line.startswith("#")]
        rows = [_parted(line) for line in wanted]
        words = ["The packages that the model asks for where it is loaded."]
        found.append(Facts("What it needs to run", words, rows))
    packages = {each.metadata["Name"]: each.version for each in distributions()}
    rows = [("Python", platform.python_version()), ("System", platform.platform())]
    rows += sorted(packages.items(), key=lambda each: each[0].casefold())
    words = ["The interpreter and packages of the environment in which this report was made."]
    found.append(Facts("What it was examined with", words, rows))
    return found


def _parted(requirement: str) -> tuple[str, str]:
    """Return a requirement's name and what is asked of it."""
    end = next((n for n, sign in enumerate(requirement) if sign in "=<>!~ ;["), len(requirement))
    return requirement[:end], requirement[end:].strip() or "any version"


def data_sections(folder: Path) -> Sequence[Section] | None:
    """Return what `check_data` found, of its own findings or else of its `report.json`.

    Returns:
        None where the folder has findings, which are read as those of any step.
    """
    if (folder / FINDINGS).is_file():
        return None
    document = read_json(folder / DATA_REPORT)
    problems = document["problems"]
    errors = sum(each["severity"] == "error" for each in problems)
    if problems:
        said = f"{errors} rules are broken and {len(problems) - errors} warnings were given."
    elif document.get("rules"):
        said = "The data are as their rules want them."
    else:
        said = "No rules were given for the data, so they are described here and not judged."
    words = [
        f"{said} Rules are checked before training: which columns there must be, and what may "
        "stand in them.",
        *(f"{note[:1].upper()}{note[1:]}." for note in document["notes"]),
    ]
    blocks = [_problem_table(problems)] if problems else []
    sections = [
        Section(
            "Are the data as they should be?",
            words,
            blocks,
            "bad" if errors else "warning" if problems else "good" if document.get("rules") else "",
        )
    ]
    tables = [_column_table(name, table) for name, table in document["tables"].items()]
    about = ["What stands in each column: how much is missing, and how many values there are."]
    return [*sections, Section("The columns", about, tables)]


def _problem_table(problems: Sequence[Mapping[str, Any]]) -> Table:
    rows = [
        (each["severity"], each["table"], each["rule"], each["message"], each["rows"])
        for each in problems
    ]
    head = ("severity", "table", "rule", "what", "rows")
    return Table(head, rows, {"rows": ",d"}, "Rules that are broken")


def _column_table(name: str, table: Mapping[str, Any]) -> Table:
    rows = []
    for column, each in table["columns"].items():
        if "min" in each:
            span = f"{each['min']} to {each['max']}"
        elif "commonest" in each:
            span = f"{each['commonest']} ({each['commonest_share']:.1%})"
        else:
            span = ""
        missing = each["missing"] / table["rows"] if table["rows"] else None
        rows.append((column, each["type"], missing, each["distinct"], span))
    head = ("column", "type", "missing", "values", "range, or commonest value")
    caption = f"{name}: {table['rows']:,} rows, {table['duplicate_rows']:,} of them copies"
    return Table(head, rows, {"missing": ".1%", "values": ",d"}, caption)


def data_digests(folder: Path | None) -> dict[str, str]:
    """Return the digests of the tables that `check_data` looked at."""
    if folder is None or not (folder / DATA_REPORT).is_file():
        return {}
    tables = read_json(folder / DATA_REPORT)["tables"]
    return {f"the table {name}": str(table["digest"]) for name, table in tables.items()}
