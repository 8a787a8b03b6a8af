"""Jobs whose engine is gone: not killed here, but left as a kill or a power cut leaves them."""

from __future__ import annotations

import os
import subprocess
from unittest import mock

import msgspec
from tests.lab import Lab, children, command, pipeline, processes_of, step, wait_for

from amlocal.local import joblock
from amlocal.local.process import JOB_VARIABLE, WORKSPACE_VARIABLE
from amlocal.local.records import WaitingRun
from amlocal.local.recovery import never_began, recover
from amlocal.local.submission import new_record
from amlocal.local.tracking.client import TrackingClient
from amlocal.plan import JobStatus


def leave(lab: Lab, name: str, *, run_id: str = "") -> None:
    """Leave a job as an engine does that dies while its first step runs."""
    records = lab.services.records
    job = new_record(pipeline(step("a", "true"), step("b", "true # b")), name)
    records.add(job)
    first = job.children[0]
    tracking = msgspec.structs.replace(first.tracking, run_id=run_id)
    running = msgspec.structs.replace(
        first, status=JobStatus.RUNNING, start_time=first.creation_time, tracking=tracking
    )
    records.save(running)
    records.save(msgspec.structs.replace(job, status=JobStatus.RUNNING))
    if run_id:
        lab.services.server.expect_runs(name, lab.workspace)
        records.wait_for_run(first.name, WaitingRun("tests", "a", {}))


def test_a_lost_job_reads_failed_with_the_reason(lab: Lab) -> None:
    leave(lab, "lost")
    job = lab.client.jobs.get("lost")
    assert job.status is JobStatus.FAILED
    assert "was killed, or the machine went down" in job.error
    assert children(job)["a"].status is JobStatus.FAILED
    assert children(job)["a"].end_time
    assert children(job)["b"].status is JobStatus.NOT_STARTED


def test_every_way_to_look_mends_it(lab: Lab) -> None:
    leave(lab, "lost")
    assert [job.status for job in lab.client.jobs.list()] == [JobStatus.FAILED]
    leave(lab, "lost2")
    assert lab.client.workspace.show().running == ()
    leave(lab, "lost3")
    assert lab.client.jobs.cancel("lost3").status is JobStatus.FAILED


def test_a_job_whose_engine_lives_is_left_alone(lab: Lab) -> None:
    leave(lab, "fig")
    lock = joblock.take(lab.services.workspace.job("fig"))
    assert lock is not None
    assert recover(lab.services.records, lab.services.workspace) == []
    assert lab.client.jobs.get("fig").status is JobStatus.RUNNING
    os.close(lock)
    assert recover(lab.services.records, lab.services.workspace) == ["fig"]
    assert recover(lab.services.records, lab.services.workspace) == []


def test_what_it_left_running_is_ended(lab: Lab) -> None:
    leave(lab, "lost")
    marks = {WORKSPACE_VARIABLE: str(lab.workspace), JOB_VARIABLE: "lost"}
    orphan = subprocess.Popen(["sleep", "300"], env={**os.environ, **marks})
    wait_for(lambda: processes_of(lab) == [orphan.pid])
    lab.client.jobs.get("lost")
    assert orphan.wait(5) != 0


def test_its_runs_are_closed(lab: Lab, tracking: TrackingClient) -> None:
    experiment = tracking.experiment("tests")
    run = tracking.create_run(experiment, "a", tags={}, start_time=0)
    tracking.log_batch(run.run_id, params={"depth": "3"})
    leave(lab, "lost", run_id=run.run_id)
    assert tracking.get_run(run.run_id).status == "RUNNING"
    assert lab.client.jobs.get("lost").status is JobStatus.FAILED
    assert tracking.get_run(run.run_id).status == "FAILED"
    assert not lab.services.server.expects_runs("lost")
    # What its script had logged is in the record too.
    assert children(lab.client.jobs.get("lost"))["a"].params == {"depth": "3"}


def test_a_lost_job_that_was_ended_has_begun_nothing(lab: Lab) -> None:
    """Whatever the clock is within its millisecond: moments are cut to one, durations are not."""
    lab.services.workspace.create()
    records = lab.services.records
    for name, moment in (("early", 1_790_000_000.1230), ("late", 1_790_000_000.1239)):
        records.add(new_record(command("true"), name))
        with mock.patch("amlocal.local.state.time.time", return_value=moment):
            assert recover(records, lab.services.workspace) == [name]
        ended = records.get(name)
        assert ended.status is JobStatus.FAILED
        assert never_began(ended)
