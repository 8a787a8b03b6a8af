"""Follows a job through its records and logs, for somebody who watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from amlocal.local.notes import Notes
from amlocal.local.records import JobRecords
from amlocal.plan import JobInfo, JobStatus
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

    def new_text(self, *, is_over: bool) -> str:
        """Return the whole lines that are new; at the end also an unfinished one."""
        try:
            with self.path.open("rb") as file:
                file.seek(self.at)
                data = file.read(_CHUNK)
        except FileNotFoundError:
            return ""
        self.at += len(data)
        lines, newline, self.rest = (self.rest + data).rpartition(b"\n")
        text = lines + newline
        if is_over and len(data) < _CHUNK and self.rest:
            text, self.rest = text + self.rest + b"\n", b""
        return text.decode(errors="replace")

    @property
    def has_more(self) -> bool:
        """Whether the file has grown beyond what was read."""
        return self.path.exists() and self.path.stat().st_size > self.at


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
    _statuses: dict[str, JobStatus] = field(default_factory=dict)
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
        for info in (*started.children, started):
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
        if info.status is self._statuses.get(info.name, JobStatus.NOT_STARTED):
            return
        if info.status.is_terminal and info.name in self._watched:
            self._relay(info)  # a step's last lines come before its end
        self._statuses[info.name] = info.status
        if info.parent is not None or not self._is_pipeline(info):
            self.reporter.step_changed(info)

    @staticmethod
    def _is_pipeline(info: JobInfo) -> bool:
        return info.type == "pipeline"

    def _relay(self, info: JobInfo) -> None:
        is_over = info.status.is_terminal
        for log in self._log_files(info):
            while text := log.new_text(is_over=is_over):
                self.reporter.log(info, text)
                if not log.has_more:
                    break
        if is_over:
            self._watched.pop(info.name, None)

    def _log_files(self, info: JobInfo) -> Iterator[_Log]:
        folder = Path(info.log).parent
        for path in sorted(folder.glob("std_log*.txt")):
            yield self._logs.setdefault(str(path), _Log(path))
