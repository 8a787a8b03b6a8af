"""What each kind of result looks like as data and as table rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from amlocal.cli import summary, text
from amlocal.cli.output import plain, render_table
from amlocal.cli.session import View
from amlocal.errors import Problem
from amlocal.plan import AssetInfo, JobInfo, StepReuse, WorkspaceInfo


def job_data(job: JobInfo) -> dict[str, Any]:
    """Return a job as JSON values, with `services` where Azure has the page of its run."""
    data: dict[str, Any] = plain(job)
    data["services"] = {
        "Studio": {"endpoint": summary.run_address(job)},
        "Tracking": {"endpoint": job.tracking.uri},
    }
    data["children"] = [job_data(child) for child in job.children]
    return data


def job_view(job: JobInfo) -> View:
    """Return one job in full."""
    return View(job_data(job), [_job_row(job)], lambda terminal: summary.job(job, terminal))


def submitted_view(job: JobInfo) -> View:
    """Return a job that goes on by itself, with the commands that follow it."""
    return View(job_data(job), [_job_row(job)], lambda terminal: summary.submitted(job, terminal))


def jobs_view(jobs: Sequence[JobInfo]) -> View:
    """Return a list of jobs."""
    rows = [_job_row(job) for job in jobs]
    short = [
        {
            "Name": job.name,
            "Status": job.status.value,
            "Duration": row["Duration"],
            "Created": row["Creation_time"],
            "Experiment": job.experiment_name,
        }
        for job, row in zip(jobs, rows, strict=True)
    ]
    nothing = "no jobs; aml job create -f FILE runs one\n"
    data = [job_data(job) for job in jobs]
    return View(data, rows, lambda terminal: render_table(short, terminal) or nothing)


def _job_row(job: JobInfo) -> dict[str, str]:
    return {
        "Name": job.name,
        "Type": job.type,
        "Status": job.status.value,
        "Creation_time": text.moment(job.creation_time),
        "Duration": text.duration(job.duration) if job.duration else "",
        "Experiment_name": job.experiment_name,
        "Display_name": job.step or job.display_name,
    }


def validation_view(job: JobInfo, file: str) -> View:
    """Return that a file can run, in the shape of azure-ai-ml's validation results."""
    data = {"result": "Succeeded", "errors": [], "warnings": list(job.warnings)}
    rows = [{"Result": "Succeeded", "Type": job.type, "File": file}]
    steps = f" of {text.plural(len(job.children), 'step')}" if job.type == "pipeline" else ""
    return View(data, rows, lambda _: f"{file} can run: a {job.type} job{steps}\n")


def problems_view(problems: Sequence[Problem]) -> View:
    """Return why a file cannot run, in the shape of azure-ai-ml's validation results."""
    errors = [
        {"message": each.message, "hint": each.hint, "file": each.file, "line": each.line}
        for each in problems
    ]
    rows = [{"Result": "Failed", "Problem": str(each)} for each in problems]
    return View({"result": "Failed", "errors": errors, "warnings": []}, rows)


def reuse_view(steps: Sequence[StepReuse]) -> View:
    """Return why each step of a job ran or did not."""
    rows = [
        {
            "Step": each.step,
            "Reused_from": each.reused_from or "",
            "Reason": each.reason,
            "Changed": "; ".join(each.changed),
        }
        for each in steps
    ]
    return View(plain(steps), rows, lambda terminal: summary.reuse(steps, terminal))


def asset_view(asset: AssetInfo) -> View:
    """Return one version of an asset."""
    return View(plain(asset), [_asset_row(asset)], lambda term: summary.asset(asset, term))


def assets_view(assets: Sequence[AssetInfo], noun: str) -> View:
    """Return a list of assets."""
    rows = [_asset_row(asset) for asset in assets]
    nothing = f"none; aml {noun} create -f FILE registers one\n"
    return View(plain(assets), rows, lambda terminal: render_table(rows, terminal) or nothing)


def _asset_row(asset: AssetInfo) -> dict[str, str]:
    row = {"Name": asset.name, "Version": asset.version, "Type": asset.type}
    if asset.kind == "model":
        row["Aliases"] = ", ".join(asset.aliases)
    return {**row, "Creation_time": text.moment(asset.creation_time), "Path": asset.path}


def workspace_view(workspace: WorkspaceInfo) -> View:
    """Return the workspace on this machine."""
    row = {
        "Path": workspace.path,
        "Jobs": str(workspace.jobs),
        "Running": str(len(workspace.running)),
        "Tracking_uri": workspace.tracking_uri,
        "Size": text.size(workspace.bytes),
    }
    return View(plain(workspace), [row], lambda term: summary.workspace(workspace, term))


def fact_view(name: str, value: object, sentence: str) -> View:
    """Return a single fact."""
    return View({name: plain(value)}, [{name.capitalize(): str(value)}], lambda _: sentence + "\n")
