"""Runs that wait for the tracking server's keeper."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.lab import Lab, children, command, pipeline, step, wait_for

from amlocal.local import waiting
from amlocal.local.records import JobRecords, WaitingRun, timestamp
from amlocal.local.submission import new_record
from amlocal.local.tracking.client import TrackingClient
from amlocal.local.tracking.state import Layout
from amlocal.local.tracking.values import RunData
from amlocal.plan import DataValue, Job, JobInfo, JobStatus, LiteralValue


def runs_of(client: TrackingClient, *jobs: JobInfo) -> list[RunData]:
    """Return the runs of each of some jobs, which must have one each."""
    found = []
    for job in jobs:
        named = f"tags.`amlocal.job` = '{job.name}'"
        (run,) = client.search_runs([client.experiment("tests")], filter_string=named)
        found.append(run)
    return found


def complete(lab: Lab, job: Job, name: str) -> JobInfo:
    """Leave a job as one that ended and of which no run is written yet."""
    records: JobRecords = lab.services.records
    info = new_record(job, name)
    records.add(info)
    for each in (info, *info.children):
        now = timestamp()
        ended = {"status": JobStatus.COMPLETED, "start_time": now, "end_time": now}
        records.save(msgspec.structs.replace(each, **ended))
        tags = {"amlocal.job": each.name}
        records.wait_for_run(each.name, WaitingRun("tests", each.name, tags))
    return records.get(name)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """The files of a tracking server without a keeper."""
    return Layout(tmp_path / "no-keeper")


@pytest.fixture
def left(lab: Lab, layout: Layout) -> JobInfo:
    """A job that has ended, with a step, whose runs wait for that server's keeper."""
    # A name of its own, since runs are looked for by it on the server of all tests.
    name = f"left-{secrets.token_hex(4)}"
    info = complete(lab, pipeline(step("a", "true"), step("b", "true # b")), name)
    layout.waiting.mkdir(parents=True)
    (layout.waiting / info.name).write_text(str(lab.workspace))
    return info


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Lab]:
    """A workspace with a tracking server of its own."""
    lab = Lab.open(tmp_path / "alone", shared=tmp_path)
    yield lab
    lab.services.server.stop()


@pytest.mark.slow
def test_a_reused_job_needs_no_server_and_is_written_when_it_is_up(alone: Lab) -> None:
    rows = alone.write("rows.csv", "a,b\n1,x\n")
    inputs = {
        "n": LiteralValue(value=3),
        "rows": DataValue(path=str(rows), type="uri_file"),
    }
    job = pipeline(step("a", "true", inputs=inputs), display_name="Twice")
    alone.run(job)
    server = alone.services.server
    server.stop()
    again = alone.run(job)
    assert again.status is JobStatus.COMPLETED
    assert server.uri() is None
    assert server.expects_runs(again.name)
    with TrackingClient(server.ensure()) as client:
        seen = alone.client.jobs.get(again.name)
        assert not server.expects_runs(again.name)
        root, child = runs_of(client, seen, seen.children[0])
    assert seen.tracking.run_id == root.run.run_id
    assert seen.children[0].tracking.uri == server.uri()
    assert (root.status, child.status) == ("FINISHED", "FINISHED")
    assert root.tags["mlflow.runName"] == "Twice"
    assert child.params == {"n": "3", "rows": str(rows)}
    assert child.tags["mlflow.parentRunId"] == root.run.run_id
    assert [data.context for data in child.inputs] == ["rows"]


def test_a_step_beside_those_that_run_is_nested_in_the_same_run(
    lab: Lab, tracking: TrackingClient
) -> None:
    first = step("a", "true # beside")
    lab.run(pipeline(first))
    job = lab.client.jobs.get(lab.run(pipeline(first, step("b", "true # new"))).name)
    assert children(job)["a"].reused_from
    assert not children(job)["b"].reused_from
    root, *nested = runs_of(tracking, job, *job.children)
    assert {run.tags["mlflow.parentRunId"] for run in nested} == {root.run.run_id}


def test_a_run_that_was_begun_is_not_written_twice(
    lab: Lab, tracking: TrackingClient, layout: Layout, left: JobInfo
) -> None:
    # The keeper was killed right after MLflow had made the first of three runs.
    tags = {"amlocal.job": left.name}
    experiment = tracking.experiment("tests")
    begun = tracking.create_run(experiment, left.name, tags=tags, start_time=0)
    assert waiting.write_all(layout, tracking, looks_again=True) is False
    root, *_ = runs_of(tracking, left, *left.children)
    assert root.run.run_id == begun.run_id
    assert root.status == "FINISHED"
    assert layout.expected_jobs() == []


def test_what_mlflow_refuses_is_said_and_keeps_nothing_back(
    lab: Lab, tracking: TrackingClient, layout: Layout, left: JobInfo
) -> None:
    gone = "0123456789abcdef0123456789abcdef"
    tracked = msgspec.structs.replace(left.tracking, run_id=gone)
    lab.services.records.save(msgspec.structs.replace(left, tracking=tracked))
    waiting.write_all(layout, tracking)
    job = lab.services.records.get(left.name)
    (warning,) = job.warnings
    assert gone in warning
    assert [run.status for run in runs_of(tracking, *job.children)] == ["FINISHED"] * 2
    assert lab.services.records.waiting_runs(left.name) == []


def test_a_job_that_is_not_over_is_waited_for(
    lab: Lab, tracking: TrackingClient, layout: Layout, left: JobInfo
) -> None:
    lab.services.records.save(msgspec.structs.replace(left, status=JobStatus.RUNNING))
    assert waiting.write_all(layout, tracking) is False
    assert len(layout.expected_jobs()) == 1


def test_a_workspace_that_was_removed_is_forgotten(
    tracking: TrackingClient, layout: Layout, tmp_path: Path
) -> None:
    layout.waiting.mkdir(parents=True)
    (layout.waiting / "fig").write_text(str(tmp_path / "gone"))
    waiting.write_all(layout, tracking)
    assert layout.expected_jobs() == []
    assert not (tmp_path / "gone").exists()


@pytest.mark.slow
def test_a_killed_keepers_work_is_taken_up_by_the_next(alone: Lab) -> None:
    steps = [step(f"s{n}", f"true # {n}") for n in range(20)]
    alone.run(pipeline(*steps))
    again = alone.run(pipeline(*steps))
    server = alone.services.server
    wait_for(lambda: bool(alone.services.records.get(again.name).tracking.run_id))
    for pid in server.processes():
        os.kill(pid, 9)
    with TrackingClient(server.ensure()) as client:
        seen = alone.client.jobs.get(again.name)
        runs = runs_of(client, seen, *seen.children)
    assert [run.status for run in runs] == ["FINISHED"] * 21


def test_a_command_job_that_is_reused_has_a_run(lab: Lab, tracking: TrackingClient) -> None:
    lab.run(command("true # twice"))
    job = lab.client.jobs.get(lab.run(command("true # twice")).name)
    assert job.reused_from
    (run,) = runs_of(tracking, job)
    assert "mlflow.parentRunId" not in run.tags
    assert run.run.run_id == job.tracking.run_id
