"""What schedules look like: as data, and for people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from amlocal.cli import text
from amlocal.cli.output import plain, render_table
from amlocal.cli.session import View
from amlocal.cli.summary import facts_lines, section
from amlocal.cli.terminal import Terminal
from amlocal.plan import (
    CronTrigger,
    RecurrenceTrigger,
    ScheduleInfo,
    ScheduleTriggerResult,
    SignalInfo,
    SlotInfo,
)
from amlocal.plan.windows_zones import WINDOWS_ZONES

_SLOTS_SHOWN = 5
#: Of a list, where people read it; the type where not all start jobs.
_SHOWN = ("Name", "Type", "Enabled", "When", "Next_run")


def schedule_view(schedule: ScheduleInfo) -> View:
    """Return one schedule."""
    data = schedule_data(schedule)
    return View(data, [_row(schedule)], lambda terminal: _schedule(schedule, terminal))


def schedule_data(schedule: ScheduleInfo) -> dict[str, Any]:
    """Return a schedule as JSON values, with the type of its trigger as Azure has it."""
    data: dict[str, Any] = plain(schedule)
    if schedule.trigger is not None:
        kind = "cron" if isinstance(schedule.trigger, CronTrigger) else "recurrence"
        data["trigger"] = {"type": kind, **data["trigger"]}
    return data


def schedules_view(schedules: Sequence[ScheduleInfo]) -> View:
    """Return a list of schedules."""
    rows = [_row(schedule) for schedule in schedules]
    shown = [key for key in _SHOWN if key != "Type" or "monitor" in {row["Type"] for row in rows}]
    short = [{key: row[key] for key in shown} for row in rows]
    nothing = "no schedules; aml schedule create -f FILE makes one\n"
    return View(
        [schedule_data(schedule) for schedule in schedules],
        rows,
        lambda terminal: render_table(short, terminal) or nothing,
    )


def triggered_view(result: ScheduleTriggerResult, name: str) -> View:
    """Return what starting a schedule out of turn has made."""
    sentence = f"schedule {name} has started {result.job_name}\n"
    follow = f"follow it: aml job stream -n {result.job_name}\n"
    rows = [{"Job_name": result.job_name}]
    return View(plain(result), rows, lambda _: sentence + follow)


def _row(schedule: ScheduleInfo) -> dict[str, str]:
    return {
        "Name": schedule.name,
        "Enabled": "yes" if schedule.is_enabled else "no",
        "Type": schedule.type,
        "When": when(schedule.trigger),
        "Next_run": text.moment(schedule.next_run),
        "Create_job": schedule.create_job,
        "Creation_time": text.moment(schedule.creation_time),
    }


def _schedule(schedule: ScheduleInfo, terminal: Terminal) -> str:
    trigger = schedule.trigger
    facts = {
        "monitors": schedule.monitoring_target,
        "starts": schedule.create_job,
        "when": when(trigger),
        "from": "" if trigger is None else (trigger.start_time or "its creation"),
        "until": "" if trigger is None else (trigger.end_time or ""),
        "next": _next(schedule),
        "description": schedule.description,
        "created": f"{text.moment(schedule.creation_time)} UTC" if schedule.creation_time else "",
    }
    state = "enabled" if schedule.is_enabled else "disabled"
    head = f"schedule {terminal.style(schedule.name, 'bold')}  {state}"
    slots = [_slot(slot) for slot in schedule.slots[:_SLOTS_SHOWN]]
    signals = [line for signal in schedule.monitoring_signals for line in _signal(signal)]
    lines = [
        head,
        *facts_lines(facts),
        *section("signals", signals, terminal),
        *section("last slots", slots, terminal),
    ]
    return "".join(f"{line}\n" for line in lines)


def _next(schedule: ScheduleInfo) -> str:
    if not schedule.is_enabled:
        return f"none; aml schedule enable -n {schedule.name}"
    if not schedule.next_run:
        return "none: it is over"
    zone = schedule.trigger.time_zone if schedule.trigger is not None else "UTC"
    told = f"{text.moment(schedule.next_run)} UTC"
    if zone == "UTC" or zone not in WINDOWS_ZONES:
        return told
    there = datetime.fromisoformat(schedule.next_run).astimezone(ZoneInfo(WINDOWS_ZONES[zone]))
    return f"{told} ({text.moment(there.isoformat())} {zone})"


def _signal(signal: SignalInfo) -> list[str]:
    """Return what a signal compares and when that is a breach, in two lines."""
    kind = "" if signal.type == signal.name else f"  {signal.type}"
    against = f", against {signal.reference}" if signal.reference else ""
    window = f"  rows of {signal.window}" if signal.window else ""
    alerts = "" if signal.alert_enabled else "  reported only"
    groups: dict[str, list[str]] = {}
    for each in signal.thresholds:
        limit = "" if each.threshold is None else f" {each.threshold:g}"
        groups.setdefault(each.feature_type, []).append(f"{each.metric}{limit}")
    told = [
        f"{group}: {', '.join(metrics)}" if group else ", ".join(metrics)
        for group, metrics in groups.items()
    ]
    first = text.clean(f"  {signal.name}{kind}{window}{against}{alerts}")
    return [first, f"    {text.clean('; '.join(told) or 'default metrics and thresholds')}"]


def _slot(slot: SlotInfo) -> str:
    missed = f" ({slot.count} slots)" if slot.count > 1 else ""
    on_demand = " on demand" if slot.on_demand else ""
    found = f"{slot.verdict}: {slot.note}" if slot.verdict and slot.note else slot.verdict
    rest = "  ".join(filter(None, (slot.job, slot.reason, found)))
    return f"  {text.moment(slot.slot)}  {slot.state.value}{on_demand}{missed}  {text.clean(rest)}"


def when(trigger: CronTrigger | RecurrenceTrigger | None) -> str:
    """Return in words when a trigger is due."""
    if trigger is None:
        return ""
    zone = "" if trigger.time_zone == "UTC" else f", {trigger.time_zone}"
    if isinstance(trigger, CronTrigger):
        return f"cron {trigger.expression}{zone}"
    unit = trigger.frequency.value
    every = f"every {unit}" if trigger.interval == 1 else f"every {trigger.interval} {unit}s"
    pattern = trigger.schedule
    if pattern is None:
        return f"{every}{zone}"
    days = [day.value for day in pattern.week_days]
    days += [f"day {day}" for day in pattern.month_days]
    times = [f"{hour:02}:{minute:02}" for hour in pattern.hours for minute in pattern.minutes]
    on = f" on {', '.join(days)}" if days else ""
    at = f" at {', '.join(times)}" if times else ""
    return f"{every}{on}{at}{zone}"
