"""The SQLite database of a workspace's records: transactions, threads, and its errors.

WAL mode: several commands read and write at once, and a process that is killed leaves the last
whole state.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from amlocal.errors import TargetError

_VERSION = 5
_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    name TEXT PRIMARY KEY,
    parent TEXT,
    position INTEGER NOT NULL,
    status TEXT NOT NULL,
    created REAL NOT NULL,
    revision INTEGER NOT NULL,
    archived INTEGER NOT NULL DEFAULT 0,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    step TEXT,
    fingerprint TEXT,
    facts TEXT,
    reusable INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    info TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS jobs_parent ON jobs (parent, position);
CREATE INDEX IF NOT EXISTS jobs_roots ON jobs (created) WHERE parent IS NULL;
CREATE INDEX IF NOT EXISTS jobs_fingerprint ON jobs (fingerprint) WHERE reusable = 1;
CREATE INDEX IF NOT EXISTS jobs_step ON jobs (step, created) WHERE facts IS NOT NULL;
CREATE TABLE IF NOT EXISTS assets (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    created REAL NOT NULL,
    archived INTEGER NOT NULL DEFAULT 0,
    info TEXT NOT NULL,
    PRIMARY KEY (kind, name, version)
);
CREATE TABLE IF NOT EXISTS batch_endpoints (
    name TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    created REAL NOT NULL,
    plan TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS batch_deployments (
    endpoint TEXT NOT NULL,
    name TEXT NOT NULL,
    revision INTEGER NOT NULL,
    created REAL NOT NULL,
    version TEXT NOT NULL,
    info TEXT NOT NULL,
    PRIMARY KEY (endpoint, name)
);
CREATE TABLE IF NOT EXISTS waiting_runs (
    name TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    run TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS online_endpoints (
    name TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    state TEXT NOT NULL,
    created REAL NOT NULL,
    port INTEGER NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '',
    plan TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS online_deployments (
    endpoint TEXT NOT NULL,
    name TEXT NOT NULL,
    revision INTEGER NOT NULL,
    state TEXT NOT NULL,
    created REAL NOT NULL,
    ready INTEGER NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '',
    trouble TEXT NOT NULL DEFAULT '',
    version TEXT NOT NULL,
    served TEXT,
    PRIMARY KEY (endpoint, name)
);
CREATE TABLE IF NOT EXISTS waiting_servings (
    endpoint TEXT NOT NULL,
    deployment TEXT NOT NULL,
    revision INTEGER NOT NULL,
    warning TEXT NOT NULL DEFAULT '',
    serving TEXT NOT NULL,
    PRIMARY KEY (endpoint, deployment, revision)
);
CREATE TABLE IF NOT EXISTS schedules (
    name TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    created INTEGER NOT NULL,
    enabled INTEGER NOT NULL DEFAULT 1,
    cursor INTEGER NOT NULL,
    plan TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS slots (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    schedule TEXT NOT NULL,
    slot INTEGER NOT NULL,
    on_demand INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL,
    job TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    count INTEGER NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX IF NOT EXISTS slots_once ON slots (schedule, slot) WHERE on_demand = 0;
CREATE INDEX IF NOT EXISTS slots_jobs ON slots (job);
CREATE INDEX IF NOT EXISTS slots_planned ON slots (id) WHERE state = 'planned';
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    source TEXT NOT NULL,
    created REAL NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_type ON events (type, source, id);
CREATE TABLE IF NOT EXISTS watched_places (
    place TEXT PRIMARY KEY,
    event INTEGER NOT NULL,
    files TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS triggers (
    name TEXT PRIMARY KEY,
    created REAL NOT NULL,
    enabled INTEGER NOT NULL,
    born INTEGER NOT NULL,
    since INTEGER NOT NULL,
    seen TEXT NOT NULL,
    seen_before TEXT NOT NULL,
    plan TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS trigger_events (
    trigger_name TEXT NOT NULL,
    event INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    job TEXT NOT NULL,
    changed REAL NOT NULL,
    PRIMARY KEY (trigger_name, event)
);
CREATE TABLE IF NOT EXISTS trigger_log (
    id INTEGER PRIMARY KEY,
    trigger_name TEXT NOT NULL,
    event INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    job TEXT NOT NULL,
    changed REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS waiting_findings (job TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS counter (revision INTEGER NOT NULL);
INSERT INTO counter SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM counter);
"""

