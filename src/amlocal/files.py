"""Files that are there whole or not at all, after a crash or a loss of power too; their digests."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_CHUNK = 2**20


def beside(path: Path) -> Path:
    """Return a place in the same folder that no other thread or process writes to."""
    # Cut, since a name may have 255 bytes, and this one is longer than the file's own.
    mark = f"{os.getpid()}-{threading.get_ident()}"
    return path.with_name(f".{path.name[:60]}.{mark}.tmp")


@contextlib.contextmanager
def written_whole(path: Path, *, mode: int = 0o644) -> Iterator[BinaryIO]:
    """Open a file to write: others see the old content until it is closed, then the new.

    Args:
        path: The file, in a folder that is there.
        mode: Who may read it.
    """
    temporary = beside(path)
    try:
        descriptor = os.open(temporary, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, mode)
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_whole(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write a file at once, as `written_whole`; its folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path, mode=mode) as file:
        file.write(data)


def file_digest(path: Path) -> str:
    """Read a file and return its SHA-256."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
