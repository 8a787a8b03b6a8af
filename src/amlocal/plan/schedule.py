"""Schedules: when a workspace starts which job by itself."""

from __future__ import annotations

import enum

from amlocal.plan.base import Value
from amlocal.plan.job import Job, Settings, Warned
from amlocal.plan.monitor import CreateMonitor
from amlocal.plan.ports import JobBinding

UTC = "UTC"


class Frequency(enum.Enum):
    """The unit in which a recurrence counts."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class WeekDay(enum.Enum):
    """A day of the week, in the order in which `datetime.date.weekday` counts."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class CronTrigger(Value, frozen=True, tag="cron", tag_field="type"):
    """`trigger:` of the type `cron`.

    Attributes:
        expression: `MINUTES HOURS DAYS MONTHS DAYS-OF-WEEK`; DAYS and MONTHS do not count.
        start_time: ISO 8601; without an offset it is a time of the time zone. None: the schedule's
            creation, at which a job then starts, too.
        end_time: Likewise; a slot at that moment counts. None: never.
        time_zone: A Windows name.
    """

    expression: str
    start_time: str | None = None
    end_time: str | None = None
    time_zone: str = UTC


class RecurrencePattern(Value, frozen=True):
    """`schedule:` of a recurrence; what is empty is the start's own.

    Attributes:
        hours: 0 to 23.
        minutes: 0 to 59.
        week_days: Counts where the frequency is week or month.
        month_days: 1 to 31; counts where the frequency is month.
    """

    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    week_days: tuple[WeekDay, ...] = ()
    month_days: tuple[int, ...] = ()


class RecurrenceTrigger(Value, frozen=True, tag="recurrence", tag_field="type"):
    """`trigger:` of the type `recurrence`.

    Attributes:
        frequency: The unit.
        interval: How many of it lie between two slots, from 1.
        schedule: The pattern, or None: the start's own time, day of the week, and day.
        start_time: As of `CronTrigger`.
        end_time: As of `CronTrigger`.
        time_zone: A Windows name.
    """

    frequency: Frequency
    interval: int
    schedule: RecurrencePattern | None = None
    start_time: str | None = None
    end_time: str | None = None
    time_zone: str = UTC


Trigger = CronTrigger | RecurrenceTrigger


class JobChanges(Value, frozen=True):
    """What a schedule changes of a job of the workspace; what is empty stays.

    Attributes:
        display_name: What people read.
        description: What it does.
        experiment_name: The MLflow experiment; else the schedule's name.
        tags: Labels, beside the job's own.
        properties: Likewise.
        inputs: What its inputs are given, by name.
        settings: A pipeline's settings, or None.
    """

    display_name: str = ""
    description: str = ""
    experiment_name: str = ""
    tags: dict[str, str] = {}
    properties: dict[str, str] = {}
    inputs: dict[str, JobBinding] = {}
    settings: Settings | None = None


class CreateJob(Value, frozen=True, tag="create_job", tag_field="type"):
    """What a slot starts: a job.

    Attributes:
        job: The job, changed as the schedule says; of a job of the workspace that is named, None
            until the schedule is created.
        reference: The name of the job of the workspace that it is, or an empty string.
        changes: What the schedule changes of the job that is named.
    """

    job: Job | None = None
    reference: str = ""
    changes: JobChanges = JobChanges()


#: What a slot may start.
Action = CreateJob | CreateMonitor


class Schedule(Value, frozen=True):
    """A compiled schedule.

    Attributes:
        name: Its name.
        trigger: When.
        action: What.
        display_name: What people read, or an empty string.
        description: What it is for.
        tags: Free labels.
        properties: What the workspace keeps beside it.
        source: The file that it was read from, as the user named it, or an empty string.
        warnings: What of the file does not count.
    """

    name: str
    trigger: Trigger
    action: Action
    display_name: str = ""
    description: str = ""
    tags: dict[str, str] = {}
    properties: dict[str, str] = {}
    source: str = ""
    warnings: tuple[Warned, ...] = ()
