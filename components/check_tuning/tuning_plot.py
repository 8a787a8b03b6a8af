"""The plot of a tuning check: how much better the winner is than each other setting."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from judgement import Compared

from stepkit.plots import BLUE, GREY, ORANGE, new_figure, save, tidy


def draw(compared: Sequence[Compared], metric: str, file: Path) -> None:
    """Draw each gain with its interval; the defaults stand out."""
    figure = new_figure(7.2, 1.6 + 0.4 * len(compared))
    axes = figure.add_subplot()
    for row, each in enumerate(compared):
        colour = ORANGE if row == 0 else BLUE
        axes.plot([each.gain.low, each.gain.high], [row, row], color=colour, linewidth=2)
        axes.plot([each.gain.mean], [row], color=colour, marker="o", markersize=7)
    axes.axvline(0, color=GREY, linestyle=":")
    axes.set_yticks(range(len(compared)), [each.setting.name for each in compared])
    axes.invert_yaxis()
    axes.set_xlabel(f"{metric}: winner better to the right")
    tidy(axes, "The winner against its neighbours", grid="x")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    save(figure, file)
