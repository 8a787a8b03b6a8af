"""`aml job compare`: the models of several jobs on the same test rows, else what they logged.

The comparison is a job of its own, of the project's `compare` component, so that it is tracked and
its report kept, here and in Azure.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from amlocal.cli import summary, text
from amlocal.cli.arguments import Parser
from amlocal.cli.output import render_table
from amlocal.cli.reporting import reporter_for
from amlocal.cli.session import Session, View
from amlocal.cli.terminal import Terminal
from amlocal.errors import UsageError
from amlocal.plan import JobInfo, JobStatus, OutputInfo

COMPONENT = Path("components/compare/component.yml")
MODEL = "mlflow_model"
#: Of several models that a job wrote, the one that is meant.
PREFERRED = ("best", "best_model", "model")
#: The component has so many places for models.
MOST_MODELS = 6
TABLES = (".parquet", ".pq", ".csv", ".tsv", ".gz")


def flags(parser: Parser) -> None:
    """Add the verb's flags."""
    parser.add_argument("jobs", nargs="+", metavar="JOB", help="names of jobs or steps")
    parser.add_argument(
        "--data", metavar="PATH", help="test rows; those of the first job that tells them"
    )
    parser.add_argument(
        "--metric",
        default="auto",
        metavar="NAME",
        help="to compare by; auc, or rmse for quantities",
    )
    parser.add_argument(
        "--champion", default="none", metavar="MODEL", help="a registered model's champion too"
    )
    parser.add_argument(
        "--target-column", metavar="NAME", help="what is predicted, where the models do not say it"
    )
    parser.add_argument(
        "--component", type=Path, metavar="PATH", help=f"the component; {COMPONENT} of the project"
    )
    parser.add_argument(
        "--compute", default="azureml:cpu-cluster", metavar="NAME", help="where Azure compares"
    )


def compare(session: Session, args: argparse.Namespace) -> int:
    """Compare jobs; returns the exit code."""
    if session.is_dry:
        raise UsageError("a dry run reads no jobs, so it cannot compare them")
    jobs = [session.client.jobs.get(name) for name in dict.fromkeys(args.jobs)]
    models = {job.name: found for job in jobs if (found := model_of(job)) is not None}
    if not models:
        session.emit(logged_view(jobs))
        return 0
    if lacking := [job.name for job in jobs if job.name not in models]:
        raise UsageError(
            f"no model in {', '.join(lacking)}", hint="compare jobs with models, or jobs without"
        )
    if len(models) > MOST_MODELS:
        raise UsageError(f"{len(models)} models; at most {MOST_MODELS} are compared")
    with TemporaryDirectory() as scratch:
        file = Path(scratch, "compare.yml")
        # JSON is YAML, and needs no import.
        file.write_text(json.dumps(job_of(models, test_rows(jobs, args.data), args), indent=2))
        with reporter_for(session.err) as reporter:
            job = session.client.jobs.create_or_update(file, reporter=reporter)
        if job.status is not JobStatus.COMPLETED:
            session.err.write(summary.ended(job, session.err))
            return 1
        folder = session.client.jobs.download(
            job.name, download_path=Path(scratch, "report"), output_name="report"
        )
        (report,) = folder.rglob("comparison.json")
        found = json.loads(report.read_text(encoding="utf-8"))
    session.emit(comparison_view({"job": job.name, **found}))
    return 0


def model_of(job: JobInfo) -> OutputInfo | None:
    """Return the model that a job wrote, or the one that its steps did; None where there is none.

    Raises:
        UsageError: There are several, or the job has not completed.
    """
    found = {name: each for name, each in job.outputs.items() if each.type == MODEL}
    if not found and job.type == "pipeline":
        found = {
            f"step {child.name}": each
            for child in job.children
            for each in child.outputs.values()
            if each.type == MODEL
        }
    if not found:
        return None
    if job.status is not JobStatus.COMPLETED:
        raise UsageError(f"job {job.name} is {job.status.value}, so it has no model to compare")
    chosen = [found[name] for name in PREFERRED if name in found] or list(found.values())
    if len(found) > 1 and len(chosen) == len(found):
        names = ", ".join(found)
        raise UsageError(
            f"job {job.name} wrote several models: {names}", hint="compare its steps by their names"
        )
    return chosen[0]


