"""Pictures of how groups fare."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.ticker import PercentFormatter

from raikit.fairness.compared import Compared
from raikit.fairness.tables import QUANTITIES, RATES
from stepkit.plots import BLUE, GREY, new_figure, save, tidy

_SHOWN = ("selection_rate", "true_positive_rate", "false_positive_rate")
_SHOWN_QUANTITIES = ("mean_prediction", "mae", "bias")


def draw_groups(compared: Compared, file: Path) -> None:
    """Draw three figures of each group that has enough rows, side by side, with intervals."""
    measured = compared.measured
    places = np.flatnonzero(measured.enough)[::-1]
    labels = [measured.grouping.labels[number] for number in places]
    names, shown = (RATES, _SHOWN) if compared.positive else (QUANTITIES, _SHOWN_QUANTITIES)
    figure = new_figure(9.6, 1.3 + 0.38 * len(places))
    panels = figure.subplots(1, len(shown), sharey=True)
    for axes, name in zip(panels, shown, strict=True):
        tidy(axes, names[name], "x")
        values = measured.values[name][places]
        reach = np.abs(
            np.stack([values - measured.low[name][places], measured.high[name][places] - values])
        )
        axes.errorbar(
            values, range(len(places)), xerr=reach, fmt="o", color=BLUE, ecolor=GREY, capsize=3
        )
        if compared.positive:
            axes.set_xlim(left=0)
            axes.xaxis.set_major_formatter(PercentFormatter(1.0))
        axes.set_yticks(range(len(places)), labels)
        axes.set_ylim(-0.6, len(places) - 0.4)
    figure.supxlabel(f"by {compared.name}, 95 % intervals", fontsize=9)
    save(figure, file)
