"""What a run tells: progress on its output and as lines of JSON, errors and reports as logs.

The logs are where Azure has them: `job_progress_overview.txt`, `job_error.txt`, `job_result.txt`,
`user/error.txt`, and `sys/job_report/processed_mini-batches.csv`.
"""

from __future__ import annotations

import csv
import json
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import IO, Any

from parallelkit.batches import MiniBatch
from parallelkit.journal import Ended

#: Seconds between two lines of progress.
_PROGRESS = 5.0
_COLUMNS = (
    "Mini-batch Id",
    "Picked Count",
    "Process",
    "Time",
    "Total",
    "Succeeded",
    "Failed",
    "Run Method Seconds",
    "Status",
    "Error Message",
)


@dataclass
class Counts:
    """How far a run is.

    Attributes:
        total: Mini-batches.
        items: Items in all of them.
        ended: Mini-batches that have ended.
        failed: Those that failed.
        succeeded_items: Items that succeeded.
        failed_items: Items that failed.
    """

    total: int
    items: int
    ended: int = 0
    failed: int = 0
    succeeded_items: int = 0
    failed_items: int = 0

    def add(self, ended: Ended) -> None:
        """Count a mini-batch that has ended."""
        self.ended += 1
        self.failed += ended.is_failed
        self.succeeded_items += ended.succeeded
        self.failed_items += ended.failed

    def text(self) -> str:
        """Return the counts in a sentence."""
        return (
            f"mini-batches: {self.ended} of {self.total} ended, {self.failed} failed; "
            f"items: {self.items} in all, {self.failed_items} failed"
        )


@dataclass
class Reports:
    """Tells of one run.

    Attributes:
        events: The file of events.
        logs: The folder of logs.
    """

    events: Path
    logs: Path
    _files: list[IO[Any]] = field(default_factory=list)
    _told: float = 0.0

    def __post_init__(self) -> None:
        self._events = self._open(self.events)
        self._overview = self._open(self.logs / "job_progress_overview.txt")
        self._errors = self._open(self.logs / "user" / "error.txt")
        table = self.logs / "sys" / "job_report" / "processed_mini-batches.csv"
        is_new = not table.exists()
        self._table = csv.writer(self._open(table))
        if is_new:
            self._table.writerow(_COLUMNS)

    def _open(self, file: Path) -> IO[str]:
        file.parent.mkdir(parents=True, exist_ok=True)
        opened = file.open("a", encoding="utf-8", buffering=1)
        self._files.append(opened)
        return opened

    def event(self, event: str, **fields: Any) -> None:
        """Tell of an event in the file of events."""
        self._events.write(json.dumps({"event": event, "time": time.time(), **fields}) + "\n")

    def say(self, text: str) -> None:
        """Tell something on the output, and in the overview."""
        print(text, flush=True)
        self._overview.write(f"{_now()} {text}\n")

    def progress(self, counts: Counts) -> None:
        """Tell how far the run is, where the last time is some seconds ago or it is at its end."""
        if time.monotonic() - self._told > _PROGRESS or counts.ended == counts.total:
            self._told = time.monotonic()
            self.say(counts.text())

    def attempt_failed(self, batch: MiniBatch, attempt: int, why: str, details: str) -> None:
        """Tell that a call of `run` failed."""
        self._errors.write(
            f"{_now()} mini-batch {batch.index}, attempt {attempt}: {why}\n{details}"
        )
        print(f"mini-batch {batch.index}, attempt {attempt}: {why}", flush=True)

    def ended(self, batch: MiniBatch, ended: Ended) -> None:
        """Tell that a mini-batch has ended."""
        status = "RUN_DONE" if ended.has_returned else "FAILED"
        self._table.writerow(
            [
                *(batch.index, ended.attempts, f"process{ended.worker:03d}", _now()),
                *(batch.size, ended.succeeded, ended.failed, ended.seconds),
                *(status, ended.message),
            ]
        )
        self.event(
            "mini_batch",
            index=batch.index,
            is_failed=ended.is_failed,
            succeeded=ended.succeeded,
            failed=ended.failed,
            attempts=ended.attempts,
        )

    def finish(self, counts: Counts, error: str) -> None:
        """Tell how the run ended."""
        self.event("finished", error=error, **vars(counts))
        result = f"{'failed' if error else 'completed'}; {counts.text()}\n"
        (self.logs / "job_result.txt").write_text(result, encoding="utf-8")
        if error:
            (self.logs / "job_error.txt").write_text(error + "\n", encoding="utf-8")

    def close(self) -> None:
        """Close the files."""
        for file in self._files:
            file.close()


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")
