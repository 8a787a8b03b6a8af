"""What the text of a table stands for: numbers, true and false, times, or text."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

#: What every value of a text column must look like for the column to be read as times or numbers.
_ISO_TIME = r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?"
_COMMA_NUMBER = r"[+-]?\d+(,\d+)?"
#: What stands for a missing number.
_NO_NUMBER = frozenset({"", "NA", "N/A", "NaN", "nan", "null", "NULL"})
_BOOLEANS = {"true": True, "false": False}


def inferred(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column of text as numbers, booleans, or times where all of it reads as such.

    Args:
        column: Texts; an empty one is missing, and `NA` and its like are in columns of numbers.
    """
    present = column[~column.isin(_NO_NUMBER)]
    if present.empty:
        return column
    # Most columns are told by their first value.
    if re.match(r"\s*[-+.\d]|\s*[iI]nf", str(present.iloc[0])):
        numbers = pd.to_numeric(present, errors="coerce")
        if numbers.notna().all():
            return numbers.reindex(column.index)
    lower = present.str.lower()
    if lower.isin(_BOOLEANS).all():
        found = lower.map(_BOOLEANS).reindex(column.index)
        return found.astype("boolean" if found.isna().any() else bool)
    filled = column.mask(column == "", None)
    return parsed(filled, commas=False) if filled.notna().any() else column


def parsed(column: pd.Series[Any], *, commas: bool) -> pd.Series[Any]:
    """Return text as times where all of it is ISO 8601, or as numbers with decimal commas."""
    present = column.dropna()
    if _all_look_like(_ISO_TIME, present):
        try:
            times = pd.to_datetime(present, format="ISO8601", utc=True)
        except ValueError:  # a day that no month has: it stays text
            return column
        return times.dt.tz_localize(None).reindex(column.index)
    if commas and _all_look_like(_COMMA_NUMBER, present):
        return pd.to_numeric(column.str.replace(",", "."))
    return column


def _all_look_like(pattern: str, present: pd.Series[Any]) -> bool:
    # Most columns are told by their first value.
    if present.empty or not re.fullmatch(pattern, str(present.iloc[0])):
        return False
    return bool(present.str.fullmatch(pattern).eq(True).all())
