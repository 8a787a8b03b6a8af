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
from functools import cached_property
from pathlib import Path

from amlocal.files import file_digest
from amlocal.local.mltables import FILE, outside_files

# A file changed again within the clock's grain keeps its modification time: what is younger than
# this when it is read is not remembered (the same rule as git's index has for "racy" files).
_GRAIN_NS = 50_000_000
_BYTE_CODE = "__pycache__"


class Digests:
    """Content digests with a memory in a small database, which may be deleted at any time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    @cached_property
    def _db(self) -> sqlite3.Connection:
        """The memory; opened when it is first used, since the workspace may not be there yet."""
        return self._open()

    def _open(self) -> sqlite3.Connection:
        """Open the memory; a broken one is made anew, and without a disk it is of this process."""
        try:
            return self._connect(self._path)
        except sqlite3.OperationalError:
            return self._connect(":memory:")  # a full or read-only disk
        except sqlite3.DatabaseError:
            self._path.unlink(missing_ok=True)
            return self._connect(self._path)

    @staticmethod
    def _connect(path: Path | str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            path, timeout=60, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS digests (path TEXT PRIMARY KEY, stamp TEXT, digest TEXT)"
        )
        return connection

    def _remembered(self, path: str, stamp: str) -> str | None:
        with self._lock:
            try:
                row = self._db.execute(
                    "SELECT digest FROM digests WHERE path = ? AND stamp = ?", (path, stamp)
                ).fetchone()
            except sqlite3.DatabaseError:
                self._replace()
                return None
        return row[0] if row else None

    def _remember(self, rows: list[tuple[str, str, str]]) -> None:
        with self._lock:
            try:
                self._db.execute("BEGIN")
                self._db.executemany("INSERT OR REPLACE INTO digests VALUES (?, ?, ?)", rows)
                self._db.execute("COMMIT")
            except sqlite3.DatabaseError:
                self._replace()

    def _replace(self) -> None:
        """Go on with a memory of this process alone: the file's is broken, or its disk is full."""
        self._db.close()
        self._db = self._connect(":memory:")

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
        """Return the SHA-256 of a file or folder; of an MLTable, what it names elsewhere counts."""
        if not path.is_dir():
            return self.file(path)
        tree = self.tree(path)
        if FILE in tree:
            outside = outside_files(path)
            digests = self._files(list(outside.values()))
            tree |= {name: digests[file] for name, file in outside.items()}
        return tree_digest(tree)

    def _files(self, paths: list[Path]) -> dict[Path, str]:
        found: dict[Path, str] = {}
        fresh: list[tuple[str, str, str]] = []
        for path in paths:
            status = path.stat()
            stamp = f"{status.st_size}:{status.st_mtime_ns}:{status.st_ino}:{status.st_ctime_ns}"
            key = os.path.abspath(path)  # noqa: PTH100 - resolve() would ask the disk for each part
            if digest := self._remembered(key, stamp):
                found[path] = digest
                continue
            found[path] = digest = file_digest(path)
            # Both times, since a copy may be given the modification time of its source.
            changed = max(status.st_mtime_ns, status.st_ctime_ns)
            if time.time_ns() - changed > _GRAIN_NS:
                fresh.append((key, stamp, digest))
        if fresh:
            self._remember(fresh)
        return found


def tree_digest(files: Mapping[str, str]) -> str:
    """Return the SHA-256 of a folder from its files' digests by relative path."""
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def walk(folder: Path) -> Iterator[Path]:
    """Yield every file below a folder; links to files count, links to folders are followed once.

    Byte code is left out: Python writes it beside what it imports, as a model's own modules, and
    that makes no other content.
    """
    seen: set[tuple[int, int]] = set()
    for base, names, files in os.walk(folder, followlinks=True):
        status = os.stat(base)  # noqa: PTH116
        if (status.st_dev, status.st_ino) in seen:
            names.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        names[:] = sorted(name for name in names if name != _BYTE_CODE)
        for name in sorted(files):
            path = Path(base, name)
            if path.is_file():
                yield path
