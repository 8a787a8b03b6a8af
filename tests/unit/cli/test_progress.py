from __future__ import annotations

from tests.unit.cli.fakes import pipeline, step

from amlocal.cli.progress import Progress
from amlocal.plan import JobInfo, JobStatus


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def waiting(count: int) -> JobInfo:
    steps = [step(f"s{i:03}", JobStatus.NOT_STARTED, duration=0.0) for i in range(count)]
    return pipeline(*steps, status=JobStatus.NOT_STARTED, duration=0.0)


def test_running_steps_count_on_and_ended_ones_stand() -> None:
    clock = Clock()
    progress = Progress(waiting(2), clock)
    progress.change(step("s000", JobStatus.RUNNING, duration=3.0))  # joined after three seconds
    progress.change(step("s001", JobStatus.COMPLETED, duration=2.0))
    clock.now += 10
    screen = progress.screen(10)
    assert [row.seconds for row in screen.rows] == [13.0, 2.0]
    assert screen.seconds == 10.0
    assert (screen.ended, screen.total) == (1, 2)
    assert screen.status is JobStatus.RUNNING


def test_the_end_is_the_jobs_own() -> None:
    clock = Clock()
    progress = Progress(waiting(1), clock)
    failed = step("s000", JobStatus.FAILED, error="exit code 1")
    progress.finish(pipeline(failed, status=JobStatus.FAILED, duration=7.0))
    clock.now += 50
    screen = progress.screen(10)
    assert (screen.status, screen.seconds) == (JobStatus.FAILED, 7.0)
    assert screen.rows[0].line == "exit code 1"


def test_the_last_line_that_says_something_is_kept() -> None:
    progress = Progress(waiting(1))
    progress.log(step("s000"), "first\n\x1b[1mloss\x1b[0m 0.2\n\n")
    progress.change(step("s000", JobStatus.RUNNING))
    assert progress.screen(5).rows[0].line == "loss 0.2"
    progress.log(step("s000"), " \n")
    assert progress.screen(5).rows[0].line == "loss 0.2"
    progress.log(step("s000"), "10%\r90%\r\n")
    assert progress.screen(5).rows[0].line == "90%"
    progress.log(step("unheard_of"), "x\n")
    assert [row.name for row in progress.screen(5).rows] == ["s000"]


def test_many_steps_show_what_runs_and_failed_and_count_the_rest() -> None:
    progress = Progress(waiting(200))
    for i in range(60):
        progress.change(step(f"s{i:03}", JobStatus.FAILED if i == 7 else JobStatus.COMPLETED))
    progress.change(step("s100", JobStatus.RUNNING))
    screen = progress.screen(20)
    assert [row.name for row in screen.rows] == ["s007", "s100"]
    assert screen.hidden == "139 NotStarted, 59 Completed"


def test_more_running_steps_than_lines_still_fit() -> None:
    progress = Progress(waiting(50))
    for i in range(50):
        progress.change(step(f"s{i:03}", JobStatus.FAILED if i < 5 else JobStatus.RUNNING))
    screen = progress.screen(10)
    assert len(screen.rows) == 10
    assert all(row.status is JobStatus.RUNNING for row in screen.rows)
    assert screen.hidden == "35 Running, 5 Failed"
    assert progress.screen(-2).rows == []
