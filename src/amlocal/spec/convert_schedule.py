"""Turns schedules of the SDK into their YAML fields."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from amlocal.spec.convert_monitor import monitor_mapping
from amlocal.spec.entities import base, picked, plain

_DESCRIBED = ("name", "display_name", "description", "tags", "properties")


def schedule_mapping(entity: Any) -> dict[str, Any]:
    """Return the YAML fields of a schedule; a job that was built is named by its type only."""
    said = picked(entity, _DESCRIBED)
    if entity.trigger is not None:
        said["trigger"] = trigger_mapping(entity.trigger)
    if getattr(entity, "create_monitor", None) is not None:
        return {**said, "create_monitor": monitor_mapping(entity.create_monitor, base(entity))}
    job = entity.create_job
    return {**said, "create_job": _reference(job) if isinstance(job, str) else "built"}


def _reference(job: str) -> str:
    """Return `azureml:NAME` of a job's id."""
    return f"azureml:{job.removeprefix('azureml:').rsplit('/', 1)[-1]}"


def trigger_mapping(trigger: Any) -> dict[str, Any]:
    """Return the YAML fields of a trigger."""
    times = {
        name: value.isoformat() if isinstance(value, datetime) else str(value)
        for name in ("start_time", "end_time")
        if (value := getattr(trigger, name)) is not None
    }
    zone = getattr(trigger.time_zone, "value", trigger.time_zone)
    common = {**times, "time_zone": zone or "UTC"}
    expression = getattr(trigger, "expression", None)
    if expression is not None:
        return {"type": "cron", "expression": expression, **common}
    said = {"frequency": plain(trigger.frequency), "interval": trigger.interval}
    pattern = picked(trigger.schedule, ("hours", "minutes", "week_days", "month_days"))
    # The SDK has an empty pattern for none.
    if pattern.get("hours") or pattern.get("minutes"):
        said["schedule"] = pattern
    return {"type": "recurrence", **said, **common}
