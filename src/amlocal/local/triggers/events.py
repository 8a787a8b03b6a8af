"""The events of a workspace: what happened, each once."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from amlocal.errors import UsageError, near_miss
from amlocal.local.database import Database
from amlocal.local.records import timestamp
from amlocal.plan.ports import Scalar
from amlocal.plan.trigger import EVENT_TYPES, EventInfo

_COLUMNS = "id, type, source, key, created, detail"


def record(
    database: Database, kind: str, source: str, detail: Mapping[str, Scalar], key: str
) -> EventInfo:
    """Record that something happened; triggers hear of it at the next look.

    An event is there once it is recorded, and once only: recording the same key again, after a
    crash or from another process, gives the event that is there.

    Args:
        database: The workspace's records.
        kind: One of `EVENT_TYPES`.
        source: What it happened to: a monitor's name, a place, a model, or a trigger.
        detail: Plain values, which jobs can be given by `${{event.NAME}}`; for drift and decay
            `monitor`, `signal`, `metric`, `value`, and `threshold` at least.
        key: What makes the event unique, as a monitor's name with its run.

    Raises:
        UsageError: There is no such kind.
        TargetError: The records cannot be written.
    """
    (found,) = record_together(database, [NewEvent(kind, source, detail, key)])
    return found


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Something that happened; fields as the arguments of `record`."""

    kind: str
    source: str
    detail: Mapping[str, Scalar]
    key: str


def record_together(database: Database, events: Sequence[NewEvent]) -> list[EventInfo]:
    """Record several things that happened at once, as `record` does each.

    Triggers hear of all of them at one look, and so start one job for them.
    """
    for event in events:
        if event.kind not in EVENT_TYPES:
            hint = near_miss(event.kind, EVENT_TYPES)
            raise UsageError(f"no event type {event.kind!r}", hint=hint)
    with database.writing():
        for event in events:
            told = msgspec.json.encode(dict(event.detail), order="sorted").decode()
            database.execute(
                "INSERT INTO events (key, type, source, created, detail) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (key) DO NOTHING",
                (event.key, event.kind, event.source, time.time(), told),
            )
        query = f"SELECT {_COLUMNS} FROM events WHERE key = ?"  # noqa: S608
        rows = [database.one(query, (event.key,)) for event in events]
    return [event_of(row) for row in rows if row is not None]


def event_of(row: tuple[Any, ...]) -> EventInfo:
    """Return the event of a row of `events`."""
    number, kind, source, key, created, detail = row
    return EventInfo(
        id=number,
        type=kind,
        source=source,
        key=key,
        time=timestamp(created),
        detail=msgspec.json.decode(detail),
    )


def last_event(database: Database) -> int:
    """Return the number of the event recorded last, 0 where there is none."""
    row = database.one("SELECT MAX(id) FROM events")
    return int(row[0]) if row and row[0] else 0


def events_after(
    database: Database, after: int, *, kind: str = "", source: str = ""
) -> list[EventInfo]:
    """Return events, the oldest first.

    Args:
        database: The workspace's records.
        after: The number after which they begin.
        kind: Their type; empty is any.
        source: Where they come from; empty is anywhere.
    """
    rows = database.all(
        f"SELECT {_COLUMNS} FROM events WHERE id > ? AND (? = '' OR type = ?)"  # noqa: S608
        " AND (? = '' OR source = ?) ORDER BY id",
        (after, kind, kind, source, source),
    )
    return [event_of(row) for row in rows]


def find_event(database: Database, number: int) -> EventInfo | None:
    """Return an event by its number, or None."""
    row = database.one(f"SELECT {_COLUMNS} FROM events WHERE id = ?", (number,))  # noqa: S608
    return event_of(row) if row else None
