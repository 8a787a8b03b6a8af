"""The state of a running pipeline, and which of its steps fit on a screen; draws nothing."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from amlocal.cli import text, trials
from amlocal.plan.info import JobInfo
from amlocal.plan.status import JobStatus


@dataclass(frozen=True)
class Row:
    """One step now.

    Attributes:
        name: The step.
        status: Its state.
        reused: Whether it took over an earlier result.
        seconds: How long it ran, or has run so far.
        line: The last line of its log, or why it failed.
    """

    name: str
    status: JobStatus
    reused: bool = False
    seconds: float = 0.0
    line: str = ""

    @property
    def is_active(self) -> bool:
        """Whether it is under way: neither waiting nor ended."""
        return not self.status.is_terminal and self.status is not JobStatus.NOT_STARTED


@dataclass(frozen=True)
class Screen:
    """What of a pipeline is shown at one moment.

    Attributes:
        name: The job.
        status: Its state.
        seconds: How long it has run.
        total: How many steps it has.
        ended: How many of them have ended.
        rows: The steps shown, in the order of the file.
        hidden: The steps that found no room, as `142 Completed, 30 NotStarted`.
    """

    name: str
    status: JobStatus
    seconds: float
    total: int
    ended: int
    rows: Sequence[Row]
    hidden: str = ""


class Progress:
    """Follows a job; may be read from another thread than it is told from."""

    def __init__(self, job: JobInfo, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._name = job.name
        # Before its first step a job is made ready: the server starts, code is read.
        waits = job.status is JobStatus.NOT_STARTED
        self._status = JobStatus.PREPARING if waits else job.status
        self._began = now() - job.duration
        self._ended: float | None = None
        self._rows: dict[str, Row] = {}
        self._since: dict[str, float] = {}
        self._searches: dict[str, JobInfo] = {}
        self._trials: dict[str, dict[str, JobInfo]] = {}
        for step in job.children:
            self.change(step)

    def change(self, step: JobInfo) -> None:
        """Take a step's new state."""
        if step.trial is not None:
            self._change_trial(step)
            return
        name = step.label
        if step.search is not None:
            self._searches[step.name] = step
        with self._lock:
            line = self._rows[name].line if name in self._rows else ""
            self._rows[name] = Row(
                name,
                step.status,
                reused=step.reused_from is not None,
                seconds=step.duration,
                line=text.clean(step.error) if step.error else line,
            )
            self._since[name] = self._now() - step.duration
            if step.status is JobStatus.RUNNING and not self._status.is_terminal:
                self._status = JobStatus.RUNNING

    def _change_trial(self, trial: JobInfo) -> None:
        """Say beside a search how far it has come; its trials have no rows of their own."""
        step = self._searches.get(trial.parent or "")
        if step is None or step.search is None:
            return
        with self._lock:
            known = self._trials.setdefault(step.name, {})
            known[trial.name] = trial
            if step.label in self._rows:
                line = trials.progress(step.search, list(known.values()))
                self._rows[step.label] = replace(self._rows[step.label], line=line)

    def log(self, step: JobInfo, lines: str) -> None:
        """Take the last line of a step's log that says something; not a search's own."""
        if step.name in self._searches:
            return  # how far it has come says more
        last = lines.rstrip().rpartition("\n")[2].rpartition("\r")[2]
        name = step.label
        with self._lock:
            if name in self._rows and (line := text.clean(last).strip()):
                self._rows[name] = replace(self._rows[name], line=line)

    def finish(self, job: JobInfo) -> None:
        """Take the job's end."""
        for step in job.children:
            self.change(step)
        with self._lock:
            self._status = job.status
            self._ended = job.duration

    def screen(self, room: int) -> Screen:
        """Return what to show now, of at most so many steps.

        Failed steps and those under way come before all others.
        """
        with self._lock:
            now = self._now()
            rows = [
                replace(row, seconds=now - self._since[row.name]) if row.is_active else row
                for row in self._rows.values()
            ]
            shown = _chosen(rows, max(room, 0))
            hidden = Counter(row.status.value for row in rows if row.name not in shown)
            return Screen(
                self._name,
                self._status,
                now - self._began if self._ended is None else self._ended,
                len(rows),
                sum(row.status.is_terminal for row in rows),
                [row for row in rows if row.name in shown],
                ", ".join(f"{count} {status}" for status, count in hidden.most_common()),
            )


def _chosen(rows: Sequence[Row], room: int) -> set[str]:
    """Return the names of the steps that are shown."""
    if len(rows) <= room:
        return {row.name for row in rows}
    telling = [row for row in rows if row.is_active]
    telling += [row for row in rows if row.status is JobStatus.FAILED]
    return {row.name for row in telling[:room]}
