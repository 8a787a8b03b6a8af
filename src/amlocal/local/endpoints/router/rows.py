"""Rows of a request's or an answer's JSON, as the data collector keeps them."""

from __future__ import annotations

from typing import Any, NamedTuple

Row = dict[str, Any]

#: Where bodies have their table: Azure's form, and MLflow's.
_INPUT_KEYS = ("input_data", "dataframe_split", "dataframe_records", "instances", "inputs")
_SPLIT_KEYS = frozenset({"columns", "index", "data"})


class Rows(NamedTuple):
    """A table; its columns are `0`, `1`, ... where the body does not name them."""

    rows: list[Row]
    are_named: bool


def input_rows(value: Any) -> Rows | None:
    """Return the rows of a request to an MLflow model, or None where it has none.

    Args:
        value: The body's JSON.
    """
    if not isinstance(value, dict):
        return None
    for key in _INPUT_KEYS:
        if key in value:
            return _table(value[key])
    return None


def output_rows(value: Any) -> Rows | None:
    """Return the rows of an MLflow model's answer: a list, or MLflow's `{"predictions": ...}`.

    Args:
        value: The body's JSON.
    """
    if isinstance(value, dict) and set(value) == {"predictions"}:
        value = value["predictions"]
    if isinstance(value, (dict, list)):
        return _table(value)
    return Rows([{"0": value}], are_named=False)


def _table(value: Any) -> Rows | None:
    if isinstance(value, list):
        return _of_list(value)
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("data"), list) and value.keys() <= _SPLIT_KEYS:
        return _of_split(value.get("columns"), value["data"])
    return _of_columns(value)


def _of_list(items: list[Any]) -> Rows:
    if items and all(isinstance(item, dict) for item in items):
        return Rows(items, are_named=True)
    if items and all(isinstance(item, list) for item in items):
        return Rows([_numbered(item) for item in items], are_named=False)
    return Rows([{"0": item} for item in items], are_named=False)


def _of_split(columns: Any, data: list[Any]) -> Rows | None:
    if columns is None:
        return _of_list(data)
    if not isinstance(columns, list):
        return None
    names = [str(column) for column in columns]
    # One value a row stands for a row of one value, as pandas reads it.
    lists = [item if isinstance(item, list) else [item] for item in data]
    if any(len(item) != len(names) for item in lists):
        return None
    return Rows([dict(zip(names, item, strict=True)) for item in lists], are_named=True)


def _of_columns(columns: dict[str, Any]) -> Rows | None:
    if not all(isinstance(values, list) for values in columns.values()):
        return Rows([columns], are_named=True)
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        return None
    length = lengths.pop() if lengths else 0
    rows = [{name: values[place] for name, values in columns.items()} for place in range(length)]
    return Rows(rows, are_named=True)


def _numbered(values: list[Any]) -> Row:
    return {str(place): value for place, value in enumerate(values)}
