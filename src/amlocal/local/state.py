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
        self._infos = {info.name: info for info in (job, *job.children)}
        self.root = job.name

    def __getitem__(self, name: str) -> JobInfo:
        return self._infos[name]

    def steps(self) -> list[JobInfo]:
        """Return the job's steps in the order of the file."""
        with self._lock:
            return [info for name, info in self._infos.items() if name != self.root]

    def change(self, name: str, **fields: Any) -> JobInfo:
        """Set fields of a job or step; a status brings its times with it."""
        with self._lock:
            info = self._changed(name, fields)
            self._records.save(info)
            return info

    def complete(self, name: str, facts: StepFacts, *, reusable: bool, **fields: Any) -> JobInfo:
        """Set a step's terminal state together with what its result is found again by."""
        with self._lock:
            info = self._changed(name, fields)
            self._records.complete(info, facts, reusable=reusable)
            return info

    def _changed(self, name: str, fields: dict[str, Any]) -> JobInfo:
        before = self._infos[name]
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
