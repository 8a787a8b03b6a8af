"""What becomes of slots: a real database, a clock of our own, and jobs that are only counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.lab import command

from amlocal.errors import NotFoundError, TargetError, UsageError
from amlocal.local.database import Database
from amlocal.local.records import timestamp
from amlocal.local.schedules.job import changed, job_of
from amlocal.local.schedules.records import Missed, ScheduleRecords, job_name
from amlocal.local.schedules.scheduler import Scheduler
from amlocal.plan import (
    CreateJob,
    CronTrigger,
    DataValue,
    Job,
    JobChanges,
    JobInfo,
    JobStatus,
    LiteralValue,
    Schedule,
    Settings,
    SlotState,
)
from amlocal.plan.slots import moment, zone_of

UTC = zone_of("UTC")
NOON = moment("2026-03-01T12:00:00", UTC)
HOUR = 3600


@dataclass
class Jobs:
    """Counts the jobs that it is to make; knows which have begun."""

    made: list[str] = field(default_factory=list)
    begun: dict[str, bool] = field(default_factory=dict)
    trouble: Exception | None = None

    def create_or_update(self, job: Job, *, name: str | None = None) -> JobInfo:
        assert name is not None
        if self.trouble is not None:
            raise self.trouble
        self.made.append(name)
        return JobInfo(
            name=name,
            type=job.type,
            status=JobStatus.NOT_STARTED,
            display_name=job.display_name,
            experiment_name=job.experiment_name,
            creation_time=timestamp(0),
        )

    def began(self, name: str) -> bool | None:
        return self.begun.get(name)


@pytest.fixture
def records(tmp_path: Path) -> ScheduleRecords:
    return ScheduleRecords(Database(tmp_path / "records.db", on_full=lambda: None))


def hourly(name: str = "s", expression: str = "0 * * * *", **fields: object) -> Schedule:
    trigger = CronTrigger(expression=expression, start_time="2026-01-01T00:00:00")
    return Schedule(
        name=name,
        trigger=trigger,
        action=CreateJob(job=command("true")),
        **fields,  # type: ignore[arg-type]
    )


def scheduler_of(records: ScheduleRecords) -> tuple[Scheduler, Jobs]:
    jobs = Jobs()
    return Scheduler(records, jobs, lambda _: None), jobs


def states(records: ScheduleRecords, name: str = "s") -> list[tuple[SlotState, str, int]]:
    found = records.slots(name, 99)
    return [(slot.state, slot.job, slot.count) for slot in found]


def test_a_slot_starts_its_job_once(records: ScheduleRecords) -> None:
    records.put(hourly(), NOON + 1)
    scheduler, jobs = scheduler_of(records)
    assert scheduler.tick(NOON + 2) == NOON + HOUR
    assert jobs.made == []
    assert scheduler.tick(NOON + HOUR) == NOON + 2 * HOUR
    scheduler.tick(NOON + HOUR)
    scheduler.tick(NOON + HOUR + 30)
    assert jobs.made == ["s-20260301T130000Z"]
    assert states(records) == [(SlotState.STARTED, "s-20260301T130000Z", 1)]


def test_a_clock_that_is_set_back_starts_nothing_twice(records: ScheduleRecords) -> None:
    records.put(hourly(), NOON + 1)
    scheduler, jobs = scheduler_of(records)
    scheduler.tick(NOON + HOUR)
    scheduler.tick(NOON + 2)
    assert scheduler.tick(NOON + HOUR) == NOON + 2 * HOUR
    assert len(jobs.made) == 1


def test_of_slots_that_were_missed_the_last_is_run(records: ScheduleRecords) -> None:
    records.put(hourly(), NOON + 1)
    scheduler, jobs = scheduler_of(records)
    scheduler.tick(NOON + 5 * HOUR + 600)
    assert jobs.made == ["s-20260301T170000Z"]
    late, missed = records.slots("s", 9)
    assert (late.state, late.slot) == (SlotState.STARTED, "2026-03-01T17:00:00+00:00")
    assert (missed.state, missed.count) == (SlotState.MISSED, 4)
    assert missed.slot == "2026-03-01T16:00:00+00:00"
    assert "a later slot was due" in missed.reason


def test_a_schedule_may_skip_what_was_missed(records: ScheduleRecords) -> None:
    records.put(hourly(properties={"amlocal.missed": "skip"}), NOON + 1)
    scheduler, jobs = scheduler_of(records)
    scheduler.tick(NOON + 5 * HOUR + 600)
    assert jobs.made == []
    assert states(records) == [(SlotState.MISSED, "", 5)]
    scheduler.tick(NOON + 6 * HOUR + 2)
    assert jobs.made == ["s-20260301T180000Z"]


def test_a_disabled_schedule_has_no_slots(records: ScheduleRecords) -> None:
    records.put(hourly(), NOON + 1)
    scheduler, jobs = scheduler_of(records)
    records.set_enabled("s", NOON + 2, enabled=False)
    assert scheduler.tick(NOON + 3 * HOUR) is None
    assert not records.any_enabled()
    records.set_enabled("s", NOON + 5 * HOUR + 60, enabled=True)
    assert scheduler.tick(NOON + 5 * HOUR + 61) == NOON + 6 * HOUR
    assert jobs.made == []
    assert states(records) == []


def test_a_schedule_without_a_start_runs_at_its_creation_and_once(records: ScheduleRecords) -> None:
    plan = Schedule(
        name="s", trigger=CronTrigger(expression="0 * * * *"), action=CreateJob(job=command("x"))
    )
    records.put(plan, NOON + 17)
    scheduler, jobs = scheduler_of(records)
    scheduler.tick(NOON + 18)
    records.put(plan, NOON + 60)
    scheduler.tick(NOON + 61)
    assert jobs.made == ["s-20260301T120017Z"]


def test_a_changed_trigger_counts_from_now(records: ScheduleRecords) -> None:
    records.put(hourly(), NOON + 1)
    scheduler, jobs = scheduler_of(records)
    scheduler.tick(NOON + HOUR)
    records.put(hourly(expression="*/10 * * * *"), NOON + HOUR + 1500)
    scheduler.tick(NOON + HOUR + 1500)
    assert len(jobs.made) == 1
    scheduler.tick(NOON + HOUR + 1800)
    assert jobs.made[1:] == ["s-20260301T133000Z"]


def test_a_job_that_cannot_be_made_is_held_back_with_the_reason(records: ScheduleRecords) -> None:
    records.put(hourly(), NOON + 1)
    records.put(hourly("t"), NOON + 1)
    scheduler, jobs = scheduler_of(records)
    jobs.trouble = TargetError("no space left")
    assert scheduler.tick(NOON + HOUR) == NOON + 2 * HOUR
    (slot,) = records.slots("t", 9)
    assert (slot.state, slot.reason) == (SlotState.HELD_BACK, "no space left")
    jobs.trouble = None
    scheduler.tick(NOON + HOUR + 5)
    assert jobs.made == []


@pytest.mark.parametrize(
    ("began", "made"),
    [
        (None, ["s-20260301T130000Z"]),
        (True, []),
        (False, ["s-20260301T130000Z-2"]),
    ],
    ids=["before its job was recorded", "once its job was begun", "between the two"],
)
def test_a_scheduler_that_was_killed_is_resumed(
    records: ScheduleRecords, began: bool | None, made: list[str]
) -> None:
    records.put(hourly(), NOON + 1)
    (record,) = records.list()
    planned = records.claim(record, NOON + HOUR, Missed((), ""))
    assert planned is not None
    scheduler, jobs = scheduler_of(records)
    if began is not None:
        jobs.begun[planned.job] = began
    scheduler.resume()
    scheduler.tick(NOON + HOUR + 1)
    scheduler.resume()
    assert jobs.made == made
    assert states(records) == [(SlotState.STARTED, (made or [planned.job])[0], 1)]


def test_of_two_who_claim_a_slot_one_gets_it(records: ScheduleRecords) -> None:
    records.put(hourly(), NOON + 1)
    (record,) = records.list()
    assert records.claim(record, NOON + HOUR, Missed((), "")) is not None
    assert records.claim(record, NOON + HOUR, Missed((), "")) is None
    (record,) = records.list()
    records.put(hourly(expression="5 * * * *"), NOON + HOUR + 2)
    assert records.claim(record, NOON + 2 * HOUR, Missed((), "")) is None


def test_schedules_are_found_and_removed(records: ScheduleRecords) -> None:
    records.put(hourly("nightly"), NOON)
    assert records.has("nightly")
    with pytest.raises(NotFoundError, match="no schedule named 'nightli'"):
        records.get("nightli")
    with pytest.raises(NotFoundError):
        records.set_enabled("nightli", NOON, enabled=True)
    records.remove("nightly")
    assert not records.has("nightly")
    assert list(records.list()) == []


def test_only_the_last_slots_are_remembered(records: ScheduleRecords) -> None:
    records.put(hourly(expression="* * * * *"), NOON + 1)
    scheduler, jobs = scheduler_of(records)
    for minute in range(1, 1051):
        scheduler.tick(NOON + 60 * minute)
    assert len(jobs.made) == 1050
    assert 1000 <= len(records.slots("s", 5000)) <= 1001


def test_the_job_of_a_slot() -> None:
    job = command("true")
    inputs = {
        "when": LiteralValue(value="at ${{ creation_context.trigger_time }} of ${{name}}"),
        "n": LiteralValue(value=3),
        "data": DataValue(path="/data/${{name}}", type="uri_folder"),
        "other": LiteralValue(value="${{default_datastore}}"),
    }
    plan = hourly()
    given = Job(type=job.type, steps=job.steps, experiment_name="e", name="x", inputs=inputs)
    plan = Schedule(name="s", trigger=plan.trigger, action=CreateJob(job=given))
    made = job_of(plan, NOON, "s-1")
    assert made.inputs == {
        "when": LiteralValue(value="at 2026-03-01T12:00:00Z of s-1"),
        "n": LiteralValue(value=3),
        "data": DataValue(path="/data/s-1", type="uri_folder"),
        "other": LiteralValue(value="${{default_datastore}}"),
    }
    assert (made.name, made.display_name) == (None, "s-20260301T120000Z")
    assert made.properties == {"amlocal.schedule": "s", "amlocal.slot": "2026-03-01T12:00:00Z"}
    # Azure's documentation of schedules has this name for a job of 2021-01-01 06:00 UTC.
    assert job_name("named-schedule", moment("2021-01-01T06:00:00", UTC)) == (
        "named-schedule-20210101T060000Z"
    )


def test_changes_of_a_job_stand_for_its_own() -> None:
    job = command("true")
    given = Job(
        type="command",
        steps=job.steps,
        experiment_name="e",
        description="d",
        tags={"a": "b", "c": "d"},
        inputs={"n": LiteralValue(value=1), "m": LiteralValue(value=2)},
    )
    changes = JobChanges(
        tags={"a": "x"}, inputs={"n": LiteralValue(value=9)}, settings=Settings(force_rerun=True)
    )
    found = changed(given, changes, "s")
    assert (found.tags, found.description) == ({"a": "x", "c": "d"}, "d")
    assert found.inputs == {"n": LiteralValue(value=9), "m": LiteralValue(value=2)}
    assert (found.experiment_name, found.settings.force_rerun) == ("s", True)
    with pytest.raises(UsageError, match="no input 'nn'"):
        changed(given, JobChanges(inputs={"nn": LiteralValue(value=1)}), "s")
