"""What schedules look like: as data, and for people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
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
    SlotInfo,
)
from amlocal.plan.windows_zones import WINDOWS_ZONES

_SLOTS_SHOWN = 5


def schedule_view(schedule: ScheduleInfo) -> View:
    """Return one schedule."""
    return View(plain(schedule), [_row(schedule)], lambda terminal: _schedule(schedule, terminal))


def schedules_view(schedules: Sequence[ScheduleInfo]) -> View:
    """Return a list of schedules."""
    rows = [_row(schedule) for schedule in schedules]
    short = [{key: row[key] for key in ("Name", "Enabled", "When", "Next_run")} for row in rows]
    nothing = "no schedules; aml schedule create -f FILE makes one\n"
    return View(plain(schedules), rows, lambda terminal: render_table(short, terminal) or nothing)


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
    lines = [head, *facts_lines(facts), *section("last slots", slots, terminal)]
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


def _slot(slot: SlotInfo) -> str:
    missed = f" ({slot.count} slots)" if slot.count > 1 else ""
    on_demand = " on demand" if slot.on_demand else ""
    rest = slot.job if slot.job and not slot.reason else f"{slot.job}  {slot.reason}".strip()
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
