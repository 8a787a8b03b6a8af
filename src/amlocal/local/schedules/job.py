"""The job of a slot, of what its schedule says: pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from amlocal.errors import UsageError, near_miss
from amlocal.local.monitors.job import monitor_job
from amlocal.local.schedules.records import job_name
from amlocal.plan import CreateMonitor, DataValue, Job, JobChanges, Schedule
from amlocal.plan.ports import JobBinding
from amlocal.plan.slots import told

#: Properties of a job that say which slot of which schedule it is of.
SCHEDULE_PROPERTY, SLOT_PROPERTY = "amlocal.schedule", "amlocal.slot"


def job_of(schedule: Schedule, slot: int, name: str) -> Job:
    """Return the job of a slot.

    `${{name}}` and `${{creation_context.trigger_time}}` in its inputs become the job's name and the
    slot, as Azure's documentation of schedules has them.

    Args:
        schedule: The schedule, whose job is settled.
        slot: The slot, in seconds since 1970.
        name: The job's name.
    """
    time, action = told(slot).replace("+00:00", "Z"), schedule.action
    if isinstance(action, CreateMonitor):
        job: Job | None = monitor_job(schedule.name, action, time, schedule.source)
    else:
        job = action.job
    assert job is not None, "a schedule is recorded with its job"
    values = {"name": name, "creation_context.trigger_time": time}
    return msgspec.structs.replace(
        job,
        name=None,
        display_name=job_name(schedule.name, slot),
        inputs={key: _filled(binding, values) for key, binding in job.inputs.items()},
        properties={**job.properties, SCHEDULE_PROPERTY: schedule.name, SLOT_PROPERTY: time},
    )


def _filled(binding: JobBinding, values: Mapping[str, str]) -> JobBinding:
    if isinstance(binding, DataValue):
        return msgspec.structs.replace(binding, path=_with(binding.path, values))
    if isinstance(binding.value, str):
        return msgspec.structs.replace(binding, value=_with(binding.value, values))
    return binding


def _with(text: str, values: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        return values.get(found["name"], found[0])

    return re.sub(r"\$\{\{\s*(?P<name>[a-z_.]+)\s*\}\}", value, text)


def changed(job: Job, changes: JobChanges, schedule: str) -> Job:
    """Return a job of the workspace as a schedule changes it.

    Raises:
        UsageError: It has no input of a name.
    """
    for name in changes.inputs:
        if name not in job.inputs:
            raise UsageError(f"the job has no input {name!r}", hint=near_miss(name, job.inputs))
    return msgspec.structs.replace(
        job,
        name=None,
        description=changes.description or job.description,
        experiment_name=changes.experiment_name or schedule,
        tags={**job.tags, **changes.tags},
        properties={**job.properties, **changes.properties},
        inputs={**job.inputs, **changes.inputs},
        settings=changes.settings or job.settings,
    )
