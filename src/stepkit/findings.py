"""What a step found out, as sections that the report of a model is put together from.

A section is plain words first, then blocks. A block is data, not a picture, where a reader may want
to sort, pick, or slide; the report draws it. Every number in it must be finite, or None where there
is none: JSON has no other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeAlias

from stepkit.program import markdown_table, read_format, write_json

FILE = "findings.json"
_FORMAT = 1

Cell: TypeAlias = "str | float | int | bool | None"


@dataclass(frozen=True)
class Table:
    """A table that can be sorted by each column.

    Attributes:
        head: Names of the columns.
        rows: As many cells each; numbers as numbers, so that they sort as such.
        formats: How numbers of a column are shown, by the column's name: a format of Python's
            `format`, such as `.3f`, `.1%`, or `,d`.
        caption: What it shows.
        sorted_by: The column that it comes sorted by; empty where the order is its own.
    """

    kind: ClassVar[str] = "table"
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    formats: Mapping[str, str]
    caption: str = ""
    sorted_by: str = ""

    def markdown(self) -> str:
        """Return it as Markdown; what has no value is an empty cell."""
        rows = [
            tuple(
                _shown(cell, self.formats.get(name, ""))
                for name, cell in zip(self.head, row, strict=True)
            )
            for row in self.rows
        ]
        return markdown_table(tuple(self.head), rows)


def _shown(cell: Cell, form: str) -> str:
    if cell is None:
        return ""
    return format(cell, form) if form and not isinstance(cell, str) else str(cell)


@dataclass(frozen=True)
class Picture:
    """A PNG file of the step's report.

    Attributes:
        file: Its path within the report.
        alt: What is to be seen, for those who do not see it.
    """

    kind: ClassVar[str] = "picture"
    file: str
    alt: str


@dataclass(frozen=True)
class Line:
    """One line, or cloud of points, of a chart.

    Attributes:
        name: For the legend.
        x: Where its points are; numbers, or texts that are all categories.
        y: Their heights, as many.
        low: Lower edge of a band around it; empty for none.
        high: Upper edge.
        style: `line`, `step` (value until the next x), `points`, or `dotted` (a reference).
    """

    name: str
    x: Sequence[float | str]
    y: Sequence[float | None]
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()
    style: Literal["line", "step", "points", "dotted"] = "line"


@dataclass(frozen=True)
class Chart:
    """Lines over a common axis."""

    kind: ClassVar[str] = "chart"
    lines: Sequence[Line]
    x_label: str
    y_label: str
    caption: str = ""
    log_x: bool = False


@dataclass(frozen=True)
class Bars:
    """Horizontal bars, each with its interval; those below 0 go to the left.

    Attributes:
        names: Of the bars.
        values: Their lengths.
        low: Lower bounds; empty for none.
        high: Upper bounds.
        label: What the lengths are, with the unit.
    """

    kind: ClassVar[str] = "bars"
    names: Sequence[str]
    values: Sequence[float]
    label: str
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    caption: str = ""


@dataclass(frozen=True)
class Grid:
    """A heat map.

    Attributes:
        x: Names of the columns of cells.
        y: Names of the rows of cells.
        values: Shape (y, x); None where there is nothing to tell.
        counts: Rows of data behind each cell, shape (y, x).
        format: How a value is shown.
    """

    kind: ClassVar[str] = "grid"
    x: Sequence[str]
    y: Sequence[str]
    values: Sequence[Sequence[float | None]]
    counts: Sequence[Sequence[int]]
    x_label: str
    y_label: str
    format: str = ".1%"
    caption: str = ""


@dataclass(frozen=True)
class Node:
    """One node of a tree.

    Attributes:
        parent: The parent's place in the list; None for the root, which is first.
        condition: What leads here from the parent, such as `age <= 35`; empty at the root.
        value: What is shown, such as the error rate.
        count: Rows of data.
        note: Such as the share of all errors.
    """

    parent: int | None
    condition: str
    value: float | None
    count: int
    note: str = ""


@dataclass(frozen=True)
class Tree:
    """A tree, drawn from its root down; greater values are darker."""

    kind: ClassVar[str] = "tree"
    nodes: Sequence[Node]
    format: str = ".1%"
    caption: str = ""


@dataclass(frozen=True)
class Thresholds:
    """Counts at every threshold, for a slider.

    Attributes:
        threshold: Falling or rising, shape (k,).
        tp: True positives at each; so fp, fn, tn.
        chosen: Where the slider starts.
        cost_fp: Cost of one false positive; so cost_fn.
    """

    kind: ClassVar[str] = "thresholds"
    threshold: Sequence[float]
    tp: Sequence[float]
    fp: Sequence[float]
    fn: Sequence[float]
    tn: Sequence[float]
    positive: str
    chosen: float = 0.5
    cost_fp: float = 1.0
    cost_fn: float = 1.0


@dataclass(frozen=True)
class Choice:
    """Blocks of which the reader picks one group: a feature, a row, a cohort.

    Attributes:
        label: What is picked, such as `feature`.
        options: Names, each with its blocks, the first shown first.
    """

    kind: ClassVar[str] = "choice"
    label: str
    options: Mapping[str, Sequence[Block]]


Block: TypeAlias = "Table | Picture | Chart | Bars | Grid | Tree | Thresholds | Choice"


@dataclass(frozen=True)
class Section:
    """A part of the report.

    Attributes:
        title: In plain words.
        words: Paragraphs for someone who is no data scientist: what was looked at, what came out,
            what it means. They come before every block.
        blocks: What can be looked at.
        verdict: `good`, `warning`, or `bad`, where the step has a rule for it; else empty.
    """

    title: str
    words: Sequence[str]
    blocks: Sequence[Block] = ()
    verdict: Literal["good", "warning", "bad", ""] = ""


def write_findings(folder: Path, step: str, sections: Sequence[Section]) -> None:
    """Write `findings.json` into a step's report.

    Args:
        folder: The step's report, where the pictures are.
        step: The component's name.
        sections: In the order to be read in.

    Raises:
        ValueError: A number is not finite.
    """
    document = {"format": _FORMAT, "step": step, "sections": [_plain(each) for each in sections]}
    write_json(folder / FILE, document)


def _plain(value: Any) -> Any:
    """Return a block as JSON has it, with its kind."""
    if is_dataclass(value) and not isinstance(value, type):
        kind = {"kind": value.kind} if hasattr(value, "kind") else {}
        names = value.__dataclass_fields__
        return {**kind, **{name: _plain(getattr(value, name)) for name in names}}
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, str) or value is None:
        return value
    if hasattr(value, "tolist"):  # an array or a number of NumPy
        return value.tolist()
    return [_plain(each) for each in value] if isinstance(value, Sequence) else value


def read_findings(folder: Path) -> dict[str, Any]:
    """Read what `write_findings` wrote: `step`, and `sections` as JSON has them.

    Raises:
        StepError: It is not there, or not of this format.
    """
    return read_format(folder / FILE, _FORMAT)
