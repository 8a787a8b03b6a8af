"""Transformations of an MLTable's columns: which are kept, and of which type they are."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from stepkit.mltable.options import checked, one_of
from stepkit.program import StepError

_TRUE = ("true", "1")
_FALSE = ("false", "0")
_MISMATCHES = ("none", "true", "false", "error")


def keep_columns(table: pd.DataFrame, options: object) -> pd.DataFrame:
    """Keep columns, in the order of the table; raises StepError where one is not there."""
    names = _columns(table, "keep_columns", options)
    return table[[name for name in table.columns if name in names]]


def drop_columns(table: pd.DataFrame, options: object) -> pd.DataFrame:
    """Drop columns; raises StepError where one is not there."""
    return table.drop(columns=_columns(table, "drop_columns", options))


def convert_column_types(table: pd.DataFrame, options: object) -> pd.DataFrame:
    """Convert columns; what cannot be converted is missing afterwards, as in Azure.

    Args:
        table: The rows.
        options: A list of `{"columns": name or names, "column_type": type}`; a type is `int`,
            `float`, `string`, `boolean`, or `datetime`, or `{type: {option: value}}`.

    Raises:
        StepError: A column is not there, or a type or option is not known.
    """
    step = "convert_column_types"
    table = table.copy()
    for item in options if isinstance(options, list) else [options]:
        said = checked(step, item, {"columns": None, "column_type": None})
        kind, settings = _type(said["column_type"])
        for name in _columns(table, step, said["columns"]):
            table[name] = _CONVERSIONS[kind](table[name], settings)
    return table


def _columns(table: pd.DataFrame, step: str, options: object) -> list[str]:
    names = [options] if isinstance(options, str) else options
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise StepError(f"{step} takes names of columns, not {options!r}")
    for name in names:
        if name not in table.columns:
            near = difflib.get_close_matches(name, table.columns, n=1)
            known = f"columns: {', '.join(table.columns)}"
            raise StepError(
                f"{step}: no column {name!r}", hint=f"did you mean {near[0]!r}?" if near else known
            )
    return names


def _type(said: object) -> tuple[str, object]:
    name, settings = said, None
    if isinstance(said, Mapping) and len(said) == 1:
        name, settings = next(iter(said.items()))
    return one_of("convert_column_types", "column_type", name, tuple(_CONVERSIONS)), settings


def _integers(column: pd.Series[Any], options: object) -> pd.Series[Any]:
    checked("int", options, {})
    return pd.Series(np.trunc(_floats(column, None)), index=column.index).astype("Int64")


def _floats(column: pd.Series[Any], options: object) -> pd.Series[Any]:
    mark = checked("float", options, {"decimal_mark": "."})["decimal_mark"]
    if mark != "." and column.dtype == object:
        column = column.astype(str).str.replace(str(mark), ".", regex=False)
    return pd.to_numeric(column, errors="coerce").astype("float64")


def _strings(column: pd.Series[Any], options: object) -> pd.Series[Any]:
    checked("string", options, {})
    return column.map(str, na_action="ignore").astype(object)


def _booleans(column: pd.Series[Any], options: object) -> pd.Series[Any]:
    known = {"true_values": _TRUE, "false_values": _FALSE, "mismatch_as": None}
    said = checked("boolean", options, known)
    said_mismatch = str(said["mismatch_as"]).lower()
    mismatch = one_of("boolean", "mismatch_as", said_mismatch, _MISMATCHES)
    values = {str(value).lower(): True for value in said["true_values"]}
    values |= {str(value).lower(): False for value in said["false_values"]}
    texts = column.map(lambda value: str(value).lower(), na_action="ignore")
    found = texts.map(values)
    odd = found.isna() & column.notna()
    if odd.any() and mismatch == "error":
        raise StepError(
            f"column {column.name!r} has {column[odd].iloc[0]!r}, which is neither true nor false",
            hint="add it to true_values or false_values",
        )
    if mismatch in {"true", "false"}:
        found = found.mask(odd, mismatch == "true")
    return found.astype("boolean")


def _times(column: pd.Series[Any], options: object) -> pd.Series[Any]:
    formats = checked("datetime", options, {"formats": None})["formats"]
    names = [formats] if isinstance(formats, str) else formats or ["ISO8601"]
    if pd.api.types.is_datetime64_any_dtype(column):
        return column
    texts = column.map(str, na_action="ignore")
    found = pd.Series(pd.NaT, index=column.index, dtype="datetime64[ns]")
    for name in names:
        parsed = pd.to_datetime(texts, format=str(name), errors="coerce", utc=True)
        found = found.fillna(parsed.dt.tz_localize(None))
    return found


_CONVERSIONS: dict[str, Callable[[pd.Series[Any], object], pd.Series[Any]]] = {
    "int": _integers,
    "float": _floats,
    "string": _strings,
    "boolean": _booleans,
    "datetime": _times,
}

COLUMN_STEPS: dict[str, Callable[[pd.DataFrame, object], pd.DataFrame]] = {
    "keep_columns": keep_columns,
    "drop_columns": drop_columns,
    "convert_column_types": convert_column_types,
}
