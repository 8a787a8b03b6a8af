"""The folder that a search works in: kept until its job completes, so that it can go on."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from amlocal.files import write_whole
from amlocal.local import joblock

#: What a search leaves of an earlier start that it does not read again.
_ANEW = ("events.jsonl", "model", "explanation", "leaderboard.json", "featurization.json")


@dataclass(frozen=True, slots=True)
class SearchFolder:
    """The folder of one search.

    Attributes:
        path: Where it is.
        earlier: Name of the job whose search was interrupted here, or an empty string.
    """

    path: Path
    earlier: str

    @property
    def request(self) -> Path:
        """What is asked of the search."""
        return self.path / "request.json"

    @property
    def events(self) -> Path:
        """What it tells."""
        return self.path / "events.jsonl"

    @property
    def model(self) -> Path:
        """The model that it delivers."""
        return self.path / "model"

    @property
    def reports(self) -> list[Path]:
        """What else it has written for people to look at."""
        names = ("leaderboard.json", "featurization.json", "explanation")
        return [self.path / name for name in names if (self.path / name).exists()]

    def remove(self) -> None:
        """Remove it: its job has completed."""
        if self.path.exists():  # within the job's own folder it has gone with that
            shutil.rmtree(self.path)


@contextlib.contextmanager
def opened(place: Path, *, job: str, other: Path, goes_on: bool) -> Iterator[SearchFolder]:
    """Make a search's folder ready, and let nobody else use it meanwhile.

    Args:
        place: Where the same search always is.
        job: The job that it runs for.
        other: Where it goes while another job runs the same search.
        goes_on: Whether trials of an interrupted search serve.
    """
    lock = joblock.take(place)
    if lock is None:
        place = other
        lock = joblock.take(place)
    assert lock is not None, f"{place} is in use"
    try:
        yield _made_ready(place, job, goes_on=goes_on)
    finally:
        os.close(lock)


def _made_ready(place: Path, job: str, *, goes_on: bool) -> SearchFolder:
    for name in (*_ANEW, *(() if goes_on else ("state", "job"))):
        path = place / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    note = place / "job"
    earlier = note.read_text(encoding="utf-8") if note.exists() else ""
    write_whole(note, job.encode())
    return SearchFolder(place, earlier)
