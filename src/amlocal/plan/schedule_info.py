"""What a target tells of schedules."""

from __future__ import annotations

import enum

from amlocal.errors import UsageError, near_miss
from amlocal.plan.base import Value
from amlocal.plan.monitor import CreateMonitor, MonitorData, MonitorThreshold
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
        verdict: Of a monitor's run that has ended: `ok`, `breach`, `insufficient`, or `failed` (see
            `MonitorInfo`); else empty.
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


class SignalInfo(Value, frozen=True):
    """A signal of a monitor.

    Attributes:
        name: Its name.
        type: `data_drift`, ...
        alert_enabled: Whether a breach is told of.
        thresholds: Its metrics; empty are the defaults.
        reference: What production is compared with, in words; empty where that is not told.
        window: The size of its production window, or an empty string.
    """

    name: str
    type: str
    alert_enabled: bool = False
    thresholds: tuple[MonitorThreshold, ...] = ()
    reference: str = ""
    window: str = ""


class ScheduleInfo(Value, frozen=True):
    """A schedule of a workspace.

    Attributes:
        name: Its name.
        is_enabled: Whether it starts jobs.
        trigger: When, or None where Azure has a trigger that is not known here.
        create_job: The file or the name of what it starts, as far as the target tells.
        type: `job`, or `monitor`.
        monitoring_target: Of a monitor, `ENDPOINT/DEPLOYMENT` or a model; else empty.
        monitoring_signals: Of a monitor, what it compares.
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
    monitoring_target: str = ""
    monitoring_signals: tuple[SignalInfo, ...] = ()
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


def target_of(monitor: CreateMonitor) -> str:
    """Return what a monitor looks at, as `ScheduleInfo` tells it."""
    if monitor.endpoint_name:
        return f"{monitor.endpoint_name}/{monitor.deployment_name}"
    return monitor.model


def signals_of(monitor: CreateMonitor) -> tuple[SignalInfo, ...]:
    """Return what a monitor compares, as `ScheduleInfo` tells it."""
    return tuple(
        SignalInfo(
            name=signal.name,
            type=signal.type,
            alert_enabled=signal.alert_enabled,
            thresholds=signal.thresholds,
            reference="" if signal.reference is None else _worded(signal.reference),
            window=(signal.production[0].window.size or "") if signal.production else "",
        )
        for signal in monitor.signals
    )


def _worded(data: MonitorData) -> str:
    """Return in words what data is."""
    window = data.window
    rows = f" of {window.size} until {window.offset} before" if window.size else ""
    if window.start:
        rows = f" from {window.start} to {window.end}"
    if data.data is not None:
        return f"{data.data.path}{rows}"
    return f"{data.context}{rows}"
