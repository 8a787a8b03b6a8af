"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


def write_whole(file: Path, parts: Iterable[bytes]) -> None:
    """Write a file so that it holds all of it, or is as it was, whenever this process ends."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.partial")
    with partial.open("wb") as written:
        for part in parts:
            written.write(part)
        written.flush()
        os.fsync(written.fileno())
    partial.replace(file)
