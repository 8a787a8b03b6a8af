"""Checks schedules: what Azure finds late, or never."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from amlocal.errors import near_miss
from amlocal.plan.cron import parse_cron
from amlocal.plan.slots import is_zoned, moment, zone_of
from amlocal.plan.windows_zones import WINDOWS_ZONES
from amlocal.spec import build
from amlocal.spec.findings import Findings
from amlocal.spec.locate import Place
from amlocal.spec.structure import check_object

#: What Azure lets a schedule be called: a job's name is made of it.
_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,230}"
#: What a schedule may start.
_ACTIONS = ("create_job", "create_monitor")
_RANGES = {"hours": (0, 23), "minutes": (0, 59), "month_days": (1, 31)}
#: The fields of a pattern that count, by frequency, of which the others are warned.
_COUNTS = {
    "minute": frozenset[str](),
    "hour": frozenset[str](),
    "day": frozenset({"hours", "minutes"}),
    "week": frozenset({"hours", "minutes", "week_days"}),
    "month": frozenset({"hours", "minutes", "week_days", "month_days"}),
}


def check_schedule(findings: Findings, place: Place, data: Mapping[str, Any]) -> None:
    """Check the fields of a schedule, but for what they are of the job or the monitor."""
    if "import_data" in data:
        message = "a schedule with 'import_data' does not work here: imports of data are Azure's"
        findings.unsupported(place.at("import_data"), message, "give create_job:")
        return
    job = data.get("create_job")
    if isinstance(job, Mapping) and build.text(job.get("type")).lower() == "spark":
        findings.unsupported(place.at("create_job"), "a Spark job does not run here")
        return
    check_object(findings, place, data, "schedule")
    given = [action for action in _ACTIONS if action in data]
    if len(given) > 1:
        message = "the schedule starts a job and a monitor"
        findings.problem(place.at(given[1]), message, "make two schedules of it")
    elif not given and not any(get_close_matches(str(name), _ACTIONS) for name in data):
        message = "the schedule lacks the field 'create_job'"
        findings.problem(place, message, "add create_job:, or create_monitor:")
    name = data.get("name")
    if isinstance(name, str) and not re.fullmatch(_NAME, name):
        message = f"{name!r} cannot be a schedule's name"
        hint = "letters, digits, - and _ make a name, at most 231 of them"
        findings.problem(place.at("name"), message, hint)
    trigger = data.get("trigger")
    if isinstance(trigger, Mapping):
        _check_trigger(findings, place.at("trigger"), trigger)


def _check_trigger(findings: Findings, place: Place, data: Mapping[str, Any]) -> None:
    _check_times(findings, place, data)
    if build.text(data.get("type")).lower() == "cron":
        _check_cron(findings, place.at("expression"), data.get("expression"))
        return
    interval = data.get("interval")
    if isinstance(interval, int) and interval < 1:
        message = f"'trigger.interval' must be from 1, not {interval}"
        findings.problem(place.at("interval"), message, "write 1 for every one")
    pattern = data.get("schedule")
    if isinstance(pattern, Mapping):
        frequency = build.text(data.get("frequency")).lower()
        _check_pattern(findings, place.at("schedule"), pattern, frequency)


def _check_cron(findings: Findings, place: Place, expression: object) -> None:
    if not isinstance(expression, str):
        return  # told already
    try:
        cron = parse_cron(expression)
    except ValueError as error:
        hint = 'write MINUTES HOURS DAYS MONTHS DAYS-OF-WEEK, as in "15 16 * * 1"'
        findings.problem(place, f"{expression!r} is no cron expression: {error}", hint)
        return
    for field in cron.ignored:
        message = f"{field} of a cron expression does not count in Azure: it is read as *"
        findings.warn(f"cron_trigger.expression {field}", message)


def _check_pattern(
    findings: Findings, place: Place, data: Mapping[str, Any], frequency: str
) -> None:
    for name, (low, high) in _RANGES.items():
        said = data.get(name)
        for item in said if isinstance(said, list) else [said]:
            if isinstance(item, int) and not low <= item <= high:
                message = f"'trigger.schedule.{name}' has {item}"
                findings.problem(place.at(name), message, f"write a number from {low} to {high}")
    counts = _COUNTS.get(frequency, _COUNTS["month"])
    for name in sorted((_COUNTS["month"] - counts) & data.keys()):
        message = f"does not count in Azure where the frequency is {frequency}"
        findings.warn(f"recurrence_pattern.{name}", message)


def _check_times(findings: Findings, place: Place, data: Mapping[str, Any]) -> None:
    said = data.get("time_zone")
    if said is not None and not isinstance(said, str):
        return  # told already
    if said is not None and said not in WINDOWS_ZONES:
        message = f"there is no time zone {said!r} in Azure's list"
        findings.problem(place.at("time_zone"), message, _zone_hint(said))
        return
    zone = zone_of(said or "UTC")
    found = {}
    for name in ("start_time", "end_time"):
        value = data.get(name)
        if not isinstance(value, str):
            continue  # told already, or not there
        try:
            found[name] = moment(value, zone)
            if is_zoned(value):
                message = "Its offset counts here; Azure's client drops it. Write time_zone."
                findings.warn(f"trigger.{name}", message)
        except (ValueError, OverflowError):
            message = f"'trigger.{name}' {value!r} is no time"
            findings.problem(place.at(name), message, _TIME_HINT)
    if len(found) == 2 and found["end_time"] < found["start_time"]:
        findings.problem(place.at("end_time"), "the schedule ends before it starts", "")


_TIME_HINT = 'write it as "2026-07-10T10:00:00", in quotes'


def _zone_hint(said: str) -> str:
    """Return Azure's name for one of the IANA's, or one in another case, or one that is near."""
    same = [
        name for name, zone in WINDOWS_ZONES.items() if zone == said or name.lower() == said.lower()
    ]
    return f"write {same[0]!r}" if same else near_miss(said, WINDOWS_ZONES)
