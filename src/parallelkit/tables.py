"""Mini-batches of rows: an MLTable is read once, and each mini-batch gets a file of its rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from parallelkit.batches import MLTABLE, MiniBatch
from parallelkit.request import Request, WrongRequestError
from stepkit import mltable
from stepkit.program import StepError


def mltable_files(folder: Path) -> list[Path]:
    """Return the files that an MLTable names.

    Raises:
        WrongRequestError: The MLTable is wrong.
    """
    try:
        return mltable.mltable_files(folder)
    except StepError as error:
        raise WrongRequestError(str(error)) from error


def table_batches(request: Request, folder: Path) -> Iterator[MiniBatch]:
    """Yield mini-batches of rows, each written to a file of the run's folder.

    Without partition keys, a mini-batch has as many rows as have the asked size in the input's
    files, taken as if all rows were of the same size; else the rows of one value of the keys, in
    the order in which the values first appear.

    Raises:
        WrongRequestError: There is no MLTable, it is wrong, or it lacks a partition key.
    """
    place = Path(request.input_data)
    if not mltable.is_mltable(place):
        raise WrongRequestError(f"{place} has no {MLTABLE} file, and so is no table")
    try:
        table = mltable.read_mltable(place)
        size = sum(file.stat().st_size for file in mltable.mltable_files(place))
    except StepError as error:
        raise WrongRequestError(str(error)) from error
    if request.partition_keys:
        groups = _partitions(table, request.partition_keys, place)
    else:
        groups = _pieces(table, max(1, request.mini_batch_size * len(table) // max(1, size)))
    for index, (first, partition, rows) in enumerate(groups):
        file = folder / "tables" / f"{index:06d}.pkl"
        file.parent.mkdir(parents=True, exist_ok=True)
        rows.to_pickle(file)
        yield MiniBatch(
            index,
            len(rows),
            table=str(file.relative_to(folder)),
            first_row=first,
            partition=partition,
        )


def _pieces(table: pd.DataFrame, step: int) -> Iterator[tuple[int, dict[str, Any], pd.DataFrame]]:
    for start in range(0, len(table), step):
        yield start, {}, table.iloc[start : start + step].reset_index(drop=True)


def _partitions(
    table: pd.DataFrame, keys: Sequence[str], place: Path
) -> Iterator[tuple[int, dict[str, Any], pd.DataFrame]]:
    for key in keys:
        if key not in table.columns:
            raise WrongRequestError(
                f"no column {key!r} to partition by in {place}; it has {', '.join(table.columns)}"
            )
    first = 0
    for values, rows in table.groupby(list(keys), sort=False, dropna=False):
        each = values if isinstance(values, tuple) else (values,)  # as older pandas have one key
        named = {key: _plain(value) for key, value in zip(keys, each)}  # noqa: B905 - Python 3.7
        yield first, named, rows.reset_index(drop=True)
        first += len(rows)


def _plain(value: Any) -> Any:
    """Return a value of a column as JSON can hold it."""
    value = value.item() if hasattr(value, "item") else value
    return value if isinstance(value, (bool, int, float, str)) else str(value)


def read_rows(file: Path) -> pd.DataFrame:
    """Return the rows of a mini-batch, from the file that `table_batches` wrote."""
    # The run's own file, in a folder of its own.
    table: pd.DataFrame = pd.read_pickle(file)  # noqa: S301
    return table
