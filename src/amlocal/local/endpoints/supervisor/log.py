"""The supervisor's log: its standard error."""

from __future__ import annotations

import contextlib
import sys


def say(what: str) -> None:
    """Log a line; a disk that is full must not end what the line is about."""
    with contextlib.suppress(OSError):
        print(what, file=sys.stderr, flush=True)
