"""Every figure of a model with its interval: of all rows, against the champion, by cohort.

One set of resamples of the test rows serves all: the model, the champion, the costs, the cohorts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stepkit.bootstrap import (
    Panel,
    corrected_interval,
    errors_panel,
    interval,
    panel_of,
    resampled_panels,
    summed,
)
from stepkit.cohorts import SMALL, Cohort, part_of
from stepkit.confusion import rates_of_class
from stepkit.costs import CostCurve, Prices, candidates, cost_curve, cost_panel, counter
from stepkit.figures import Against, Figure
from stepkit.metrics import Floats, more_is_better, task_of
from stepkit.model import Scores
from stepkit.program import StepError

#: Figures of a cohort, by what is predicted; the first is what cohorts are compared by.
COHORT_METRICS = {
    "two classes": ("error_rate", "auc", "recall", "precision"),
    "more classes": ("error_rate", "f1"),
    "quantity": ("mae", "rmse", "bias"),
}
UNDEFINED = {
    "auc": "the rows are of one class only",
    "average_precision": "the rows are of one class only",
    "r2": "all true values are equal",
    "explained_variance": "all true values are equal",
    "mape": "a true value is 0",
    "rmsle": "a value is below 0",
}
#: The rates of each of more than two classes that are figures.
BY_CLASS = ("precision", "recall", "f1")
#: Of more classes than this, single ones have no figures.
MOST_CLASSES = 20
_FEW = "too few resamples define it for an interval"


@dataclass(frozen=True)
class Rival:
    """The champion on the same rows."""

    version: str
    scores: Scores


@dataclass(frozen=True)
class Settings:
    """How a model is judged.

    Attributes:
        resamples: Of the test rows.
        confidence: Of the intervals.
        seed: Of the resamples.
        prices: What errors cost.
    """

    resamples: int = 1000
    confidence: float = 0.95
    seed: int = 0
    prices: Prices = field(default_factory=Prices)


@dataclass(frozen=True)
class PartFigures:
    """The figures of a part of the rows.

    Attributes:
        part: The part.
        figures: By name.
        behind: How far the first figure is worse than that of all rows; below 0 where it is better.
        error: The standard error of that, from the same resamples.
    """

    part: Cohort
    figures: dict[str, Figure]
    behind: float
    error: float


@dataclass(frozen=True)
class Judged:
    """What resampling gave.

    Attributes:
        headline: The figures of all rows, in the order to be read in.
        parts: Those of each cohort, and, of quantities, of each range.
        by_class: Rates of each of more than two classes, with the class as cohort.
        costs: The cost curve; None where there are not two classes with probabilities.
        cost: The mean cost of a row as the model predicts now; None as above.
    """

    headline: tuple[Figure, ...]
    parts: tuple[PartFigures, ...]
    by_class: tuple[Figure, ...] = ()
    costs: CostCurve | None = None
    cost: Figure | None = None


def kind_of(scores: Scores) -> str:
    """Return what is predicted, as `COHORT_METRICS` names it."""
    if scores.task == "regression":
        return "quantity"
    return "more classes" if scores.positive is None else "two classes"


def values_of(scores: Scores) -> dict[str, float]:
    """Return the metrics, and for quantities the bias."""
    if scores.task == "classification":
        return scores.metrics
    return {**scores.metrics, "bias": float(np.mean(scores.predicted - scores.truth))}


def judge(
    scores: Scores, target: str, rival: Rival | None, parts: Sequence[Cohort], settings: Settings
) -> Judged:
    """Measure a model on all rows and on parts of them, with intervals.

    Args:
        scores: Its predictions.
        target: What is predicted.
        rival: The champion; None where there is none.
        parts: Parts of the rows.
        settings: How it is judged.
    """
    metrics = COHORT_METRICS[kind_of(scores)]
    kept = [part_of(scores, each.rows) for each in parts]
    panels: list[Panel] = [_panel(scores, list(values_of(scores)))]
    panels += [_inside(own, each.rows, metrics) for own, each in zip(kept, parts, strict=True)]
    if rival is not None:
        panels.append(_panel(rival.scores, list(values_of(rival.scores))))
    has_classes = scores.positive is None and 2 < len(scores.classes) <= MOST_CLASSES
    if has_classes:
        panels.append(_by_class_panel(scores))
    cost = _Cost(scores, settings.prices) if _has_costs(scores) else None
    if cost is not None:
        panels.append(cost.panel)
    drawn = resampled_panels(panels, len(scores.truth), settings.resamples, settings.seed)
    whole, of_parts = drawn[0], drawn[1 : 1 + len(parts)]
    against = None if rival is None else (rival, drawn[1 + len(parts)])
    headline = _headline(scores, whole, against, settings)
    measured = tuple(
        _part(each, own, resampled, values_of(scores), whole, settings)
        for each, own, resampled in zip(parts, kept, of_parts, strict=True)
    )
    if cost is not None:
        return Judged(headline, measured, (), *cost.found(drawn[-1], settings))
    by_class = _by_class(scores, target, drawn[-1], settings) if has_classes else ()
    return Judged(headline, measured, by_class)


def _has_costs(scores: Scores) -> bool:
    if scores.positive is None or not scores.has_probabilities:
        return False
    positive = scores.truth == scores.positive
    return bool(positive.any() and not positive.all())


def _panel(scores: Scores, metrics: Sequence[str]) -> Panel:
    """Return metrics, `bias` among them, as a function of counts."""
    plain = panel_of(scores, [name for name in metrics if name != "bias"])
    if "bias" not in metrics:
        return plain
    errors = errors_panel(scores.truth, scores.predicted)

    def both(counts: Floats) -> Mapping[str, Floats]:
        with np.errstate(divide="ignore", invalid="ignore"):
            return {**plain(counts), "bias": errors(counts)["bias"]}

    return both


def _inside(scores: Scores, rows: NDArray[np.intp], metrics: Sequence[str]) -> Panel:
    defined = values_of(scores)
    panel = _panel(scores, [name for name in metrics if name in defined])
    return lambda counts: panel(counts[rows])


def _interval(
    name: str, value: float, values: Floats, settings: Settings
) -> tuple[tuple[float, float] | tuple[None, None], str]:
    """Return a figure's interval, or none and why."""
    try:
        if name == "ece":
            return corrected_interval(value, values, settings.confidence), ""
        return interval(values, settings.confidence), ""
    except StepError:
        return (None, None), _FEW