def test_rows(jobs: Sequence[JobInfo], given: str | None) -> tuple[str, str]:
    """Return type and path of the test rows: those given, else what the first job tells.

    A job tells them by a step's output `test`, or by an input `test_data`.

    Raises:
        UsageError: There is no such file, or nothing tells them.
    """
    if given is not None:
        return given_rows(given)
    for job in jobs:
        for step in job.tree():
            if "test" in step.outputs:
                return step.outputs["test"].type, step.outputs["test"].path
        if "test_data" in job.inputs and job.inputs["test_data"].path:
            return job.inputs["test_data"].type, str(job.inputs["test_data"].path)
    raise UsageError("no job tells its test rows", hint="give them: --data PATH")


def given_rows(given: str) -> tuple[str, str]:
    """Return type and path of test rows that are a path here or an address.

    Raises:
        UsageError: There is no such file.
    """
    if given.startswith("azureml:") or "://" in given:
        return ("uri_file" if given.endswith(TABLES) else "uri_folder"), given
    path = Path(given).absolute()
    if not path.exists():
        raise UsageError(f"no file or folder {given}", hint="--data takes test rows")
    return ("uri_folder" if path.is_dir() else "uri_file"), str(path)


def component_file(given: Path | None, start: Path) -> Path:
    """Return the component's file: the one given, else the project's, here or above.

    Raises:
        UsageError: There is none.
    """
    places = (
        [given.absolute()]
        if given is not None
        else [folder / COMPONENT for folder in (start, *start.parents)]
    )
    for place in places:
        if place.is_file():
            return place
    raise UsageError(
        f"no {given or COMPONENT} here or above",
        hint="run it inside the project, or give --component PATH",
    )


def job_of(
    models: Mapping[str, OutputInfo], rows: tuple[str, str], args: argparse.Namespace
) -> dict[str, Any]:
    """Return the job that compares models: a pipeline of the component, as its file says it."""
    slots = {f"model_{number}": found.path for number, found in enumerate(models.values(), 1)}
    settings = {"names": ", ".join(models), "metric": args.metric, "champion": args.champion}
    if args.target_column:
        settings["target"] = args.target_column
    places = ("data", *slots)
    return {
        "$schema": "https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json",
        "type": "pipeline",
        "display_name": "compare",
        "experiment_name": "compare",
        "description": f"Compare the models of {', '.join(models)}.",
        "inputs": {
            "data": {"type": rows[0], "path": rows[1]},
            **{slot: {"type": MODEL, "path": path} for slot, path in slots.items()},
        },
        "outputs": {"report": {"type": "uri_folder"}},
        "settings": {"default_compute": args.compute},
        "jobs": {
            "compare": {
                "type": "command",
                "component": str(component_file(args.component, Path.cwd())),
                "inputs": settings | {name: f"${{{{parent.inputs.{name}}}}}" for name in places},
                "outputs": {"report": "${{parent.outputs.report}}"},
            }
        },
    }


def comparison_view(found: Mapping[str, Any]) -> View:
    """Return a comparison of models; `*` is the one that is recommended."""
    rows = [_model_row(each, found) for each in sorted(found["models"], key=_behind)]

    def written(terminal: Terminal) -> str:
        return f"{render_table(rows, terminal)}\n* {found['reason']}\n"

    return View(dict(found), rows, written)


def _behind(model: Mapping[str, Any]) -> float:
    return float(model["behind"])


def _model_row(model: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, str]:
    is_best, seconds = model["name"] == found["best"], model["training_seconds"]
    low, high = (text.number(each) for each in model["behind_interval"])
    return {
        "Model": model["name"] + (" *" if model["name"] == found["recommended"] else ""),
        text.clean(found["metric"]): text.number(model["value"]),
        "Behind": "best" if is_best else text.number(model["behind"]),
        "Interval": "" if is_best else f"{low} to {high}",
        "Kind": model["kind"],
        "Size": text.size(model["bytes"]),
        "Trained": "" if seconds is None else text.duration(seconds),
        "A_row": f"{model['row_milliseconds']:.1f} ms",
    }


def logged_view(jobs: Sequence[JobInfo]) -> View:
    """Return what jobs logged, side by side."""
    data = [
        {"name": job.name, "status": job.status.value, "params": job.params, "metrics": job.metrics}
        for job in jobs
    ]
    rows = []
    for kind, each in (
        ("parameter", [dict(job.params) for job in jobs]),
        (
            "metric",
            [{name: text.number(value) for name, value in job.metrics.items()} for job in jobs],
        ),
    ):
        for name in sorted({name for found in each for name in found}):
            values = {
                job.name: text.clean(found.get(name, ""))
                for job, found in zip(jobs, each, strict=True)
            }
            rows.append({"Kind": kind, "Name": text.clean(name), **values})
    nothing = "these jobs logged no parameters and no metrics\n"
    return View(data, rows, lambda terminal: render_table(rows, terminal) or nothing)
