"""Pictures of a sweep: its history, which parameters go with good values, and which matter.

Drawn with matplotlib's own objects, not `pyplot`: nothing global is touched, and any thread may.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import pvariance
from typing import TYPE_CHECKING, Any

from amlocal.local.sweep.policies import best_of
from amlocal.plan import Choice, JobInfo, JobStatus, Normal, Scalar, Sweep, TrialInfo, Uniform

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: With fewer trials importance would be noise.
_FEWEST_FOR_IMPORTANCE = 5
_INCHES = (8.0, 4.5)
_DPI = 120
_BLUE, _ORANGE, _GREY = "#2563a8", "#d95f02", "#9aa5b1"
_COLOURS = "viridis"


def draw(sweep: Sweep, trials: Sequence[JobInfo], folder: Path) -> bool:
    """Write PNG files of what the trials came to; returns whether there was enough to draw.

    Args:
        sweep: The sweep.
        trials: Its trials in order.
        folder: Where `history.png`, `parallel_coordinates.png`, and `importance.png` go.
    """
    rated = [
        info.trial
        for info in trials
        if info.status is JobStatus.COMPLETED and info.trial and info.trial.value is not None
    ]
    if len(rated) < 2:
        return False
    ended = [
        info.trial
        for info in trials
        if info.status is JobStatus.CANCELED and info.trial and info.trial.value is not None
    ]
    folder.mkdir(parents=True, exist_ok=True)
    _save(_history(sweep, rated, ended), folder / "history.png")
    if _varied(rated):
        _save(_parallel_coordinates(sweep, rated), folder / "parallel_coordinates.png")
    if importance := importances(sweep, rated):
        _save(_importance(sweep, importance), folder / "importance.png")
    return True


def load() -> None:
    """Import what drawing needs: half a second, which passes while the trials run."""
    import matplotlib.backends.backend_agg
    import matplotlib.figure  # noqa: F401


def _figure() -> tuple[Figure, Axes]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # see `load`
    from matplotlib.figure import Figure

    figure = Figure(figsize=_INCHES, dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path)


def _values(trials: Sequence[TrialInfo]) -> list[float]:
    return [trial.value for trial in trials if trial.value is not None]


def _history(sweep: Sweep, rated: Sequence[TrialInfo], ended: Sequence[TrialInfo]) -> Figure:
    from matplotlib.ticker import MaxNLocator

    figure, axes = _figure()
    values = _values(rated)
    best: list[float] = []
    for count in range(1, len(values) + 1):
        found = best_of(sweep.objective, values[:count])
        assert found is not None
        best.append(found)
    numbers = [trial.number for trial in rated]
    axes.step(numbers, best, where="post", color=_ORANGE, linewidth=2, label="best so far")
    axes.scatter(numbers, values, color=_BLUE, s=28, zorder=3, label="trial")
    if ended:
        axes.scatter(
            [trial.number for trial in ended],
            _values(ended),
            color=_GREY,
            marker="x",
            s=28,
            zorder=3,
            label="ended early",
        )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y", alpha=0.3)
    axes.set_xlabel("trial")
    axes.set_ylabel(sweep.objective.primary_metric)
    axes.set_title(
        f"{sweep.objective.primary_metric} by trial ({sweep.objective.goal})", loc="left"
    )
    axes.legend(frameon=False, ncols=3, loc="lower right", bbox_to_anchor=(1, 1))
    return figure


def _varied(trials: Sequence[TrialInfo]) -> list[str]:
    """Return the parameters that differ between trials, by name."""
    names = sorted(trials[0].parameters)
    return [name for name in names if len({trial.parameters[name] for trial in trials}) > 1]


def _parallel_coordinates(sweep: Sweep, trials: Sequence[TrialInfo]) -> Figure:
    """Draw a line for each trial through its parameters, coloured by the metric."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    figure, axes = _figure()
    names = _varied(trials)
    values = _values(trials)
    scale = Normalize(min(values), max(values))
    colours = colormaps[_COLOURS if sweep.objective.goal == "maximize" else f"{_COLOURS}_r"]
    heights = {name: _heights(sweep, name, trials) for name in names}
    best = best_of(sweep.objective, values)
    order = sorted(range(len(trials)), key=lambda i: abs(values[i] - (best or 0.0)), reverse=True)
    for index in order:
        line = [heights[name][0][index] for name in names] + [scale(values[index])]
        is_best = values[index] == best
        axes.plot(
            range(len(line)),
            line,
            color=_ORANGE if is_best else colours(scale(values[index])),
            linewidth=2.5 if is_best else 1.2,
            alpha=1.0 if is_best else 0.75,
        )
    for at, name in enumerate(names):
        _axis(axes, at, heights[name][1])
    _axis(axes, len(names), [(0.0, f"{min(values):.4g}"), (1.0, f"{max(values):.4g}")])
    axes.set_xticks(range(len(names) + 1), [*names, sweep.objective.primary_metric])
    axes.set_xlim(-0.2, len(names) + 0.35)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_title("parameters of each trial; the best is orange", loc="left")
    bar = ScalarMappable(norm=scale, cmap=colours)
    figure.colorbar(bar, ax=axes, label=sweep.objective.primary_metric, pad=0.02)
    return figure


