"""Plots of an explanation, as PNG files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from raikit.explanation.documents import usual_outputs
from raikit.explanation.effects import Effect
from raikit.explanation.explain import Explanation
from raikit.explanation.glassbox import Term
from stepkit.metrics import Floats
from stepkit.plots import BLUE, GREEN, GREY, ORANGE, new_figure, save, tidy

#: Columns of a plot; the weaker ones are in the table.
MOST_BARS = 15
#: Classes with a line of their own.
MOST_LINES = 6
_COLOURS = (BLUE, ORANGE, GREEN, "#7a4fa3", "#b23a48", GREY)


def draw_all(explanation: Explanation, folder: Path) -> list[str]:
    """Draw every plot into a folder.

    Returns:
        The names of the files, in the order to be read in.
    """
    draw_importance(explanation, folder / "importance.png")
    draw_contributions(explanation, folder / "contributions.png")
    draw_effects(explanation, folder / "effects.png")
    drawn = ["importance.png", "contributions.png", "effects.png"]
    if explanation.terms:
        draw_terms(explanation, folder / "terms.png")
        drawn.append("terms.png")
    return drawn


def _clipped(name: str, most: int = 26) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def draw_importance(explanation: Explanation, file: Path) -> None:
    """Draw SHAP and permutation importance side by side, with their intervals."""
    order = explanation.order[:MOST_BARS][::-1]
    names = [_clipped(explanation.subject.names[place]) for place in order]
    shap, importance = explanation.shap, explanation.importance
    figure = new_figure(9.6, 1.4 + 0.3 * len(order))
    left, right = figure.subplots(1, 2, sharey=True)
    low, high = shap.interval()
    _bars(left, names, shap.strength[order], (low[order], high[order]), BLUE)
    tidy(left, "Mean size of contributions", "x")
    left.set_xlabel(explanation.subject.unit_in_words(shap.unit))
    low, high = importance.interval()
    _bars(right, names, importance.mean[order], (low[order], high[order]), ORANGE)
    tidy(right, f"Loss of {importance.metric} when shuffled", "x")
    right.axvline(0, color=GREY, linewidth=1)
    right.set_xlabel(f"{importance.metric} ({importance.whole:.4f} with nothing shuffled)")
    save(figure, file)


def _bars(
    axes: Axes, names: list[str], values: Floats, bounds: tuple[Floats, Floats], colour: str
) -> None:
    reach = np.maximum([values - bounds[0], bounds[1] - values], 0)
    axes.barh(names, values, xerr=reach, color=colour, ecolor="#3c4148", height=0.7, capsize=2)


def draw_contributions(explanation: Explanation, file: Path) -> None:
    """Draw each row's contribution of each column, coloured by the value's place in the column."""
    order = explanation.order[:MOST_BARS][::-1]
    shap, subject = explanation.shap, explanation.subject
    output = 0 if len(subject.outputs) == 1 else _most_usual(explanation)
    figure = new_figure(7.6, 1.6 + 0.36 * len(order))
    axes = figure.add_subplot()
    rng = np.random.default_rng(0)
    shown = None
    for height, place in enumerate(order):
        name = subject.names[place]
        given = shap.values[:, place, output]
        offset = _swarm(given, rng)
        if subject.is_ordered(name):
            ranks = explanation.X[name].rank(pct=True).to_numpy()
            known = ~np.isnan(ranks)
            axes.scatter(
                given[~known], height + offset[~known], s=6, color=GREY, linewidths=0, alpha=0.7
            )
            shown = axes.scatter(
                given[known],
                height + offset[known],
                c=ranks[known],
                cmap="coolwarm",
                vmin=0,
                vmax=1,
                s=6,
                linewidths=0,
                alpha=0.8,
            )
        else:
            axes.scatter(given, height + offset, s=6, color=GREY, linewidths=0, alpha=0.7)
    axes.set_yticks(range(len(order)), [_clipped(subject.names[place]) for place in order])
    axes.axvline(0, color="#3c4148", linewidth=0.8)
    tidy(axes, f"Contributions to {subject.outputs[output]}, one dot a row", "x")
    axes.set_xlabel(f"{subject.unit_in_words(shap.unit)} (grey: categories, missing values)")
    if shown is not None:
        bar = figure.colorbar(shown, ax=axes, ticks=[0, 1], shrink=0.6, aspect=25)
        bar.ax.set_yticklabels(["low", "high"])
        bar.set_label("value of the column", labelpad=-12)
        bar.outline.set_visible(False)
    save(figure, file)


def _most_usual(explanation: Explanation) -> int:
    """Return the output whose class the explained rows are most often predicted to be."""
    return int(np.bincount(explanation.shap.scores.argmax(axis=1)).argmax())


def _swarm(values: Floats, rng: np.random.Generator) -> Floats:
    """Return offsets that spread dots the wider, the more of them are about one value."""
    low, high = float(values.min()), float(values.max())
    if high <= low:
        return np.asarray(rng.uniform(-0.3, 0.3, len(values)))
    bins = np.minimum(((values - low) / (high - low) * 60).astype(int), 59)
    crowd = np.bincount(bins, minlength=60)[bins] / np.bincount(bins).max()
    return np.asarray(rng.uniform(-0.38, 0.38, len(values)) * np.sqrt(crowd))


def draw_effects(explanation: Explanation, file: Path) -> None:
    """Draw partial dependence with single rows, and ALE, of every told column: a row each."""
    effects = list(explanation.effects.values())
    figure = new_figure(9.6, 2.7 * len(effects))
    grid = figure.subplots(len(effects), 2, squeeze=False)
    for (left, right), effect in zip(grid, effects, strict=True):
        _dependence(left, explanation, effect)
        _accumulated(right, explanation, effect)
    _name_outputs(figure, explanation)
    save(figure, file)


def _name_outputs(figure: Figure, explanation: Explanation) -> None:
    """Name the colours of several outputs once, above all axes."""
    named = usual_outputs(explanation, MOST_LINES)
    if len(named) > 1:
        lines = [Line2D([], [], color=_COLOURS[n], linewidth=3) for n in range(len(named))]
        names = [name for _, name in named]
        figure.legend(lines, names, loc="outside upper center", ncols=3, frameon=False)


def _dependence(axes: Axes, explanation: Explanation, effect: Effect) -> None:
    subject = explanation.subject
    places = range(len(effect.grid))
    x = [float(each) for each in effect.grid] if _is_numeric(effect.grid) else list(places)
    if len(subject.outputs) == 1:
        for curve in effect.curves:
            axes.plot(x, curve[:, 0], color=GREY, alpha=0.25, linewidth=0.7)
    marker = "" if effect.ordered else "o"
    for number, (place, _) in enumerate(usual_outputs(explanation, MOST_LINES)):
        axes.plot(
            x,
            effect.dependence[:, place],
            color=_COLOURS[number],
            linewidth=2,
            marker=marker,
            linestyle="-" if effect.ordered else "",
        )
    _name_places(axes, effect.grid)
    tidy(axes, _clipped(effect.column, 34), "y")
    axes.set_ylabel(f"mean {subject.unit_in_words(effect.unit)}")


def _accumulated(axes: Axes, explanation: Explanation, effect: Effect) -> None:
    subject = explanation.subject
    places = list(range(len(effect.ale_grid)))
    x = [float(each) for each in effect.ale_grid] if _is_numeric(effect.ale_grid) else places
    marker, line = ("", "-") if effect.ordered else ("o", "")
    for number, (place, _) in enumerate(usual_outputs(explanation, MOST_LINES)):
        colour = _COLOURS[number]
        axes.plot(x, effect.ale[:, place], color=colour, linewidth=1.8, marker=marker, ls=line)
    axes.axhline(0, color=GREY, linewidth=1, linestyle=":")
    _name_places(axes, effect.ale_grid)
    tidy(axes, "accumulated local effect", "y")
    axes.set_ylabel(f"change of {subject.unit_in_words(effect.unit)}")


def _is_numeric(grid: object) -> bool:
    return all(isinstance(each, float) for each in grid)  # type: ignore[attr-defined]


def _name_places(axes: Axes, grid: object) -> None:
    if _is_numeric(grid):
        return
    names = [_clipped(str(each), 16) for each in grid]  # type: ignore[attr-defined]
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right", fontsize=7)


def draw_terms(explanation: Explanation, file: Path) -> None:
    """Draw the strongest curves of an EBM, each with a band of one standard deviation."""
    terms = [term for term in explanation.terms if len(term.columns) == 1][:8]
    figure = new_figure(9.6, 2.7 * ((len(terms) + 1) // 2))
    grid = figure.subplots((len(terms) + 1) // 2, 2, squeeze=False)
    for axes in grid.ravel()[len(terms) :]:
        axes.set_visible(False)
    for axes, term in zip(grid.ravel(), terms, strict=False):
        _term(axes, explanation, term)
    _name_outputs(figure, explanation)
    save(figure, file)


def _term(axes: Axes, explanation: Explanation, term: Term) -> None:
    unit = explanation.subject.unit_in_words("log_odds" if explanation.subject.classes else "value")
    for number, (place, _) in enumerate(usual_outputs(explanation, MOST_LINES)):
        x, y, deviation = term.curve(place)
        colour = _COLOURS[number]
        if term.edges[0].size:
            axes.fill_between(
                x, y - deviation, y + deviation, step="post", color=colour, alpha=0.25, linewidth=0
            )
            axes.step(x, y, where="post", color=colour, linewidth=1.6)
        else:
            places = range(len(x))
            axes.errorbar(places, y, yerr=deviation, color=colour, fmt="o")
            names = [_clipped(str(each), 16) for each in x]
            axes.set_xticks(places, names, rotation=40, ha="right", fontsize=7)
    axes.axhline(0, color=GREY, linewidth=1, linestyle=":")
    tidy(axes, _clipped(term.name, 34), "y")
    axes.set_ylabel(unit)
