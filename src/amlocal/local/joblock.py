"""The lock of a job's folder: held as long as something runs the job.

It is an `flock`, which the system drops when the last process that holds the file open ends,
however it ends. The process that creates a job takes the lock and hands the open file to the one
that runs it, so that there is no moment without a holder.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


def _file(folder: Path) -> Path:
    return folder / "engine.lock"


def take(folder: Path) -> int | None:
    """Take a job's lock.

    Args:
        folder: The job's folder; it is made where it is missing.

    Returns:
        An open file descriptor that holds the lock until it is closed, or None where another
        holds it.
    """
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(_file(folder), os.O_RDWR | os.O_CREAT, 0o644)
        except FileNotFoundError:
            continue  # the folder was removed as one without a record
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        if _is_at(descriptor, _file(folder)):
            return descriptor
        os.close(descriptor)  # locked, but removed with its folder meanwhile


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def is_held(folder: Path) -> bool:
    """Return whether something runs the job."""
    if not _file(folder).exists():
        return False
    descriptor = take(folder)
    if descriptor is None:
        return True
    os.close(descriptor)
    return False
