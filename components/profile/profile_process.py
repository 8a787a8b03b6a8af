"""Processes that a model is measured in: each has one model, and the threads that it is given."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

import stepkit
from stepkit.metrics import Floats
from stepkit.program import StepError

#: What the libraries that do the arithmetic read when they are loaded; the last one is joblib's.
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
)
_WORKER = Path(__file__).with_name("profile_worker.py")


@dataclass(frozen=True)
class Block:
    """Some calls, one right after the other.

    Attributes:
        seconds: What each call took, shape (calls,).
        waited: How much of it the call had no core, as far as the system tells; 0 else.
        cpu: Seconds of all cores together.
        rss: Memory afterwards, in MB.
        peak: The highest memory until then, in MB.
    """

    seconds: Floats
    waited: Floats
    cpu: float
    rss: float
    peak: float

    @property
    def own(self) -> Floats:
        """What each call took when it had a core: what the machine does besides is taken off."""
        own: Floats = np.maximum(self.seconds - self.waited, 0.0)
        return own


class Caller(Protocol):
    """What calls a model."""

    def call(self, rows: int, calls: int, seconds: float, *, collect: bool = False) -> Block:
        """Predict `rows` rows, `calls` times or for some seconds, but at least once.

        Args:
            rows: Of each call.
            calls: At most.
            seconds: After which no further call begins.
            collect: Whether unreachable objects are freed before memory is looked at.
        """


class Worker:
    """A process with a loaded model.

    Args:
        process: The process, which has its standard input and output open.
        log: Where its standard error goes.
        threads: What it may use.
        start_seconds: From its start until the model was loaded.
    """

    def __init__(
        self, process: subprocess.Popen[str], log: Path, threads: int, start_seconds: float
    ) -> None:
        self.threads = threads
        self.start_seconds = start_seconds
        self._process = process
        self._log = log

    def call(self, rows: int, calls: int, seconds: float, *, collect: bool = False) -> Block:
        """Predict; see `Caller`.

        Raises:
            StepError: The model raised.
        """
        found = self._ask(do="time", rows=rows, calls=calls, seconds=seconds, collect=collect)
        return Block(
            np.array(found["seconds"]),
            np.array(found["waited"]),
            found["cpu"],
            found["rss"],
            found["peak"],
        )

    def reload(self) -> float:
        """Return the seconds that another load in the same process takes.

        Raises:
            StepError: The process has ended.
        """
        return float(self._ask(do="reload")["seconds"])

    def _ask(self, **request: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise ended(self._process, self._log) from None
        return answer_of(self._process, self._log)


def answer_of(process: subprocess.Popen[str], log: Path) -> dict[str, Any]:
    """Return a process's next answer.

    Raises:
        StepError: It has ended instead; says the last line that it wrote.
    """
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise ended(process, log)
    return dict(json.loads(line))


def ended(process: subprocess.Popen[str], log: Path) -> StepError:
    """Return the error of a process that ended too early."""
    code = process.wait()
    return StepError(
        f"the model failed while it was measured: {last_line(log) or f'exit code {code}'}",
        hint="predict the same rows by hand, with mlflow.pyfunc.load_model",
    )


def last_line(log: Path) -> str:
    """Return the last line of a log that says something."""
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


@contextmanager
def started(folder: Path, rows: Path, threads: int) -> Iterator[Worker]:
    """Start a process and load a model in it; end it with the block.

    Args:
        folder: The model's.
        rows: What it is to predict.
        threads: Of one prediction.

    Raises:
        StepError: The model cannot be loaded.
    """
    with tempfile.TemporaryDirectory() as scratch:
        log = Path(scratch) / "stderr.txt"
        command = [sys.executable, str(_WORKER), "--model", str(folder), "--rows", str(rows)]
        with log.open("w", encoding="utf-8") as errors:
            began = time.perf_counter()
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=environment(threads),
            )
        try:
            answer_of(process, log)
            yield Worker(process, log, threads, time.perf_counter() - began)
        finally:
            end(process)


def end(process: subprocess.Popen[str], patience: float = 5.0) -> None:
    """End a process: by the end of its input, else kindly, else by force."""
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            try:
                stream.close()
            except BrokenPipeError:
                continue
    process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def environment(threads: int) -> Mapping[str, str]:
    """Return the environment of a process that may use some threads, and finds what we import."""
    beside = str(Path(stepkit.__file__).parents[1])
    given = [beside, *filter(None, [os.environ.get("PYTHONPATH")])]
    # A model that logs of itself would log into the step's run.
    untracked = {name: text for name, text in os.environ.items() if name != "MLFLOW_RUN_ID"}
    return {
        **untracked,
        **dict.fromkeys(THREADS, str(threads)),
        "PYTHONPATH": os.pathsep.join(given),
    }
