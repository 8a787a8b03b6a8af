"""The records of schedules and of what became of their slots.

A slot is claimed by one transaction: its schedule's cursor moves behind it, and a row says that its
job is planned, by name. Whoever is killed afterwards leaves that row, and nobody claims the slot
again: the cursor never moves back, also where the machine's clock does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from amlocal.errors import not_found
from amlocal.local.database import Database
from amlocal.plan import Schedule, SlotInfo, SlotState
from amlocal.plan.slots import told

#: Slots that are remembered of a schedule.
_REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class ScheduleRecord:
    """A schedule as the records have it.

    Attributes:
        plan: The schedule.
        created: When it was created, in seconds since 1970.
        cursor: Slots up to this moment are dealt with.
        is_enabled: Whether it starts jobs.
    """

    plan: Schedule
    created: int
    cursor: int
    is_enabled: bool


@dataclass(frozen=True, slots=True)
class Planned:
    """A slot that was claimed.

    Attributes:
        row: What the records know it by.
        schedule: The schedule's name.
        slot: Its time, in seconds since 1970.
        job: The name of its job.
    """

    row: int
    schedule: str
    slot: int
    job: str


@dataclass(frozen=True, slots=True)
class Missed:
    """Slots that nobody was there for.

    Attributes:
        slots: Their times, in order.
        reason: Why they are not run.
    """

    slots: Sequence[int]
    reason: str


class ScheduleRecords:
    """Schedules and slots, in a workspace's database."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def put(self, plan: Schedule, now: int, *, enabled: bool = True) -> None:
        """Add a schedule, or replace one: what is due is what its new trigger says from now on."""
        with self._db.writing() as revision:
            self._db.execute(
                "INSERT INTO schedules (revision, name, created, enabled, cursor, plan)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
                " revision = excluded.revision, enabled = excluded.enabled, plan = excluded.plan,"
                " cursor = max(cursor, excluded.cursor)",
                (revision, plan.name, now, int(enabled), now - 1, plan.to_json().decode()),
            )

    def has(self, name: str) -> bool:
        """Return whether there is a schedule of a name."""
        return self._db.one("SELECT 1 FROM schedules WHERE name = ?", (name,)) is not None

    def get(self, name: str) -> ScheduleRecord:
        """Return a schedule; raises NotFoundError."""
        for record in self.list():
            if record.plan.name == name:
                return record
        raise not_found("schedule", name, [record.plan.name for record in self.list()])

    def list(self) -> Sequence[ScheduleRecord]:
        """Return all schedules, by name."""
        rows = self._db.all("SELECT plan, created, cursor, enabled FROM schedules ORDER BY name")
        return [
            ScheduleRecord(Schedule.from_json(plan), created, cursor, bool(enabled))
            for plan, created, cursor, enabled in rows
        ]

    def any_enabled(self) -> bool:
        """Return whether there is a schedule that starts jobs."""
        return self._db.one("SELECT 1 FROM schedules WHERE enabled = 1") is not None

    def set_enabled(self, name: str, now: int, *, enabled: bool) -> None:
        """Let a schedule start jobs, or no more; slots while it is disabled are none.

        Raises:
            NotFoundError: There is no such schedule.
        """
        self.get(name)
        self._db.write(
            "UPDATE schedules SET revision = ?, enabled = ?, cursor = max(cursor, ?)"
            " WHERE name = ? AND enabled != ?",
            (int(enabled), now - 1, name, int(enabled)),
        )

    def remove(self, name: str) -> None:
        """Remove a schedule and its slots; the jobs that it started stay."""
        with self._db.writing():
            self._db.execute("DELETE FROM schedules WHERE name = ?", (name,))
            self._db.execute("DELETE FROM slots WHERE schedule = ?", (name,))

    def claim(self, record: ScheduleRecord, slot: int | None, missed: Missed) -> Planned | None:
        """Claim a slot, and note those before it that were missed, in one transaction.

        Args:
            record: The schedule as it was when the slots were found.
            slot: The slot whose job is to be made, or None where all were missed.
            missed: Earlier ones.

        Returns:
            What was claimed, or None where there is no slot, another was faster, or the schedule
            was changed meanwhile.
        """
        name = record.plan.name
        last = slot if slot is not None else missed.slots[-1]
        with self._db.writing() as revision:
            moved = self._db.execute(
                "UPDATE schedules SET revision = ?, cursor = ? WHERE name = ? AND enabled = 1"
                " AND created = ? AND cursor = ? AND plan = ?",
                (revision, last, name, record.created, record.cursor, _encoded(record)),
            )
            if not moved:
                return None
            if missed.slots:
                self._insert(
                    (name, missed.slots[-1], 0, SlotState.MISSED.value, "", missed.reason),
                    len(missed.slots),
                )
            self._forget_old(name)
            if slot is None:
                return None
            job = self._free_name(name, slot)
            row = self._insert((name, slot, 0, SlotState.PLANNED.value, job, ""))
            return Planned(row, name, slot, job)

    def plan_again(self, planned: Planned) -> Planned:
        """Return a claimed slot under another job's name, since the first never began."""
        with self._db.writing():
            job = self._free_name(planned.schedule, planned.slot)
            self._db.execute("UPDATE slots SET job = ? WHERE id = ?", (job, planned.row))
        return Planned(planned.row, planned.schedule, planned.slot, job)

    def settle(self, planned: Planned, state: SlotState, reason: str = "") -> None:
        """Write what became of a claimed slot."""
        with self._db.writing():
            self._db.execute(
                "UPDATE slots SET state = ?, reason = ? WHERE id = ?",
                (state.value, reason, planned.row),
            )

    def planned(self) -> Sequence[Planned]:
        """Return the slots that were claimed, and of whose jobs nothing is known yet."""
        rows = self._db.all(
            "SELECT id, schedule, slot, job FROM slots WHERE state = ? ORDER BY id",
            (SlotState.PLANNED.value,),
        )
        return [Planned(*row) for row in rows]

    def add_on_demand(self, name: str, now: int, job: str) -> None:
        """Note a job that somebody started out of turn."""
        with self._db.writing():
            self._insert((name, now, 1, SlotState.STARTED.value, job, ""))

    def free_name(self, name: str, slot: int) -> str:
        """Return what a job of a slot is called, `NAME-YYYYMMDDThhmmssZ` if that is free."""
        return self._free_name(name, slot)

    def slots(self, name: str, limit: int) -> Sequence[SlotInfo]:
        """Return what became of a schedule's last slots, the newest first."""
        rows = self._db.all(
            "SELECT slot, state, job, reason, count, on_demand FROM slots WHERE schedule = ?"
            " ORDER BY id DESC LIMIT ?",
            (name, limit),
        )
        return [
            SlotInfo(
                slot=told(slot),
                state=SlotState(state),
                job=job,
                reason=reason,
                count=count,
                on_demand=bool(on_demand),
            )
            for slot, state, job, reason, count, on_demand in rows
        ]

    def _insert(self, values: tuple[str, int, int, str, str, str], count: int = 1) -> int:
        self._db.execute(
            "INSERT INTO slots (schedule, slot, on_demand, state, job, reason, count)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*values, count),
        )
        row = self._db.one("SELECT last_insert_rowid()")
        assert row is not None
        return int(row[0])

    def _forget_old(self, name: str) -> None:
        self._db.execute(
            "DELETE FROM slots WHERE schedule = ? AND state != ? AND id <="
            " (SELECT id FROM slots WHERE schedule = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
            (name, SlotState.PLANNED.value, name, _REMEMBERED),
        )

    def _free_name(self, name: str, slot: int) -> str:
        wanted = job_name(name, slot)
        found, number = wanted, 1
        while self._db.one(
            "SELECT 1 FROM jobs WHERE name = ? UNION SELECT 1 FROM slots WHERE job = ?",
            (found, found),
        ):
            number += 1
            found = f"{wanted}-{number}"
        return found


def _encoded(record: ScheduleRecord) -> str:
    return record.plan.to_json().decode()


def job_name(name: str, slot: int) -> str:
    """Return what Azure calls the job of a slot."""
    return f"{name}-{datetime.fromtimestamp(slot, timezone.utc):%Y%m%dT%H%M%SZ}"
