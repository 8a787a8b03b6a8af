"""A server in a process of its own, a plain client of it, and rows to send."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

SOURCE = Path(__file__).parents[3] / "src"


def people(rows: int) -> pd.DataFrame:
    """Return rows of made-up people, with a missing value here and there."""
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": generator.integers(18, 80, rows).astype("float64"),
            "job": generator.choice(["clerk", "smith", "nurse"], rows).astype(object),
            "children": generator.integers(0, 5, rows),
        }
    )
    frame.loc[3::7, "job"] = None
    return frame


class _UnixConnection(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.host)


@dataclass
class ServerProcess:
    """A running server.

    Attributes:
        process: Its process.
        log: Where its standard error goes.
        address: Its Unix socket, or its port.
    """

    process: subprocess.Popen[bytes]
    log: Path
    address: str

    @classmethod
    def start(cls, model: Path, *arguments: str, log: Path | None = None) -> ServerProcess:
        """Start a server and wait until it serves or has ended."""
        log = log or Path(arguments[1]).with_suffix(".log")
        environ = {**os.environ, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"}
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "scoringserver", "--model", str(model), *arguments],
                stderr=file,
                env=environ,
            )
        address = ""
        deadline = time.monotonic() + 120
        while not address and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
            if found := re.search(r"INFO serving .* on (\S+), ", log.read_text()):
                address = found[1]
        return cls(process, log, address)

    def __enter__(self) -> ServerProcess:
        assert self.address, self.log.read_text()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(60)

    def connection(self) -> http.client.HTTPConnection:
        """Return a connection of its own."""
        if self.address.startswith("http"):
            return http.client.HTTPConnection(self.address.removeprefix("http://"), timeout=60)
        return _UnixConnection(self.address, timeout=60)

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, bytes]:
        """Send one request; return the status and the body."""
        connection = self.connection()
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def score(self, body: Any, *, path: str = "/score") -> tuple[int, Any]:
        """Send JSON's values, or bytes as JSON; return the status and the answer's values."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        status, answer = self.request("POST", path, data, {"Content-Type": "application/json"})
        return status, json.loads(answer)
