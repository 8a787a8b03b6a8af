"""The verbs of jobs, and jobs that run in a process of their own."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil
import pytest
from tests.lab import Lab, Recording, children, command, pipeline, processes_of, step, wait_for

from amlocal.errors import NotFoundError, UsageError
from amlocal.local import joblock
from amlocal.plan import JobInfo, JobStatus, LiteralValue, Output, OutputSource


def is_over(lab: Lab, name: str) -> bool:
    return lab.client.jobs.get(name).status.is_terminal


def has_begun(lab: Lab, name: str) -> bool:
    log = lab.services.workspace.job(name) / "artifacts" / "user_logs" / "std_log.txt"
    return log.exists() and "up" in log.read_text()


def worker_of(lab: Lab, name: str) -> psutil.Process:
    for process in psutil.process_iter(["cmdline"]):
        line = process.info["cmdline"] or []
        if "amlocal.local.worker" in line and line[-2:] == [str(lab.workspace), name]:
            return process
    raise AssertionError(f"no worker of {name}")


def test_a_job_goes_on_in_the_background(lab: Lab) -> None:
    job = lab.start(pipeline(step("a", "echo up; sleep 0.5"), step("b", "echo b")), name="back")
    assert job.name == "back"
    assert not job.status.is_terminal
    reporter = Recording()
    done = lab.client.jobs.stream("back", reporter)
    assert done.status is JobStatus.COMPLETED, done.error
    assert reporter.logs == {"a": "up\n", "b": "b\n"}
    assert [job.name for job in reporter.started] == ["back"]
    assert reporter.finished == [done]
    assert ("a", JobStatus.COMPLETED) in reporter.changes
    wait_for(lambda: not joblock.is_held(lab.services.workspace.job("back")))


def test_a_background_job_is_cancelled_with_its_processes(lab: Lab) -> None:
    lab.start(pipeline(step("a", "echo up; sleep 300")), name="back")
    wait_for(lambda: has_begun(lab, "back_a"))
    job = lab.client.jobs.cancel("back")
    assert job.status is JobStatus.CANCELED
    assert processes_of(lab) == []
    assert not joblock.is_held(lab.services.workspace.job("back"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_worker_that_is_asked_to_end_cancels_its_job(lab: Lab, number: int) -> None:
    lab.start(command("echo up; sleep 300"), name="back")
    wait_for(lambda: has_begun(lab, "back"))
    worker_of(lab, "back").send_signal(number)
    wait_for(lambda: is_over(lab, "back"))
    assert lab.client.jobs.get("back").status is JobStatus.CANCELED
    assert processes_of(lab) == []


def test_a_worker_is_not_tied_to_who_started_it(lab: Lab) -> None:
    lab.start(command("echo up; sleep 300"), name="back")
    wait_for(lambda: has_begun(lab, "back"))
    worker = worker_of(lab, "back")
    assert os.getsid(worker.pid) == worker.pid
    log = lab.services.workspace.job("back") / "engine.log"
    assert {Path(f"/proc/{worker.pid}/fd/{number}").resolve() for number in (1, 2)} == {log}
    lab.client.jobs.cancel("back")


def test_the_plan_of_a_background_job_is_for_its_owners_eyes(lab: Lab) -> None:
    lab.start(command("test $TOKEN = x", variables={"TOKEN": "x"}), name="back")
    plan = lab.services.workspace.job("back") / "plan.json"
    assert plan.stat().st_mode & 0o777 == 0o600
    wait_for(lambda: is_over(lab, "back"))
    assert lab.client.jobs.get("back").status is JobStatus.COMPLETED


def test_streaming_a_job_that_is_over_tells_all_of_it(lab: Lab) -> None:
    job = lab.run(pipeline(step("a", "echo a"), step("b", "echo b; exit 1")))
    reporter = Recording()
    assert lab.client.jobs.stream(job.name, reporter) == job
    assert reporter.logs == {"a": "a\n", "b": "b\n"}
    assert dict(reporter.changes) == {"a": JobStatus.COMPLETED, "b": JobStatus.FAILED}


def test_leaving_a_stream_does_not_end_the_job(lab: Lab) -> None:
    def leave(text: str) -> None:
        raise KeyboardInterrupt

    lab.start(command("echo up; sleep 0.7; echo end"), name="back")
    with pytest.raises(KeyboardInterrupt):
        lab.client.jobs.stream("back", Recording(on_log=leave))
    wait_for(lambda: is_over(lab, "back"))
    assert lab.client.jobs.get("back").status is JobStatus.COMPLETED


def test_a_name_is_taken_once(lab: Lab) -> None:
    lab.run(command("true"), name="fig")
    with pytest.raises(UsageError, match="a job named 'fig' exists"):
        lab.run(command("true"), name="fig")
    assert lab.client.jobs.get("fig").status is JobStatus.COMPLETED


def test_a_running_jobs_name_is_taken(lab: Lab) -> None:
    lab.start(command("echo up; sleep 300"), name="fig")
    with pytest.raises(UsageError, match="a job named 'fig' runs"):
        lab.run(command("true"), name="fig")
    lab.client.jobs.cancel("fig")


@pytest.mark.parametrize("name", ["a b", "../x", "-x", "x" * 256, "a.b"])
def test_a_name_that_cannot_be_one_is_refused(lab: Lab, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a job's name"):
        lab.run(command("true"), name=name)


def test_a_name_is_made_up(lab: Lab) -> None:
    assert lab.run(command("true")).name.count("_") == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"environment": "moon"}, "no environment mode 'moon'"),
        ({"max_parallel": 0}, "max_parallel is less than 1"),
    ],
)
def test_wrong_options_are_refused(lab: Lab, options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        lab.run(command("true"), **options)
    assert lab.client.jobs.list() == []


def test_an_environment_that_cannot_be_had_fails_the_job(lab: Lab) -> None:
    job = lab.run(command("true"), environment="docker")
    assert job.status is JobStatus.FAILED
    assert "Docker" in job.error


def test_validate_leaves_nothing(lab: Lab) -> None:
    job = lab.client.jobs.validate(
        pipeline(step("a", "true"), inputs={"n": LiteralValue(value=1)}, name="fig")
    )
    assert (job.name, len(job.children)) == ("fig", 1)
    assert lab.client.jobs.list() == []


def test_lists(lab: Lab) -> None:
    for name in ("one", "two"):
        lab.run(pipeline(step("a", "true"), step("b", "true # b")), name=name)
    jobs = lab.client.jobs
    assert [job.name for job in jobs.list()] == ["two", "one"]
    assert [job.name for job in jobs.list(max_results=1)] == ["two"]
    assert [job.step for job in jobs.list(parent_job_name="one")] == ["a", "b"]
    jobs.archive("one")
    assert [job.name for job in jobs.list()] == ["two"]
    assert [job.name for job in jobs.list(list_view_type="ArchivedOnly")] == ["one"]
    jobs.restore("one")
    assert [job.name for job in jobs.list()] == ["two", "one"]
    with pytest.raises(NotFoundError):
        jobs.list(parent_job_name="nope")


def test_a_step_is_a_job_too(lab: Lab) -> None:
    job = lab.run(pipeline(step("a", "echo a")), name="fig")
    assert lab.client.jobs.get("fig_a") == job.children[0]
    assert lab.client.jobs.stream("fig_a", Recording()).name == "fig"


@pytest.mark.parametrize("verb", ["get", "cancel", "archive", "explain_reuse"])
def test_an_unknown_name_is_an_error(lab: Lab, verb: str) -> None:
    lab.run(command("true"), name="kind_fig")
    with pytest.raises(NotFoundError, match="no job named 'kind_fog'") as raised:
        getattr(lab.client.jobs, verb)("kind_fog")
    assert raised.value.hint == "did you mean 'kind_fig'?"


def test_a_running_job_has_lasted(lab: Lab) -> None:
    lab.start(command("echo up; sleep 300"), name="fig")
    wait_for(lambda: has_begun(lab, "fig"))
    time.sleep(0.3)
    job = lab.client.jobs.get("fig")
    assert job.status is JobStatus.RUNNING
    assert job.duration >= 0.3
    lab.client.jobs.cancel("fig")


def test_a_pipelines_outputs_are_those_of_its_steps(lab: Lab) -> None:
    train = step("train", "echo m > ${{outputs.model}}/m", outputs={"model": Output()})
    job: JobInfo = lab.run(
        pipeline(
            train,
            outputs={"best": Output()},
            output_sources={"best": OutputSource(step="train", output="model")},
        )
    )
    assert job.outputs["best"] == children(job)["train"].outputs["model"]
