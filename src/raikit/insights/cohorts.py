"""Cohorts of a scorecard: parts of the test rows, told by filters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stepkit.program import StepError, read_json
from stepkit.table import label_text, require_column

_METHODS: Mapping[str, Callable[[pd.Series, Sequence[Any]], Any]] = {
    "less": lambda column, arg: column < arg[0],
    "less and equal": lambda column, arg: column <= arg[0],
    "greater": lambda column, arg: column > arg[0],
    "greater and equal": lambda column, arg: column >= arg[0],
    "equal": lambda column, arg: column == arg[0],
    "in the range of": lambda column, arg: (column >= arg[0]) & (column <= arg[1]),
    "includes": lambda column, arg: column.map(label_text).isin([label_text(each) for each in arg]),
    "excludes": lambda column, arg: (
        ~column.map(label_text).isin([label_text(each) for each in arg])
    ),
}


@dataclass(frozen=True)
class Cohort:
    """A part of the rows.

    Attributes:
        name: For the reader.
        rows: Which belong to it, shape (n,).
    """

    name: str
    rows: NDArray[np.bool_]


def read_cohorts(path: Path, table: pd.DataFrame) -> list[Cohort]:
    """Read a file of predefined cohorts, in the form of Microsoft's `Cohort.to_json`.

    Args:
        path: A list of `{"name": ..., "cohort_filter_list": [{"method", "arg", "column"}, ...]}`;
            filters of one cohort all hold.
        table: The rows.

    Raises:
        StepError: It is not of this form, or a column is not there.
    """
    document = read_json(path)
    if not isinstance(document, list):
        raise StepError(f"{path} is not a list of cohorts", hint='such as [{"name": "young", ...}]')
    return [_cohort(each, path, table) for each in document]


def _cohort(document: Any, path: Path, table: pd.DataFrame) -> Cohort:
    rows = np.ones(len(table), dtype=bool)
    try:
        name = str(document["name"])
        for each in document["cohort_filter_list"]:
            column, method = str(each["column"]), str(each["method"])
            require_column(table, column, f"column of cohort {name!r},")
            if method not in _METHODS:
                raise StepError(
                    f"cohort {name!r} has no filter {method!r}",
                    hint=f"filters: {', '.join(_METHODS)}",
                )
            found = _METHODS[method](table[column], list(each["arg"]))
            rows &= np.asarray(found, dtype=bool)
    except (KeyError, TypeError, IndexError) as error:
        raise StepError(f"{path} holds a cohort that cannot be read: {error!r}") from error
    return Cohort(name, rows)
