"""Cron expressions as Azure reads them: by NCrontab, without days of the month and months.

Azure's reference names NCrontab's wiki for the grammar; where that is silent, its source counts
(`CrontabFieldImpl.cs`, `CrontabField.cs`): names may be cut short anywhere, a range that is turned
around is turned back, `5/15` goes on to the field's end, and a step of 0 is one of 1.
"""

from __future__ import annotations

from dataclasses import dataclass

#: The order of NCrontab, in which 0 is Sunday; 7 is no day there.
_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_FIELDS = ("MINUTES", "HOURS", "DAYS", "MONTHS", "DAYS-OF-WEEK")


@dataclass(frozen=True, slots=True)
class Cron:
    """What a cron expression says, as far as it counts.

    Attributes:
        minutes: Of an hour, 0 to 59.
        hours: Of a day, 0 to 23.
        weekdays: 0 is Monday, as `datetime.date.weekday` counts.
        ignored: The fields that say something and do not count (`DAYS`, `MONTHS`).
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    weekdays: frozenset[int]
    ignored: tuple[str, ...]


def parse_cron(expression: str) -> Cron:
    """Return what an expression `MINUTES HOURS DAYS MONTHS DAYS-OF-WEEK` says.

    Raises:
        ValueError: It is no such expression; says which field is wrong.
    """
    words = expression.split()
    if len(words) != len(_FIELDS):
        raise ValueError(f"it has {len(words)} fields, not the five {' '.join(_FIELDS)}")
    minutes, hours, days, months, weekdays = words
    said = {"DAYS": days, "MONTHS": months}
    return Cron(
        minutes=_field("MINUTES", minutes, 59),
        hours=_field("HOURS", hours, 23),
        # datetime counts from Monday.
        weekdays=frozenset((day - 1) % 7 for day in _field("DAYS-OF-WEEK", weekdays, 6)),
        ignored=tuple(field for field, word in said.items() if word != "*"),
    )


def _field(name: str, text: str, last: int) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        found.update(_part(name, part, last))
    return frozenset(found)


def _part(name: str, text: str, last: int) -> range:
    written, slash, step = text.partition("/")
    if slash and not step.isdecimal():
        raise ValueError(f"{name} has the step {step!r}, which is no number")
    every = max(int(step), 1) if slash else 1
    if written == "*":
        return range(0, last + 1, every)
    first, dash, end = written.partition("-")
    low = _number(name, first, last)
    if dash:
        low, high = sorted((low, _number(name, end, last)))
    else:
        high = last if slash else low
    return range(low, high + 1, every)


def _number(name: str, text: str, last: int) -> int:
    if name == "DAYS-OF-WEEK" and text and not text[0].isdecimal():
        for number, day in enumerate(_DAYS):
            if day.lower().startswith(text.lower()):
                return number
        raise ValueError(f"{name} has {text!r}, which is no day of the week")
    if not text.isdecimal():
        raise ValueError(f"{name} has {text!r}, where a number from 0 to {last} is wanted")
    if int(text) > last:
        sunday = "; 0 is Sunday" if name == "DAYS-OF-WEEK" else ""
        raise ValueError(f"{name} has {text}, where the last is {last}{sunday}")
    return int(text)
