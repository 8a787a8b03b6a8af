"""Rows that are joined by the ids of their requests: features, predictions, and later the truth."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa

from monitorkit.columns import Gatherer, Rows
from monitorkit.reading import read_rows
from monitorkit.request import Data
from stepkit.collected import ID, ROW, joined
from stepkit.program import StepError


def joined_rows(
    parts: Sequence[tuple[Data, Sequence[str] | None]],
    now: datetime,
    *,
    rows_at_most: int,
    seed: int,
) -> tuple[Rows, int]:
    """Read several data sets and join them by correlation id, and by row where both have it.

    Args:
        parts: Data, and the columns wanted of each; None are all.
        now: From which windows are seen.
        rows_at_most: Of the first part; the others must be whole for its rows to be found there.
        seed: See `Gatherer`.

    Returns:
        The rows that all have, and how many the first has.

    Raises:
        StepError: A part cannot be read, or has no correlation ids.
    """
    frames = []
    for place, (data, columns) in enumerate(parts):
        most = rows_at_most if place == 0 else 2**62
        frames.append(_indexed(data, columns, now, most, seed))
    whole = frames[0]
    for frame in frames[1:]:
        whole = joined(whole, frame)
    gatherer = Gatherer(rows_at_most, seed)
    gatherer.add(pa.Table.from_pandas(whole, preserve_index=False))
    return gatherer.rows(), len(frames[0])


def _indexed(
    data: Data, columns: Sequence[str] | None, now: datetime, most: int, seed: int
) -> pd.DataFrame:
    name = data.correlation_id_column
    rows = read_rows(
        data,
        now,
        rows_at_most=most,
        seed=seed,
        columns=[*columns, name] if columns else None,
        has_ids=True,
    )
    if rows.kept and name not in rows.columns:
        raise StepError(
            f"no correlation ids in {data.path}: no column {name!r}",
            hint="give correlation_id_column; without ids nothing can be joined",
        )
    levels = {ID: rows.column(name).texts()}
    if ROW in rows.columns:
        levels[ROW] = rows.columns[ROW].numbers()[0].astype(np.int64)
    wanted = [each for each in columns or rows.columns if each not in (name, ID, ROW)]
    values = {each: _values(rows, each) for each in wanted}
    index = pd.MultiIndex.from_arrays(list(levels.values()), names=list(levels))
    return pd.DataFrame(values, index=index)


def _values(rows: Rows, name: str) -> np.ndarray[tuple[int], np.dtype[np.object_ | np.float64]]:
    column = rows.column(name)
    return column.texts() if column.labels else column.numbers()[0]
