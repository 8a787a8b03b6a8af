"""Draws blocks of findings for paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reportlab.lib.units import cm
from reportlab.lib.utils import ImageReader
from reportlab.platypus import Image, Spacer
from reportlab.platypus import Table as Cells

from raikit.report.blocks import picture_file, reading
from raikit.report.pdf_charts import draw_bar, draw_chart
from raikit.report.pdf_text import (
    EDGE,
    HEAT,
    cell,
    paragraph,
)
from raikit.report.sliders import RATES, begin_at, rates_of
from raikit.report.words import number
from stepkit.findings import (
    Bars,
    Block,
    Chart,
    Choice,
    Grid,
    Picture,
    Table,
    Thresholds,
    Tree,
)

WIDTH = 16.9 * cm
#: More columns than these are not to be read on paper.
MOST_COLUMNS = 8


@dataclass(frozen=True)
class Extent:
    """How much of a block is drawn.

    Attributes:
        rows: Rows of a table, and bars.
    """

    rows: int


def block_flowables(block: Block, folder: Path | None, extent: Extent) -> list[Any]:
    """Return a block with its caption, and how it is to be read, for reportlab to lay out."""
    if isinstance(block, Choice):
        return _first_option(block, folder, extent)
    drawn = _drawn(block, folder, extent)
    caption = getattr(block, "caption", "")
    head = [paragraph(caption, "text", bold=True)] if caption else []
    said = reading(block)
    if said and not isinstance(block, Thresholds):
        head.append(paragraph(said, "small", soft=True))
    return [*head, *drawn, Spacer(0, 0.25 * cm)]


def grid_of(rows: Sequence[Sequence[Any]], widths: Sequence[float], *, head: bool = True) -> Cells:
    """Return a plain table with a thin line below each row."""
    table = Cells(rows, colWidths=widths, repeatRows=1 if head else 0, hAlign="LEFT")
    table.setStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, EDGE),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 6),
            ("TOPPADDING", (0, 0), (-1, -1), 2.2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2.2),
        ]
    )
    return table


def _drawn(block: Block, folder: Path | None, extent: Extent) -> list[Any]:
    if isinstance(block, Table):
        return _table(block, extent)
    if isinstance(block, Bars):
        return _bars(block, extent)
    if isinstance(block, Chart):
        return draw_chart(block)
    if isinstance(block, Grid):
        return _heat(block)
    if isinstance(block, Tree):
        return _tree(block)
    if isinstance(block, Thresholds):
        return _thresholds(block)
    if isinstance(block, Picture):
        return _picture(block, folder)
    raise TypeError(f"no drawing for paper of {block.kind}")


def _first_option(choice: Choice, folder: Path | None, extent: Extent) -> list[Any]:
    if not choice.options:
        return []
    name = next(iter(choice.options))
    drawn = [
        each for block in choice.options[name] for each in block_flowables(block, folder, extent)
    ]
    others = len(choice.options) - 1
    more = f" ({others} more are in the HTML report)" if others else ""
    return [paragraph(f"{choice.label}: {name}{more}", "text", bold=True), *drawn]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _table(table: Table, extent: Extent) -> list[Any]:
    head, rows = list(table.head[:MOST_COLUMNS]), table.rows[: extent.rows]
    if not head or not rows:
        return [paragraph("There are no rows.", "small", soft=True)]
    numeric = [
        all(row[place] is None or _is_number(row[place]) for row in rows)
        for place in range(len(head))
    ]
    drawn = [
        [cell(name, bold=True, soft=True, right=r) for name, r in zip(head, numeric, strict=True)]
    ]
    for row in rows:
        shown = zip(head, row[: len(head)], strict=True)
        texts = [number(value, table.formats.get(name, "")) for name, value in shown]
        drawn.append([cell(text, right=r) for text, r in zip(texts, numeric, strict=True)])
    weights = [
        min(40, max(6, *(len(number(row[place])) for row in rows), len(name) / 1.5))
        for place, name in enumerate(head)
    ]
    widths = [min(WIDTH * weight / sum(weights), 0.21 * cm * weight + 12) for weight in weights]
    notes = []
    if len(table.rows) > len(rows):
        notes.append(f"{len(table.rows) - len(rows):,} more rows")
    if len(table.head) > len(head):
        notes.append(f"{len(table.head) - len(head)} more columns")
    made: list[Any] = [grid_of(drawn, widths)]
    if notes:
        made.append(paragraph(f"{' and '.join(notes)} are in the HTML report.", "small", soft=True))
    return made


def _bars(bars: Bars, extent: Extent) -> list[Any]:
    count = min(len(bars.values), extent.rows)
    if not count:
        return [paragraph("There are no values to draw.", "small", soft=True)]
    values, low, high = bars.values[:count], bars.low[:count], bars.high[:count]
    least, most = min(0.0, *values, *low), max(0.0, *values, *high)
    rows = []
    width = 7.1 * cm
    for place, (name, value) in enumerate(zip(bars.names[:count], values, strict=True)):
        span = (low[place], high[place]) if low and high else None
        text = number(value)
        if span:
            text = f"{text} ({number(span[0])} to {number(span[1])})"
        rows.append([cell(name), draw_bar(value, span, least, most, width), cell(text, right=True)])
    table = grid_of(rows, [5.2 * cm, width + 10, 4.2 * cm], head=False)
    return [paragraph(bars.label, "small", soft=True), table]


def _heat(grid: Grid) -> list[Any]:
    present = [value for row in grid.values for value in row if value is not None]
    least, most = (min(present), max(present)) if present else (0.0, 1.0)
    names = list(grid.x[:MOST_COLUMNS])
    rows = [[cell(f"{grid.y_label} / {grid.x_label}", bold=True, soft=True)]]
    rows[0] += [cell(name, bold=True, soft=True) for name in names]
    styles = []
    for y, (name, values, counts) in enumerate(
        zip(grid.y, grid.values, grid.counts, strict=True), 1
    ):
        line = [cell(name, bold=True)]
        for x, (value, count) in enumerate(zip(values, counts, strict=True), 1):
            if x > len(names):
                break
            text = number(value, grid.format)
            line.append(cell(text if value is None else f"{text} ({count:,} rows)"))
            if value is not None:
                share = (value - least) / (most - least) if most > least else 0.0
                shade = HEAT.clone(alpha=0.6 * share)
                styles.append(("BACKGROUND", (x, y), (x, y), shade))
        rows.append(line)
    table = grid_of(rows, [WIDTH / (len(names) + 1)] * (len(names) + 1))
    table.setStyle([*styles, ("LEFTPADDING", (1, 0), (-1, -1), 4)])
    return [table]


def _tree(tree: Tree) -> list[Any]:
    depths: list[int] = []
    for node in tree.nodes:
        depths.append(0 if node.parent is None else depths[node.parent] + 1)
    children: dict[int | None, list[int]] = {}
    for place, node in enumerate(tree.nodes):
        children.setdefault(node.parent, []).append(place)
    order: list[int] = []
    waiting = list(reversed(children.get(None, [])))
    while waiting:
        place = waiting.pop()
        order.append(place)
        waiting += reversed(children.get(place, []))
    rows = [[cell(name, bold=True, soft=True) for name in ("Rows with", "Value", "Rows", "Note")]]
    for place in order:
        node = tree.nodes[place]
        indent = "\u00a0\u00a0\u00a0\u00a0" * depths[place]
        rows.append(
            [
                cell(f"{indent}{node.condition or 'all rows'}"),
                cell(number(node.value, tree.format)),
                cell(f"{node.count:,}"),
                cell(node.note),
            ]
        )
    return [grid_of(rows, [8.4 * cm, 2.2 * cm, 2.2 * cm, 4.6 * cm])]


def _thresholds(block: Thresholds) -> list[Any]:
    if not block.threshold:
        return []
    place = begin_at(block)
    counts = {name: getattr(block, name)[place] for name in ("tp", "fp", "fn", "tn")}
    rates = rates_of(**counts)
    positive = block.positive
    matrix = [
        [cell(""), cell(f"predicted {positive}", bold=True), cell("predicted other", bold=True)],
        [cell(f"is {positive}", bold=True), *(cell(f"{counts[n]:,.0f}") for n in ("tp", "fn"))],
        [cell("is other", bold=True), *(cell(f"{counts[n]:,.0f}") for n in ("fp", "tn"))],
    ]
    said = ", ".join(f"{name.lower()} {number(rates[key], '.1%')}" for name, _, key in RATES)
    words = f"At the threshold {number(block.threshold[place], '.3f')}: {said}."
    return [paragraph(words), grid_of(matrix, [4 * cm, 4 * cm, 4 * cm])]


def _picture(picture: Picture, folder: Path | None) -> list[Any]:
    file = picture_file(picture, folder)
    if file is None:
        return [paragraph(f"The picture {picture.file} is not there: {picture.alt}", "small")]
    width, height = ImageReader(str(file)).getSize()
    wide = min(12 * cm, WIDTH)
    return [Image(str(file), wide, min(wide * height / width, 16 * cm), kind="proportional")]
