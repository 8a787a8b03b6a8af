"""The plots of a generalisation check: both curves, and what each column alone can do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from leaking_columns import ColumnPower
from matplotlib.axes import Axes

from stepkit.findings import Chart, Line
from stepkit.plots import BLUE, GREY, ORANGE, new_figure, save, tidy

_MOST_COLUMNS = 20


def draw_chart(chart: Chart, title: str, file: Path) -> None:
    """Draw a chart of the findings: lines with their bands, and dotted references."""
    figure = new_figure(7.2, 4.2)
    axes = figure.add_subplot()
    colours = iter((ORANGE, BLUE, GREY, GREY))
    for line in chart.lines:
        _draw_line(axes, line, next(colours))
    if chart.log_x:
        axes.set_xscale("log")
        ticks = list(chart.lines[0].x)
        axes.set_xticks(ticks, [f"{float(each):,.4g}" for each in ticks])
        axes.set_xticks([], minor=True)
    axes.set_xlabel(chart.x_label)
    axes.set_ylabel(chart.y_label)
    axes.legend(frameon=False)
    tidy(axes, title, grid="y")
    save(figure, file)


def _draw_line(axes: Axes, line: Line, colour: str) -> None:
    y = np.array(line.y, dtype=np.float64)
    if line.style == "dotted":
        axes.plot(line.x, y, color=colour, linestyle=":", label=line.name)
        return
    if line.style == "points":
        axes.plot(line.x, y, color=colour, marker="D", linestyle="", label=line.name)
        return
    axes.plot(line.x, y, color=colour, marker="o", markersize=5, label=line.name)
    if line.low:
        low, high = (np.array(each, dtype=np.float64) for each in (line.low, line.high))
        axes.fill_between(line.x, low, high, color=colour, alpha=0.18, linewidth=0)


def draw_columns(columns: Sequence[ColumnPower], limit: float, whole: float, file: Path) -> None:
    """Draw what each column alone can do, against the limit and the whole model."""
    shown = columns[:_MOST_COLUMNS]
    figure = new_figure(7.2, 1.4 + 0.28 * len(shown))
    axes = figure.add_subplot()
    colours = [ORANGE if each.is_leaking or each.is_suspect else BLUE for each in shown]
    axes.barh(range(len(shown)), [each.power for each in shown], color=colours, height=0.65)
    axes.axvline(limit, color=ORANGE, linestyle=":", label="limit")
    axes.axvline(whole, color=GREY, linestyle="--", label="the whole model")
    axes.set_yticks(range(len(shown)), [each.name for each in shown])
    axes.invert_yaxis()
    axes.set_xlim(min(0.0, *(each.power for each in shown)), 1.0)
    axes.set_xlabel("how much of the target it alone predicts: 0 guessing, 1 certainty")
    axes.legend(frameon=False, loc="lower right")
    tidy(axes, "What each column alone can do", grid="x")
    save(figure, file)
