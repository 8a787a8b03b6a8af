"""The state of a job while its engine runs: in memory, and on each change in the records."""

from __future__ import annotations

import threading
import time
from typing import Any

import msgspec

from amlocal.local.records import JobRecords, StepFacts, seconds_of, timestamp
from amlocal.plan import JobInfo, JobStatus


class JobState:
    """A job and its steps; changed from several threads, one change at a time."""

    def __init__(self, records: JobRecords, job: JobInfo) -> None:
        self._records = records
        self._lock = threading.RLock()
        self._infos = {info.name: info for info in job.tree()}
        self.root = job.name

    def __getitem__(self, name: str) -> JobInfo:
        return self._infos[name]

    def steps(self) -> list[JobInfo]:
        """Return the job's steps in the order of the file, or a sweep's trials."""
        return self.below(self.root)

    def below(self, parent: str) -> list[JobInfo]:
        """Return the steps of a job or the trials of a sweep, in order."""
        with self._lock:
            return [info for info in self._infos.values() if info.parent == parent]

    def everything_below(self) -> list[JobInfo]:
        """Return the job's steps and all of their trials."""
        with self._lock:
            return [info for name, info in self._infos.items() if name != self.root]

    def add_trial(self, info: JobInfo, position: int) -> None:
        """Add a trial of a sweep that runs.

        Raises:
            UsageError: Another job has its name.
        """
        with self._lock:
            self._records.add_trial(info, position)
            self._infos[info.name] = info

    def change(self, name: str, **fields: Any) -> JobInfo:
        """Set fields of a job or step; a status brings its times with it."""
        with self._lock:
            info = self._changed(name, fields)
            self._records.save(info)
            return info

    def change_tracking(self, name: str, **parts: Any) -> JobInfo:
        """Set parts of what is tracked of a job or step; what is there is absent no longer."""
        with self._lock:
            tracking = self._infos[name].tracking
            absent = {key: why for key, why in tracking.absent.items() if not parts.get(key)}
            tracking = msgspec.structs.replace(tracking, **parts, absent=absent)
            return self.change(name, tracking=tracking)

    def complete(self, name: str, facts: StepFacts, *, reusable: bool, **fields: Any) -> JobInfo:
        """Set a step's terminal state together with what its result is found again by."""
        with self._lock:
            info = self._changed(name, fields)
            self._records.complete(info, facts, reusable=reusable)
            return info

    def _changed(self, name: str, fields: dict[str, Any]) -> JobInfo:
        before = self._infos[name]
        if before.status.is_terminal:
            fields.pop("status", None)  # a request to cancel may come after the end
        status = fields.get("status", before.status)
        now = time.time()
        if status is not JobStatus.NOT_STARTED and not before.start_time:
            fields.setdefault("start_time", timestamp(now))
        if status.is_terminal and not before.end_time:
            start = before.start_time or fields["start_time"]
            fields.setdefault("end_time", timestamp(now))
            fields.setdefault("duration", round(max(0.0, now - seconds_of(start)), 3))
        info = msgspec.structs.replace(before, **fields)
        self._infos[name] = info
        return info
