"""What online endpoints collect: rows with the time and the id of their request.

The files are the data collector's: JSON Lines of CloudEvents, one a request (or several that Azure
has put together), with the rows in `data`, in folders by time: `YYYY/MM/DD/HH/INSTANCE.jsonl`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, cast

import pandas as pd

from stepkit.program import StepError
from stepkit.table import plain

#: Levels of the index: when the row was collected (UTC), the id of its request, and its place among
#: the rows of the request, from 0.
TIME, ID, ROW = "timestamp", "correlationid", "row"
# A folder's time is when its events were written, which in Azure is a little after they happened.
_WRITTEN_LATE = timedelta(hours=1)
_LEVELS = ("year", "month", "day", "hour", "minute")


class NothingCollectedError(StepError):
    """No row was collected in a window."""


def read_collected(
    path: Path, *, begin: datetime | None = None, end: datetime | None = None
) -> pd.DataFrame:
    """Read the rows of a collection, such as `model_inputs`, as one table.

    Args:
        path: The collection's folder, or one of its files.
        begin: The first moment that counts; with a time zone, else it is in UTC.
        end: The first moment that does not count any more.

    Returns:
        The rows in the order of their times, in the types of `read_table`. The index has the levels
        `timestamp`, `correlationid`, and `row`. A row that has a column `correlationid` of its own
        is indexed by that instead, since Azure may put several requests into one event. A column
        that an event does not have is missing in its rows.

    Raises:
        NothingCollectedError: No row was collected in this time.
        StepError: A file holds something else.
    """
    window = (_utc(begin), _utc(end))
    keys: list[tuple[pd.Timestamp, str, int]] = []
    rows: list[dict[str, Any]] = []
    # One loop over all, since the rows of many small events are slow to put together otherwise.
    for file in collected_files(path, begin=window[0], end=window[1]):
        for time, event_id, found in _events(file):
            if not _is_within(time, *window):
                continue
            counted: Counter[str] = Counter()
            for row in found:
                own = str(row.pop(ID, None) or event_id)
                keys.append((pd.Timestamp(time), own, counted[own]))
                counted[own] += 1
                rows.append(row)
    if not rows:
        raise NothingCollectedError(
            f"nothing was collected in {path}{_said(*window)}",
            hint="collections are enabled by the deployment's data_collector",
        )
    table = plain(pd.DataFrame.from_records(rows).rename(columns=str))
    table.index = pd.MultiIndex.from_tuples(keys, names=[TIME, ID, ROW])
    return table.sort_index(level=TIME, sort_remaining=False, kind="stable")


def joined(inputs: pd.DataFrame, outputs: pd.DataFrame) -> pd.DataFrame:
    """Join rows with what came of them: predictions, or the truth that became known later.

    Args:
        inputs: As `read_collected` gives them.
        outputs: The same, or any table that is indexed by `correlationid` and `row`, or by
            `correlationid` alone where requests have one row each.

    Returns:
        The rows that both have, indexed and ordered as the inputs are. Those whose keys were given
        more than once are not among them, since nobody can tell which is which. A column of both
        keeps its name in the inputs, and is called `NAME_output` beside them.
    """
    left_keys, right_keys = _keys(inputs), _keys(outputs)
    left, right = left_keys.duplicated(keep=False), right_keys.duplicated(keep=False)
    inputs, outputs = inputs[~left], outputs[~right]
    places = right_keys[~right].get_indexer(left_keys[~left])
    inputs, beside = inputs[places >= 0], outputs.iloc[places[places >= 0]]
    twice = {name: f"{name}_output" for name in beside.columns if name in inputs.columns}
    beside = beside.rename(columns=twice).set_axis(inputs.index)
    return pd.concat([inputs, beside], axis=1)


def _keys(table: pd.DataFrame) -> pd.MultiIndex:
    """Return the ids and places of a table's rows; without places, those of first rows."""
    index = table.index
    ids = index.get_level_values(ID).astype(str)
    places = index.get_level_values(ROW) if ROW in index.names else [0] * len(index)
    return pd.MultiIndex.from_arrays([ids, places], names=[ID, ROW])


def _utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        return moment.replace(tzinfo=timezone.utc)
    return moment.astimezone(timezone.utc)


def _is_within(time: datetime, begin: datetime | None, end: datetime | None) -> bool:
    return (begin is None or begin <= time) and (end is None or time < end)


def _said(begin: datetime | None, end: datetime | None) -> str:
    """Return a window as a message says it."""
    since = f" from {begin.isoformat()}" if begin else ""
    return since + (f" until {end.isoformat()}" if end else "")


def collected_files(
    path: Path, *, begin: datetime | None = None, end: datetime | None = None
) -> Iterator[Path]:
    """Give the files of a collection that may hold something of a window, by name.

    Args:
        path: See `read_collected`.
        begin: The first moment that counts, in UTC.
        end: The first moment that does not count any more, in UTC.

    Raises:
        StepError: There is no such file or folder.
    """
    if path.is_file():
        yield path
        return
    if not path.is_dir():
        raise StepError(f"no file or folder at {path}", hint="check the job's input path")
    for file in sorted(path.rglob("*.jsonl")):
        first, after = _span(file.parent.relative_to(path).parts)
        is_late = end is not None and first is not None and first >= end + _WRITTEN_LATE
        is_early = begin is not None and after is not None and after <= begin
        if not is_late and not is_early:
            yield file


def _span(parts: tuple[str, ...]) -> tuple[datetime | None, datetime | None]:
    """Return when the time of a folder begins, and when it is over; None where it has none."""
    numbers = [int(part) for part in parts if part.isdecimal()]
    if not numbers or len(numbers) > len(_LEVELS) or len(numbers) != len(parts):
        return None, None
    try:
        year, month, day, hour, minute = numbers + [1, 1, 1, 0, 0][len(numbers) :]
        first = datetime(year, month, day, hour, minute, tzinfo=timezone.utc)
    except ValueError:
        return None, None
    if len(numbers) < 3:
        # To the last day of the longest month, or of the year.
        return first, first + timedelta(days=366 if len(numbers) == 1 else 31)
    return first, first + timedelta(**{_LEVELS[len(numbers) - 1] + "s": 1})


def _events(file: Path) -> Iterator[tuple[datetime, str, list[dict[str, Any]]]]:
    """Give time, id, and rows of a file's events.

    Raises:
        StepError: A line is no event with rows.
    """
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n"):
                return  # it is still being written
            if line.strip():
                yield _event(line, f"{file}:{number}")


def _event(line: bytes, place: str) -> tuple[datetime, str, list[dict[str, Any]]]:
    try:
        event = json.loads(line)
        # Python 3.10 reads no Z.
        time = datetime.fromisoformat(event["time"].replace("Z", "+00:00"))
        event_id, rows = str(event.get(ID) or event.get("id", "")), event["data"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StepError(
            f"{place} is no collected event: {error}", hint="give the folder of one collection"
        ) from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise StepError(
            f"{place} holds a payload and no rows",
            hint="request and response keep bodies as they are: give model_inputs, model_outputs, "
            "or what the scoring script collects",
        )
    return cast(datetime, _utc(time)), event_id, rows
