"""A model behind the scoring server, in a process of its own."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import psutil
from profile_load import request
from profile_process import end, environment, last_line

from stepkit.program import StepError

#: How long a model may take until it is served.
PATIENCE = 120.0
#: Different requests of a load: enough that no cache of a model answers them all.
MOST_BODIES = 500
_ADDRESS = re.compile(r"serving .* on http://127\.0\.0\.1:(\d+)")


@dataclass(frozen=True)
class Served:
    """A server that answers.

    Attributes:
        port: On 127.0.0.1.
        start_seconds: From its start until it answered.
        process: Its process.
    """

    port: int
    start_seconds: float
    process: psutil.Process

    def memory_mb(self) -> float:
        """Return what it uses now, in MB."""
        return float(self.process.memory_info().rss) / 1e6

    def cpu_seconds(self) -> float:
        """Return the seconds of all cores that it has used."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextmanager
def served(folder: Path, threads: int) -> Iterator[Served]:
    """Serve a model on a free port; end the server with the block.

    Args:
        folder: The model's.
        threads: Of one prediction.

    Raises:
        StepError: There is no scoring server, or it cannot serve the model; says why.
    """
    if importlib.util.find_spec("scoringserver") is None:
        raise StepError(
            "the scoring server is not beside this program",
            hint="set serve to false, or include src/scoringserver",
        )
    with tempfile.TemporaryDirectory() as scratch:
        log = Path(scratch) / "server.txt"
        command = [sys.executable, "-m", "scoringserver", "--model", str(folder), "--port", "0"]
        with log.open("w", encoding="utf-8") as output:
            began = time.perf_counter()
            process = subprocess.Popen(
                [*command, "--threads", str(threads)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                text=True,
                env=environment(threads),
            )
        try:
            port = _port(process, log, began + PATIENCE)
            yield Served(port, time.perf_counter() - began, psutil.Process(process.pid))
        finally:
            end(process)


def _port(process: subprocess.Popen[str], log: Path, deadline: float) -> int:
    """Return the port that a server listens on, once it does.

    Raises:
        StepError: It has ended, or takes too long.
    """
    while True:
        # Asked before the log is read: what it wrote at its end is then there.
        code = process.poll()
        if found := _ADDRESS.search(log.read_text(encoding="utf-8", errors="replace")):
            return int(found[1])
        if code is not None:
            raise StepError(f"the scoring server ended: {last_line(log) or f'exit code {code}'}")
        if time.perf_counter() > deadline:
            raise StepError(f"the scoring server did not answer within {PATIENCE:.0f} s")
        time.sleep(0.02)


def requests_of(rows: pd.DataFrame) -> Sequence[bytes]:
    """Return requests of a row each, as Azure's endpoints take them.

    Args:
        rows: Rows with the model's features.
    """
    some = rows.head(MOST_BODIES)
    values = json.loads(some.to_json(orient="values", date_format="iso"))
    columns = list(some.columns)
    bodies = [{"input_data": {"columns": columns, "index": [0], "data": [row]}} for row in values]
    return [request(json.dumps(body).encode()) for body in bodies]
