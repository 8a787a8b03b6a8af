from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.lab import Recording

from amlocal.local.follow import Follower
from amlocal.local.notes import Notes
from amlocal.local.records import JobRecords, timestamp
from amlocal.local.state import JobState
from amlocal.plan import JobInfo, JobStatus


class Script:
    """A job's life, a part of it at each look of the follower."""

    def __init__(self, *parts: Callable[[], None]) -> None:
        self._parts = list(parts)

    def __call__(self, seconds: float) -> bool:
        if self._parts:
            self._parts.pop(0)()
        return not self._parts


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "user_logs").mkdir()
    return tmp_path / "user_logs" / "std_log.txt"


@pytest.fixture
def state(records: JobRecords) -> JobState:
    child = JobInfo(
        name="fig_a", type="command", status=JobStatus.NOT_STARTED, parent="fig", step="a"
    )
    job = JobInfo(
        name="fig",
        type="pipeline",
        status=JobStatus.NOT_STARTED,
        children=(child,),
        creation_time=timestamp(),
    )
    records.add(job)
    return JobState(records, job)


def follow(
    records: JobRecords, *parts: Callable[[], None], notes: Notes | None = None
) -> Recording:
    reporter = Recording()
    Follower(records, "fig", reporter, notes or Notes()).follow(Script(*parts))
    return reporter


def append(log: Path, text: str) -> None:
    with log.open("a") as file:
        file.write(text)


def test_states_lines_and_the_end_come_in_order(
    records: JobRecords, state: JobState, log: Path
) -> None:
    told: list[str] = []

    class Ordered(Recording):
        def step_changed(self, step: JobInfo) -> None:
            told.append(step.status.value)

        def log(self, step: JobInfo, text: str) -> None:
            told.append(text)

        def job_finished(self, job: JobInfo) -> None:
            told.append(f"job {job.status.value}")

    def end() -> None:
        append(log, "last\n")
        state.change("fig_a", status=JobStatus.COMPLETED)
        state.change("fig", status=JobStatus.COMPLETED)

    parts = (
        lambda: state.change("fig_a", status=JobStatus.RUNNING, log=str(log)),
        lambda: append(log, "one\ntwo\nthr"),
        lambda: append(log, "ee\n"),
        end,
    )
    Follower(records, "fig", Ordered(), Notes()).follow(Script(*parts))
    assert told == ["Running", "one\ntwo\n", "three\n", "last\n", "Completed", "job Completed"]


def test_an_unfinished_last_line_is_told_at_the_end(
    records: JobRecords, state: JobState, log: Path
) -> None:
    def end() -> None:
        append(log, "no newline")
        state.change("fig_a", status=JobStatus.FAILED, log=str(log))

    assert follow(records, end).logs == {"a": "no newline\n"}


def test_a_long_line_is_told_whole(records: JobRecords, state: JobState, log: Path) -> None:
    long = "é" * 5_000_000

    def end() -> None:
        append(log, f"first\n{long}")
        state.change("fig_a", status=JobStatus.COMPLETED, log=str(log))

    assert follow(records, end).logs == {"a": f"first\n{long}\n"}


def test_bytes_that_are_no_text_are_replaced(
    records: JobRecords, state: JobState, log: Path
) -> None:
    def end() -> None:
        log.write_bytes(b"a\xffb\n")
        state.change("fig_a", status=JobStatus.COMPLETED, log=str(log))

    assert follow(records, end).logs == {"a": "a\ufffdb\n"}


def test_the_logs_of_several_processes_are_told(
    records: JobRecords, state: JobState, log: Path
) -> None:
    def end() -> None:
        for number in range(2):
            append(log.with_name(f"std_log_process_0{number}.txt"), f"{number}\n")
        state.change("fig_a", status=JobStatus.COMPLETED, log=str(log))

    assert follow(records, end).logs == {"a": "0\n1\n"}


def test_the_log_of_a_reused_step_is_not_told(
    records: JobRecords, state: JobState, log: Path
) -> None:
    append(log, "old\n")

    def end() -> None:
        state.change("fig_a", status=JobStatus.COMPLETED, log=str(log), reused_from="bean_a")

    reporter = follow(records, end)
    assert reporter.logs == {}
    assert reporter.changes == [("a", JobStatus.COMPLETED)]


def test_a_state_is_told_once(records: JobRecords, state: JobState) -> None:
    def run() -> None:
        state.change("fig_a", status=JobStatus.RUNNING)

    def log_metric() -> None:
        state.change("fig_a", metrics={"auc": 1.0})

    assert follow(records, run, log_metric).changes == [("a", JobStatus.RUNNING)]


def test_notes_are_told(records: JobRecords, state: JobState) -> None:
    notes = Notes()
    reporter = follow(records, lambda: notes("building"), notes=notes)
    assert reporter.notes == ["building"]
