"""What `run` returns: how many items succeeded, and the rows that are appended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Returned:
    """What a call of `run` gave.

    Attributes:
        count: Rows or elements.
        text: The lines to be appended.
        header: The names of the columns as a line, or an empty string.
    """

    count: int
    text: str
    header: str = ""


def read_returned(result: Any, *, separator: str) -> Returned:
    """Return what `run` returned as lines.

    A DataFrame becomes one line a row, without its index; of anything else, each element becomes a
    line as `str` writes it, as in Azure.

    Args:
        result: What was returned.
        separator: What stands between the values of a row.

    Raises:
        TypeError: It is no DataFrame, list, or tuple, nor an array or a Series.
    """
    if hasattr(result, "to_csv") and hasattr(result, "columns"):
        text = result.to_csv(sep=separator, header=False, index=False)
        named = len(result.columns) > 0
        header = result.iloc[:0].to_csv(sep=separator, index=False) if named else ""
        return Returned(len(result), text, header)
    is_array = hasattr(result, "__array__") and getattr(result, "ndim", 0) > 0
    if isinstance(result, (list, tuple)) or is_array:
        items: Iterable[Any] = result
        return Returned(len(result), "".join(f"{item}\n" for item in items))
    raise TypeError(
        f"run() returned {type(result).__name__}; it must return a DataFrame, a list, or a tuple"
    )
