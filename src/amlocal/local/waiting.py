"""Runs that wait to be written to MLflow, and the one who writes them.

Where nothing logs to a run while its job goes on (a reused step's, a wholly reused pipeline's, and
those that a killed engine left open), its record waits in the workspace's database, and the job's
name in `mlflow/waiting/`. The tracking server's keeper writes it as soon as the job is over, or, if
the server is down, when it is next up: such a job needs no server, and waits for none.

A run of which the writing was interrupted is taken up where it was: what MLflow has is not written
a second time.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from amlocal.errors import NotFoundError
from amlocal.local import joblock
from amlocal.local.database import Database
from amlocal.local.lineage import end_tags, parameters
from amlocal.local.records import JobRecords, WaitingRun, seconds_of
from amlocal.local.state import JobState
from amlocal.local.tracking.client import TrackingClient
from amlocal.local.tracking.datasets import describe_inputs
from amlocal.local.tracking.state import Layout
from amlocal.local.tracking.transport import ServerError
from amlocal.local.tracking.values import metrics_at
from amlocal.local.workspace import Workspace
from amlocal.plan import JobInfo


def write_all(layout: Layout, client: TrackingClient, *, looks_again: bool = False) -> bool:
    """Write every waiting run whose job is over.

    Args:
        layout: The tracking server's files.
        client: Talks to that server.
        looks_again: Whether MLflow is first asked for runs that were begun and not noted, as
            a keeper that was killed may have left them.

    Returns:
        Whether some wait for the end of their jobs.

    Raises:
        TrackingError: The server has gone.
    """
    held = False
    for pointer in layout.expected_jobs():
        workspace = Workspace(Path(pointer.read_text()), layout.folder)
        if not workspace.records.exists():
            pointer.unlink()  # the project was removed, and its jobs with it
            continue
        lock = joblock.take(workspace.job(pointer.name))
        if lock is None:
            held = True
            continue
        try:
            if _write_job(workspace, pointer.name, client, looks_again=looks_again):
                pointer.unlink()
        finally:
            os.close(lock)
    return held


def _write_job(
    workspace: Workspace, name: str, client: TrackingClient, *, looks_again: bool
) -> bool:
    """Write the runs of a job; returns False where it is still to be mended (`recovery`)."""
    database = Database(workspace.records, on_full=workspace.release_reserve)
    try:
        records = JobRecords(database)
        if not records.has(name):
            return True
        job = records.get(name)
        if not job.status.is_terminal:
            return False
        _Writing(workspace, records, JobState(records, job), client, looks_again).all()
        return True
    finally:
        database.close()


@dataclass(frozen=True)
class _Writing:
    """The writing of one job's waiting runs."""

    workspace: Workspace
    records: JobRecords
    state: JobState
    client: TrackingClient
    looks_again: bool
    experiments: dict[str, str] = field(default_factory=dict)

    def all(self) -> None:
        """Write them, each after the one that it is nested in."""
        for name, run in self.records.waiting_runs(self.state.root):
            try:
                self._write(self.state[name], run)
            except (ServerError, NotFoundError) as error:
                # It answers, and refuses: asking again would not help.
                root = self.state[self.state.root]
                refusal = f"not tracked in MLflow: {error}"
                self.state.change(root.name, warnings=(*root.warnings, refusal))
            self.records.forget_waiting(name)

    def _write(self, info: JobInfo, run: WaitingRun) -> None:
        if not info.status.is_terminal:
            return  # a step that never came to run
        given = parameters(info.inputs)
        start = seconds_of(info.start_time or info.creation_time)
        run_id = info.tracking.run_id or self._begun_before(info, run)
        logged: Mapping[str, str] = {}
        if run_id:
            logged = self.client.get_run(run_id).params
        else:
            run_id = self._begin(info, run, start)
        # MLflow refuses another value for what a script has logged before it was killed.
        self._log(info, run_id, {k: v for k, v in given.items() if k not in logged}, start)
        self.state.change(info.name, params={**given, **info.params, **logged})
        self.client.end_run(run_id, info.status, seconds_of(info.end_time or info.creation_time))

    def _begun_before(self, info: JobInfo, run: WaitingRun) -> str:
        if not self.looks_again:
            return ""
        experiment = self._experiment(run)
        query = f"tags.`amlocal.job` = '{info.name}'"
        found = next(self.client.search_runs([experiment], filter_string=query), None)
        if found is None:
            return ""
        self._note(info, found.run.run_id, experiment)
        return found.run.run_id

    def _begin(self, info: JobInfo, run: WaitingRun, start: float) -> str:
        tags = dict(run.tags)
        if info.parent and (above := self.state[info.parent].tracking.run_id):
            tags["mlflow.parentRunId"] = above
        experiment = self._experiment(run)
        begun = self.client.create_run(experiment, run.name, tags=tags, start_time=start)
        self._note(info, begun.run_id, experiment)
        return begun.run_id

    def _note(self, info: JobInfo, run_id: str, experiment: str) -> None:
        self.state.change_tracking(
            info.name, run_id=run_id, uri=self.client.uri, experiment_id=experiment
        )

    def _experiment(self, run: WaitingRun) -> str:
        if run.experiment not in self.experiments:
            self.experiments[run.experiment] = self.client.experiment(run.experiment)
        return self.experiments[run.experiment]

    def _log(self, info: JobInfo, run_id: str, given: Mapping[str, str], start: float) -> None:
        metrics = metrics_at(start, info.metrics)
        params = {**given, **info.params} if info.reused_from else given
        tags = end_tags(info)
        if metrics or params or tags:
            self.client.log_batch(run_id, metrics=metrics, params=params, tags=tags)
        if info.tracking.data:
            cache = self.workspace.cache / "schemas"
            sets, data = describe_inputs(info.tracking.data, info.inputs, cache)
            if sets:
                self.client.log_inputs(run_id, sets)
            self.state.change_tracking(info.name, data=data)
