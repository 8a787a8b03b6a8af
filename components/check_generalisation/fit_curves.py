"""Cross-validation, the learning curve, and the validation curve of a model, within a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from fit_verdict import Alternative
from main_parameter import Parameter
from refitting import CannotRefitError, Clock, Point, Refitter

from stepkit.metrics import Floats, more_is_better
from stepkit.resampling import Gain, corrected_gain

#: Parts of a fold's train rows that the learning curve goes over; each twice the one before.
SHARES = (1 / 4, 1 / 2, 1.0)
#: Of the seconds, what the learning curve may take; the rest is the validation curve's.
_LEARNING_PART = 0.65
#: Rows that the points of the validation curve are fitted on where there are more. It shows where
#: to look; whether the best is better is told on all rows.
VALIDATION_ROWS = 4000
#: Rows below which a point of the curve says nothing.
LEAST_ROWS = 40
#: Of every interval.
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Curves:
    """A model refitted.

    Attributes:
        folds: How many there were.
        rows: All rows of the folds.
        learning: Its own settings on more and more rows; the last is the cross-validation.
        validation: Other settings, on one number of rows, by rising value.
        own: The model's own setting on as many rows.
        parameter: What the validation curve goes over.
        notes: What was left out, and why.
    """

    folds: int
    rows: int
    learning: Sequence[Point]
    validation: Sequence[Point] = ()
    own: Point | None = None
    parameter: Parameter | None = None
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def cross_validation(self) -> Point:
        """The model's own settings on all rows of the folds."""
        return self.learning[-1]

    @property
    def test_to_train(self) -> float:
        """Rows held out per row fitted on, in the folds.

        That of the whole folds is taken for parts of them, too: parts have fewer rows in common, so
        the correction is rather too great for them.
        """
        return 1 / (self.folds - 1)


def refit(refitter: Refitter, folds: int, parameter: Parameter | None, clock: Clock) -> Curves:
    """Refit a model on more and more rows, and with other values of a parameter.

    Each step is taken only where what the one before took says that it fits into the seconds; the
    first is taken in any case.

    Args:
        refitter: Fits the model.
        folds: How many there are.
        parameter: To be varied; None for none.
        clock: Knows the seconds.

    Raises:
        CannotRefitError: Not even once.
    """
    learning, notes = _learning_curve(refitter, clock)
    curves = Curves(folds, len(refitter.table), learning, notes=tuple(notes))
    if parameter is None:
        return curves
    return _with_validation(curves, refitter, parameter, clock)


def _learning_curve(refitter: Refitter, clock: Clock) -> tuple[list[Point], list[str]]:
    learning: list[Point] = []
    notes: list[str] = []
    for share in SHARES:
        if share * len(refitter.table) < LEAST_ROWS and share < 1:
            continue
        # Twice the rows take up to twice the time.
        spent = clock.seconds - clock.remaining
        if learning and spent + 2 * learning[-1].seconds > _LEARNING_PART * clock.seconds:
            notes.append(
                f"cross-validation on {learning[-1].rows:,} rows a fold, not on more: one more "
                f"doubling would take more than its part of {clock.seconds:.0f} s"
            )
            break
        try:
            learning.append(refitter.point(share))
        except CannotRefitError as error:
            if share == SHARES[-1] and not learning:
                raise
            # A small part may lack a class that the whole has.
            notes.append(f"no point at {share:.0%} of the rows: {error}")
    if not learning:
        raise CannotRefitError("too few rows")
    return learning, notes


def _with_validation(
    curves: Curves, refitter: Refitter, parameter: Parameter, clock: Clock
) -> Curves:
    notes = list(curves.notes)
    found: list[Point] = []
    small = [each for each in curves.learning if each.rows <= VALIDATION_ROWS]
    own = small[-1] if small else curves.learning[0]
    for value in parameter.values:
        expected = found[-1].seconds if found else own.seconds
        if expected > clock.remaining:
            notes.append(f"the validation curve from {parameter.name} = {value:.4g} on, for time")
            break
        try:
            found.append(refitter.point(own.share, {parameter.path: value}))
        except CannotRefitError as error:
            notes.append(f"no point at {parameter.name} = {value:.4g}: {error}")
    return replace(curves, validation=found, own=own, parameter=parameter, notes=tuple(notes))


def best_point(points: Sequence[Point], metric: str) -> Point | None:
    """Return the point of the best mean on held-out rows; None of none."""
    return max(points, key=lambda each: turned(each.held_out, metric).mean(), default=None)


def turned(found: Mapping[str, Floats], metric: str) -> Floats:
    """Return a metric of each fold, turned so that more is better."""
    return found[metric] if more_is_better(metric) else -found[metric]


def gain_of(curves: Curves, other: Point, own: Point, metric: str) -> Gain:
    """Return how much better another setting is on held-out rows.

    The values tried are many, and the best of them would often look better by chance; so its
    interval shares the doubt (Bonferroni).
    """
    return corrected_gain(
        turned(other.held_out, metric) - turned(own.held_out, metric),
        curves.test_to_train,
        1 - (1 - CONFIDENCE) / max(1, len(curves.validation)),
    )


def best_alternative(curves: Curves, metric: str, train_rows: int) -> Alternative | None:
    """Return the best other setting, compared with the model's own; None where none was tried.

    It is confirmed where the validation curve stands on all train rows.

    Args:
        curves: The model refitted.
        metric: By which.
        train_rows: How many there are.
    """
    best = best_point(curves.validation, metric)
    if best is None or curves.own is None or curves.parameter is None:
        return None
    own = curves.own
    (value,) = best.setting.values()
    return Alternative(
        name=f"{curves.parameter.name} = {value:.4g}",
        gain=gain_of(curves, best, own, metric),
        train_gain=float((turned(best.train, metric) - turned(own.train, metric)).mean()),
        is_confirmed=own.share == SHARES[-1] and curves.rows == train_rows,
    )


def slope_of(curves: Curves, metric: str) -> Gain | None:
    """Return the gain in held-out score where the rows are doubled, over the curve.

    It is the slope of the least-squares line over the base-2 logarithm of the rows in each fold;
    its interval is the corrected one. None of a single point.
    """
    last = curves.learning
    if len(last) < 2:
        return None
    doublings = np.log2([each.rows for each in last])
    centred = doublings - doublings.mean()
    scores = np.array([turned(each.held_out, metric) for each in last])
    return corrected_gain(centred @ scores / (centred @ centred), curves.test_to_train, CONFIDENCE)


def fold_gap(curves: Curves, metric: str) -> Gain:
    """Return the train score less the held-out one of the cross-validation, with its interval."""
    point = curves.cross_validation
    difference = turned(point.train, metric) - turned(point.held_out, metric)
    return corrected_gain(difference, curves.test_to_train, CONFIDENCE)


def mean_of(curves: Curves, values: Floats) -> Gain:
    """Return the mean over the folds with its corrected interval."""
    return corrected_gain(values, curves.test_to_train, CONFIDENCE)
