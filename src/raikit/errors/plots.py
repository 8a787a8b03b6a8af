"""Pictures of where a model errs."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.ticker import PercentFormatter

from raikit.errors.cohorts import Worst
from raikit.errors.heatmap import HeatMap
from raikit.errors.words import Words
from stepkit.plots import BLUE, GREY, new_figure, save, tidy


def draw_cohorts(cohorts: Sequence[Worst], told: Words, file: Path) -> None:
    """Draw each cohort's error with its interval, the worst on top."""
    shown = [each for each in cohorts if each.measured.error is not None][::-1]
    figure = new_figure(8.0, 1.2 + 0.6 * len(shown))
    axes = figure.add_subplot()
    tidy(axes, f"The {told.measure} of the worst cohorts", "x")
    values = np.array([each.measured.error or 0.0 for each in shown])
    low = np.array([each.measured.low or 0.0 for each in shown])
    high = np.array([each.measured.high or 0.0 for each in shown])
    reach = [np.maximum(values - low, 0), np.maximum(high - values, 0)]
    axes.barh(range(len(shown)), values, color=BLUE, alpha=0.85)
    axes.errorbar(values, range(len(shown)), xerr=reach, fmt="none", ecolor=GREY, capsize=3)
    names = [textwrap.fill(f"{each.condition} ({each.measured.rows:,} rows)", 48) for each in shown]
    axes.set_yticks(range(len(shown)), names, fontsize=8)
    axes.set_xlabel(f"{told.measure}, 95 % intervals")
    if told.format.endswith("%"):
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    save(figure, file)


def draw_heat_map(shown: HeatMap, told: Words, file: Path) -> None:
    """Draw a map, each cell with its error and its rows."""
    height, width = shown.errors.shape
    figure = new_figure(2.5 + 1.05 * width, 1.6 + 0.55 * height)
    axes = figure.add_subplot()
    tidy(axes, f"The {told.measure} by {shown.x[0]}")
    axes.spines[:].set_visible(False)
    axes.imshow(np.ma.masked_invalid(shown.errors), cmap="Blues", vmin=0, aspect="auto")
    top = float(np.nanmax(shown.errors)) or 1.0
    for row in range(height):
        for column in range(width):
            value, count = shown.errors[row, column], shown.counts[row, column]
            if count:
                axes.text(
                    column,
                    row,
                    f"{told.shown(float(value))}\n{count:,} rows",
                    ha="center",
                    va="center",
                    fontsize=7,
                    color="white" if value > 0.55 * top else "black",
                )
    axes.set_xticks(range(width), [textwrap.fill(name, 14) for name in shown.x[1]], fontsize=8)
    axes.set_yticks(range(height), [textwrap.fill(name, 22) for name in shown.y[1]], fontsize=8)
    axes.tick_params(length=0)
    axes.set_xlabel(shown.x[0])
    if shown.y[0]:
        axes.set_ylabel(shown.y[0])
    save(figure, file)
