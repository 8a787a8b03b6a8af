"""Columns of a window, gathered chunk by chunk, and read as the reference has them.

A column is kept as it comes: parts of numbers, parts of texts by their place in one list of
different texts. What it is, a number or a category, the reference decides once all is read; so a
text in a column of numbers is found, and counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypeGuard, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitorkit.distances import Floats
from stepkit.table import label_text

Codes: TypeAlias = NDArray[np.int32]
Kind: TypeAlias = Literal["numerical", "categorical", "time", "unsupported"]

#: Values of one chunk that are numbers and texts: all as texts, and those that are as numbers.
MIXED = pa.struct([pa.field("number", pa.float64()), pa.field("text", pa.string())])
#: Azure reads whole numbers as categories where less than this share of them is different.
_FEW_VALUES = 0.05
#: How much more than the rows that are kept is gathered before what is too much is dropped.
_SLACK = 1.25


@dataclass
class Column:
    """One column: parts of floats (NaN is missing), of codes (-1 is), or of so many missing."""

    parts: list[Floats | Codes | int] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)
    odd: Literal["time", "unsupported", ""] = ""
    numbers_as_text: int = 0

    def add(self, values: pa.ChunkedArray) -> None:
        """Add a chunk's values."""
        kind = values.type
        if kind == MIXED:
            numbers = pc.struct_field(values, "number")
            self.numbers_as_text += len(values) - numbers.null_count
            values = pc.struct_field(values, "text")
            kind = values.type
        if pa.types.is_dictionary(kind):
            values, kind = values.cast(kind.value_type), kind.value_type
        if pa.types.is_null(kind):
            self.parts.append(len(values))
        elif pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            numbers = pc.cast(values, pa.float64(), safe=False)
            self.parts.append(np.asarray(numbers.to_numpy(), dtype=float))
        elif (
            pa.types.is_boolean(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)
        ):
            self.parts.append(self._codes(values))
        else:
            self.odd = "time" if pa.types.is_temporal(kind) else "unsupported"
            self.parts.append(len(values))

    def _codes(self, values: pa.ChunkedArray) -> Codes:
        encoded = values.combine_chunks().dictionary_encode()
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.combine_chunks()
        labels = [label_text(label) for label in encoded.dictionary.to_pylist()]
        found = np.array([self.places.setdefault(each, len(self.places)) for each in labels] + [-1])
        indices = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
        return cast(Codes, found[indices].astype(np.int32))

    def keep(self, masks: list[NDArray[np.bool_]]) -> None:
        """Drop rows of each part; `masks` says which stay."""
        self.parts = [
            int(mask.sum()) if isinstance(part, int) else part[mask]
            for part, mask in zip(self.parts, masks, strict=True)
        ]

    @property
    def labels(self) -> list[str]:
        """The different texts, by their codes."""
        return list(self.places)

    def kind(self) -> Kind:
        """Return what the column is, as Azure infers it.

        Texts and booleans are categories, numbers are numbers; but whole numbers of which less than
        5 % are different are categories. Where both occur, the more frequent counts.
        """
        if self.odd:
            return self.odd
        texts = sum(int((part >= 0).sum()) for part in self.parts if _is_codes(part))
        texts -= self.numbers_as_text
        numbers = [part for part in self.parts if _is_floats(part)]
        present = [part[~np.isnan(part)] for part in numbers]
        rows = sum(len(part) for part in present)
        if texts >= rows + self.numbers_as_text:
            return "categorical"
        if not rows or not all(bool((part == np.floor(part)).all()) for part in present):
            return "numerical"
        different = len(np.unique(np.concatenate(present)))
        return "categorical" if different / rows < _FEW_VALUES else "numerical"

    def numbers(self) -> tuple[Floats, int]:
        """Return the column as numbers, and how many texts are none; those are missing then."""
        floats = [part for part in self.parts if _is_floats(part)]
        if floats and len(floats) == len(self.parts):
            return floats[0] if len(floats) == 1 else np.concatenate(floats), 0
        named = {"True": 1.0, "False": 0.0}
        texts = [named.get(label, label) for label in self.labels]
        read = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce").to_numpy(float)
        is_wrong = np.append(np.isnan(read), False)
        read = np.append(read, np.nan)
        wrong, found = 0, []
        for part in self.parts:
            if isinstance(part, int):
                found.append(np.full(part, np.nan))
            elif _is_codes(part):
                wrong += int(is_wrong[part].sum())
                found.append(read[part])
            else:
                found.append(cast(Floats, part))
        return (np.concatenate(found) if found else np.empty(0)), wrong

    def categories(self) -> dict[str, int]:
        """Return how many rows each category has; what is missing is none."""
        counted = np.zeros(len(self.places), dtype=np.int64)
        numbers: list[Floats] = []
        for part in self.parts:
            if isinstance(part, int):
                continue
            if _is_codes(part):
                counted += np.bincount(part[part >= 0], minlength=len(counted))
            else:
                numbers.append(cast(Floats, part)[~np.isnan(part)])
        found = dict(zip(self.places, counted.tolist(), strict=True))
        if numbers:
            values, rows = np.unique(np.concatenate(numbers), return_counts=True)
            for value, count in zip(values.tolist(), rows.tolist(), strict=True):
                label = label_text(value)
                found[label] = found.get(label, 0) + count
        return {label: count for label, count in found.items() if count}

    def texts(self) -> NDArray[np.object_]:
        """Return the column as texts, None where missing."""
        labels = np.array([*self.labels, None], dtype=object)
        found = []
        for part in self.parts:
            if isinstance(part, int):
                found.append(np.full(part, None, dtype=object))
            elif _is_codes(part):
                found.append(labels[part])
            else:
                values, places = np.unique(part, return_inverse=True)
                names = [None if np.isnan(value) else label_text(value) for value in values]
                found.append(np.array(names, dtype=object)[places])
        return np.concatenate(found) if found else np.empty(0, dtype=object)

    def missing(self) -> int:
        """Return how many rows have no value."""
        missing = 0
        for part in self.parts:
            if isinstance(part, int):
                missing += part
            else:
                missing += int((part < 0 if _is_codes(part) else np.isnan(part)).sum())
        return missing


