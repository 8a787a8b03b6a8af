"""Following a job: states and logs, each told once and in order."""

from __future__ import annotations

from tests.unit.azure.fakes import FakeHistory, FakeObserved, FakeReporter

from amlocal.azure.follow import follow
from amlocal.plan import JobInfo, JobStatus


def step(status: JobStatus, name: str = "run-1", **fields: str) -> JobInfo:
    return JobInfo(name=name, type="command", status=status, step="train", **fields)


def command(status: JobStatus) -> JobInfo:
    return JobInfo(name="j", type="command", status=status)


def pipeline(status: JobStatus, *steps: JobInfo) -> JobInfo:
    return JobInfo(name="p", type="pipeline", status=status, children=steps)


class Waits:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


def test_a_command_job_from_queue_to_end() -> None:
    jobs = [
        command(s)
        for s in (
            JobStatus.QUEUED,
            JobStatus.QUEUED,
            JobStatus.RUNNING,
            JobStatus.FINALIZING,
            JobStatus.COMPLETED,
        )
    ]
    history = FakeHistory({"j": [b"one\ntw", b"one\ntwo\n", b"one\ntwo\nend"]})
    reporter, waits = FakeReporter(), Waits()
    last = follow(FakeObserved(jobs, history), reporter, waits)
    assert last.status is JobStatus.COMPLETED
    assert waits.count == 4
    assert reporter.told == [
        ("started", "j"),
        ("step", "j", "Queued"),
        ("step", "j", "Running"),
        ("log", "j", "one\n"),
        ("step", "j", "Finalizing"),
        ("log", "j", "two\n"),
        ("step", "j", "Completed"),
        ("log", "j", "end\n"),
        ("finished", "Completed"),
    ]


def test_steps_of_a_pipeline() -> None:
    jobs = [
        pipeline(JobStatus.RUNNING, step(JobStatus.NOT_STARTED, "train")),
        pipeline(JobStatus.RUNNING, step(JobStatus.RUNNING)),
        pipeline(JobStatus.RUNNING, step(JobStatus.FAILED)),
        pipeline(JobStatus.FAILED, step(JobStatus.FAILED)),
    ]
    history = FakeHistory({"run-1": [b"a\n", b"a\nTraceback\n"]})
    reporter = FakeReporter()
    assert follow(FakeObserved(jobs, history), reporter, Waits()).status is JobStatus.FAILED
    assert reporter.told == [
        ("started", "p"),
        ("step", "train", "Running"),
        ("log", "train", "a\n"),
        ("step", "train", "Failed"),
        ("log", "train", "Traceback\n"),
        ("finished", "Failed"),
    ]
    # Nothing is asked of a step before it runs, nor once its end was told.
    assert history.looked_at == ["run-1", "run-1"]


def test_a_job_that_has_ended_is_told_at_once() -> None:
    reporter, waits = FakeReporter(), Waits()
    history = FakeHistory({"j": [b"all\n"]})
    follow(FakeObserved([command(JobStatus.CANCELED)], history), reporter, waits)
    assert waits.count == 0
    assert reporter.told == [
        ("started", "j"),
        ("step", "j", "Canceled"),
        ("log", "j", "all\n"),
        ("finished", "Canceled"),
    ]


def test_a_reused_step_has_no_log_of_its_own() -> None:
    reused = step(JobStatus.COMPLETED, reused_from="run-0")
    history = FakeHistory({"run-1": [b"never\n"]})
    reporter = FakeReporter()
    follow(FakeObserved([pipeline(JobStatus.COMPLETED, reused)], history), reporter, Waits())
    assert reporter.told == [
        ("started", "p"),
        ("step", "train", "Completed"),
        ("finished", "Completed"),
    ]
    assert history.looked_at == []


def test_letters_are_not_torn_apart() -> None:
    text = "größe\n".encode()
    history = FakeHistory({"j": [text[:3], text]})
    reporter = FakeReporter()
    follow(
        FakeObserved([command(JobStatus.RUNNING), command(JobStatus.COMPLETED)], history),
        reporter,
        Waits(),
    )
    assert [told for told in reporter.told if told[0] == "log"] == [("log", "j", "größe\n")]
