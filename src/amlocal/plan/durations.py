"""Durations of a fixed length, as ISO 8601 writes them."""

from __future__ import annotations

import re

_SECONDS = {"weeks": 604800, "days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}
_DURATION = re.compile(
    r"P(?=.)(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=.)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)


def duration_seconds(text: str) -> float | None:
    """Return the seconds of a duration of weeks, days, and times (`P7D`, `PT12H`), or None.

    Years and months are of no fixed length, and so are none.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        return None
    return sum(_SECONDS[unit] * float(said) for unit, said in found.groupdict().items() if said)
