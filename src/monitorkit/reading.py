"""Rows of a window, chunk by chunk: what endpoints collect, or tables.

Collected rows are in the data collector's layout (see `stepkit.collected`): JSON Lines of
CloudEvents. They are read by Arrow, some megabytes at a time; what it refuses, such as a column of
numbers and texts, by Python.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj
import pyarrow.parquet as pq

from monitorkit.columns import MIXED, Gatherer, Rows
from monitorkit.request import Data
from monitorkit.windows import Window
from stepkit.collected import ID, ROW, collected_files
from stepkit.mltable import is_mltable
from stepkit.program import StepError
from stepkit.table import NoRowsError, label_text, read_table, table_files

#: Bytes of lines that are read at once; Arrow needs several times as much for what they hold.
_CHUNK_BYTES = 24 * 2**20
_CHUNK_ROWS = 2**17
_SNIFFED = 200
_TIME_FIELD, _ROWS_FIELD, _EVENT_ID = "time", "data", "id"


def read_rows(
    data: Data,
    now: datetime,
    *,
    rows_at_most: int,
    seed: int,
    columns: Sequence[str] | None = None,
    has_ids: bool = False,
) -> Rows:
    """Read the rows of a window.

    Args:
        data: What is read; a window needs collected rows, or a table with a `timestamp_column`.
        now: From which the window is seen.
        rows_at_most: See `Gatherer`.
        seed: See `Gatherer`.
        columns: Those that are kept; None keeps all.
        has_ids: Whether `correlationid` and `row` of collected rows are columns, too.

    Raises:
        StepError: Nothing is there, or it cannot be read. A window without rows is no error.
    """
    gatherer = Gatherer(rows_at_most, seed)
    for whole in chunks(data, data.window(now)):
        chunk = _of_segment(whole, data)
        kept = [
            name
            for name in chunk.column_names
            if (columns is None or name in columns or name in (ID, ROW))
            and (has_ids or name not in (ID, ROW))
        ]
        gatherer.add(chunk.select(kept))
    return gatherer.rows()


def chunks(data: Data, window: Window) -> Iterator[pa.Table]:
    """Give the rows of a window in tables of some megabytes.

    Raises:
        StepError: See `read_rows`.
    """
    path = Path(data.path)
    if is_collected(path):
        yield from _collected(path, window)
        return
    if not window.is_all and data.timestamp_column is None:
        raise StepError(
            f"{path} is a table, and a window needs to know when its rows were",
            hint="give timestamp_column, or leave the window out",
        )
    for chunk in table_chunks(path):
        chosen = _within(chunk, data.timestamp_column, window)
        yield chosen.drop_columns([data.timestamp_column]) if data.timestamp_column else chosen


def _of_segment(chunk: pa.Table, data: Data) -> pa.Table:
    """Return the rows of the segment that a signal is of."""
    name = data.segment_column
    if name is None:
        return chunk
    if name not in chunk.column_names:
        raise StepError(
            f"no column {name!r}, which a segment is of, in {data.path}",
            hint=f"columns: {', '.join(chunk.column_names)}",
        )
    values = chunk[name]
    if values.type == MIXED:
        values = pc.struct_field(values, "text")
    known = [value for value in pc.unique(values).to_pylist() if value is not None]
    wanted = [value for value in known if label_text(value) in data.segment_values]
    return chunk.filter(pc.is_in(values, value_set=pa.array(wanted, values.type)))


def is_collected(path: Path) -> bool:
    """Return whether a path holds what an endpoint collected: JSON Lines, or nothing yet.

    Raises:
        StepError: There is no such file or folder.
    """
    if path.is_file():
        return path.suffix == ".jsonl"
    if not path.is_dir():
        raise StepError(f"no file or folder at {path}", hint="check the signal's path")
    if is_mltable(path):
        return False
    has_files = any(file.is_file() for file in path.rglob("*"))
    return not has_files or next(path.rglob("*.jsonl"), None) is not None


def table_chunks(path: Path) -> Iterator[pa.Table]:
    """Give the rows of a table: CSV, Parquet, or MLTable; nothing where there are none.

    Raises:
        StepError: It cannot be read.
    """
    files = [] if is_mltable(path) else table_files(path)
    if not files or not all(file.suffix.lower() in (".parquet", ".pq") for file in files):
        try:
            whole = read_table(path)
        except NoRowsError:
            return  # as where nothing was collected yet
        yield pa.Table.from_pandas(whole, preserve_index=False)
        return
    for file in files:
        yield from _parquet(file)


def _parquet(file: Path) -> Iterator[pa.Table]:
    try:
        with pq.ParquetFile(file) as opened:
            for batch in opened.iter_batches(batch_size=_CHUNK_ROWS):
                yield pa.Table.from_batches([batch])
    except (OSError, pa.ArrowException) as error:
        raise StepError(f"{file} cannot be read: {error}") from error


def _within(chunk: pa.Table, name: str | None, window: Window) -> pa.Table:
    if name is None or window.is_all:
        return chunk
    if name not in chunk.column_names:
        raise StepError(f"no timestamp column {name!r} in {', '.join(chunk.column_names)}")
    times = pd.to_datetime(chunk[name].to_pandas(), utc=True, errors="coerce")
    return chunk.filter(pa.array(_mask(times, window)))


def _mask(times: pd.Series[Any], window: Window) -> np.ndarray[Any, np.dtype[np.bool_]]:
    mask = times.notna()
    if window.begin is not None:
        mask &= times >= window.begin
    if window.end is not None:
        mask &= times < window.end
    return mask.to_numpy(dtype=bool)


def _collected(path: Path, window: Window) -> Iterator[pa.Table]:
    schema: pa.Schema | None = None
    for place, lines in _lines(collected_files(path, begin=window.begin, end=window.end)):
        schema = schema or _sniffed(lines, place)
        events = _parsed(lines, schema, place)
        times = pd.to_datetime(events[_TIME_FIELD].to_pandas(), utc=True, format="ISO8601")
        mask = _mask(times, window)
        if mask.any():
            yield _exploded(events.filter(pa.array(mask)), place)


def _lines(files: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    """Give whole lines, some megabytes together, and the first file that they are of."""
    held, size, place = [], 0, ""
    for file in files:
        with file.open("rb") as opened:
            rest = b""
            while block := opened.read(_CHUNK_BYTES):
                whole, newline, rest = (rest + block).rpartition(b"\n")
                # What follows the last line's end is still being written.
                if whole.strip():
                    place = place or str(file)
                    held.append(whole + newline)
                    size += len(whole)
                if size >= _CHUNK_BYTES:
                    yield place, b"".join(held)
                    held, size, place = [], 0, ""
    if held:
        yield place, b"".join(held)


def _sniffed(lines: bytes, place: str) -> pa.Schema:
    """Return the types of the first events' columns, those of one kind only.

    Stated types keep Arrow from reading a text as a time, or a column as whole numbers until the
    first fraction.
    """
    first = lines.split(b"\n", _SNIFFED)[:_SNIFFED]
    found: dict[str, set[pa.DataType]] = {}
    for _, _, rows in _events(first, place):
        for row in rows:
            for name, value in row.items():
                found.setdefault(name, set()).add(_type(value))
    null = pa.null()
    types = {name: kinds - {null} for name, kinds in found.items()}
    fields = [pa.field(name, next(iter(kinds))) for name, kinds in types.items() if len(kinds) == 1]
    text = [pa.field(name, pa.string()) for name in (_TIME_FIELD, ID, _EVENT_ID)]
    return pa.schema([*text, pa.field(_ROWS_FIELD, pa.list_(pa.struct(fields)))])


def _type(value: object) -> pa.DataType:
    if value is None:
        return pa.null()
    if isinstance(value, bool):
        return pa.bool_()
    return pa.float64() if isinstance(value, int | float) else pa.string()


def _parsed(lines: bytes, schema: pa.Schema, place: str) -> pa.Table:
    try:
        # A block must hold its longest line.
        read = pj.ReadOptions(block_size=max(2**20, len(lines) // 4))
        parse = pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="infer")
        events = pj.read_json(io.BytesIO(lines), read, parse)
        if events[_ROWS_FIELD].null_count or events[_TIME_FIELD].null_count:
            raise pa.ArrowInvalid("an event without rows or time")
        return events
    except pa.ArrowException:
        # Python tells which line it is, or reads what Arrow does not.
        return _parsed_slowly(lines, place)


def _parsed_slowly(lines: bytes, place: str) -> pa.Table:
    times, ids, flat, lengths = [], [], [], []
    for time, event_id, rows in _events(lines.split(b"\n"), place):
        times.append(time)
        ids.append(event_id)
        flat.extend(rows)
        lengths.append(len(rows))
    names = list(dict.fromkeys(name for row in flat for name in row))
    columns = [_array([row.get(name) for row in flat]) for name in names]
    rows = pa.StructArray.from_arrays(columns, names) if names else pa.array(flat)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
    return pa.table(
        {
            _TIME_FIELD: pa.array(times, pa.string()),
            ID: pa.array(ids, pa.string()),
            _ROWS_FIELD: pa.ListArray.from_arrays(offsets, rows),
        }
    )


def _array(values: list[Any]) -> pa.Array:
    """Return values as numbers, as texts, or where both occur as `MIXED`."""
    is_number = [_type(value) == pa.float64() for value in values]
    if all(is_one or value is None for is_one, value in zip(is_number, values, strict=True)):
        return pa.array(values, pa.float64())
    texts = [None if value is None else label_text(value) for value in values]
    if not any(is_number):
        return pa.array(texts, pa.string())
    numbers = [value if is_one else None for is_one, value in zip(is_number, values, strict=True)]
    parts = [pa.array(numbers, pa.float64()), pa.array(texts, pa.string())]
    return pa.StructArray.from_arrays(parts, fields=list(MIXED))


def _events(lines: Iterable[bytes], place: str) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """Give time, id, and rows of events.

    Raises:
        StepError: A line is no event with rows.
    """
    for line in lines:
        if not line.strip():
            continue
        try:
            event = json.loads(line)
            time, rows = str(event[_TIME_FIELD]), event[_ROWS_FIELD]
            event_id = str(event.get(ID) or event.get(_EVENT_ID, ""))
            pd.Timestamp(time)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StepError(
                f"{place} or a file after it has a line that is no collected event: {error!r}: "
                f"{line[:80]!r}",
                hint="give the folder of one collection",
            ) from error
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise StepError(
                f"{place} or a file after it holds a payload and no rows",
                hint="give model_inputs, model_outputs, or what the scoring script collects",
            )
        yield time, event_id, rows


def _exploded(events: pa.Table, place: str) -> pa.Table:
    """Return one row for each of the events' rows, with the id of its request and its place."""
    events = events.combine_chunks()
    lists = events[_ROWS_FIELD].combine_chunks()
    if isinstance(lists, pa.ChunkedArray):
        lists = lists.chunk(0)
    lengths = pc.list_value_length(lists).to_numpy(zero_copy_only=False)
    flat = lists.flatten()
    if not pa.types.is_struct(flat.type):
        raise StepError(f"{place} holds a payload and no rows", hint="give model_inputs")
    of_event = np.repeat(np.arange(len(lengths)), lengths)
    ids = events[ID] if ID in events.column_names else pa.nulls(len(events), pa.string())
    if _EVENT_ID in events.column_names:
        ids = pc.coalesce(ids, events[_EVENT_ID])
    table = pa.table(dict(zip([f.name for f in flat.type], flat.flatten(), strict=True)))
    own = table[ID] if ID in table.column_names else None
    of_row = pc.take(ids, pa.array(of_event))
    if own is not None:
        table = table.drop_columns([ID])
        of_row = pc.coalesce(pc.cast(own, pa.string()), of_row)
    first = np.repeat(np.cumsum(lengths) - lengths, lengths)
    places = np.arange(len(of_event)) - first
    if own is not None:
        keys = pd.DataFrame({"event": of_event, "id": of_row.to_pandas()})
        places = keys.groupby(["event", "id"], dropna=False).cumcount().to_numpy()
    return table.append_column(ID, of_row).append_column(ROW, pa.array(places, pa.float64()))
