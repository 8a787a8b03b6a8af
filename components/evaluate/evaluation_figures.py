"""Every figure of a model with its interval: of all rows, against the champion, by cohort.

One set of resamples of the test rows serves all: the model, the champion, the costs, the cohorts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from evaluation_costs import PricedScores, has_costs
from evaluation_intervals import Settings, figure
from numpy.typing import NDArray

from stepkit.bootstrap import (
    PROBABILITY_METRICS,
    QUANTILES,
    Panel,
    errors_panel,
    interval,
    panel_of,
    resampled_panels,
    summed,
)
from stepkit.cohorts import SMALL, Cohort, part_of
from stepkit.confusion import rates_of_class, shares_of, shares_of_class
from stepkit.costs import CostCurve
from stepkit.figures import Against, Figure
from stepkit.forecasts import Series, forecast_panel
from stepkit.metrics import CLASSIFICATION_METRICS, REGRESSION_METRICS, Floats
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
    "wape": "all true values are 0",
    "kappa": "the rows are of one class only, and so are the predictions",
    "nmae": "all true values are equal",
    "nrmse": "all true values are equal",
    "mase": "no history that is longer than a season and changes: give history",
}
#: The rates of each of more than two classes that are figures.
BY_CLASS = ("precision", "recall", "f1")
#: Of more classes than this, single ones have no figures.
MOST_CLASSES = 20


@dataclass(frozen=True)
class Rival:
    """The champion on the same rows."""

    version: str
    scores: Scores


@dataclass(frozen=True)
class PartFigures:
    """The figures of a part of the rows.

    Attributes:
        part: The part.
        figures: By name.
        behind: How far the first figure is worse than that of all rows; below 0 where it is better.
        error: The standard error of that, were the part like the others; 0 where it is all rows.
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


def as_forecast(scores: Scores, series: Series) -> Scores:
    """Return a model's predictions with the metrics of forecasts among theirs."""
    panel = forecast_panel(scores.truth, scores.predicted, series)
    found = {
        name: float(value[0]) for name, value in panel(np.ones((len(scores.truth), 1))).items()
    }
    own = {name: value for name, value in found.items() if np.isfinite(value)}
    return replace(scores, metrics={**scores.metrics, **own})


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
    panels: list[Panel] = [_panel(scores, list(values_of(scores)), settings.series)]
    panels += [_inside(own, each.rows, metrics) for own, each in zip(kept, parts, strict=True)]
    if rival is not None:
        panels.append(_panel(rival.scores, list(values_of(rival.scores)), settings.series))
    has_classes = scores.positive is None and 2 < len(scores.classes) <= MOST_CLASSES
    if has_classes:
        panels.append(_by_class_panel(scores))
    cost = PricedScores(scores, settings.prices) if has_costs(scores) else None
    if cost is not None:
        panels.append(cost.panel)
    drawn = resampled_panels(panels, len(scores.truth), settings.resamples, settings.seed)
    whole, of_parts = drawn[0], drawn[1 : 1 + len(parts)]
    against = None if rival is None else (rival, drawn[1 + len(parts)])
    headline = (*_headline(scores, whole, against, settings), *_undefined(scores, settings))
    measured = tuple(
        _part(each, own, resampled, scores, settings)
        for each, own, resampled in zip(parts, kept, of_parts, strict=True)
    )
    if cost is not None:
        return Judged(headline, measured, (), *cost.found(drawn[-1], settings.confidence))
    by_class = _by_class(scores, target, drawn[-1], settings) if has_classes else ()
    return Judged(headline, measured, by_class)


def _panel(scores: Scores, metrics: Sequence[str], series: Series | None = None) -> Panel:
    """Return metrics, `bias` and those of forecasts among them, as a function of counts."""
    if scores.task == "classification":
        return panel_of(scores, metrics)
    parts = [errors_panel(scores.truth, scores.predicted)]
    parts += [panel_of(scores, QUANTILES)] * bool(set(QUANTILES) & set(metrics))
    parts += [] if series is None else [forecast_panel(scores.truth, scores.predicted, series)]

    def panel(counts: Floats) -> Mapping[str, Floats]:
        found: dict[str, Floats] = {}
        with np.errstate(divide="ignore", invalid="ignore"):
            for part in parts:
                found |= part(counts)
        return {name: found[name] for name in metrics}

    return panel


