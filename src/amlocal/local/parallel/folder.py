"""The folder that a parallel run works in: kept until its job completes, so that it can go on."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from amlocal.local import joblock

#: What a run leaves of an earlier start that is made anew.
_ANEW = ("events.jsonl", "program", "model")
#: What it goes on from.
_KEPT = ("plan.json", "journal.jsonl", "results", "tables", "outputs")
#: What the program that runs in the step's environment consists of.
_PROGRAM = ("parallelkit", "stepkit")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of one parallel run.

    Attributes:
        path: Where it is.
    """

    path: Path

    @property
    def request(self) -> Path:
        """What is asked of the run."""
        return self.path / "request.json"

    @property
    def events(self) -> Path:
        """What it tells."""
        return self.path / "events.jsonl"

    @property
    def outputs(self) -> Path:
        """What the script writes: kept with the mini-batches that wrote it."""
        return self.path / "outputs"

    def with_program(self) -> Path:
        """Copy the program here, and return the folder that its packages are in.

        The step's environment may be another than this one, and must see nothing else of it.
        """
        place = self.path / "program"
        for package in _PROGRAM:
            spec = find_spec(package)
            assert spec is not None
            assert spec.origin is not None
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(Path(spec.origin).parent, place / package, ignore=ignored)
        return place

    def with_model(self, model: Path, name: str) -> Path:
        """Return a folder that holds a model under its own name, as `AZUREML_MODEL_DIR` does."""
        place = self.path / "model"
        place.mkdir()
        (place / name).symlink_to(model)
        return place

    def remove(self) -> None:
        """Remove it: its job has completed."""
        if self.path.exists():  # within the job's own folder it has gone with that
            shutil.rmtree(self.path)


@contextlib.contextmanager
def opened(place: Path, *, other: Path, goes_on: bool) -> Iterator[RunFolder]:
    """Make a run's folder ready, and let nobody else use it meanwhile.

    Args:
        place: Where the same run always is.
        other: Where it goes while another job does the same run.
        goes_on: Whether mini-batches of an interrupted run serve.
    """
    lock = joblock.take(place)
    if lock is None:
        place = other
        lock = joblock.take(place)
    assert lock is not None, f"{place} is in use"
    try:
        for name in (*_ANEW, *(() if goes_on else _KEPT)):
            path = place / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        yield RunFolder(place)
    finally:
        os.close(lock)
