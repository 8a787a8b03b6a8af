"""Plots of a profile, as PNG files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from profile_figures import threads_text
from profile_results import Profile

from stepkit.metrics import Floats
from stepkit.plots import BLUE, GREEN, GREY, ORANGE, new_figure, save, tidy

COLOURS = (BLUE, ORANGE, GREEN, GREY)
#: Points of a distribution: more say no more.
MOST_POINTS = 300


def draw_all(found: Profile, folder: Path) -> Mapping[str, str]:
    """Draw every plot into a folder.

    Returns:
        What is to be seen, by the file's name, in the order to be read in.
    """
    drawn = {}
    for name, (draw, alt) in DRAWINGS.items():
        if draw is draw_serving and not found.serving:
            continue
        figure = new_figure(7.2, 4.2)
        draw(figure.add_subplot(), found)
        save(figure, folder / f"{name}.png")
        drawn[f"{name}.png"] = alt
    return drawn


def plain_logarithmic(axis: Axis, low: float, high: float) -> None:
    """Make an axis logarithmic, with plain numbers at 1, 2, 5, or over more decades at 1."""
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 200 * low else (1.0,)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axis.set_minor_formatter(NullFormatter())


def distribution(seconds: Floats) -> tuple[Floats, Floats]:
    """Return milliseconds, rising, and the share of calls that took at most so many."""
    ordered = np.sort(seconds) * 1000
    places = np.unique(np.linspace(0, len(ordered) - 1, MOST_POINTS).round().astype(int))
    shares: Floats = (places + 1) / len(ordered)
    return ordered[places], shares


def draw_latency(axes: Axes, found: Profile) -> None:
    """Draw the share of calls over the time that they took at most."""
    timing = found.timing
    shown = {"one row": timing.row.seconds, f"{timing.batch.rows:,} rows": timing.batch.seconds}
    for (name, seconds), colour in zip(shown.items(), (BLUE, ORANGE), strict=True):
        axes.step(*distribution(seconds), where="post", color=colour, linewidth=2, label=name)
    if rival := timing.rival:
        old = {"one row, champion": rival.row, f"{rival.batch.rows:,} rows, champion": rival.batch}
        for (name, latency), colour in zip(old.items(), (BLUE, ORANGE), strict=True):
            line = distribution(latency.seconds)
            axes.step(*line, where="post", color=colour, linestyle=":", linewidth=1.6, label=name)
    axes.set_xscale("log")
    plain_logarithmic(axes.xaxis, *axes.get_xlim())
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("milliseconds a call (logarithmic)")
    axes.set_ylabel("share of calls that took at most as long")
    tidy(axes, "How long predictions take", "both")
    axes.legend(loc="best", frameon=False)


def draw_throughput(axes: Axes, found: Profile) -> None:
    """Draw rows a second over batch size, a line for each number of threads."""
    points = found.timing.throughput
    numbers = dict.fromkeys(each.threads for each in points)
    for number, colour in zip(numbers, COLOURS * len(numbers), strict=False):
        own = [each for each in points if each.threads == number]
        sizes, rates = [each.rows for each in own], [each.rate.value for each in own]
        axes.plot(sizes, rates, color=colour, marker="o", linewidth=2, label=threads_text(number))
        low = [each.rate.low or each.rate.value for each in own]
        high = [each.rate.high or each.rate.value for each in own]
        axes.fill_between(sizes, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.set_xscale("log")
    axes.set_yscale("log")
    plain_logarithmic(axes.xaxis, *axes.get_xlim())
    plain_logarithmic(axes.yaxis, *axes.get_ylim())
    axes.set_xlabel("rows of a batch (logarithmic)")
    axes.set_ylabel("rows/s (logarithmic)")
    tidy(axes, "How many rows a second", "both")
    axes.legend(loc="upper left", frameon=False)


def draw_memory(axes: Axes, found: Profile) -> None:
    """Draw memory over calls, with the slope that was found after the warm-up."""
    soak, growth = found.soak, found.growth
    axes.plot(soak.calls, soak.mb, color=BLUE, linewidth=2, label="memory of the process")
    after = soak.calls > soak.calls[-1] / 3
    if growth.per_1000:
        calls, mb = soak.calls[after], soak.mb[after]
        pace = growth.per_1000.value / 1000
        middle = float(np.median(mb - pace * calls))
        label = f"{growth.per_1000.value:+.3g} MB per 1,000 calls"
        axes.plot(calls, middle + pace * calls, color=ORANGE, linestyle="--", label=label)
    spread = float(soak.mb.max() - soak.mb.min())
    # A range of some MB at least, so that noise does not look like growth.
    room = max(5.0, 0.02 * growth.steady, spread * 0.2)
    axes.set_ylim(soak.mb.min() - room, soak.mb.max() + room)
    axes.set_xlabel("single rows predicted")
    axes.set_ylabel("MB")
    tidy(axes, "Memory while it predicts on and on", "y")
    axes.legend(loc="best", frameon=False)


def draw_serving(axes: Axes, found: Profile) -> None:
    """Draw latency over the arrival rate, to where the server no longer keeps up."""
    assert found.serving is not None
    levels = [each for each in found.serving.saturation.levels if each.median is not None]
    rates = [each.rate for each in levels]
    medians = [(each.median or 0) * 1000 for each in levels]
    axes.plot(rates, medians, color=BLUE, marker="o", linewidth=2, label="p50")
    for name, colour in (("p90", ORANGE), ("p99", GREEN)):
        told = [(each.rate, getattr(each, name)) for each in levels if getattr(each, name)]
        if told:
            values = [value.value * 1000 for _, value in told]
            axes.plot([rate for rate, _ in told], values, color=colour, marker="o", label=name)
    lost = [(each.rate, (each.median or 0) * 1000) for each in levels if not each.is_kept_up]
    if lost:
        x, y = zip(*lost, strict=True)
        axes.plot(x, y, "x", markersize=11, color=GREY, label="not kept up with")
    if held := found.serving.saturation.held:
        axes.axvline(held.achieved, color=GREY, linestyle=":", label="highest rate kept up with")
    axes.set_xscale("log")
    axes.set_yscale("log")
    plain_logarithmic(axes.xaxis, *axes.get_xlim())
    plain_logarithmic(axes.yaxis, *axes.get_ylim())
    axes.set_xlabel("requests/s that arrive (logarithmic)")
    axes.set_ylabel("milliseconds from when due (logarithmic)")
    tidy(axes, "Behind the scoring server", "both")
    axes.legend(loc="upper left", frameon=False)


Draw = Callable[[Axes, Profile], None]
DRAWINGS: Mapping[str, tuple[Draw, str]] = {
    "latency": (draw_latency, "Distribution of the time of a call with one row and with a batch."),
    "throughput": (draw_throughput, "Rows a second over batch size, by threads."),
    "memory": (draw_memory, "Memory of the process over the number of predictions."),
    "serving": (draw_serving, "Latency over the rate at which requests arrive."),
}
