"""A map of a model's errors over the ranges or values of one or two columns."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stepkit.metrics import Floats

BINS = 6
#: Texts beyond the most frequent are one bin.
MOST_TEXTS = 8
OTHERS = "others"


@dataclass(frozen=True)
class HeatMap:
    """The map.

    Attributes:
        x: The column across, and its bins.
        y: The column down, and its bins; of one column alone, an empty name and one bin.
        errors: Mean loss of each cell, shape (y, x); NaN where no row is.
        counts: Rows of each cell.
        coverage: Share of the whole loss in each cell.
    """

    x: tuple[str, tuple[str, ...]]
    y: tuple[str, tuple[str, ...]]
    errors: Floats
    counts: NDArray[np.int64]
    coverage: Floats


def binned(column: pd.Series, method: str) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """Return names of bins, and each row's bin.

    Args:
        column: Numbers, or texts with no missing one.
        method: `quantile` for bins of about as many rows, `equal_width` for as wide ones.
    """
    if column.dtype == object:
        counts = column.value_counts()
        kept = [str(label) for label in counts.index[:MOST_TEXTS]]
        place = {label: number for number, label in enumerate(kept)}
        texts = [place.get(label, len(kept)) for label in column]
        named = kept + ([OTHERS] if len(counts) > len(kept) else [])
        return tuple(named), np.array(texts, dtype=np.intp)
    values = column.to_numpy(dtype=np.float64)
    present = values[np.isfinite(values)]
    if len(np.unique(present)) <= BINS:
        edges = np.unique(present)
        names = [f"{edge:.6g}" for edge in edges]
        codes = np.searchsorted(edges, values)
    elif method == "quantile":
        names, codes = _by_quantiles(values, present)
    else:
        names, codes = _ranges(np.linspace(present.min(), present.max(), BINS + 1), values)
    missing = ~np.isfinite(values)
    if missing.any():
        codes = np.where(missing, len(names), codes)
        names.append("missing")
    return tuple(names), codes.astype(np.intp)


def _ranges(edges: Floats, values: Floats) -> tuple[list[str], NDArray[np.intp]]:
    """Return the names of ranges and each value's; a range has its upper, not its lower edge."""
    is_whole = bool((edges == np.round(edges)).all() and (values == np.round(values)).all())
    names = []
    for number, (low, high) in enumerate(pairwise(edges)):
        first = low + 1 if number and is_whole else low
        names.append(f"{high:.10g}" if first == high else f"{first:.10g} to {high:.10g}")
    if not is_whole:
        names = [f"{low:.5g} to {high:.5g}" for low, high in pairwise(edges)]
    if len(edges) == 1:
        names = [f"{edges[0]:.5g}"]
    codes = np.searchsorted(edges, values, side="left") - 1
    return names, np.clip(codes, 0, len(names) - 1)


def _by_quantiles(values: Floats, present: Floats) -> tuple[list[str], NDArray[np.intp]]:
    """Return bins of about as many rows; a value that alone fills a bin is one of its own."""
    found, counts = np.unique(present, return_counts=True)
    if counts.max() * BINS <= len(present):
        return _ranges(np.unique(np.quantile(present, np.linspace(0, 1, BINS + 1))), values)
    heavy = float(found[counts.argmax()])
    rest = len(present) - int(counts.max())
    names: list[str] = []
    codes = np.zeros(len(values), dtype=np.intp)
    for part in (values < heavy, values == heavy, values > heavy):
        own = values[part]
        if not len(own):
            continue
        bins = 1 if own[0] == heavy else max(1, round((BINS - 1) * len(own) / rest))
        edges = np.unique(np.quantile(own, np.linspace(0, 1, bins + 1)))
        more, places = _ranges(edges, own)
        codes[part] = len(names) + places
        names += more
    return names, codes


def heat_map(table: pd.DataFrame, losses: Floats, columns: tuple[str, ...], bins: str) -> HeatMap:
    """Return the map over one or two columns.

    Args:
        table: What `readable` gave.
        losses: Of the same rows.
        columns: The first goes across.
        bins: How numbers are cut; see `binned`.
    """
    x_names, across = binned(table[columns[0]], bins)
    if len(columns) > 1:
        y_names, down = binned(table[columns[1]], bins)
    else:
        y_names, down = ("all",), np.zeros(len(table), dtype=np.intp)
    shape = (len(y_names), len(x_names))
    cells = down * shape[1] + across
    counts = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)
    sums = np.bincount(cells, weights=losses, minlength=shape[0] * shape[1]).reshape(shape)
    errors = np.divide(sums, counts, out=np.full(shape, np.nan), where=counts > 0)
    total = float(losses.sum())
    coverage = sums / total if total else np.zeros(shape)
    down_name = columns[1] if len(columns) > 1 else ""
    return HeatMap(
        (columns[0], x_names), (down_name, y_names), errors, counts.astype(np.int64), coverage
    )
