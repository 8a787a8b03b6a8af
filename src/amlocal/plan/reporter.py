"""What a target tells while a job runs; a target never prints."""

from __future__ import annotations

from typing import Protocol, TextIO

from amlocal.plan.info import JobInfo


class Reporter(Protocol):
    """Watches a job. Calls come in order, from one thread."""

    def job_started(self, job: JobInfo) -> None:
        """The job is known; `job.children` holds its steps, none of them begun."""

    def step_changed(self, step: JobInfo) -> None:
        """A step (or a job that has none) has another status, or was reused.

        Of a sweep also: a trial has another status, or has logged a better value. Trials are not
        known before they begin.
        """

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


class TextReporter:
    """Writes what a job logs to a text stream, and how the job ends."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._has_parts = False

    def job_started(self, job: JobInfo) -> None:
        """Write the job's name."""
        self._has_parts = job.type != "command"
        self._say(job.name)

    def step_changed(self, step: JobInfo) -> None:
        """Say nothing: the log speaks for the step."""

    def log(self, step: JobInfo, text: str) -> None:
        """Write log lines, after the name of their step or trial where there are several."""
        self._stream.write(after_step(step, text) if self._has_parts else text)

    def note(self, message: str) -> None:
        """Write the sentence."""
        self._say(message)

    def job_finished(self, job: JobInfo) -> None:
        """Write how the job ended."""
        self._say(f"{job.name}: {job.status.value}" + (f": {job.error}" if job.error else ""))

    def _say(self, message: str) -> None:
        self._stream.write(f"-- {message}\n")


def after_step(step: JobInfo, text: str) -> str:
    """Return log lines, each after its step's name."""
    lines = text.removesuffix("\n").split("\n")
    # A progress bar rewrites its line after `\r`; only its last state is a line of the log.
    last_states = [line.rstrip("\r").rpartition("\r")[2] for line in lines]
    return "".join(f"{step.label} | {line}\n" for line in last_states)
