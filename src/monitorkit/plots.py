"""Plots of a signal: the distributions that are farthest apart, now and in the reference."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from monitorkit.columns import Rows
from monitorkit.distances import NumberPair
from monitorkit.drift import category_counts
from monitorkit.signals import Outcome
from stepkit.plots import BLUE, ORANGE, new_figure, save, tidy

#: Features that are drawn, and categories of each.
_MOST_FEATURES, _MOST_CATEGORIES = 6, 12
_BINS = 30


def plot_distributions(outcome: Outcome, folder: Path) -> tuple[str, list[str]] | None:
    """Draw the features of a drift signal that come first by verdict and distance.

    Args:
        outcome: Of the signal.
        folder: Where the PNG goes.

    Returns:
        Its name and the features on it; None where there are none to draw.
    """
    features = worst_features(outcome)[:_MOST_FEATURES]
    if outcome.reference is None or not features:
        return None
    lines = (len(features) + 2) // 3
    figure = new_figure(11, 2.8 * lines)
    for place, feature in enumerate(features):
        axes = figure.add_subplot(lines, 3, place + 1)
        draw = _numbers if outcome.features[feature] == "numerical" else _categories
        positions, ours, theirs, labels, width = draw(
            outcome.production, outcome.reference, feature
        )
        axes.bar(positions, theirs, width, color=BLUE, alpha=0.45, label="reference")
        axes.bar(positions, ours, width, fill=False, edgecolor=ORANGE, label="production")
        if labels:
            axes.set_xticks(positions, labels, rotation=40, ha="right", fontsize=7)
        axes.set_ylabel("share of rows")
        tidy(axes, feature, grid="y")
        if not place:
            axes.legend(frameon=False, fontsize=8)
    name = f"{file_name(outcome.signal.name)}.png"
    save(figure, folder / name)
    return name, features


def file_name(text: str) -> str:
    """Return a name as part of a file's name."""
    return "".join(each if each.isalnum() or each in "-_" else "_" for each in text)


def worst_features(outcome: Outcome) -> list[str]:
    """Return features with a value, those that breach first, the rarest by chance first."""
    ranked = sorted(
        (metric for metric in outcome.metrics if metric.value is not None and metric.feature),
        key=lambda metric: (metric.verdict != "breach", metric.p_value or 0.0),
    )
    return list(dict.fromkeys(each.feature for each in ranked if each.feature in outcome.features))


def _numbers(
    production: Rows, reference: Rows, feature: str
) -> tuple[Sequence[float], Sequence[float], Sequence[float], list[str], float]:
    """Return shares in bins of the reference's middle 98 %; what is outside is at the edges."""
    pair = NumberPair.of(*(rows.column(feature).numbers()[0] for rows in (production, reference)))
    low, high = np.quantile(pair.reference, [0.01, 0.99])
    edges = np.linspace(low, high if high > low else low + 1, _BINS + 1)
    shares = []
    for values in (pair.production, pair.reference):
        counts = np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0]
        shares.append((counts / len(values)).tolist())
    return ((edges[1:] + edges[:-1]) / 2).tolist(), *shares, [], float(edges[1] - edges[0])


def _categories(
    production: Rows, reference: Rows, feature: str
) -> tuple[Sequence[float], Sequence[float], Sequence[float], list[str], float]:
    """Return shares of the most frequent categories."""
    ours, theirs = category_counts(production, reference, feature)
    names = sorted({*production.categories(feature), *reference.categories(feature)})
    ours, theirs = ours / ours.sum(), theirs / theirs.sum()
    order = np.argsort(-np.maximum(ours, theirs), kind="stable")[:_MOST_CATEGORIES]
    labels = [names[place][:18] for place in order]
    positions = [float(place) for place in range(len(order))]
    return positions, ours[order].tolist(), theirs[order].tolist(), labels, 0.8
