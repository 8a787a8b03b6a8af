from __future__ import annotations

import io

import pytest

from amlocal.plan import JobInfo, JobStatus
from amlocal.plan.reporter import Reporter, SilentReporter, TextReporter, after_step

STEP = JobInfo(name="fig_train", type="command", status=JobStatus.RUNNING, step="train")


def tell(reporter: Reporter, job: JobInfo) -> None:
    reporter.job_started(job)
    reporter.step_changed(STEP)
    reporter.note("the server starts")
    reporter.log(STEP, "one\ntwo\n")
    reporter.job_finished(job)


@pytest.mark.parametrize(
    ("kind", "lines"), [("command", "one\ntwo\n"), ("pipeline", "train | one\ntrain | two\n")]
)
def test_what_a_job_logs_is_written_and_how_it_ends(kind: str, lines: str) -> None:
    stream = io.StringIO()
    tell(TextReporter(stream), JobInfo(name="fig", type=kind, status=JobStatus.COMPLETED))
    assert stream.getvalue() == f"-- fig\n-- the server starts\n{lines}-- fig: Completed\n"


def test_an_error_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    job = JobInfo(name="fig", type="command", status=JobStatus.FAILED, error="exit code 3")
    TextReporter(stream).job_finished(job)
    assert stream.getvalue() == "-- fig: Failed: exit code 3\n"
    tell(SilentReporter(), job)
    assert capsys.readouterr().out == ""


def test_of_a_progress_bar_the_last_state_is_a_line() -> None:
    assert after_step(STEP, "10 %\r50 %\rdone\r\nnext\n") == "train | done\ntrain | next\n"
