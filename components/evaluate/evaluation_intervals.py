"""One figure with its interval: from resamples, or, of few rows, Wilson's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from stepkit.bootstrap import corrected_interval, interval
from stepkit.calibration import wilson
from stepkit.costs import Prices
from stepkit.figures import Against, Figure
from stepkit.forecasts import Series
from stepkit.metrics import Floats, more_is_better, task_of
from stepkit.program import StepError

_FEW = "too few resamples define it for an interval"
_SAME = "every resample gives the same, so there is no interval"
#: Of fewer rows that are so, or are not, resamples say too little about a share.
FEW_HITS = 10


@dataclass(frozen=True)
class Settings:
    """How a model is judged.

    Attributes:
        resamples: Of the test rows.
        confidence: Of the intervals.
        seed: Of the resamples.
        prices: What errors cost.
        series: Of forecasts, what series the rows are of; None of what is no forecast.
    """

    resamples: int = 1000
    confidence: float = 0.95
    seed: int = 0
    prices: Prices = field(default_factory=Prices)
    series: Series | None = None


def _interval(
    name: str, value: float, values: Floats, settings: Settings
) -> tuple[tuple[float, float] | tuple[None, None], str]:
    """Return a figure's interval, or none and why."""
    try:
        low, high = interval(values, settings.confidence)
    except StepError:
        return (None, None), _FEW
    if low == high:
        return (None, None), _SAME
    if name == "ece":
        return corrected_interval(value, values, settings.confidence), ""
    return (low, high), ""


def better(name: str) -> Literal["more", "less"] | None:
    """Return whether `more` or `less` of a metric is better; None for `bias`."""
    if task_of(name) is None:
        return None
    return "more" if more_is_better(name) else "less"


def figure(
    name: str,
    value: float | None,
    values: Floats | None,
    sample: int,
    settings: Settings,
    *,
    share: tuple[float, float] | None = None,
    cohort: str = "",
    against: Against | None = None,
    note: str = "",
) -> Figure:
    """Return a figure with its interval.

    Args:
        name: Of the metric.
        value: Of the rows; None where they do not define it.
        values: Of the resamples.
        sample: How many rows there are.
        settings: Of the interval.
        share: Of a share: how many rows are so, and of how many. Of few such rows, Wilson's
            interval is given, since resamples of none have none; of no rows at all, no value.
        cohort: The part of the rows.
        against: The champion's.
        note: What a reader must know.
    """
    ends: tuple[float | None, float | None] = (None, None)
    missing = ""
    if share is not None and share[1] == 0:
        value, missing = None, "no row of which it is the share"
    elif share is not None and min(share[0], share[1] - share[0]) < FEW_HITS:
        ends = wilson(share[0], share[1], settings.confidence)
    elif value is not None and values is not None:
        ends, missing = _interval(name, value, values, settings)
    note = "; ".join(each for each in (note, missing) if each)
    return Figure(
        name=name,
        area="predictive",
        value=value,
        better=better(name),
        sample=sample,
        low=ends[0],
        high=ends[1],
        level=settings.confidence,
        cohort=cohort,
        against=against,
        note=note,
    )
