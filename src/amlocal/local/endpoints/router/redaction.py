"""Columns whose values are not kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from amlocal.local.endpoints.router.rows import Row


class UnnamedError(ValueError):
    """A table does not name its columns, so it cannot be told what to leave out."""


def redacted_rows(rows: Iterable[Row], names: Collection[str]) -> list[Row]:
    """Return rows with null for the values of some columns, also within their values."""
    return [
        {
            name: None if name in names else redacted(value, names, is_strict=False)
            for name, value in row.items()
        }
        for row in rows
    ]


def redacted(value: Any, names: Collection[str], *, is_strict: bool) -> Any:
    """Return a value of JSON with null for the values of some columns, wherever they stand.

    A column is a key of an object, or a place in the `data` of an object that has `columns`.

    Args:
        value: The value.
        names: The columns.
        is_strict: Whether a table without names is refused, since any column may be in it.

    Raises:
        UnnamedError: There is a table without names.
    """
    if isinstance(value, dict):
        table = _redacted_table(value, names)
        return {
            key: None
            if key in names
            else table
            if table is not None and key == "data"
            else redacted(item, names, is_strict=is_strict)
            for key, item in value.items()
        }
    if isinstance(value, list):
        if is_strict and any(isinstance(item, list) for item in value):
            raise UnnamedError("the table does not name its columns")
        return [redacted(item, names, is_strict=is_strict) for item in value]
    return value


def _redacted_table(value: dict[str, Any], names: Collection[str]) -> list[Any] | None:
    """Return the redacted `data` of an object that has `columns`, else None."""
    columns, data = value.get("columns"), value.get("data")
    if not isinstance(columns, list) or not isinstance(data, list):
        return None
    hidden = [place for place, column in enumerate(columns) if str(column) in names]
    return [_without(item, hidden, names) for item in data]


def _without(item: Any, hidden: list[int], names: Collection[str]) -> Any:
    if not isinstance(item, list):
        return None if hidden else item
    kept = [redacted(value, names, is_strict=False) for value in item]
    for place in hidden:
        if place < len(kept):
            kept[place] = None
    return kept
