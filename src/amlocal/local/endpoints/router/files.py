"""The data collector's files, whole lines only: `COLLECTION/YYYY/MM/DD/HH/INSTANCE.jsonl`."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

#: What a file is of, whatever time it is: the folder, the collection, and the instance.
Key = tuple[str, str, str]
#: Folders of a time, by `rolling_rate`.
_ROLLING = {
    "year": "%Y",
    "month": "%Y/%m",
    "day": "%Y/%m/%d",
    "hour": "%Y/%m/%d/%H",
    "minute": "%Y/%m/%d/%H/%M",
}
#: What requests hold may be personal: for the user alone.
_MODE = 0o600


def place(folder: str, collection: str, rolling_rate: str, seconds: float) -> Path:
    """Return the folder of a collection's events of a time, which is in seconds since 1970."""
    rolled = time.strftime(_ROLLING[rolling_rate], time.gmtime(seconds))
    return Path(folder, collection, rolled)


class LineFiles:
    """Files that lines are appended to; one is open for each folder and instance."""

    def __init__(self) -> None:
        self._open: dict[Key, tuple[Path, int]] = {}

    def append(self, key: Key, path: Path, lines: bytes) -> None:
        """Append lines, all of them or nothing.

        Args:
            key: What the file is of; its file of another time is closed.
            path: The file.
            lines: The lines with their ends.

        Raises:
            OSError: It could not be written; the file is as it was.
        """
        descriptor = self._descriptor(key, path)
        size = os.fstat(descriptor).st_size
        try:
            written = os.write(descriptor, lines)
        except OSError:
            self._close(key)
            raise
        if written != len(lines):
            os.ftruncate(descriptor, size)
            raise OSError(f"{path}: the disk is full")

    def close(self) -> None:
        """Write everything to the disk, and close."""
        for key, (_, descriptor) in list(self._open.items()):
            with contextlib.suppress(OSError):  # a line that is not on the disk is only lost data
                os.fsync(descriptor)
            self._close(key)

    def _descriptor(self, key: Key, path: Path) -> int:
        there = self._open.get(key)
        # Somebody may have removed the file to begin anew.
        if there is not None and there[0] == path and os.fstat(there[1]).st_nlink:
            return there[1]
        if there is not None:
            self._close(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, _MODE)
        _cut_partial_line(descriptor)
        self._open[key] = (path, descriptor)
        return descriptor

    def _close(self, key: Key) -> None:
        os.close(self._open.pop(key)[1])


def write_payload(path: Path, payload: bytes) -> None:
    """Write a payload that has a file of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb", opener=lambda name, flags: os.open(name, flags, _MODE)) as file:
        file.write(payload)


def _cut_partial_line(descriptor: int) -> None:
    """Remove what a loss of power left of a last line."""
    size = os.fstat(descriptor).st_size
    end = size
    while end:
        begin = max(end - 65536, 0)
        found = os.pread(descriptor, end - begin, begin).rfind(b"\n")
        if found >= 0:
            end = begin + found + 1
            break
        end = begin
    if end != size:
        os.ftruncate(descriptor, end)
