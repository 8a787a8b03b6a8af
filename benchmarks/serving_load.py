"""Load on a scoring address, made by wrk, and what it measured."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = """\
-- Each request has the next of the bodies, one a line of a file.
local requests, turn = {}, 0
local headers = HEADERS
init = function()
  for line in io.lines(os.getenv("BODIES")) do
    requests[#requests + 1] = wrk.format("POST", nil, headers, line)
  end
end
request = function()
  turn = turn % #requests + 1
  return requests[turn]
end
done = function(summary, latency)
  local errors = summary.errors
  io.stderr:write(string.format(
    '{"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "max": %d, ' ..
    '"refused": %d, "broken": %d}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What a server did under a load.

    Attributes:
        rps: Requests a second.
        p50_ms: Half of the requests took at most so many milliseconds.
        p99_ms: 99 of 100 took at most so many.
        max_ms: The slowest one.
        requests: How many were answered.
        refused: How many were answered with another status than 2xx or 3xx.
        broken: How many got no answer.
    """

    rps: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    requests: int
    refused: int
    broken: int


def wrk() -> str:
    """Return the path of wrk; raises RuntimeError where it is missing."""
    found = shutil.which("wrk")
    if found is None:
        raise RuntimeError("wrk is missing; install it, for example with: apt-get install wrk")
    return found


def measure(
    address: str,
    bodies: Sequence[str],
    *,
    connections: int,
    seconds: float,
    folder: Path,
    headers: Mapping[str, str],
) -> Load:
    """Keep some connections busy for some time, each with one request after the other.

    Args:
        address: Where requests are posted to.
        bodies: JSON texts without line breaks; the requests take turns with them.
        connections: Connections side by side.
        seconds: How long.
        folder: For the files that wrk reads.
        headers: Of each request, beside its content type.

    Raises:
        RuntimeError: wrk failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    fields = {"Content-Type": "application/json", **headers}
    table = ", ".join(f"[{json.dumps(name)}] = {json.dumps(fields[name])}" for name in fields)
    script = folder / "load.lua"
    script.write_text(_SCRIPT.replace("HEADERS", "{" + table + "}"))
    # The script holds the key of an endpoint.
    script.chmod(0o600)
    lines = folder / "bodies.txt"
    lines.write_text("".join(f"{body}\n" for body in bodies))
    command = [wrk(), "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "60s"]
    done = subprocess.run(
        [*command, "-s", str(script), address],
        env={**os.environ, "BODIES": str(lines)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0 or not done.stderr.strip().startswith("{"):
        raise RuntimeError(f"wrk failed:\n{done.stdout}{done.stderr}")
    found = json.loads(done.stderr)
    return Load(
        rps=found["requests"] / found["microseconds"] * 1e6,
        p50_ms=found["p50"] / 1000,
        p99_ms=found["p99"] / 1000,
        max_ms=found["max"] / 1000,
        requests=found["requests"],
        refused=found["refused"],
        broken=found["broken"],
    )