def better(name: str) -> Literal["more", "less"] | None:
    """Return whether `more` or `less` of a metric is better; None for `bias`."""
    if task_of(name) is None:
        return None
    return "more" if more_is_better(name) else "less"


def _figure(
    name: str,
    value: float | None,
    values: Floats | None,
    sample: int,
    settings: Settings,
    cohort: str = "",
    against: Against | None = None,
    note: str = "",
) -> Figure:
    ends: tuple[float | None, float | None] = (None, None)
    if value is not None and values is not None:
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


def _headline(
    scores: Scores,
    drawn: Mapping[str, Floats],
    against: tuple[Rival, Mapping[str, Floats]] | None,
    settings: Settings,
) -> tuple[Figure, ...]:
    return tuple(
        _figure(
            name,
            value,
            drawn[name],
            len(scores.truth),
            settings,
            against=None if against is None else _against(name, value, drawn, *against, settings),
        )
        for name, value in values_of(scores).items()
    )


def _against(
    name: str,
    value: float,
    drawn: Mapping[str, Floats],
    rival: Rival,
    theirs: Mapping[str, Floats],
    settings: Settings,
) -> Against | None:
    """Return the champion's figure with the paired interval of the difference."""
    if name not in theirs:
        return None
    other = values_of(rival.scores)[name]
    try:
        low, high = interval(drawn[name] - theirs[name], settings.confidence)
    except StepError:
        return Against(rival.version, other, value - other)
    return Against(rival.version, other, value - other, low, high)


def _part(
    part: Cohort,
    scores: Scores,
    drawn: Mapping[str, Floats],
    overall: Mapping[str, float],
    whole: Mapping[str, Floats],
    settings: Settings,
) -> PartFigures:
    found, values = {}, values_of(scores)
    metrics = COHORT_METRICS[kind_of(scores)]
    for name in metrics:
        value = values.get(name)
        small = f"small: fewer than {SMALL} rows" if part.is_small else ""
        note = small if value is not None else UNDEFINED.get(name, "not defined on these rows")
        found[name] = _figure(
            name, value, drawn.get(name), len(part.rows), settings, part.name, note=note
        )
    first = metrics[0]
    apart = drawn[first] - whole[first]
    return PartFigures(part, found, values[first] - overall[first], float(np.nanstd(apart)))


def _by_class_panel(scores: Scores) -> Panel:
    """Return the rates of every class, each of shape (classes, c), of counts."""
    size = len(scores.classes)
    cells = summed(scores.truth * size + scores.predicted, size * size)

    def panel(counts: Floats) -> Mapping[str, Floats]:
        matrix = cells(counts).reshape(size, size, -1)
        each = [rates_of_class(matrix, number) for number in range(size)]
        return {rate: np.array([rates[rate] for rates in each]) for rate in BY_CLASS}

    return panel


def _by_class(
    scores: Scores, target: str, drawn: Mapping[str, Floats], settings: Settings
) -> tuple[Figure, ...]:
    return tuple(
        _figure(
            rate,
            rates[rate],
            drawn[rate][number],
            int(rates["support"]),
            settings,
            f"{target}={name}",
            note="of this class against the others",
        )
        for number, (name, rates) in enumerate(scores.per_class().items())
        for rate in BY_CLASS
    )


class _Cost:
    """The costs of one model's predictions."""

    def __init__(self, scores: Scores, prices: Prices) -> None:
        self._prices = prices
        self._scores = scores
        positive = scores.truth == scores.positive
        score = scores.probabilities[:, scores.positive]
        self._count = counter(positive, score, candidates(positive, score))
        called = scores.predicted == scores.positive
        wrong = prices.false_positive * (called & ~positive)
        self._now = wrong + prices.false_negative * (positive & ~called)
        self._curve = cost_panel(self._count, prices)

    def panel(self, counts: Floats) -> Mapping[str, Floats]:
        """Return the curve and the cost as the model predicts now, of counts."""
        return {**self._curve(counts), "now": self._now @ counts / counts.sum(axis=0)}

    def found(self, drawn: Mapping[str, Floats], settings: Settings) -> tuple[CostCurve, Figure]:
        """Return the curve, and the cost as the model predicts now."""
        rows = len(self._now)
        whole = self._count(np.ones((rows, 1)))
        one = type(whole)(
            whole.threshold, *(each[:, 0] for each in (whole.tp, whole.fp, whole.fn, whole.tn))
        )
        curve = cost_curve(one, self._prices, drawn, settings.confidence)
        low, high = interval(drawn["now"], settings.confidence)
        value = float(self._now.mean())
        now = Figure(
            "cost",
            "predictive",
            value,
            "less",
            rows,
            low,
            high,
            settings.confidence,
            note="mean cost of a row, as the model predicts",
        )
        return curve, now