def _inside(scores: Scores, rows: NDArray[np.intp], metrics: Sequence[str]) -> Panel:
    defined = values_of(scores)
    panel = _panel(scores, [name for name in metrics if name in defined])

    def inside(counts: Floats) -> Mapping[str, Floats]:
        own = counts[rows]
        # A resample without a row of the part says nothing about it.
        lost = own.sum(axis=0) == 0
        return {name: np.where(lost, np.nan, each) for name, each in panel(own).items()}

    return inside


def _shares(scores: Scores) -> dict[str, tuple[float, float]]:
    return {} if scores.task == "regression" else shares_of(scores.matrix, scores.positive)


def _headline(
    scores: Scores,
    drawn: Mapping[str, Floats],
    against: tuple[Rival, Mapping[str, Floats]] | None,
    settings: Settings,
) -> tuple[Figure, ...]:
    shares = _shares(scores)
    return tuple(
        figure(
            name,
            value,
            drawn[name],
            len(scores.truth),
            settings,
            share=shares.get(name),
            against=None if against is None else _against(name, value, drawn, *against, settings),
        )
        for name, value in values_of(scores).items()
    )


def _undefined(scores: Scores, settings: Settings) -> tuple[Figure, ...]:
    """Return the metrics that the rows, or the model, do not define, and why."""
    if scores.task == "regression":
        expected = [name for name in REGRESSION_METRICS if name != "mase" or settings.series]
    else:
        expected = list(CLASSIFICATION_METRICS)
    values, rows = values_of(scores), len(scores.truth)
    return tuple(
        figure(name, None, None, rows, settings, note=_why(scores, name))
        for name in expected
        if name not in values
    )


def _why(scores: Scores, name: str) -> str:
    if name in PROBABILITY_METRICS and not scores.has_probabilities:
        return "the model gives no probabilities"
    return UNDEFINED.get(name, "not defined on these rows")


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
    whole: Scores,
    settings: Settings,
) -> PartFigures:
    found, values, shares = {}, values_of(scores), _shares(scores)
    metrics = COHORT_METRICS[kind_of(scores)]
    for name in metrics:
        value = values.get(name)
        small = f"small: fewer than {SMALL} rows" if part.is_small else ""
        note = small if value is not None else _why(scores, name)
        found[name] = figure(
            name,
            value,
            drawn.get(name),
            len(part.rows),
            settings,
            share=shares.get(name),
            cohort=part.name,
            note=note,
        )
    first = metrics[0]
    behind = values[first] - values_of(whole)[first]
    return PartFigures(part, found, behind, _standard_error(whole, part))


def _standard_error(whole: Scores, part: Cohort) -> float:
    """Return the standard error of a part's mean loss minus that of all rows.

    With the spread of all rows' losses, as a pooled test of two means has it: resamples of a part
    that holds all errors would say that nothing varies.
    """
    inside = len(part.rows)
    outside = len(whole.truth) - inside
    if not outside:
        return 0.0
    if whole.task == "regression":
        losses = np.abs(whole.truth - whole.predicted)
    else:
        losses = (whole.truth != whole.predicted).astype(np.float64)
    apart = float(losses.std()) * np.sqrt(1 / inside + 1 / outside)
    # A part differs from all rows by less than from the other rows, by the share of these.
    return float(apart * outside / len(whole.truth))


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
        figure(
            rate,
            rates[rate],
            drawn[rate][number],
            int(rates["support"]),
            settings,
            share=shares_of_class(scores.matrix, number).get(rate),
            cohort=f"{target}={name}",
            note="of this class against the others",
        )
        for number, (name, rates) in enumerate(scores.per_class().items())
        for rate in BY_CLASS
    )
