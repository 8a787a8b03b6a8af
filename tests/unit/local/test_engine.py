"""Jobs from plan to record, with real processes."""

from __future__ import annotations

from tests.lab import Lab, command

from amlocal.plan import JobStatus


def test_a_command_job_runs(lab: Lab) -> None:
    job = lab.run(command("echo hello"))
    assert job.status is JobStatus.COMPLETED
    assert lab.log(job) == "hello\n"


def test_a_command_job_runs2(lab: Lab) -> None:
    job = lab.run(command("echo hello"))
    assert job.status is JobStatus.COMPLETED
    assert lab.log(job) == "hello\n"
