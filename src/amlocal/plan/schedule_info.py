"""What a target tells of schedules."""

from __future__ import annotations

import enum

from amlocal.errors import UsageError, near_miss
from amlocal.plan.base import Value
from amlocal.plan.schedule import CronTrigger, RecurrenceTrigger

#: Views of a list of schedules, by Azure's names, and whether those in it are enabled.
_VIEWS = {"EnabledOnly": (True,), "DisabledOnly": (False,), "All": (True, False)}


def check_view(list_view_type: str) -> tuple[bool, ...]:
    """Return whether schedules of a view are enabled; raises UsageError where there is none."""
    if list_view_type not in _VIEWS:
        hint = near_miss(list_view_type, _VIEWS)
        raise UsageError(f"no list_view_type {list_view_type!r}", hint=hint)
    return _VIEWS[list_view_type]


class SlotState(enum.Enum):
    """What has become of a slot."""

    #: It is claimed, and its job is about to be made.
    PLANNED = "planned"
    #: Its job was made.
    STARTED = "started"
    #: Its job could not be made.
    HELD_BACK = "held back"
    #: Nobody was there at its time, and it is too late.
    MISSED = "missed"


class SlotInfo(Value, frozen=True):
    """One slot of a schedule, or several of them that were missed.

    Attributes:
        slot: Its time, ISO 8601 in UTC; of several the last.
        state: What has become of it.
        job: The name of its job, or an empty string.
        reason: Why it was held back or missed.
        count: How many slots were missed.
        on_demand: Whether somebody asked for it, and not the trigger.
        verdict: Of a monitor's run that has ended: `ok`, `breach`, or `insufficient`; else empty.
        note: What came of it, in a line.
    """

    slot: str
    state: SlotState
    job: str = ""
    reason: str = ""
    count: int = 1
    on_demand: bool = False
    verdict: str = ""
    note: str = ""


class ScheduleInfo(Value, frozen=True):
    """A schedule of a workspace.

    Attributes:
        name: Its name.
        is_enabled: Whether it starts jobs.
        trigger: When, or None where Azure has a trigger that is not known here.
        create_job: The file or the name of what it starts, as far as the target tells.
        type: `job`, or `monitor`.
        display_name: What people read, or an empty string.
        description: What it is for.
        tags: Free labels.
        properties: What the workspace keeps beside it.
        provisioning_state: Azure's name of its state.
        creation_time: ISO 8601 in UTC, or an empty string.
        next_run: Its next slot, likewise; empty where it is disabled or over.
        slots: What became of its last slots, the newest first (local target).
        warnings: What of its file does not count.
    """

    name: str
    is_enabled: bool
    trigger: CronTrigger | RecurrenceTrigger | None = None
    create_job: str = ""
    type: str = "job"
    display_name: str = ""
    description: str = ""
    tags: dict[str, str] = {}
    properties: dict[str, str] = {}
    provisioning_state: str = "Succeeded"
    creation_time: str = ""
    next_run: str = ""
    slots: tuple[SlotInfo, ...] = ()
    warnings: tuple[str, ...] = ()


class ScheduleTriggerResult(Value, frozen=True):
    """What starting a schedule out of turn has made; named as the SDK's.

    Attributes:
        job_name: The job.
        schedule_action_type: `CreateJob`, or `CreateMonitor`.
    """

    job_name: str
    schedule_action_type: str = "CreateJob"