def _axis(axes: Axes, at: float, ticks: Sequence[tuple[float, str]]) -> None:
    axes.axvline(at, color=_GREY, linewidth=0.8, zorder=0)
    for height, label in ticks:
        axes.annotate(
            label,
            (at, height),
            xytext=(4, 0),
            textcoords="offset points",
            fontsize=8,
            va="center",
            bbox={"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.7},
        )


def _heights(
    sweep: Sweep, name: str, trials: Sequence[TrialInfo]
) -> tuple[list[float], list[tuple[float, str]]]:
    """Return where each trial's value is between 0 and 1, and the marks of the axis."""
    found = [trial.parameters[name] for trial in trials]
    distribution = sweep.search_space[name]
    if isinstance(distribution, Choice):
        known = list(dict.fromkeys(distribution.values))
        top = max(len(known) - 1, 1)
        return [known.index(value) / top for value in found], [
            (index / top, str(value)) for index, value in enumerate(known)
        ]
    numbers = [_on_scale(distribution, value) for value in found]
    low, high = min(numbers), max(numbers)
    labels = sorted(zip(numbers, found, strict=True), key=lambda pair: pair[0])
    marks = [(0.0, _short(labels[0][1])), (1.0, _short(labels[-1][1]))]
    return [(number - low) / (high - low) for number in numbers], marks


def _on_scale(distribution: Any, value: Scalar) -> float:
    number = float(value)
    is_log = isinstance(distribution, (Uniform, Normal)) and distribution.is_log and number > 0
    return math.log(number) if is_log else number


def _short(value: Scalar) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def importances(sweep: Sweep, trials: Sequence[TrialInfo]) -> Mapping[str, float]:
    """Return how much of the metric's variance each parameter explains by itself.

    That is its correlation ratio, the first-order sensitivity index Var(E[Y|X]) / Var(Y), with the
    trials in groups of equal or neighbouring values of the parameter, and adjusted for the number
    of groups as a coefficient of determination is. Interactions are left out. (Optuna's measures
    would cost each sweep two seconds of imports.)

    Returns:
        Shares by name, the greatest first; nothing where there are too few trials to tell, or
        where all came to the same.
    """
    varied, values = _varied(trials), _values(trials)
    if len(trials) < _FEWEST_FOR_IMPORTANCE or len(varied) < 2 or len(set(values)) < 2:
        return {}
    shares = {name: _explained(_groups(sweep, name, trials), values) for name in varied}
    return dict(sorted(shares.items(), key=lambda pair: pair[1], reverse=True))


def _groups(sweep: Sweep, name: str, trials: Sequence[TrialInfo]) -> list[Any]:
    """Return for each trial which group of values its parameter is in."""
    found = [trial.parameters[name] for trial in trials]
    most = max(2, round(math.sqrt(len(found))))
    if isinstance(sweep.search_space[name], Choice) or len(set(found)) <= most:
        return found
    order = sorted(range(len(found)), key=lambda index: float(found[index]))
    ranks = {index: rank for rank, index in enumerate(order)}
    return [ranks[index] * most // len(found) for index in range(len(found))]


def _explained(groups: Sequence[Any], values: Sequence[float]) -> float:
    """Return the adjusted share of the values' variance between the groups."""
    members: dict[Any, list[float]] = {}
    for group, value in zip(groups, values, strict=True):
        members.setdefault(group, []).append(value)
    degrees = len(values) - len(members)
    if degrees < 1:
        return 0.0
    within = sum(pvariance(found) * len(found) for found in members.values())
    share = within / (pvariance(values) * len(values))
    return max(0.0, 1 - share * (len(values) - 1) / degrees)


def _importance(sweep: Sweep, shares: Mapping[str, float]) -> Figure:
    figure, axes = _figure()
    names = list(shares)[::-1]
    bars = axes.barh(names, [shares[name] for name in names], color=_BLUE, height=0.6)
    axes.bar_label(bars, fmt="{:.0%}", padding=4)
    axes.set_xlim(0, max(*shares.values(), 0.1) * 1.12)
    axes.xaxis.set_major_formatter("{x:.0%}")
    axes.set_xlabel(f"share of the variance of {sweep.objective.primary_metric}")
    axes.set_title("what each parameter explains by itself", loc="left")
    return figure
