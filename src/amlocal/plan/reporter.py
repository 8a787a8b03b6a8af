"""What a target tells while a job runs; a target never prints."""

from __future__ import annotations

from typing import Protocol

from amlocal.plan.info import JobInfo


class Reporter(Protocol):
    """Watches a job. Calls come in order, from one thread."""

    def job_started(self, job: JobInfo) -> None:
        """The job is known; `job.children` holds its steps, none of them begun."""

    def step_changed(self, step: JobInfo) -> None:
        """A step (or a command job itself) has another status, or was reused."""

    def log(self, step: JobInfo, text: str) -> None:
        """A step wrote to its log; text is whole lines, each with its line end."""

    def note(self, message: str) -> None:
        """Something is going on that takes time or should be known, in one sentence."""

    def job_finished(self, job: JobInfo) -> None:
        """The job is in a terminal state; `job` holds metrics, outputs, and children."""


class SilentReporter:
    """A reporter that says nothing."""

    def job_started(self, job: JobInfo) -> None:
        """Say nothing."""

    def step_changed(self, step: JobInfo) -> None:
        """Say nothing."""

    def log(self, step: JobInfo, text: str) -> None:
        """Say nothing."""

    def note(self, message: str) -> None:
        """Say nothing."""

    def job_finished(self, job: JobInfo) -> None:
        """Say nothing."""
