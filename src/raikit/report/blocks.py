"""Draws blocks of findings as HTML: what to make of each in a sentence, its caption, and itself."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from raikit.report.charts import draw_chart
from raikit.report.sliders import draw_thresholds
from raikit.report.tables import draw_bars, draw_grid, draw_table
from raikit.report.tags import join, tag
from raikit.report.trees import draw_tree
from stepkit.findings import Bars, Block, Chart, Choice, Grid, Picture, Table, Thresholds, Tree

_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Limits:
    """What is left out of a page that would else be too large for a mail.

    Attributes:
        rows: Rows of a table, and bars.
        options: Options of a choice.
        pictures: Whether pictures are in it.
    """

    rows: int
    options: int
    pictures: bool


def draw_blocks(blocks: Sequence[Block], folder: Path | None, limits: Limits) -> Markup:
    """Return blocks one after another.

    Args:
        blocks: What is drawn.
        folder: Where pictures are; None where there are none.
        limits: What is left out.
    """
    return join([_framed(block, folder, limits) for block in blocks])


def reading(block: Block) -> str:
    """Return how a block is to be read, for someone who has seen none like it."""
    if isinstance(block, Chart):
        return _reading_chart(block)
    if isinstance(block, Bars):
        text = f"Each bar shows: {block.label or 'its value'}."
        if any(value < 0 for value in block.values):
            text += " A bar to the left is below zero."
        return text + (" The thin line spans its interval." if block.low and block.high else "")
    if isinstance(block, Grid):
        return "A cell is the rows that share what its row and its column say; darker is more."
    if isinstance(block, Tree):
        return "From the top, rows are parted by the condition on each box; darker is more."
    if isinstance(block, Thresholds):
        return (
            "The model gives every case a score, and from the threshold on it says "
            f"{block.positive}. A lower threshold finds more of them, with more false alarms."
        )
    return ""


def _reading_chart(chart: Chart) -> str:
    parts = [f"Across is {chart.x_label}, up is {chart.y_label}."]
    if any(line.low and line.high for line in chart.lines):
        parts.append("The shaded band shows how uncertain a line is.")
    dotted = [line.name for line in chart.lines if line.style == "dotted" and line.name]
    if dotted:
        parts.append(f"Dotted, to compare with: {', '.join(dotted)}.")
    if any(line.style == "points" for line in chart.lines):
        parts.append("Each dot is one observation.")
    return " ".join(parts)


def _framed(block: Block, folder: Path | None, limits: Limits) -> Markup:
    if isinstance(block, Choice):
        return _choice(block, folder, limits)
    caption = getattr(block, "caption", "")
    return tag(
        "figure",
        tag("figcaption", caption) if caption else "",
        tag("p", text, class_="reading") if (text := reading(block)) else "",
        _drawn(block, folder, limits),
        class_=block.kind,
    )


def _drawn(block: Block, folder: Path | None, limits: Limits) -> Markup:
    if isinstance(block, Table):
        return draw_table(block, limits.rows)
    if isinstance(block, Chart):
        return draw_chart(block)
    if isinstance(block, Bars):
        return draw_bars(block, limits.rows)
    if isinstance(block, Grid):
        return draw_grid(block)
    if isinstance(block, Tree):
        return draw_tree(block)
    if isinstance(block, Thresholds):
        return draw_thresholds(block)
    if isinstance(block, Picture):
        return _picture(block, folder, limits)
    raise TypeError(f"a choice within a choice is drawn by its own: {block.kind}")


def picture_file(picture: Picture, folder: Path | None) -> Path | None:
    """Return the file of a picture; None where it is not a PNG file within the folder."""
    if folder is None:
        return None
    file = (folder / picture.file).resolve()
    if not file.is_relative_to(folder.resolve()) or not file.is_file():
        return None
    with file.open("rb") as stream:
        return file if stream.read(len(_PNG)) == _PNG else None


def _picture(picture: Picture, folder: Path | None, limits: Limits) -> Markup:
    if not limits.pictures:
        note = f"Left out, to keep this page small enough for a mail: {picture.alt}"
        return tag("p", note, class_="empty")
    file = picture_file(picture, folder)
    if file is None:
        return tag("p", f"The picture {picture.file} is not there: {picture.alt}", class_="empty")
    data = base64.b64encode(file.read_bytes()).decode()
    return tag("img", src=f"data:image/png;base64,{data}", alt=picture.alt)


def _choice(choice: Choice, folder: Path | None, limits: Limits) -> Markup:
    """Return options that open and close; the script makes a list to choose from of them."""
    names = list(choice.options)[: limits.options]
    options = [
        tag(
            "details",
            tag("summary", name),
            draw_blocks(choice.options[name], folder, limits),
            open=place == 0,
        )
        for place, name in enumerate(names)
    ]
    left_out = len(choice.options) - len(names)
    note = f"{left_out:,} more are in the files of the step."
    return tag(
        "div",
        *options,
        tag("p", note, class_="note") if left_out else "",
        class_="choice",
        data_label=choice.label,
    )
