"""Following a job that runs in Azure: ask, tell the reporter what is new, wait, ask again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from amlocal.plan import JobInfo, JobStatus
from amlocal.plan.reporter import Reporter

POLL_SECONDS = 5.0

_NO_LOGS_YET = frozenset(
    {
        JobStatus.NOT_STARTED,
        JobStatus.STARTING,
        JobStatus.PROVISIONING,
        JobStatus.PREPARING,
        JobStatus.QUEUED,
    }
)


class Observed(Protocol):
    """Where the state and the logs of a job come from."""

    def job(self) -> JobInfo:
        """Return the job as it is now, with its children."""

    def logs(self, run: str) -> dict[str, Callable[[int], bytes]]:
        """Return for each log file of a run what reads it from an offset in bytes on."""


def follow(observed: Observed, reporter: Reporter, wait: Callable[[], None]) -> JobInfo:
    """Tell a reporter of a job until it ends.

    Args:
        observed: Where its state and logs come from.
        reporter: Who is told.
        wait: Lets time pass between one look and the next.

    Returns:
        The job in its last state.
    """
    job = observed.job()
    reporter.job_started(job)
    told: dict[str, JobStatus] = {}
    tails: dict[str, LogTail] = {}
    finished: set[str] = set()
    while True:
        for step in job.children or (job,):
            key = step.step or step.name
            if told.get(key, JobStatus.NOT_STARTED) is not step.status:
                told[key] = step.status
                reporter.step_changed(step)
            if step.status in _NO_LOGS_YET or step.name in finished or step.reused_from:
                continue
            tails.setdefault(step.name, LogTail()).relay(step, observed, reporter)
            if step.status.is_terminal:
                finished.add(step.name)
        if job.status.is_terminal:
            reporter.job_finished(job)
            return job
        wait()
        job = observed.job()


class LogTail:
    """How far the log files of one run have been relayed."""

    def __init__(self) -> None:
        self._offsets: dict[str, int] = {}

    def relay(self, step: JobInfo, observed: Observed, reporter: Reporter) -> None:
        """Tell a reporter the lines that are new, whole ones only until the step has ended."""
        for file, read in observed.logs(step.name).items():
            offset = self._offsets.get(file, 0)
            content = read(offset)
            if not step.status.is_terminal:
                content = content[: content.rfind(b"\n") + 1]
            if not content:
                continue
            self._offsets[file] = offset + len(content)
            text = content.decode("utf-8", errors="replace")
            reporter.log(step, text if text.endswith("\n") else f"{text}\n")
