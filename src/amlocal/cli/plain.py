"""A job as lines, for pipes, log files, and terminals that cannot draw over a line.

A command job's log comes as it is. A pipeline's log lines are `STEP | LINE`. What the engine says
of states begins with `-- `, so that `grep '^-- '` shows the course of a job and nothing else.
"""

from __future__ import annotations

from amlocal.cli import text
from amlocal.cli.terminal import Terminal
from amlocal.plan.info import JobInfo
from amlocal.plan.reporter import after_step
from amlocal.plan.status import JobStatus


class PlainReporter:
    """Writes every event as lines when it comes."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._is_pipeline = False

    def __enter__(self) -> PlainReporter:
        return self

    def __exit__(self, *error: object) -> None:
        """Leave the stream as it is; every line is already written."""

    def job_started(self, job: JobInfo) -> None:
        """Write the job's name and what of its file the target does not do in full."""
        self._is_pipeline = job.type == "pipeline"
        steps = f", {text.plural(len(job.children), 'step')}" if job.children else ""
        self._say(f"{job.name}: {job.type} job{steps}")
        for warning in job.warnings:
            self._say(f"warning: {warning}")

    def step_changed(self, step: JobInfo) -> None:
        """Write the step's state."""
        about = ""
        if step.reused_from:
            about = f" (reused from {step.reused_from})"
        elif step.status.is_terminal and step.duration:
            about = f" ({text.duration(step.duration)})"
        if step.status is JobStatus.FAILED and step.error:
            about += f": {text.clean(step.error.splitlines()[0])}"
        self._say(f"{step.step or step.name}: {step.status.value}{about}")

    def log(self, step: JobInfo, text: str) -> None:
        """Write log lines, after their step's name in a pipeline."""
        self._terminal.write(after_step(step, text) if self._is_pipeline else text)

    def note(self, message: str) -> None:
        """Write the sentence."""
        self._say(message)

    def job_finished(self, job: JobInfo) -> None:
        """Write a pipeline's result; a command job's was written as its last state."""
        if self._is_pipeline:
            self._say(f"{job.name}: {job.status.value} ({text.duration(job.duration)})")

    def _say(self, message: str) -> None:
        self._terminal.write(f"-- {message}\n")
