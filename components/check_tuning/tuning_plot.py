"""The plot of a tuning check: how much better the winner is than each other setting."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from judgement import Compared
from matplotlib.figure import Figure

from stepkit.program import write_bytes

BLUE, ORANGE, GREY = "#1f5fa8", "#d9731a", "#8a8f98"


def draw(compared: Sequence[Compared], metric: str, file: Path) -> None:
    """Draw each gain with its interval; the defaults stand out."""
    figure = Figure(figsize=(7.2, 1.6 + 0.4 * len(compared)), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    for row, each in enumerate(compared):
        colour = ORANGE if row == 0 else BLUE
        axes.plot([each.gain.low, each.gain.high], [row, row], color=colour, linewidth=2)
        axes.plot([each.gain.mean], [row], color=colour, marker="o", markersize=7)
    axes.axvline(0, color=GREY, linestyle=":")
    axes.set_yticks(range(len(compared)), [each.setting.name for each in compared])
    axes.invert_yaxis()
    axes.set_xlabel(f"{metric}: winner better to the right")
    axes.set_title("The winner against its neighbours", loc="left", fontweight="bold")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#e6e8eb", linewidth=0.8)
    axes.set_axisbelow(True)
    buffer = io.BytesIO()
    # Without a date and version in it, the same check draws the same bytes.
    figure.savefig(buffer, format="png", metadata={"Software": None})
    write_bytes(file, buffer.getvalue())
