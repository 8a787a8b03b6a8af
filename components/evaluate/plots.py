"""Plots of how a model does, as PNG files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from stepkit.calibration import curve_of, judged
from stepkit.costs import CostCurve
from stepkit.metrics import Floats, auc, average_precision, threshold_curve
from stepkit.model import Scores
from stepkit.plots import BLUE, GREEN, GREY, ORANGE, new_figure, save, tidy

#: Of more classes than this, only the averages are readable in one picture.
MOST_CURVES = 8
#: Points beyond this are a sample, so that a picture stays small.
MOST_POINTS = 5000

Draw = Callable[[Axes, Scores], None]


def draw_all(scores: Scores, folder: Path) -> list[str]:
    """Draw every plot of the task into a folder.

    Returns:
        The names of the files, in the order to be read in.
    """
    drawings = REGRESSION if scores.task == "regression" else CLASSIFICATION
    drawn = []
    for name, (title, draw) in drawings.items():
        if draw in CURVES and not scores.has_probabilities:
            continue
        if draw is draw_thresholds and scores.positive is None:
            continue
        figure = new_figure(6.4, 5.2)
        axes = figure.add_subplot()
        tidy(axes, title)
        draw(axes, scores)
        save(figure, folder / f"{name}.png")
        drawn.append(f"{name}.png")
    return drawn


def draw_confusion_matrix(axes: Axes, scores: Scores) -> None:
    """Draw counts, shaded by the share of their true class."""
    counts = scores.matrix
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.spines[:].set_visible(False)
    places = range(len(scores.classes))
    many = len(scores.classes) > MOST_CURVES
    axes.set_xticks(places, scores.classes, rotation=90 if many else 0)
    axes.set_yticks(places, scores.classes)
    axes.tick_params(length=0)
    axes.set_xlabel("predicted (percentages are of the true class)")
    axes.set_ylabel("true")
    for row in places:
        for column in places:
            share = shares[row, column]
            text = f"{counts[row, column]:,}" + ("" if many else f"\n{share:.1%}")
            colour = "white" if share > 0.5 else "black"
            size = 7 if many else 12
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=size)


def curves_of(scores: Scores) -> dict[str, tuple[int, dict[str, Floats]]]:
    """Return each drawn class's number and threshold curve, by name."""
    numbers = [scores.positive] if scores.positive is not None else range(len(scores.classes))
    found = {}
    for number in numbers:
        truth = scores.truth == number
        if truth.any() and not truth.all():
            curve = threshold_curve(truth, scores.probabilities[:, number])
            found[scores.classes[number]] = (number, curve)
    return found


def draw_roc(axes: Axes, scores: Scores) -> None:
    """Draw true against false positive rate, of the positive class or of each against the rest."""
    for name, (_, curve) in curves_of(scores).items():
        axes.plot(curve["fpr"], curve["tpr"], **_line(scores, name, f"AUC {auc(curve):.4f}"))
    axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="chance (AUC 0.5)")
    axes.set_xlabel("false positive rate (1 - specificity)")
    axes.set_ylabel("true positive rate (recall)")
    _unit_square(axes)
    axes.legend(loc="lower right", frameon=False)


def draw_precision_recall(axes: Axes, scores: Scores) -> None:
    """Draw precision against recall, of the positive class or of each against the rest."""
    curves = curves_of(scores)
    for name, (_, curve) in curves.items():
        label = f"average precision {average_precision(curve):.4f}"
        axes.plot(
            curve["tpr"][1:],
            curve["precision"][1:],
            drawstyle="steps-pre",
            **_line(scores, name, label),
        )
    if scores.positive is not None:
        share = float((scores.truth == scores.positive).mean())
        axes.axhline(share, color=GREY, linestyle=":", label=f"chance ({share:.3f})")
    axes.set_xlabel("recall (true positive rate)")
    axes.set_ylabel("precision")
    _unit_square(axes)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower left", frameon=False)


def draw_thresholds(axes: Axes, scores: Scores) -> None:
    """Draw recall, false positive rate, and precision over the threshold of the positive class."""
    (name, (_, curve)) = next(iter(curves_of(scores).items()))
    shown = {
        "tpr": ("recall (true positive rate)", BLUE),
        "fpr": ("false positive rate", ORANGE),
        "precision": ("precision", GREEN),
    }
    for key, (label, colour) in shown.items():
        axes.plot(curve["threshold"][1:], curve[key][1:], color=colour, label=label, linewidth=1.8)
    axes.axvline(0.5, color=GREY, linestyle=":", label="threshold used (0.5)")
    axes.set_xlabel(f"threshold on the probability of {name}")
    axes.set_ylabel("rate")
    _unit_square(axes)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2, frameon=False)


def _unit_square(axes: Axes) -> None:
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.02)
    axes.grid(color="#e6e8eb", linewidth=0.8)
    axes.set_axisbelow(True)


def _line(scores: Scores, name: str, label: str) -> dict[str, Any]:
    if scores.positive is not None:
        return {"color": BLUE, "linewidth": 2, "label": f"{name}: {label}"}
    labelled = len(scores.classes) <= MOST_CURVES
    return {"linewidth": 1.4, "label": f"{name}: {label}" if labelled else "_nolegend_"}


def _sample(scores: Scores) -> tuple[Floats, Floats]:
    truth, predicted = scores.truth, scores.predicted
    if len(truth) > MOST_POINTS:
        chosen = np.random.default_rng(0).choice(len(truth), MOST_POINTS, replace=False)
        truth, predicted = truth[chosen], predicted[chosen]
    return truth, predicted


