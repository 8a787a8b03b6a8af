"""The scheduler's work: finds the slots that are due, claims them, and has their jobs made.

It knows no clock and no process of its own: `tick` is called with the time. Slots for which nobody
was there (the machine was off, the scheduler was down) are dealt with when somebody is again: the
last of a schedule's is run, late, and those before it are noted as missed. A schedule with the
property `amlocal.missed: skip` runs none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from amlocal.errors import AmlocalError
from amlocal.local.schedules.job import job_of
from amlocal.local.schedules.records import Missed, Planned, ScheduleRecord, ScheduleRecords
from amlocal.plan import Job, JobInfo, SlotState
from amlocal.plan.slots import next_slot, slots

#: The property by which a schedule says what becomes of its missed slots, and its value for none.
MISSED_PROPERTY, SKIP = "amlocal.missed", "skip"
#: Seconds after which a slot counts as missed; before, the scheduler was only busy.
_LATE_SECONDS = 60


class MakesJobs(Protocol):
    """The jobs of the workspace, as far as the scheduler needs them."""

    def create_or_update(self, job: Job, *, name: str | None = None) -> JobInfo:
        """Start a job in the background."""

    def began(self, name: str) -> bool | None:
        """Return whether a job has begun or will; None where there is no such job."""


@dataclass(frozen=True, slots=True)
class Scheduler:
    """Makes the jobs of a workspace's schedules.

    Attributes:
        records: The records of schedules.
        jobs: The workspace's jobs.
        say: Told in a sentence of what was done.
    """

    records: ScheduleRecords
    jobs: MakesJobs
    say: Callable[[str], None]

    def resume(self) -> None:
        """Make the jobs of slots that were claimed by a scheduler which was killed.

        A job that was recorded and never begun has lost its maker in between, and is made again
        under another name: nothing of it has run.
        """
        for planned in self.records.planned():
            began = self.jobs.began(planned.job)
            if began:
                self.records.settle(planned, SlotState.STARTED)
            else:
                self._make(planned if began is None else self.records.plan_again(planned))

    def tick(self, now: int) -> int | None:
        """Start what is due, and return the next slot of all schedules, or None."""
        upcoming = []
        for record in self.records.list():
            if record.is_enabled:
                self._see_to(record, now)
                after = max(now, record.cursor)
                upcoming.append(next_slot(record.plan.trigger, record.created, after=after))
        return min((slot for slot in upcoming if slot is not None), default=None)

    def _see_to(self, record: ScheduleRecord, now: int) -> None:
        due = list(slots(record.plan.trigger, record.created, after=record.cursor, until=now))
        if not due:
            return
        skips = record.plan.properties.get(MISSED_PROPERTY) == SKIP
        if skips and now - due[-1] > _LATE_SECONDS:
            missed = Missed(due, "no scheduler ran at its time, and the schedule skips such slots")
            self.records.claim(record, None, missed)
            self.say(f"{record.plan.name}: {len(due)} missed")
            return
        missed = Missed(due[:-1], "no scheduler ran at its time, and a later slot was due")
        planned = self.records.claim(record, due[-1], missed)
        if planned is not None:
            self._make(planned)

    def _make(self, planned: Planned) -> None:
        """Make the job of a claimed slot; where it cannot be made, say why."""
        try:
            plan = self.records.get(planned.schedule).plan
            job = self.jobs.create_or_update(
                job_of(plan, planned.slot, planned.job), name=planned.job
            )
        except (AmlocalError, OSError) as error:
            self.records.settle(planned, SlotState.HELD_BACK, str(error))
            self.say(f"{planned.job}: held back: {error}")
            return
        self.records.settle(planned, SlotState.STARTED)
        self.say(f"{job.name}: started")
