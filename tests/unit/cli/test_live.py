from __future__ import annotations

import pytest
from tests.unit.cli.fakes import command, pipeline, step, terminal, written

from amlocal.cli import text
from amlocal.cli.live import LiveReporter, draw
from amlocal.cli.progress import Progress
from amlocal.cli.terminal import Terminal
from amlocal.plan import JobInfo, JobStatus

STEPS = (
    step("check_data"),
    step("split", reused_from="lifecycle_0_split"),
    step("train", JobStatus.RUNNING, duration=65.0),
    step("evaluate", JobStatus.NOT_STARTED, duration=0.0),
    step("register", JobStatus.FAILED, error="exit code 1"),
)


def lines(job: JobInfo, term: Terminal, room: int = 20) -> list[str]:
    progress = Progress(job)
    progress.log(step("train"), "epoch 3 loss 0.2\n")
    drawn = draw(progress.screen(room), term.width, term)
    return ["".join(segment.text for segment in line).rstrip() for line in drawn]


def test_the_tree() -> None:
    job = pipeline(*STEPS, status=JobStatus.RUNNING, duration=70.0)
    assert lines(job, terminal()) == [
        "● Running  lifecycle_1  3 of 5 steps  1:10",
        "├─ ✓ check_data    0:02",
        "├─ ↻ split       reused",
        "├─ ● train         1:05  epoch 3 loss 0.2",
        "├─ · evaluate",
        "└─ ✗ register      0:02  exit code 1",
    ]


def test_the_tree_in_ascii() -> None:
    job = pipeline(*STEPS, status=JobStatus.RUNNING)
    drawn = lines(job, terminal(encoding="ascii"))
    assert "\n".join(drawn).isascii()
    assert drawn[3].startswith("|- > train")


@pytest.mark.parametrize("width", [20, 40, 60, 200])
@pytest.mark.parametrize("room", [1, 3, 20])
def test_no_line_is_wider_than_the_terminal(width: int, room: int) -> None:
    long = step("a_step_with_a_rather_long_name" * 2, JobStatus.RUNNING, error="日本語" * 40)
    job = pipeline(*STEPS, long, status=JobStatus.RUNNING)
    drawn = lines(job, terminal(width=width), room)
    # The headline's counts and times are not cut; they take 25 columns.
    assert max(text.cells(line) for line in drawn[1:]) <= width
    assert len(drawn) <= room + 2


def test_a_command_job_shows_its_own_log() -> None:
    term = terminal()
    with LiveReporter(term) as reporter:
        reporter.note("building environment")
        reporter.job_started(command(JobStatus.NOT_STARTED))
        reporter.step_changed(command(JobStatus.RUNNING, duration=0.0))
        reporter.log(command(), "hello [bold]world[/bold] :smile:\n")
        reporter.step_changed(command())
        reporter.job_finished(command())
    assert written(term) == (
        "-- building environment\n"
        "-- hello_1: command job\n"
        "-- hello_1: Running\n"
        "hello [bold]world[/bold] :smile:\n"
        "-- hello_1: Completed (0.5 s)\n"
    )


def test_notes_stand_above_the_tree_as_they_are() -> None:
    term = terminal(NO_COLOR="1")
    with LiveReporter(term) as reporter:
        reporter.job_started(pipeline(*STEPS, status=JobStatus.RUNNING, warnings=("[x] ignored",)))
        reporter.note("built [env] in 3 s")
        reporter.step_changed(step("train"))
        reporter.job_finished(pipeline(*STEPS))
    shown = written(term)
    assert "-- warning: [x] ignored" in shown
    assert "-- built [env] in 3 s" in shown
    assert "✓ Completed  " in shown


def test_the_cursor_comes_back_after_an_error() -> None:
    term = terminal()

    def interrupted() -> None:
        with LiveReporter(term) as reporter:
            reporter.job_started(pipeline(*STEPS, status=JobStatus.RUNNING))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    shown = written(term)
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")


def test_a_long_pipeline_stays_within_its_terminal() -> None:
    term = terminal(LINES="12")
    steps = [
        step(f"s{i:03}", JobStatus.RUNNING if i < 40 else JobStatus.COMPLETED) for i in range(200)
    ]
    with LiveReporter(term) as reporter:
        reporter.job_started(pipeline(*steps, status=JobStatus.RUNNING))
    frames = written(term).split("\x1b[2K")  # a drawing begins by clearing the lines of the last
    assert len(frames) > 1
    assert frames[0].count("\n") == 10
    assert "160 Completed, 31 Running" in frames[0]
