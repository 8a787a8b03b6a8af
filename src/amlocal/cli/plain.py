"""A job as lines, for pipes, log files, and terminals that cannot draw over a line.

A command job's log comes as it is. A pipeline's log lines are `STEP | LINE`, a sweep's
`trial N | LINE`; of a trial's states only the end is told. What the engine says
of states begins with `-- `, so that `grep '^-- '` shows the course of a job and nothing else.
"""

from __future__ import annotations

from amlocal.cli import text, trials
from amlocal.cli.terminal import Terminal
from amlocal.plan.info import JobInfo, SearchInfo, best_trial
from amlocal.plan.reporter import after_step
from amlocal.plan.status import JobStatus


class PlainReporter:
    """Writes every event as lines when it comes."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._has_parts = False
        self._trials: dict[str, JobInfo] = {}
        self._searches: dict[str, SearchInfo] = {}

    def __enter__(self) -> PlainReporter:
        return self

    def __exit__(self, *error: object) -> None:
        """Leave the stream as it is; every line is already written."""

    def job_started(self, job: JobInfo) -> None:
        """Write the job's name and what of its file the target does not do in full."""
        self._has_parts = job.type != "command"
        self._searches = {info.name: info.search for info in (job, *job.children) if info.search}
        steps = f", {text.plural(len(job.children), 'step')}" if job.children else ""
        self._say(f"{job.name}: {job.type} job{steps}")
        for warning in job.warnings:
            self._say(f"warning: {warning}")

    def step_changed(self, step: JobInfo) -> None:
        """Write the step's state, and of a trial how it ended."""
        if step.trial is not None:
            self._tell_trial(step)
            return
        about = ""
        if step.reused_from:
            about = f" (reused from {step.reused_from})"
        elif step.status.is_terminal and step.duration:
            about = f" ({text.duration(step.duration)})"
        if step.status is JobStatus.FAILED and step.error:
            about += f": {text.clean(step.error.splitlines()[0])}"
        self._say(f"{step.label}: {step.status.value}{about}")

    def _tell_trial(self, info: JobInfo) -> None:
        if not info.status.is_terminal or info.name in self._trials or info.trial is None:
            return
        self._trials[info.name] = info
        search = self._searches.get(info.parent or "")
        facts = [text.duration(info.duration)] if info.duration else []
        if info.reused_from:
            facts = [f"reused from {info.reused_from}"]
        if info.trial.value is not None and search is not None:
            others = [other for other in self._trials.values() if other.parent == info.parent]
            is_best = best_trial(search.goal, others) is info
            facts.append(f"{search.metric} {text.number(info.trial.value)}")
            facts += ["best so far"] if is_best else []
        told = f"{info.label}: {info.status.value}" + (f" ({', '.join(facts)})" if facts else "")
        why = text.clean(info.error.splitlines()[0]) if info.error else ""
        tried = trials.brief(info.trial)
        self._say(": ".join(filter(None, (told, tried, why))))

    def log(self, step: JobInfo, text: str) -> None:
        """Write log lines, after the name of their step or trial where there are several."""
        self._terminal.write(after_step(step, text) if self._has_parts else text)

    def note(self, message: str) -> None:
        """Write the sentence."""
        self._say(message)

    def job_finished(self, job: JobInfo) -> None:
        """Write a pipeline's result; a command job's was written as its last state."""
        if job.type == "pipeline":
            self._say(f"{job.name}: {job.status.value} ({text.duration(job.duration)})")

    def _say(self, message: str) -> None:
        self._terminal.write(f"-- {message}\n")
