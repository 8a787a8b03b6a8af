"""The records of triggers: what they are, what became of each event at each, and the log."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import msgspec

from amlocal.errors import not_found
from amlocal.local.database import Database, Row
from amlocal.local.records import timestamp
from amlocal.local.triggers.events import event_of, last_event
from amlocal.plan import JobStatus
from amlocal.plan.base import Value
from amlocal.plan.trigger import EventInfo, Trigger, TriggerDecision, TriggerInfo

_EVENT = "e.id, e.type, e.source, e.key, e.created, e.detail"
_ENDED = [status.value for status in JobStatus if status.is_terminal]


class Seen(Value, frozen=True):
    """What a trigger's place held when it last fired.

    Attributes:
        files: SHA-256 by name.
        rows: Rows by name, of those that were counted.
    """

    files: dict[str, str] = msgspec.field(default_factory=dict)
    rows: dict[str, int] = msgspec.field(default_factory=dict)


class TriggerState(msgspec.Struct, frozen=True):
    """A trigger as it stands in the records.

    Attributes:
        trigger: What it is.
        is_enabled: Whether events start jobs.
        born: The number of the last event before it was made.
        since: The number of the last event that it does not listen to.
        seen: What its place held when it last fired, or was made.
        created: In seconds since the epoch.
    """

    trigger: Trigger
    is_enabled: bool
    born: int
    since: int
    seen: Seen
    created: float


class TriggerRecords:
    """Triggers and their dealings with events, in a workspace's database."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def put(self, trigger: Trigger, seen: Seen) -> None:
        """Write a trigger, new or as it is now; one that listens to something else begins anew."""
        last = last_event(self.database)
        old = self.find(trigger.name)
        with self.database.writing():
            if old is None or old.trigger.event != trigger.event:
                self.database.execute(
                    "INSERT OR REPLACE INTO triggers"
                    " (name, created, enabled, born, since, seen, seen_before, plan)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        *(trigger.name, old.created if old else time.time()),
                        *(int(old.is_enabled if old else True), old.born if old else last, last),
                        *(_text(seen), _text(seen), _text(trigger)),
                    ),
                )
            else:
                self.database.execute(
                    "UPDATE triggers SET plan = ? WHERE name = ?", (_text(trigger), trigger.name)
                )

    def find(self, name: str) -> TriggerState | None:
        """Return a trigger, or None."""
        rows = self._states("WHERE name = ?", (name,))
        return rows[0] if rows else None

    def get(self, name: str) -> TriggerState:
        """Return a trigger; raises NotFoundError."""
        found = self.find(name)
        if found is None:
            raise not_found("trigger", name, [state.trigger.name for state in self.all()])
        return found

    def all(self) -> list[TriggerState]:
        """Return all triggers, by name."""
        return self._states("ORDER BY name", ())

    def any_enabled(self) -> bool:
        """Return whether events may start jobs of any trigger."""
        return self.database.one("SELECT 1 FROM triggers WHERE enabled = 1") is not None

    def _states(self, where: str, values: Sequence[object]) -> list[TriggerState]:
        rows = self.database.all(
            f"SELECT plan, enabled, born, since, seen, created FROM triggers {where}",  # noqa: S608
            values,
        )
        return [
            TriggerState(
                Trigger.from_json(plan), bool(enabled), born, since, Seen.from_json(seen), created
            )
            for plan, enabled, born, since, seen, created in rows
        ]

    def enable(self, name: str, seen: Seen) -> None:
        """Let events from now on start jobs; those that came meanwhile do not."""
        if self.get(name).is_enabled:
            return
        last = last_event(self.database)
        with self.database.writing():
            self.database.execute(
                "UPDATE triggers SET enabled = 1, since = ?, seen = ? WHERE name = ?",
                (last, _text(seen), name),
            )

    def disable(self, name: str) -> None:
        """Let no event start a job; what is held back is dropped once it is enabled again."""
        self.get(name)
        with self.database.writing():
            self.database.execute("UPDATE triggers SET enabled = 0 WHERE name = ?", (name,))

    def remove(self, name: str) -> None:
        """Remove a trigger; its log stays."""
        self.get(name)
        with self.database.writing():
            self.database.execute("DELETE FROM triggers WHERE name = ?", (name,))

    def info(self, state: TriggerState) -> TriggerInfo:
        """Return what is told of a trigger."""
        trigger = state.trigger
        last = self.last_fired(trigger.name)
        return TriggerInfo(
            name=trigger.name,
            is_enabled=state.is_enabled,
            event=trigger.event,
            conditions=trigger.conditions,
            job=trigger.job,
            inputs=trigger.inputs,
            display_name=trigger.display_name,
            description=trigger.description,
            tags=trigger.tags,
            creation_time=timestamp(state.created),
            last_job=last[1] if last else "",
            last_fired=timestamp(last[0]) if last else "",
            pending=len(self.pending(state)),
        )

    def watched(self, place: str) -> tuple[int, dict[str, str]] | None:
        """Return the last event of a place and what it held then; None where nobody has looked."""
        row = self.database.one("SELECT event, files FROM watched_places WHERE place = ?", (place,))
        return (row[0], msgspec.json.decode(row[1], type=dict[str, str])) if row else None

    def watch(self, place: str, event: int, files: Mapping[str, str]) -> None:
        """Note what a place holds."""
        with self.database.writing():
            self.database.execute(
                "INSERT OR REPLACE INTO watched_places (place, event, files) VALUES (?, ?, ?)",
                (place, event, msgspec.json.encode(dict(files), order="sorted").decode()),
            )

    def pending(self, state: TriggerState) -> list[EventInfo]:
        """Return the events that may start a job of a trigger, the oldest first."""
        event, name = state.trigger.event, state.trigger.name
        rows = self.database.all(
            f"SELECT {_EVENT} FROM events e LEFT JOIN trigger_events t"  # noqa: S608
            " ON t.event = e.id AND t.trigger_name = ?"
            " WHERE (t.outcome IS NULL OR t.outcome = 'held') AND e.id > ?"
            " AND ((e.type = 'on_demand' AND e.source = ?)"
            " OR (? AND e.id > ? AND e.type = ? AND (? = '' OR e.source = ?))) ORDER BY e.id",
            (
                *(name, state.born, name),
                *(state.is_enabled and event.type != "on_demand", state.since),
                *(event.type, event.source, event.source),
            ),
        )
        return [event_of(row) for row in rows]

    def claim(
        self, name: str, event: int, older: Sequence[int], job: str, seen: Seen | None, now: float
    ) -> bool:
        """Take an event for a trigger before its job is made, in one transaction.

        Args:
            name: The trigger's.
            event: The event.
            older: Events that leave their place to it.
            job: The name that its job will have.
            seen: What the trigger's place holds now; None leaves it.
            now: In seconds since the epoch.

        Returns:
            False where somebody has taken it, or has removed the trigger.
        """
        with self.database.writing():
            known = self.database.one("SELECT 1 FROM triggers WHERE name = ?", (name,))
            if known is None or self._outcome(name, event) not in {None, "held"}:
                return False
            self._note(name, event, "starting", "", job, now)
            for each in older:
                self._note(name, each, "superseded", f"event {event} is newer", job, now)
            if seen is not None:
                self.database.execute(
                    "UPDATE triggers SET seen_before = seen, seen = ? WHERE name = ?",
                    (_text(seen), name),
                )
        return True

    def rename(self, name: str, event: int, job: str) -> None:
        """Note that the job of an event that is taken will have another name."""
        with self.database.writing():
            self.database.execute(
                "UPDATE trigger_events SET job = ? WHERE trigger_name = ? AND event = ?",
                (job, name, event),
            )

    def settle(
        self, name: str, event: int, outcome: str, reason: str, job: str, now: float
    ) -> bool:
        """Write what became of an event; returns whether that is news.

        One that was taken and is held again gives back what the trigger took for seen.
        """
        with self.database.writing():
            if outcome == "held" and self._outcome(name, event) == "starting":
                self.database.execute(
                    "UPDATE triggers SET seen = seen_before WHERE name = ?", (name,)
                )
            return self._note(name, event, outcome, reason, job, now)

    def forget_wait(self, name: str) -> None:
        """Note that a place is held back no longer before an event tells of it."""
        if self._outcome(name, 0) is None:
            return
        with self.database.writing():
            self.database.execute(
                "DELETE FROM trigger_events WHERE trigger_name = ? AND event = 0", (name,)
            )

    def _outcome(self, name: str, event: int) -> str | None:
        row = self.database.one(
            "SELECT outcome FROM trigger_events WHERE trigger_name = ? AND event = ?", (name, event)
        )
        return row[0] if row else None

    def _note(self, name: str, event: int, outcome: str, reason: str, job: str, now: float) -> bool:
        values = (name, event, outcome, reason, job, now)
        row = self.database.one(
            "SELECT outcome, reason FROM trigger_events WHERE trigger_name = ? AND event = ?",
            (name, event),
        )
        if row == (outcome, reason):
            return False  # held back for the same reason as before
        for table in ("trigger_events", "trigger_log"):
            self.database.execute(
                f"INSERT OR REPLACE INTO {table}"  # noqa: S608
                " (trigger_name, event, outcome, reason, job, changed) VALUES (?, ?, ?, ?, ?, ?)",
                values,
            )
        return True

    def starting(self) -> list[tuple[str, int, str]]:
        """Return trigger, event, and job of what was taken by somebody who did not finish."""
        rows = self.database.all(
            "SELECT trigger_name, event, job FROM trigger_events WHERE outcome = 'starting'"
            " ORDER BY changed"
        )
        return [(row[0], row[1], row[2]) for row in rows]

    def last_fired(self, name: str) -> tuple[float, str] | None:
        """Return when a trigger last started a job, and which; None where it never did."""
        row = self.database.one(
            "SELECT changed, job FROM trigger_events WHERE trigger_name = ?"
            " AND outcome IN ('starting', 'fired') ORDER BY changed DESC, event DESC LIMIT 1",
            (name,),
        )
        return (row[0], row[1]) if row else None

    def running(self, name: str) -> str:
        """Return a job of a trigger that has not ended, or an empty string."""
        marks = ", ".join("?" for _ in _ENDED)
        row = self.database.one(
            "SELECT t.job FROM trigger_events t JOIN jobs j ON j.name = t.job"  # noqa: S608
            " WHERE t.trigger_name = ? AND t.outcome IN ('starting', 'fired')"
            f" AND j.status NOT IN ({marks})",
            (name, *_ENDED),
        )
        return row[0] if row else ""

    def log(self, name: str = "", limit: int | None = None) -> list[TriggerDecision]:
        """Return what was decided, the newest first, of one trigger or of all."""
        rows = self.database.all(
            "SELECT l.trigger_name, l.event, coalesce(e.type, ''), l.outcome, l.reason, l.job,"
            " l.changed FROM trigger_log l LEFT JOIN events e ON e.id = l.event"
            " WHERE l.outcome != 'starting' AND (? = '' OR l.trigger_name = ?)"
            " ORDER BY l.id DESC LIMIT ?",
            (name, name, -1 if limit is None else limit),
        )
        return [_decision(row) for row in rows]


def _decision(row: Row) -> TriggerDecision:
    trigger, event, kind, outcome, reason, job, changed = row
    return TriggerDecision(
        trigger=trigger,
        event=event,
        event_type=kind,
        outcome=outcome,
        reason=reason,
        job=job,
        time=timestamp(changed),
    )


def _text(value: Value) -> str:
    return value.to_json().decode()
