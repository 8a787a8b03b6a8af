from __future__ import annotations

from tests.unit.cli.fakes import command, pipeline, step, terminal, written

from amlocal.cli.plain import PlainReporter
from amlocal.plan import JobStatus


def test_a_command_jobs_log_comes_as_it_is() -> None:
    term = terminal(tty=False)
    with PlainReporter(term) as reporter:
        reporter.job_started(command(JobStatus.NOT_STARTED))
        reporter.step_changed(command(JobStatus.RUNNING, duration=0.0))
        reporter.log(command(), "10%\r20%\r\n| not a step\n")
        reporter.step_changed(command())
        reporter.job_finished(command())
    assert written(term) == (
        "-- hello_1: command job\n"
        "-- hello_1: Running\n"
        "10%\r20%\r\n| not a step\n"
        "-- hello_1: Completed (0.5 s)\n"
    )


def test_a_pipelines_log_lines_begin_with_their_step() -> None:
    term = terminal(tty=False)
    reporter = PlainReporter(term)
    reporter.job_started(pipeline(step("train"), step("evaluate")))
    reporter.log(step("train"), "a\n\n10%\r20%\r\nb\u2028c\n")
    assert written(term).splitlines(keepends=False)[1:4] == ["train | a", "train | ", "train | 20%"]
    assert written(term).endswith("train | b\u2028c\n")


def test_states_say_why() -> None:
    term = terminal(tty=False)
    reporter = PlainReporter(term)
    reporter.step_changed(step("split", reused_from="lifecycle_0_split"))
    reporter.step_changed(step("train", JobStatus.FAILED, error="exit code 1\nat x"))
    reporter.step_changed(step("evaluate", JobStatus.CANCELED, duration=0.0))
    assert written(term).splitlines() == [
        "-- split: Completed (reused from lifecycle_0_split)",
        "-- train: Failed (2.0 s): exit code 1",
        "-- evaluate: Canceled",
    ]


def test_a_pipeline_ends_with_its_result() -> None:
    term = terminal(tty=False)
    reporter = PlainReporter(term)
    reporter.job_started(pipeline(step("train")))
    reporter.job_finished(pipeline(step("train"), status=JobStatus.CANCELED))
    assert written(term).splitlines()[-1] == "-- lifecycle_1: Canceled (12.3 s)"
