"""Words, numbers, and tables as people read them; pure functions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence, Set

# Escape sequences, then every control character that would move the cursor.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
#: Columns of results that mean nothing when they are cut.
_WHOLE = frozenset({"Status", "Version", "Created", "Creation_time", "Duration"})
#: Columns of results that a narrow terminal does without, the least important first.
LEAST_FIRST = (
    *("Tracking_uri", "Path", "Display_name", "Experiment", "Experiment_name", "Aliases", "Type"),
    *("Duration", "Created", "Creation_time"),
)
#: What a cell is cut to before a column is left out.
_LEAST_CELLS = 8


def clean(text: str) -> str:
    """Return one line without escape sequences and control characters."""
    return _CONTROLS.sub(" ", _ESCAPES.sub("", text))


def cells(text: str) -> int:
    """Return how many columns a text takes; East Asian wide characters take two."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def clip(text: str, width: int, ellipsis: str) -> str:
    """Return the text cut to a number of columns, with an ellipsis where it was cut."""
    if cells(text) <= width:
        return text
    kept, room = "", max(width - cells(ellipsis), 0)
    for character in text:
        room -= cells(character)
        if room < 0:
            break
        kept += character
    return (kept + ellipsis)[: max(width, 0)]


def pad(text: str, width: int) -> str:
    """Return the text filled with spaces up to a number of columns."""
    return text + " " * (width - cells(text))


def duration(seconds: float) -> str:
    """Return seconds as `3.2 s`, `5 min 07 s`, or `2 h 04 min`."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


def clock(seconds: float) -> str:
    """Return seconds as `0:07` or `1:02:03`, which does not flicker while it counts."""
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02}"
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def number(value: float) -> str:
    """Return a metric with six significant digits."""
    return f"{value:.6g}"


def moment(iso: str) -> str:
    """Return an ISO 8601 time to the second, without its zone (records are in UTC)."""
    return iso.replace("T", " ")[:19]


def size(count: int) -> str:
    """Return a number of bytes as `1.5 GB`; a kB is 1,000 bytes."""
    value, units = float(count), ["TB", "GB", "MB", "kB", "B"]
    while value >= 999.5 and len(units) > 1:
        value, _ = value / 1000, units.pop()
    return f"{value:.1f} {units[-1]}" if units[-1] != "B" else f"{count} B"


def plural(count: int, noun: str) -> str:
    """Return `1 step`, `2 steps`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def table(
    rows: Sequence[Mapping[str, str]],
    *,
    width: int | None,
    ellipsis: str = "...",
    optional: Sequence[str] = (),
) -> str:
    """Return rows under their headers, as `az -o table` prints them.

    Args:
        rows: Cells by header; a row may lack some.
        width: The columns there are; the widest cells are cut to fit. None cuts nothing.
        ellipsis: What stands where a cell was cut.
        optional: Headers that are left out where cutting others is not enough, the first one first.
    """
    headers = list(dict.fromkeys(header for row in rows for header in row))
    if width is not None:
        headers = _affordable(rows, headers, width, optional)
    grid = [[clean(row.get(header, "")) for header in headers] for row in rows]
    columns = [
        max(cells(header), *(cells(line[i]) for line in grid)) for i, header in enumerate(headers)
    ]
    if width is not None:
        columns = _fit(columns, width, {i for i, h in enumerate(headers) if h in _WHOLE})
    lines = [headers, ["-" * column for column in columns], *grid]
    return "".join(
        "  ".join(
            pad(clip(cell, column, ellipsis), column)
            for cell, column in zip(line, columns, strict=True)
        ).rstrip()
        + "\n"
        for line in lines
    )


def _affordable(
    rows: Sequence[Mapping[str, str]],
    headers: Sequence[str],
    width: int,
    optional: Sequence[str],
) -> list[str]:
    """Return the headers of the columns that there is room for, in their order."""
    needed = {}
    for place, header in enumerate(headers):
        whole = max(cells(header), *(cells(clean(row.get(header, ""))) for row in rows))
        is_whole = place == 0 or header in _WHOLE
        needed[header] = whole if is_whole else min(whole, _LEAST_CELLS)
    for header in optional:
        if sum(needed.values()) + 2 * (len(needed) - 1) <= width:
            break
        needed.pop(header, None)
    return list(needed)


def _fit(columns: Sequence[int], width: int, whole: Set[int]) -> list[int]:
    """Return column widths that fit, taken from the widest ones first.

    None goes below 4. Those in `whole` are cut after the others, and the first column, whose names
    are typed again, is cut last.
    """
    fitted = list(columns)
    excess = sum(fitted) + 2 * (len(fitted) - 1) - width
    behind = range(1, len(fitted))
    for part in ([i for i in behind if i not in whole], behind, range(len(fitted))):
        while (
            excess > 0 and (widest := max(part, key=lambda i: fitted[i], default=None)) is not None
        ):
            if fitted[widest] <= 4:
                break
            fitted[widest] -= 1
            excess -= 1
    return fitted
