"""Windows of time, as monitors state them: a size and an offset before now, or two moments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

_UNITS = ("weeks", "days", "hours", "minutes", "seconds")
_DURATION = re.compile(
    r"P(?=.)(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?"
)


class WrongWindowError(Exception):
    """A duration or a moment cannot be read, or a window ends before it begins."""


@dataclass(frozen=True)
class Window:
    """The moments from `begin`, included, to `end`, not included; None is unbounded. In UTC."""

    begin: datetime | None
    end: datetime | None

    @property
    def is_all(self) -> bool:
        """Whether every moment is in it."""
        return self.begin is None and self.end is None

    def __str__(self) -> str:
        if self.is_all:
            return "all rows"
        ends = (each.strftime("%Y-%m-%d %H:%M") if each else "…" for each in (self.begin, self.end))
        return " to ".join(ends) + " UTC"


def duration(text: str) -> timedelta:
    """Return an ISO 8601 duration.

    Raises:
        WrongWindowError: It is none; or of years or months, which are of no fixed length: Azure's
            SDK writes a month as `P30D`.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise WrongWindowError(
            f"{text!r} is no duration of weeks, days, and times, such as P7D or PT12H"
        )
    given = zip(_UNITS, match.groups(), strict=True)
    return timedelta(**{unit: float(number) for unit, number in given if number})


def moment(text: str) -> datetime:
    """Return an ISO 8601 moment in UTC, which it is in where it has no time zone.

    Raises:
        WrongWindowError: It is none.
    """
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))  # Python 3.10 reads no Z
    except ValueError as error:
        raise WrongWindowError(f"{text!r} is no moment such as 2026-03-02T00:00:00Z") from error
    if found.tzinfo is None:
        return found.replace(tzinfo=timezone.utc)
    return found.astimezone(timezone.utc)


def trailing_window(now: datetime, size: str, offset: str) -> Window:
    """Return the window of a size that ends an offset before now.

    Raises:
        WrongWindowError: A duration cannot be read, or the size is 0.
    """
    end = now - duration(offset)
    begin = end - duration(size)
    if begin == end:
        raise WrongWindowError(f"a window of the size {size!r} is empty")
    return Window(begin, end)


def fixed_window(start: str | None, end: str | None) -> Window:
    """Return the window between two moments; without them, all time.

    Raises:
        WrongWindowError: A moment cannot be read, or the end is not after the start.
    """
    window = Window(moment(start) if start else None, moment(end) if end else None)
    if window.begin and window.end and window.begin >= window.end:
        raise WrongWindowError(f"the window from {start} to {end} is empty")
    return window
