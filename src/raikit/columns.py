"""Which columns of a table are numbers, and which are names of things."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from stepkit.program import StepError
from stepkit.table import require_column

_NUMBERS = frozenset(("double", "float", "long", "integer"))


def numbers(features: Mapping[str, str], categorical: Collection[str] = ()) -> tuple[str, ...]:
    """Return the features whose values are quantities.

    Args:
        features: Names, each with MLflow's name of its type.
        categorical: Those that are names of things though they are written as numbers.
    """
    return tuple(
        name for name, kind in features.items() if kind in _NUMBERS and name not in categorical
    )


def categories(features: Mapping[str, str], categorical: Collection[str] = ()) -> tuple[str, ...]:
    """Return the features whose values are names of things; times are neither."""
    quantities = numbers(features, categorical)
    return tuple(
        name for name, kind in features.items() if name not in quantities and kind != "datetime"
    )


def require_features(named: Sequence[str], features: Mapping[str, str], what: str) -> None:
    """Check that columns that a setting names are features of the model.

    Args:
        named: The columns.
        features: The model's.
        what: What the columns are, as the message says it: `immutable column`.

    Raises:
        StepError: One is not; says which are.
    """
    known = pd.DataFrame(columns=list(features))
    for name in named:
        require_column(known, name, what)


def sampled(table: pd.DataFrame, rows: int, seed: int) -> pd.DataFrame:
    """Return at most so many rows, chosen at random, in the table's order."""
    if rows < 1:
        raise StepError("at least one row is needed", hint="set a number of rows above 0")
    return table if len(table) <= rows else table.sample(rows, random_state=seed).sort_index()
