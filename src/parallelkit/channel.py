"""Messages between the run and its workers: one JSON object a line, over pipes."""

from __future__ import annotations

import json
import os
from typing import Any


def send(descriptor: int, message: dict[str, Any]) -> None:
    """Write one message; raises BrokenPipeError where nobody reads any more."""
    data = json.dumps(message).encode() + b"\n"
    while data:
        data = data[os.write(descriptor, data) :]


class Reader:
    """Reads messages as they come.

    Args:
        descriptor: The end of a pipe.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._rest = b""

    def read(self) -> list[dict[str, Any]] | None:
        """Return the messages that are whole, after one read; None where the other end is gone."""
        data = os.read(self._descriptor, 1 << 16)
        if not data:
            return None
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [json.loads(line) for line in lines]
