"""Reads rows of columns out of the forms that a table may be given in.

| form | as |
| --- | --- |
| split | `{"columns": [...], "index": [...], "data": [[...], ...]}`; without `columns` by place |
| records | `[{"column": value, ...}, ...]` |
| rows | `[[...], ...]`: values in the order of the signature |
| columns | `{"column": [...], ...}`, or one row as `{"column": value, ...}` |
| one column | `[value, ...]`, where the signature has a single column |

`input_data`, `instances`, and `inputs` may be in any of them.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scoringserver.body import Form, json_kind
from scoringserver.errors import RequestError

_SPLIT = {"columns", "index", "data"}


@dataclass(frozen=True)
class Table:
    """Rows of columns as JSON's values.

    Attributes:
        names: The columns as given; None where they are given by place.
        columns: The values of each column, each of `rows` values.
        rows: How many rows.
    """

    names: tuple[str | int, ...] | None
    columns: Sequence[Sequence[Any]]
    rows: int


@dataclass(frozen=True)
class Wanted:
    """What a signature says of a table's columns; nothing where there is none.

    Attributes:
        width: How many it has; 0 where that is not said.
        required: Those that no record may lack.
        texts: Those that CSV holds the text of, though it may look like numbers.
    """

    width: int = 0
    required: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()


ANYTHING = Wanted()


def read_table(form: Form, value: Any, wanted: Wanted = ANYTHING) -> Table:
    """Return the rows that a body's input holds.

    Args:
        form: How it is given.
        value: JSON's values, or the text of a CSV.
        wanted: What the signature says.

    Raises:
        RequestError: It holds no table, or not a single row.
    """
    if form is Form.CSV:
        table = _from_csv(value, wanted.texts)
    elif form is Form.DATAFRAME_SPLIT or (form is Form.INPUT_DATA and is_split(value)):
        table = _from_split(value, form)
    elif isinstance(value, dict) and form is not Form.DATAFRAME_RECORDS:
        table = _from_columns(value, form)
    elif isinstance(value, list):
        table = _from_list(value, form, wanted)
    else:
        kinds = "an array" if form is Form.DATAFRAME_RECORDS else "an object or an array"
        raise RequestError(f"{form.value} must be {kinds}; it is {json_kind(value)}")
    if not table.rows:
        raise RequestError(f"{form.value} holds no row; give at least one")
    return table


def is_split(value: Any) -> bool:
    """Return whether a value is a table in the form that pandas calls split.

    Azure's own server asks for all three keys; those of its examples that lack one are read too.
    """
    return isinstance(value, dict) and "data" in value and value.keys() <= _SPLIT


def is_missing(value: Any) -> bool:
    """Return whether a value stands for none: null, or a bare NaN."""
    return value is None or (type(value) is float and math.isnan(value))


def read_csv(text: str, texts: frozenset[str]) -> Any:
    """Return a CSV as pandas reads it, as a DataFrame.

    Args:
        text: The CSV, with a line of column names.
        texts: Columns to be left as text.

    Raises:
        RequestError: It is none.
    """
    import pandas as pd  # loaded with the model; JSON is read without

    try:
        return pd.read_csv(io.StringIO(text), dtype=dict.fromkeys(texts, str))
    except ValueError as error:  # ParserError and EmptyDataError are such
        raise RequestError(f"the body is no CSV: {error}") from None


def _from_csv(text: str, texts: frozenset[str]) -> Table:
    frame = read_csv(text, texts)
    columns = [
        [_read_csv_value(value) for value in frame[name]]
        if frame[name].dtype.kind == "O" and name not in texts
        else frame[name].tolist()
        for name in frame.columns
    ]
    return Table(tuple(map(str, frame.columns)), columns, len(frame))


def _read_csv_value(value: Any) -> Any:
    """Return one value of a column that pandas left as text: others in it are no numbers."""
    if not isinstance(value, str):
        return value
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    try:
        return float(value)
    except ValueError:
        return value


def _from_split(value: Any, form: Form) -> Table:
    if not isinstance(value, dict) or "data" not in value or value.keys() - _SPLIT:
        found = json_kind(value)
        if isinstance(value, dict):
            found = f"one of {sorted(value)[:10]}" if value else "empty"
        raise RequestError(
            f'{form.value} must be {{"columns": [...], "index": [...], "data": [[...]]}}; '
            f"it is {found}"
        )
    rows, names, index = value["data"], value.get("columns"), value.get("index")
    if not isinstance(rows, list):
        raise RequestError(f"data of {form.value} must be an array of rows, not {json_kind(rows)}")
    if index is not None and (not isinstance(index, list) or len(index) != len(rows)):
        raise RequestError(f"index of {form.value} must be an array of {len(rows)} labels")
    if names is None:
        return _from_rows(rows, form, len(rows[0]) if rows and isinstance(rows[0], list) else 0)
    if not isinstance(names, list):
        raise RequestError(f"columns of {form.value} must be an array, not {json_kind(names)}")
    if not all(type(name) in (str, int) for name in names):
        raise RequestError(f"columns of {form.value} must be names")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise RequestError(f"columns of {form.value} has {twice!r} more than once")
    # A column alone may be given without a list around each value, as pandas takes it.
    if len(names) == 1 and not any(isinstance(row, list) for row in rows):
        return Table(tuple(names), [rows], len(rows))
    table = _from_rows(rows, form, len(names))
    return Table(tuple(names), table.columns, table.rows)


def _from_rows(rows: list[Any], form: Form, width: int) -> Table:
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != width:
            found = f"{len(row)} values" if isinstance(row, list) else json_kind(row)
            raise RequestError(
                f"row {number} of {form.value} must be an array of {width} values; it has {found}"
                if isinstance(row, list)
                else f"row {number} of {form.value} must be an array of values; it is {found}"
            )
    return Table(None, list(zip(*rows, strict=True)), len(rows))


def _from_columns(value: dict[str, Any], form: Form) -> Table:
    lists = {name: column for name, column in value.items() if isinstance(column, list)}
    if not lists:
        return Table(tuple(value), [[each] for each in value.values()], 1 if value else 0)
    lengths = {name: len(column) for name, column in lists.items()}
    if len(lists) < len(value) or len(set(lengths.values())) > 1:
        alone = [name for name in value if name not in lists]
        found = (
            f"{alone[0]!r} is no array" if alone else f"they have {dict(list(lengths.items())[:5])}"
        )
        raise RequestError(f"all columns of {form.value} must be arrays of one length; {found}")
    return Table(tuple(value), list(value.values()), next(iter(lengths.values())))


def _from_list(value: list[Any], form: Form, wanted: Wanted) -> Table:
    if not value:
        return Table(None, [], 0)
    if isinstance(value[0], dict):
        return _from_records(value, form, wanted.required)
    if isinstance(value[0], list):
        return _from_rows(value, form, wanted.width or len(value[0]))
    if form is Form.DATAFRAME_RECORDS or wanted.width > 1:
        hint = "; one row is given as [[...]]" if form is not Form.DATAFRAME_RECORDS else ""
        raise RequestError(
            f"row 0 of {form.value} must be an array or an object, not {json_kind(value[0])}{hint}"
        )
    return Table(None, [value], len(value))


def _from_records(records: list[Any], form: Form, required: frozenset[str]) -> Table:
    for number, record in enumerate(records):
        if not isinstance(record, dict):
            raise RequestError(
                f"row {number} of {form.value} must be an object as row 0 is; "
                f"it is {json_kind(record)}"
            )
    names = list(dict.fromkeys(name for record in records for name in record))
    for number, record in enumerate(records):
        if len(record) < len(names):
            missing = [name for name in names if name not in record and name in required]
            if missing:
                raise RequestError(
                    f"row {number} of {form.value} has no {missing[0]!r}, which other rows have"
                )
    columns = [[record.get(name) for record in records] for name in names]
    return Table(tuple(names), columns, len(records))