def _is_codes(part: Floats | Codes | int) -> TypeGuard[Codes]:
    return not isinstance(part, int) and part.dtype == np.int32


def _is_floats(part: Floats | Codes | int) -> TypeGuard[Floats]:
    return not isinstance(part, int) and part.dtype != np.int32


@dataclass
class Rows:
    """The rows of a window, as columns.

    Attributes:
        columns: By name.
        seen: Rows of the window.
        kept: Rows in the columns.
    """

    columns: dict[str, Column]
    seen: int
    kept: int
    # Several signals ask for them, and each time every row would be counted.
    _kinds: dict[str, Kind] = field(default_factory=dict, init=False, repr=False)
    _categories: dict[str, Mapping[str, int]] = field(default_factory=dict, init=False, repr=False)

    def column(self, name: str) -> Column:
        """Return a column; one that no row has is all missing."""
        return self.columns.get(name) or Column([self.kept])

    def kind(self, name: str) -> Kind:
        """Return what a column is: `Column.kind`."""
        if name not in self._kinds:
            self._kinds[name] = self.column(name).kind()
        return self._kinds[name]

    def categories(self, name: str) -> Mapping[str, int]:
        """Return how many rows each category of a column has: `Column.categories`."""
        if name not in self._categories:
            self._categories[name] = self.column(name).categories()
        return self._categories[name]


class Gatherer:
    """Gathers chunks into columns; of more rows than it may keep, as many at random.

    Every row draws a number, and those with the smallest are kept: a simple random sample, whatever
    the order of the rows.
    """

    def __init__(self, rows_at_most: int, seed: int) -> None:
        self._most = rows_at_most
        self._random = np.random.default_rng(seed)
        self._draws: list[Floats] = []
        self._limit = 1.0
        self._columns: dict[str, Column] = {}
        self._seen = 0

    def add(self, chunk: pa.Table) -> None:
        """Add rows; a column that others lack is missing there."""
        self._seen += len(chunk)
        draws = self._random.random(len(chunk))
        if self._limit < 1:
            mask = draws < self._limit
            chunk, draws = chunk.filter(pa.array(mask)), draws[mask]
        if not len(chunk):
            return
        for name in chunk.column_names:
            if name not in self._columns:
                self._columns[name] = Column([len(part) for part in self._draws])
        for name, column in self._columns.items():
            if name in chunk.column_names:
                column.add(chunk[name])
            else:
                column.parts.append(len(chunk))
        self._draws.append(draws)
        if sum(len(part) for part in self._draws) > self._most * _SLACK:
            self._drop()

    def _drop(self) -> None:
        if sum(len(part) for part in self._draws) <= self._most:
            return
        drawn = np.concatenate(self._draws)
        self._limit = float(np.partition(drawn, self._most)[self._most])
        masks = [part < self._limit for part in self._draws]
        for column in self._columns.values():
            column.keep(masks)
        self._draws = [part[mask] for part, mask in zip(self._draws, masks, strict=True)]

    def rows(self) -> Rows:
        """Return what was gathered."""
        self._drop()
        return Rows(self._columns, self._seen, sum(len(part) for part in self._draws))


def kinds(rows: Rows, stated: Mapping[str, Literal["numerical", "categorical"]]) -> dict[str, Kind]:
    """Return what each column is: as stated, else as inferred."""
    return {name: stated.get(name) or rows.kind(name) for name in rows.columns}
