"""SHA-256 of files and folders by content, remembered by size and modification time.

A file's digest is that of its bytes; a folder's is that of the sorted JSON of its files' relative
paths and digests, so that equal content gives an equal digest wherever it lies.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

# A file changed again within the clock's grain keeps its modification time: what is younger than
# this when it is read is not remembered (the same rule as git's index has for "racy" files).
_GRAIN_NS = 50_000_000
_CHUNK = 2**20


class Digests:
    """Content digests with a memory in a small database, which may be deleted at any time."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = self._connect(path)
        except sqlite3.DatabaseError:
            path.unlink(missing_ok=True)
            self._db = self._connect(path)

    @staticmethod
    def _connect(path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(
            path, timeout=60, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS digests (path TEXT PRIMARY KEY, stamp TEXT, digest TEXT)"
        )
        return connection

    def close(self) -> None:
        """Close the memory."""
        self._db.close()

    def file(self, path: Path) -> str:
        """Return the SHA-256 of a file's bytes."""
        return self._files([path])[path]

    def tree(self, folder: Path) -> dict[str, str]:
        """Return the SHA-256 of each file below a folder, by relative path in POSIX form."""
        paths = {path.relative_to(folder).as_posix(): path for path in walk(folder)}
        digests = self._files(list(paths.values()))
        return {name: digests[path] for name, path in sorted(paths.items())}

    def content(self, path: Path) -> str:
        """Return the SHA-256 of a file or folder."""
        return tree_digest(self.tree(path)) if path.is_dir() else self.file(path)

    def _files(self, paths: list[Path]) -> dict[Path, str]:
        found: dict[Path, str] = {}
        fresh: list[tuple[str, str, str]] = []
        for path in paths:
            status = path.stat()
            stamp = f"{status.st_size}:{status.st_mtime_ns}:{status.st_ino}:{status.st_ctime_ns}"
            key = os.path.abspath(path)  # noqa: PTH100 - resolve() would ask the disk for each part
            with self._lock:
                row = self._db.execute(
                    "SELECT digest FROM digests WHERE path = ? AND stamp = ?", (key, stamp)
                ).fetchone()
            if row:
                found[path] = row[0]
                continue
            found[path] = digest = file_digest(path)
            if time.time_ns() - status.st_mtime_ns > _GRAIN_NS:
                fresh.append((key, stamp, digest))
        if fresh:
            with self._lock:
                self._db.execute("BEGIN")
                self._db.executemany("INSERT OR REPLACE INTO digests VALUES (?, ?, ?)", fresh)
                self._db.execute("COMMIT")
        return found


def file_digest(path: Path) -> str:
    """Read a file and return its SHA-256."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def tree_digest(files: Mapping[str, str]) -> str:
    """Return the SHA-256 of a folder from its files' digests by relative path."""
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def walk(folder: Path) -> Iterator[Path]:
    """Yield every file below a folder; links to files count, links to folders are followed once."""
    seen: set[tuple[int, int]] = set()
    for base, names, files in os.walk(folder, followlinks=True):
        status = os.stat(base)  # noqa: PTH116
        if (status.st_dev, status.st_ino) in seen:
            names.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        names.sort()
        for name in sorted(files):
            path = Path(base, name)
            if path.is_file():
                yield path