def _clip(values: Floats) -> tuple[float, float]:
    """Return the range of all but the outermost 0.5 % of values, which would squeeze the rest."""
    low, high = np.quantile(values, [0.005, 0.995])
    margin = (high - low) * 0.03 or 1.0
    return float(low - margin), float(high + margin)


def _note_hidden(axes: Axes, points: int, inside: int) -> None:
    if inside < points:
        text = f"{points - inside} of {points} points lie outside"
        axes.text(0.99, 0.01, text, transform=axes.transAxes, ha="right", fontsize=8, color=GREY)


def draw_predicted(axes: Axes, scores: Scores) -> None:
    """Draw predicted against true values."""
    truth, predicted = _sample(scores)
    low, high = _clip(np.concatenate([truth, predicted]))
    axes.scatter(truth, predicted, s=8, alpha=0.25, color=BLUE, linewidths=0)
    axes.plot([low, high], [low, high], color=ORANGE, linewidth=1.6, label="predicted = true")
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    inside = (truth >= low) & (truth <= high) & (predicted >= low) & (predicted <= high)
    _note_hidden(axes, len(truth), int(inside.sum()))
    axes.set_xlabel("true")
    axes.set_ylabel("predicted")
    axes.legend(loc="upper left", frameon=False)


def draw_residuals(axes: Axes, scores: Scores) -> None:
    """Draw how true values miss the predicted ones, with the median and the middle half."""
    truth, predicted = _sample(scores)
    residual = truth - predicted
    axes.scatter(predicted, residual, s=8, alpha=0.25, color=BLUE, linewidths=0)
    axes.axhline(0, color=GREY, linewidth=1)
    edges = np.unique(np.quantile(predicted, np.linspace(0, 1, 16)))
    if len(edges) > 2:
        bins = np.clip(np.searchsorted(edges, predicted, side="right") - 1, 0, len(edges) - 2)
        binned = [bins == number for number in np.unique(bins)]
        middle = [np.median(predicted[chosen]) for chosen in binned]
        quarters = np.array([np.quantile(residual[chosen], [0.25, 0.5, 0.75]) for chosen in binned])
        low, median, high = quarters.T
        axes.fill_between(middle, low, high, color=ORANGE, alpha=0.3, label="middle half")
        axes.plot(middle, median, color=ORANGE, linewidth=1.8, label="median")
        axes.legend(loc="upper left", frameon=False)
    left, right = _clip(predicted)
    bottom, top = _clip(residual)
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    inside = (predicted >= left) & (predicted <= right) & (residual >= bottom) & (residual <= top)
    _note_hidden(axes, len(truth), int(inside.sum()))
    axes.set_xlabel("predicted")
    axes.set_ylabel("true - predicted")


def draw_calibration(axes: Axes, scores: Scores) -> None:
    """Draw what came true against stated probabilities, with intervals and the rows behind them."""
    curve = curve_of(*judged(scores.truth, scores.probabilities, scores.positive))
    ends = np.array([curve.came - curve.low, curve.high - curve.came])
    axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="right")
    axes.errorbar(
        curve.stated,
        curve.came,
        yerr=np.maximum(ends, 0),
        color=BLUE,
        marker="o",
        markersize=4,
        capsize=2,
        linewidth=1.4,
        label=f"model (ECE {scores.metrics['ece']:.4f})",
    )
    what = "the class predicted"
    if scores.positive is not None:
        what = scores.classes[scores.positive]
    axes.set_xlabel(f"stated probability of {what}")
    axes.set_ylabel("share that came true (95% interval)")
    _unit_square(axes)
    axes.legend(loc="upper left", frameon=False)


def draw_costs(curve: CostCurve, folder: Path) -> str:
    """Draw the mean cost of a row over the threshold into a folder.

    Returns:
        The name of the file.
    """
    figure = new_figure(6.4, 5.2)
    axes = figure.add_subplot()
    tidy(axes, "Cost over the threshold", grid="y")
    threshold = curve.tried.threshold
    axes.fill_between(threshold, curve.low, curve.high, color=BLUE, alpha=0.2, linewidth=0)
    axes.plot(threshold, curve.cost, color=BLUE, linewidth=1.8, label="mean cost of a row")
    axes.axvline(0.5, color=GREY, linestyle=":", label="threshold used (0.5)")
    axes.axvline(curve.best, color=ORANGE, label=f"least cost ({curve.best:.3f})")
    axes.axvspan(*curve.best_interval, color=ORANGE, alpha=0.15, linewidth=0)
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("threshold")
    axes.set_ylabel("mean cost of a row")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=3, frameon=False)
    save(figure, folder / "costs.png")
    return "costs.png"


CLASSIFICATION: dict[str, tuple[str, Draw]] = {
    "confusion_matrix": ("Confusion matrix", draw_confusion_matrix),
    "roc": ("ROC", draw_roc),
    "precision_recall": ("Precision and recall", draw_precision_recall),
    "thresholds": ("Rates over the threshold", draw_thresholds),
    "calibration": ("Calibration", draw_calibration),
}
REGRESSION: dict[str, tuple[str, Draw]] = {
    "predicted_vs_true": ("Predicted and true values", draw_predicted),
    "residuals": ("Residuals", draw_residuals),
}
#: Those that need probabilities.
CURVES = (draw_roc, draw_precision_recall, draw_thresholds, draw_calibration)
