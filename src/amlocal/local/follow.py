"""Follows a job through its records and logs, for somebody who watches."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from amlocal.local.notes import Notes
from amlocal.local.records import JobRecords
from amlocal.plan import JobInfo, JobStatus, TrialInfo
from amlocal.plan.reporter import Reporter

#: Seconds between two looks.
LOOK = 0.1
_CHUNK = 4 * 2**20


@dataclass
class _Log:
    """A log file, read as it grows."""

    path: Path
    at: int = 0
    rest: bytes = b""

    def new_texts(self, *, is_over: bool) -> Iterator[str]:
        """Yield the new whole lines, a part at a time; at the end also an unfinished one."""
        with self.path.open("rb") as file:
            file.seek(self.at)
            end = os.fstat(file.fileno()).st_size  # of a log that grows all the time a part
            while self.at < end and (data := file.read(_CHUNK)):
                self.at += len(data)
                lines, newline, self.rest = (self.rest + data).rpartition(b"\n")
                if newline:
                    yield (lines + newline).decode(errors="replace")
        if is_over and self.rest:
            rest, self.rest = self.rest, b""
            yield rest.decode(errors="replace") + "\n"


@dataclass
class Follower:
    """Tells a reporter what happens to a job.

    Attributes:
        records: The job records.
        name: The job's name.
        reporter: Who is told.
        notes: What the engine notes meanwhile.
    """

    records: JobRecords
    name: str
    reporter: Reporter
    notes: Notes
    _revision: int = 0
    _told: dict[str, tuple[JobStatus, TrialInfo | None]] = field(default_factory=dict)
    _logs: dict[str, _Log] = field(default_factory=dict)
    _watched: dict[str, JobInfo] = field(default_factory=dict)

    def follow(self, wait: Callable[[float], bool]) -> JobInfo:
        """Report until the job is over.

        Args:
            wait: Waits at most so many seconds for the job's end; returns whether it is over.

        Returns:
            The job, terminal.
        """
        self._revision, _ = self.records.changed_since(self.name, 0)
        started = self.records.get(self.name)
        self.reporter.job_started(started)
        job, *below = started.tree()
        for info in (*below, job):
            self._report(info)
        return self.finish(wait)

    def finish(self, wait: Callable[[float], bool]) -> JobInfo:
        """Go on reporting until the job is over, like `follow` after its beginning."""
        while not wait(LOOK):
            self._look()
        self._look()
        job = self.records.get(self.name)
        self.reporter.job_finished(job)
        return job

    def _look(self) -> None:
        for message in self.notes.take():
            self.reporter.note(message)
        self._revision, changed = self.records.changed_since(self.name, self._revision)
        for info in changed:
            self._report(info)
        for info in list(self._watched.values()):
            self._relay(info)

    def _report(self, info: JobInfo) -> None:
        if info.log and not info.reused_from:
            self._watched[info.name] = info
        told = (info.status, info.trial)
        if told == self._told.get(info.name, (JobStatus.NOT_STARTED, info.trial)):
            return
        if info.status.is_terminal and info.name in self._watched:
            self._relay(info)  # a step's last lines come before its end
        self._told[info.name] = told
        if info.parent is not None or not self._is_pipeline(info):
            self.reporter.step_changed(info)

    @staticmethod
    def _is_pipeline(info: JobInfo) -> bool:
        return info.type == "pipeline"

    def _relay(self, info: JobInfo) -> None:
        is_over = info.status.is_terminal
        for log in self._log_files(info):
            for text in log.new_texts(is_over=is_over):
                self.reporter.log(info, text)
        if is_over:
            self._watched.pop(info.name, None)

    def _log_files(self, info: JobInfo) -> Iterator[_Log]:
        folder = Path(info.log).parent
        for path in sorted(folder.glob("std_log*.txt")):
            yield self._logs.setdefault(str(path), _Log(path))
