"""Which mini-batches have ended, kept so that a run that is started again does not run them."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Ended:
    """How a mini-batch ended.

    Attributes:
        batch: Its index.
        is_failed: Whether it counts as failed.
        succeeded: Items that succeeded.
        failed: Items that failed.
        attempts: How often it was tried.
        seconds: What the last call of `run` took.
        result: The file with the rows to append, relative to the run's folder, or empty.
        header: The names of the rows' columns, as a line, or empty.
        message: Why it failed, or an empty string.
        has_returned: Whether `run` returned; else it raised, or did not end.
        worker: Number of the worker that had it last.
    """

    batch: int
    is_failed: bool
    succeeded: int
    failed: int
    attempts: int
    seconds: float
    result: str = ""
    header: str = ""
    message: str = ""
    has_returned: bool = True
    worker: int = 0


class Journal:
    """A file of whole records, one a line, each on the disk before it counts.

    Args:
        file: The file; a part of a record at its end, which a kill left, is cut off.
    """

    def __init__(self, file: Path) -> None:
        self.known = _read(file)
        self._file = file.open("ab")

    def add(self, ended: Ended) -> None:
        """Keep how a mini-batch ended."""
        self._file.write(json.dumps(asdict(ended)).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self.known[ended.batch] = ended

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _read(file: Path) -> dict[int, Ended]:
    """Return the mini-batches that need not run again: those that have not failed."""
    if not file.exists():
        return {}
    text = file.read_bytes()
    whole = text[: text.rfind(b"\n") + 1]
    if len(whole) < len(text):
        os.truncate(file, len(whole))
    found: dict[int, Ended] = {}
    for line in whole.splitlines():
        record: dict[str, Any] = json.loads(line)
        found[record["batch"]] = Ended(**record)
    return {batch: ended for batch, ended in found.items() if not ended.is_failed}