Row = tuple[Any, ...]


class DiskFullError(TargetError):
    """There is no space left on the workspace's disk."""


class Database:
    """One connection, safe to use from several threads; other processes have their own.

    As long as the file's folder is missing, what is read is an empty database in memory: looking
    at a workspace that is not there does not make one.

    Args:
        path: The file; it is made where it is missing, in a folder that is there.
        on_full: Called once when the disk is full; it should make room.
    """

    def __init__(self, path: Path, *, on_full: Callable[[], None]) -> None:
        self._path = path
        self._on_full = on_full
        self._lock = threading.RLock()
        self._is_file = path.parent.is_dir()
        self._connection = self._connect()

    def _connect(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                self._path if self._is_file else ":memory:",
                timeout=60,
                isolation_level=None,
                check_same_thread=False,
            )
            self._prepare(connection)
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        return connection

    def _look_for_file(self, *, required: bool) -> None:
        """Leave the empty database in memory, once there is a folder for the file."""
        if not self._is_file and (required or self._path.parent.is_dir()):
            self._is_file = True
            self._connection.close()
            self._connection = self._connect()

    def _unusable(self, error: sqlite3.Error) -> TargetError:
        return TargetError(
            f"the records {self._path} cannot be used: {error}",
            hint="is the disk full, or the folder read-only?",
        )

    def _prepare(self, connection: sqlite3.Connection) -> None:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise TargetError(f"{self._path} was written by a newer amlocal", hint="update amlocal")
        # NORMAL: a power cut may lose the last transactions but never corrupts; a kill loses none.
        connection.execute("PRAGMA synchronous = NORMAL")
        if version < _VERSION:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(
                f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;"
            )

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def writing(self) -> Iterator[int]:
        """Hold a write transaction; gives the revision that its changes carry.

        Raises:
            DiskFullError: There is no space left; `on_full` was called.
            TargetError: The database cannot be written.
        """
        with self._lock:
            self._look_for_file(required=True)
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    self._connection.execute("UPDATE counter SET revision = revision + 1")
                    (revision,) = self._connection.execute(
                        "SELECT revision FROM counter"
                    ).fetchone()
                    yield revision
                    self._connection.execute("COMMIT")
                finally:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
            except sqlite3.DatabaseError as error:
                if "full" in str(error):
                    self._on_full()
                    raise DiskFullError(
                        f"no space left on the disk of {self._path}",
                        hint="free some, for example with: aml workspace gc",
                    ) from error
                raise self._unusable(error) from error

    def write(self, query: str, values: Sequence[object]) -> int:
        """Run one change and return the number of rows changed.

        The first `?` of the query is the revision of the change. On a full disk it is tried once
        more after `on_full` made room.
        """
        try:
            return self._write(query, values)
        except DiskFullError:
            return self._write(query, values)

    def _write(self, query: str, values: Sequence[object]) -> int:
        with self.writing() as revision:
            return self.execute(query, (revision, *values))

    def execute(self, query: str, values: Sequence[object] = ()) -> int:
        """Run a statement inside `writing` and return the number of rows changed."""
        return self._connection.execute(query, values).rowcount

    def one(self, query: str, values: Sequence[object] = ()) -> Row | None:
        """Return the first row of a query, or None."""
        rows = self.all(query, values)
        return rows[0] if rows else None

    def all(self, query: str, values: Sequence[object] = ()) -> list[Row]:
        """Return the rows of a query."""
        try:
            with self._lock:
                self._look_for_file(required=False)
                return self._connection.execute(query, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise self._unusable(error) from error
