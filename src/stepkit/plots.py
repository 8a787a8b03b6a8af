"""What every plot of a step shares: its colours, its frame, and bytes that stay the same."""

from __future__ import annotations

import io
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stepkit.program import write_bytes

BLUE, ORANGE, GREEN, GREY = "#1f5fa8", "#d9731a", "#2c8a4b", "#8a8f98"
_GRID = "#e6e8eb"


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of a size in inches, laid out so that nothing overlaps."""
    return Figure(figsize=(width, height), dpi=120, layout="constrained")


def tidy(axes: Axes, title: str = "", grid: str = "") -> None:
    """Set the title, take away the frame above and at the right, and draw a grid behind all.

    Args:
        axes: What to tidy.
        title: Of these axes; none where empty.
        grid: `x`, `y`, or `both`; none where empty.
    """
    if title:
        axes.set_title(title, loc="left", fontweight="bold", pad=12)
    axes.spines[["top", "right"]].set_visible(False)
    if grid == "x":
        axes.grid(axis="x", color=_GRID, linewidth=0.8)
    elif grid == "y":
        axes.grid(axis="y", color=_GRID, linewidth=0.8)
    elif grid:
        axes.grid(color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)


def save(figure: Figure, file: Path) -> None:
    """Write a figure as PNG; without a date and version in it, the same plot is the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    write_bytes(file, buffer.getvalue())
