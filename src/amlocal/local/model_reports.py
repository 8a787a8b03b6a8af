"""Finds the report of a registered model: the artifacts that a step `report` logged.

The step leaves the id of its run as a tag of the model version. Where it did not, because a job of
one's own makes the report without register's output, the report is looked for in the job that
registered the version, which the tag `job` names.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from amlocal.errors import NotFoundError
from amlocal.local.model_registry import ModelRegistry
from amlocal.local.tracking.client import TrackingClient
from amlocal.local.tracking.values import JOB_TAG, ModelVersion, RunData

#: Where the step logs its files, and the file that a report always has.
ARTIFACTS = "report"
PAGE = "report.html"
_RUN_TAG, _JOB_TAG = "report_run_id", "job"


def report_folder(
    registry: ModelRegistry, name: str, version: str | None = None, label: str | None = None
) -> Path:
    """Return the folder with the report of a model version, for reading.

    Args:
        registry: The workspace's registry.
        name: The model's name.
        version: Its version.
        label: `latest` (as is neither) or an alias.

    Raises:
        NotFoundError: There is no such version, or nobody made a report of it.
        UsageError: Both a version and a label are given.
    """
    with registry.client_for(name) as client:
        found = registry.find(client, name, version, label)
        for run in _runs(client, found):
            folder = registry.artifact(run, ARTIFACTS)
            if folder is not None and (folder / PAGE).is_file():
                return folder
    job = found.tags.get(_JOB_TAG)
    where = f" in job {job}" if job else ""
    raise NotFoundError(
        f"there is no report of model {name}:{found.version}{where}",
        hint="add the step components/report to its job, with the output of register",
    )


def _runs(client: TrackingClient, version: ModelVersion) -> Iterator[RunData]:
    """Give the runs that may hold a version's report, the likeliest first."""
    if run_id := version.tags.get(_RUN_TAG):
        # It may have been deleted since; its job may have been run again.
        with contextlib.suppress(NotFoundError):
            yield client.get_run(run_id)
    job = version.tags.get(_JOB_TAG)
    if not job or "'" in job:
        return
    for root in client.search_runs(filter_string=f"tags.`{JOB_TAG}` = '{job}'"):
        parent = f"tags.`mlflow.parentRunId` = '{root.run.run_id}'"
        yield from client.search_runs([root.run.experiment_id], filter_string=parent)
