"""The SDK's schedules as info values."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Any

from amlocal.azure.info import strings, time_text
from amlocal.azure.monitor_info import told_signals, told_target
from amlocal.plan import CronTrigger, RecurrenceTrigger, ScheduleInfo
from amlocal.plan.schedule import UTC, Frequency, RecurrencePattern, WeekDay
from amlocal.plan.slots import next_slot, told


def schedule_info(schedule: Any) -> ScheduleInfo:
    """Return a schedule of the SDK as a value; its next run is worked out here."""
    trigger = trigger_of(schedule.trigger)
    # A schedule that was sent, and not yet answered for, has none of these.
    enabled = schedule.is_enabled is not False
    context = getattr(schedule, "creation_context", None)
    created = getattr(context, "created_at", None)
    upcoming = next_run(trigger, created) if enabled else ""
    monitor = getattr(schedule, "create_monitor", None)
    return ScheduleInfo(
        name=str(schedule.name),
        is_enabled=enabled,
        trigger=trigger,
        create_job=_started(schedule),
        type=_type(schedule),
        monitoring_target="" if monitor is None else told_target(monitor),
        monitoring_signals=() if monitor is None else told_signals(monitor),
        display_name=schedule.display_name or "",
        description=schedule.description or "",
        tags=strings(schedule.tags),
        properties=strings(schedule.properties),
        provisioning_state=str(schedule.provisioning_state or ""),
        creation_time=time_text(created) if created is not None else "",
        next_run=upcoming,
    )


def next_run(trigger: CronTrigger | RecurrenceTrigger | None, created: datetime | None) -> str:
    """Return when a trigger is due next, or an empty string where that is not to be told."""
    if trigger is None:
        return ""
    now = int(time.time())
    # Azure counts from the creation where a trigger has no start.
    begun = now if created is None else int(created.replace(tzinfo=timezone.utc).timestamp())
    try:
        slot = next_slot(trigger, begun, after=now)
    except (KeyError, ValueError):
        return ""  # a zone or a time that Azure has and this version does not know
    return "" if slot is None else told(slot)


def trigger_of(trigger: Any) -> CronTrigger | RecurrenceTrigger | None:
    """Return a trigger of the SDK as a value, or None where it is of another kind."""
    if trigger is None:
        return None
    zone = str(getattr(trigger.time_zone, "value", trigger.time_zone) or UTC)
    start, end = _time(trigger.start_time), _time(trigger.end_time)
    if hasattr(trigger, "expression"):
        return CronTrigger(
            expression=trigger.expression, start_time=start, end_time=end, time_zone=zone
        )
    if not hasattr(trigger, "frequency"):
        return None
    return RecurrenceTrigger(
        frequency=Frequency(str(getattr(trigger.frequency, "value", trigger.frequency)).lower()),
        interval=int(trigger.interval),
        schedule=_pattern(trigger.schedule),
        start_time=start,
        end_time=end,
        time_zone=zone,
    )


def _pattern(pattern: Any) -> RecurrencePattern | None:
    if pattern is None or not (pattern.hours or pattern.minutes):
        return None  # the SDK has an empty one for none
    days = [str(getattr(day, "value", day)).lower() for day in _several(pattern.week_days)]
    return RecurrencePattern(
        hours=tuple(map(int, _several(pattern.hours))),
        minutes=tuple(map(int, _several(pattern.minutes))),
        week_days=tuple(map(WeekDay, days)),
        month_days=tuple(map(int, _several(pattern.month_days))),
    )


def _several(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _time(value: Any) -> str | None:
    """Return a time as ISO 8601; the service writes a blank where that has a T."""
    if value is None:
        return None
    return value.isoformat() if isinstance(value, datetime) else str(value).replace(" ", "T", 1)


def _type(schedule: Any) -> str:
    found = getattr(schedule, "type", None) or "job"
    return str(getattr(found, "value", found))


def _started(schedule: Any) -> str:
    job = getattr(schedule, "create_job", None) if hasattr(schedule, "_create_job") else None
    if isinstance(job, str):
        return f"azureml:{job.removeprefix('azureml:').rsplit('/', 1)[-1]}"
    return "" if job is None else str(job.display_name or job.name or job.type)
