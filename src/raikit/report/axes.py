"""Axes of a chart: where its ticks are, what they read, and where a value lies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.ticker import MaxNLocator

from raikit.report.words import number

#: How many categories an axis names at most.
MOST_LABELS = 9


@dataclass(frozen=True)
class Axis:
    """One axis.

    Attributes:
        low: Value at its beginning; of a logarithmic one the power of ten.
        high: Value at its end.
        ticks: Places of the ticks, in values, with their texts.
        log: Whether it is logarithmic.
        categories: The place of each category; empty where values are numbers.
    """

    low: float
    high: float
    ticks: Sequence[tuple[float | str, str]]
    log: bool = False
    categories: Sequence[str] = ()

    def share(self, value: float | str) -> float:
        """Return where a value lies, from 0 to 1."""
        if self.categories:
            place = float(self.categories.index(str(value)))
        elif self.log:
            place = math.log10(float(value))
        else:
            place = float(value)
        return (place - self.low) / (self.high - self.low)


def linear(values: Sequence[float], ticks: int = 6, *, tight: bool = False) -> Axis:
    """Return an axis over numbers.

    Args:
        values: What it must hold; none make it go from 0 to 1.
        ticks: How many there are at most.
        tight: Whether it begins and ends at the values, not at the ticks around them.
    """
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if low == high:
        margin = abs(low) * 0.1 or 1.0
        low, high = low - margin, high + margin
    places = MaxNLocator(nbins=ticks, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    step = float(places[1] - places[0])
    digits = max(0, -math.floor(math.log10(step)) + (1 if _has_half(step) else 0))
    form = f",.{digits}f" if digits <= 6 else ".3g"
    kept = [float(round(place, 12)) for place in places]
    if not tight:
        low, high = kept[0], kept[-1]
    margin = (high - low) * 1e-9
    inside = [place for place in kept if low - margin <= place <= high + margin]
    return Axis(low, high, [(place, number(place + 0.0, form)) for place in inside])


def _has_half(step: float) -> bool:
    """Tell a step such as 0.25 or 2.5, which needs a digit more."""
    leading = step / 10 ** math.floor(math.log10(step))
    return math.isclose(leading, 2.5)


def logarithmic(values: Sequence[float]) -> Axis:
    """Return a logarithmic axis over values above 0, with a tick at powers of ten."""
    low, high = math.log10(min(values)), math.log10(max(values))
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    powers = range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1)
    stride = max(1, math.ceil(len(powers) / MOST_LABELS))
    ticks = [10.0**power for power in powers][::stride]
    if len(ticks) < 3:
        ticks = sorted(
            factor * 10.0**power
            for power in range(math.floor(low), math.ceil(high) + 1)
            for factor in (1, 2, 5)
            if low - 1e-9 <= math.log10(factor * 10.0**power) <= high + 1e-9
        )
    return Axis(low, high, [(tick, number(tick)) for tick in ticks], log=True)


def categorical(values: Sequence[str]) -> Axis:
    """Return an axis of categories in their order; of many, some have a text."""
    names = list(dict.fromkeys(values))
    stride = max(1, math.ceil(len(names) / MOST_LABELS))
    ticks = [(name, name) for name in names[::stride]]
    margin = 0.5 if len(names) <= MOST_LABELS else 0.0
    last = max(len(names) - 1, 0) or 1
    return Axis(-margin, last + margin, ticks, categories=names)
