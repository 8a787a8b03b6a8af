"""Raw columns as NumPy arrays: numbers, categories, and times, whatever their type in a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.intp]

#: Codes of values that are missing, and of values that were not there in training.
MISSING, UNSEEN = -1, -2
#: Up to this many columns, one read each is quicker than one read of a sub-table.
_FEW_COLUMNS = 24
#: Up to this many rows, a look-up a value is quicker than finding the distinct ones first.
_FEW_ROWS = 32


def require_columns(X: pd.DataFrame, names: Sequence[str]) -> None:
    """Check that a table has the columns; others may be there.

    Raises:
        TypeError: It is not a table with named columns.
        ValueError: One is missing.
    """
    if not isinstance(X, pd.DataFrame):
        raise TypeError(f"the model takes a DataFrame with named columns, not {type(X).__name__}")
    missing = [name for name in names if name not in X.columns]
    if missing:
        raise ValueError(
            f"the model needs the column{'s' if len(missing) > 1 else ''} "
            f"{', '.join(map(repr, missing))}; the table has: {', '.join(map(str, X.columns))}"
        )


def numbers(X: pd.DataFrame, names: Sequence[str]) -> Floats:
    """Return columns as floats, shape (rows, columns); what is missing or infinite is NaN.

    Raises:
        ValueError: A column holds something that is no number; names it.
    """
    table = np.empty((len(X), len(names)))
    if len(names) > _FEW_COLUMNS:
        try:
            table[:] = X[list(names)].to_numpy(dtype=np.float64, na_value=np.nan)
        except (TypeError, ValueError):
            _read_each(X, names, table)  # which converts more kinds, and names the column
    else:
        _read_each(X, names, table)
    table[np.isinf(table)] = np.nan
    return table


def _read_each(X: pd.DataFrame, names: Sequence[str], table: Floats) -> None:
    for place, name in enumerate(names):
        values = X[name].array if pd.api.types.is_extension_array_dtype(X[name].dtype) else X[name]
        raw = np.asarray(values)
        if raw.dtype.kind in "fiub":
            table[:, place] = raw
            continue
        try:
            table[:, place] = pd.to_numeric(pd.Series(raw)).to_numpy(np.float64, na_value=np.nan)
        except (TypeError, ValueError) as error:
            raise ValueError(f"column {name!r} must hold numbers: {error}") from error


def category_text(value: object) -> str:
    """Return a category as text; 1, 1.0 and True are one category, however a file stored them."""
    if isinstance(value, bool | np.bool_ | float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def categories(X: pd.DataFrame, name: str) -> tuple[Codes, list[str]]:
    """Return a column's categories as codes, and their texts by code; missing is `MISSING`."""
    found, distinct = pd.factorize(np.asarray(X[name], dtype=object))
    texts = [category_text(value) for value in distinct]
    known = {text: code for code, text in enumerate(dict.fromkeys(texts))}
    # Two values may have one text.
    renumbered = np.array([*(known[text] for text in texts), MISSING], dtype=np.intp)
    return renumbered[found], list(known)


def category_codes(X: pd.DataFrame, name: str, known: Mapping[str, int]) -> Codes:
    """Return the codes of a column's values; `MISSING` or `UNSEEN` where there is none."""
    column = X[name]
    if len(column) <= _FEW_ROWS:
        return np.array([_code(value, known) for value in column], dtype=np.intp)
    codes, texts = categories(X, name)
    table = np.array([*(known.get(text, UNSEEN) for text in texts), MISSING], dtype=np.intp)
    return table[codes]


def _code(value: Any, known: Mapping[str, int]) -> int:
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return MISSING
    return known.get(category_text(value), UNSEEN)


def times(X: pd.DataFrame, name: str) -> pd.DatetimeIndex:
    """Return a column as times in UTC; what is no time is missing."""
    column = X[name]
    if not pd.api.types.is_datetime64_any_dtype(column.dtype):
        column = pd.to_datetime(column, format="mixed", errors="coerce", utc=True)
    index = pd.DatetimeIndex(column)
    return index if index.tz is None else index.tz_convert("UTC").tz_localize(None)


def texts(X: pd.DataFrame, name: str) -> list[str]:
    """Return a column as texts; what is missing is empty."""
    return ["" if pd.isna(value) else str(value) for value in X[name]]
