"""Who a row is of: sensitive columns, their groups, and intersections of two."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stepkit.program import StepError, names
from stepkit.table import label_text, require_column

#: Taken by `auto`: grounds that law protects nearly everywhere, such as the Charter of Fundamental
#: Rights of the EU, article 21, and title VII of the US Civil Rights Act.
USUAL = (
    *("sex", "gender", "race", "ethnicity", "ethnic_group", "ethnic_origin", "color", "colour"),
    *("age", "age_group", "religion", "disability", "nationality", "sexual_orientation"),
)
#: Not taken, but pointed at: they are protected in places, or stand in for what is.
RELATED = (
    *("marital_status", "relationship", "native_country", "national_origin", "country_of_birth"),
    *("pregnancy", "language", "zip", "zip_code", "postcode", "postal_code"),
)
#: A column of numbers with more different values is cut into ranges.
MOST_VALUES = 10
#: A column with more groups says who, not of what group.
MOST_GROUPS = 50
#: Where a column of ages is cut: below 25, and 40 and 60, near which work and its law change
#: (US Age Discrimination in Employment Act: 40).
AGES = (25.0, 40.0, 60.0)
MISSING = "missing"


@dataclass(frozen=True)
class Grouping:
    """The group of each row.

    Attributes:
        name: The column, or `sex x race`.
        labels: Of the groups, in the order to be shown in.
        codes: Each row's place in `labels`, shape (n,).
        note: How they were made, where that is not plain; else empty.
        edges: Where numbers were cut; empty where they were not.
        ranges: The names of all ranges between them, also of those without a row.
        is_crossed: Whether they are the intersections of two columns' groups.
    """

    name: str
    labels: tuple[str, ...]
    codes: NDArray[np.intp]
    note: str = ""
    edges: tuple[float, ...] = ()
    ranges: tuple[str, ...] = ()
    is_crossed: bool = False

    @property
    def counts(self) -> NDArray[np.intp]:
        """How many rows each group has."""
        return np.bincount(self.codes, minlength=len(self.labels))

    @property
    def texts(self) -> NDArray[np.object_]:
        """The label of each row."""
        return np.array(self.labels, dtype=object)[self.codes]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()).strip("_")


def settle_sensitive(given: str, table: pd.DataFrame, target: str) -> tuple[tuple[str, ...], str]:
    """Return the sensitive columns, and how they came about, in words.

    Args:
        given: Names, comma-separated; `auto` takes columns of the usual names; `none` takes none.
        table: The rows that are judged.
        target: Never taken by `auto`.

    Raises:
        StepError: There is no column of a name.
    """
    if given.strip() == "none":
        return (), "No sensitive columns were to be looked at (sensitive: none)."
    if given.strip() != "auto":
        columns = tuple(dict.fromkeys(names(given)))
        for name in columns:
            require_column(table, name, "sensitive column")
        return columns, f"Groups are those of {_listed(columns)}, as was asked for."
    usual = [str(c) for c in table.columns if _plain(str(c)) in USUAL and c != target]
    columns = tuple(sorted(usual, key=lambda name: USUAL.index(_plain(name))))
    related = [str(c) for c in table.columns if _plain(str(c)) in RELATED and c != target]
    if columns:
        words = (
            f"Nobody said which columns are sensitive, so those of usual names were taken: "
            f"{_listed(columns)}."
        )
    else:
        words = (
            "Nobody said which columns are sensitive, and no column has a usual name for one "
            "(such as sex, race, or age)."
        )
    if related:
        words += f" Think of {_listed(related)}, too: name them in the input sensitive if need be."
    return columns, words


def _listed(columns: tuple[str, ...] | list[str]) -> str:
    if len(columns) < 2:
        return "".join(columns)
    return f"{', '.join(columns[:-1])} and {columns[-1]}"


def group(table: pd.DataFrame, column: str, ranges: Mapping[str, tuple[float, ...]]) -> Grouping:
    """Return the groups of one column.

    Numbers with more than `MOST_VALUES` different values are cut: where `ranges` says, else ages
    at `AGES`, and others at their quartiles. What is missing is a group of its own. Ranges rise;
    other groups are in the order of their size.
    """
    values = table[column]
    is_number = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    if is_number and (column in ranges or values.nunique() > MOST_VALUES):
        return _cut(values, ranges.get(column))
    texts = values.map(label_text, na_action="ignore").astype(object)
    counts = texts.value_counts(sort=True)
    order = [
        str(label)
        for label in counts.sort_index().sort_values(ascending=False, kind="stable").index
    ]
    return _grouping(column, order, texts)


def _cut(values: pd.Series, given: tuple[float, ...] | None) -> Grouping:
    name = str(values.name)
    present = values.dropna().to_numpy(dtype=np.float64)
    if given is not None:
        edges, how = given, "as asked for"
    elif "age" in _plain(name).split("_"):
        edges, how = AGES, "as is usual for ages"
    else:
        quartiles = np.quantile(present, [0.25, 0.5, 0.75])
        edges, how = (
            tuple(float(f"{edge:.3g}") for edge in np.unique(quartiles)),
            "at the quartiles",
        )
    whole = bool((present == np.round(present)).all()) and all(e == round(e) for e in edges)
    labels = [f"under {edges[0]:.10g}"]
    for low, high in pairwise(edges):
        labels.append(
            f"{low:.10g} to {high - 1:.10g}" if whole else f"{low:.10g} to under {high:.10g}"
        )
    labels.append(f"{edges[-1]:.10g} and over")
    numbers = np.searchsorted(np.array(edges), values.to_numpy(dtype=np.float64), side="right")
    named = np.array([*labels, None], dtype=object)
    # NaN is sorted behind all edges; it has no range.
    texts = pd.Series(named[np.where(values.isna(), len(labels), numbers)])
    cuts = ", ".join(f"{edge:.10g}" for edge in edges)
    made = _grouping(name, labels, texts)
    note = f"{name} is cut at {cuts}, {how}"
    return replace(made, note=note, edges=tuple(edges), ranges=tuple(labels))


def _grouping(name: str, order: list[str], texts: pd.Series) -> Grouping:
    filled = texts.where(texts.notna(), MISSING)
    here = set(filled)
    labels = [label for label in order if label in here]
    if MISSING in here and MISSING not in labels:
        labels.append(MISSING)
    place = {label: number for number, label in enumerate(labels)}
    codes = np.array([place[label] for label in filled], dtype=np.intp)
    return Grouping(name, tuple(labels), codes)


def cross(one: Grouping, other: Grouping) -> Grouping:
    """Return the intersections of two groupings that have rows."""
    both = one.codes * len(other.labels) + other.codes
    present, codes = np.unique(both, return_inverse=True)
    labels = tuple(
        f"{one.labels[number // len(other.labels)]}, {other.labels[number % len(other.labels)]}"
        for number in present
    )
    return Grouping(f"{one.name} x {other.name}", labels, codes.astype(np.intp), is_crossed=True)


def groupings(
    table: pd.DataFrame, sensitive: Sequence[str], ranges: Mapping[str, tuple[float, ...]]
) -> tuple[list[Grouping], list[str]]:
    """Return the groups of every sensitive column and of every two, and what must be said.

    A column with fewer than two or more than `MOST_GROUPS` groups is left out, in words.
    """
    each, said = [], []
    for column in sensitive:
        made = group(table, column, ranges)
        if len(made.labels) < 2:
            said.append(f"{column} is the same in all rows, so there is nothing to compare.")
        elif len(made.labels) > MOST_GROUPS:
            said.append(
                f"{column} has {len(made.labels)} different values, which are too many for groups; "
                "it is left out."
            )
        else:
            each.append(made)
            if made.note:
                said.append(made.note[0].upper() + made.note[1:] + ".")
    crossed = [cross(one, other) for one, other in combinations(each, 2)]
    return [*each, *crossed], said


def parse_ranges(text: str) -> dict[str, tuple[float, ...]]:
    """Parse where columns are cut: `age: 30 50; income: 20000`; `auto` is nothing.

    Raises:
        StepError: A part is not a name, a colon, and rising numbers.
    """
    found: dict[str, tuple[float, ...]] = {}
    for part in text.split(";") if text.strip() != "auto" else ():
        name, _, numbers = part.rpartition(":")
        try:
            edges = tuple(float(number) for number in numbers.replace(",", " ").split())
        except ValueError:
            edges = ()
        rising = all(one < other for one, other in pairwise(edges))
        if not name.strip() or not edges or not rising:
            raise StepError(
                f"ranges: {part.strip()!r} does not say where a column is cut",
                hint="write a name, a colon, and rising numbers, as in: age: 30 50; score: 0.5",
            )
        found[name.strip()] = edges
    return found
