"""The plot of a comparison: each model's metric, and how far it is behind the best."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from candidates import Candidate
from matplotlib.axes import Axes
from verdict import Verdict

from stepkit.plots import BLUE, GREY, ORANGE, new_figure, save, tidy


def draw(candidates: Sequence[Candidate], verdict: Verdict, file: Path) -> None:
    """Draw values and differences with their intervals; the recommended model stands out."""
    figure = new_figure(9.6, 1.6 + 0.5 * len(candidates))
    left, right = figure.subplots(1, 2, sharey=True)
    percent = f"{verdict.confidence:.0%} interval"
    _draw_rows(left, verdict, verdict.values, verdict.intervals)
    left.set_title(f"{verdict.metric}, {percent}", loc="left", fontweight="bold")
    left.set_yticks(range(len(candidates)), [each.name for each in candidates])
    left.invert_yaxis()
    behind = [each.value for each in verdict.behind]
    _draw_rows(right, verdict, behind, [(each.low, each.high) for each in verdict.behind])
    right.axvline(0, color=GREY, linestyle=":")
    best = candidates[verdict.best].name
    right.set_title(f"behind {best}, paired {percent}", loc="left", fontweight="bold")
    save(figure, file)


def _draw_rows(
    axes: Axes,
    verdict: Verdict,
    values: Sequence[float],
    intervals: Sequence[tuple[float, float]],
) -> None:
    for row, (value, (low, high)) in enumerate(zip(values, intervals, strict=True)):
        colour = ORANGE if row == verdict.recommended else BLUE
        axes.plot([low, high], [row, row], color=colour, linewidth=2, solid_capstyle="round")
        axes.plot([value], [row], color=colour, marker="o", markersize=7)
    axes.set_ylim(-0.6, len(values) - 0.4)
    tidy(axes, grid="x")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
