"""What was found out about a model's generalisation, and the figures that a gate reads of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from fit_curves import Curves, fold_gap, mean_of, slope_of
from fit_verdict import Evidence, Judgement
from leakage import Shared, TimeOrder
from leaking_columns import ColumnPower
from numpy.typing import NDArray
from reference_models import Part, on_rows

from stepkit.figures import Figure
from stepkit.metrics import more_is_better
from stepkit.model import Model
from stepkit.resampling import Gain

Better = Literal["more", "less", None]

#: What may be wrong with a column.
ODD: Mapping[str, Callable[[ColumnPower], bool]] = {
    "leaking": lambda each: each.is_leaking,
    "suspect": lambda each: each.is_suspect,
    "identifier": lambda each: each.is_identifier,
    "target_named": lambda each: each.is_target_named,
}


@dataclass(frozen=True)
class Found:
    """All that the step found out.

    Attributes:
        model: The model.
        metrics: Those that are reported; it is judged by the first.
        train: The model, the reference, and guessing on train rows.
        test: The same on test rows.
        gaps: Of each metric, train less test, turned so that above 0 is worse on test.
        evidence: What the verdict stands on.
        judgement: The verdict.
        columns: What each feature alone can do.
        shared: Test rows that are train rows, too.
        time: Order of time; None without a column of times.
        groups: Whether the group of each test row has train rows; None where none was named.
        curves: The model refitted; None where it cannot be.
        folds: How the folds were made; why not, where it cannot be refitted.
        compared_on: Rows that the best other setting was compared with the model's own on.
        notes: What a reader must know besides.
    """

    model: Model
    metrics: Sequence[str]
    train: Part
    test: Part
    gaps: Mapping[str, Gain]
    evidence: Evidence
    judgement: Judgement
    columns: Sequence[ColumnPower]
    shared: Shared
    time: TimeOrder | None
    groups: NDArray[np.bool_] | None
    curves: Curves | None
    folds: str
    compared_on: str = ""
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def metric(self) -> str:
        """The metric that it is judged by."""
        return self.metrics[0]

    def columns_that_are(self, kind: str) -> list[str]:
        """Return the names of the columns that something of `ODD` is wrong with."""
        return [each.name for each in self.columns if ODD[kind](each)]


def figures_of(found: Found) -> list[Figure]:
    """Return all figures, in the order to be read in."""
    figures = [figure for name in found.metrics for figure in _of_metric(found, name)]
    return [*figures, *_of_fit(found), *_of_leaks(found)]


def _figure(name: str, gain: Gain | None, better: Better, sample: int, note: str = "") -> Figure:
    return Figure(
        name=name,
        area="generalisation",
        value=None if gain is None else gain.mean,
        better=better,
        sample=sample,
        low=None if gain is None else gain.low,
        high=None if gain is None else gain.high,
        note=note,
    )


def _of_metric(found: Found, name: str) -> list[Figure]:
    curves, better = found.curves, _better(name)
    train, test = found.train, found.test
    folds = gap_cv = shift = None
    held_out, note = 0, found.folds
    if curves is not None:
        point = curves.cross_validation
        folds, gap_cv = mean_of(curves, point.held_out[name]), fold_gap(curves, name)
        held_out = curves.rows
        note = f"{curves.folds} folds of {found.folds}, fitted on {point.rows:,} rows each"
        shift = shift_of(folds, test.own(name), name)
    return [
        _figure(f"train_{name}", train.own(name), better, train.rows),
        _figure(f"cv_{name}", folds, better, held_out, note),
        _figure(f"test_{name}", test.own(name), better, test.rows),
        _figure(f"gap_{name}", found.gaps[name], "less", test.rows),
        _figure(f"gap_cv_{name}", gap_cv, "less", held_out, note),
        _figure(f"shift_{name}", shift, "less", test.rows, note),
    ]


def _better(name: str) -> Better:
    return "more" if more_is_better(name) else "less"


def shift_of(folds: Gain, test: Gain, metric: str) -> Gain:
    """Return how much worse the test rows are than cross-validation says; above 0 is worse.

    The two are independent, so the reaches of their intervals add up as squares do.
    """
    sign = 1 if more_is_better(metric) else -1
    value = sign * (folds.mean - test.mean)
    reach = float(np.hypot(folds.high - folds.low, test.high - test.low)) / 2
    return Gain(value, value - reach, value + reach)


def loss_of(evidence: Evidence) -> Gain | None:
    """Return what the best alternative has over the model, as a share of the room.

    None where there is nothing to be learned, or the alternative was compared on few rows only.
    """
    best = max(evidence.counted(), key=lambda each: each.gain.mean)
    room = evidence.room
    if room <= 0 or not best.is_confirmed:
        return None
    return Gain(best.gain.mean / room, best.gain.low / room, best.gain.high / room)


def _of_fit(found: Found) -> list[Figure]:
    verdict, rows = found.judgement.verdict, found.test.rows
    is_told = verdict != "undecided"
    note = "" if is_told else f"undecided: {found.judgement.reason}"
    curves = found.curves
    slope = None if curves is None else slope_of(curves, found.metric)
    loss = loss_of(found.evidence)
    reference = found.evidence.reference.gain
    return [
        *(
            Figure(
                name,
                "generalisation",
                float(verdict == name) if is_told else None,
                "less",
                rows,
                note=note,
            )
            for name in ("overfits", "underfits")
        ),
        _figure(
            "fit_loss",
            loss,
            "less",
            rows,
            "" if loss else "nothing that could be learned was found, or only on few rows",
        ),
        _figure(
            "learning_curve_slope",
            slope,
            None,
            0 if curves is None else curves.rows,
            f"{found.metric} a doubling of the rows" if slope else _no_slope(found),
        ),
        _figure("reference_gain", reference, "less", rows, f"{found.metric}, on test rows"),
    ]


def _no_slope(found: Found) -> str:
    return found.folds if found.curves is None else "the learning curve has one point only"


def _count(name: str, value: float, sample: int, note: str = "") -> Figure:
    return Figure(name, "generalisation", float(value), "less", sample, note=note)


def _of_leaks(found: Found) -> list[Figure]:
    shared, rows = found.shared, found.test.rows
    columns = []
    for kind in ODD:
        names = found.columns_that_are(kind)
        columns.append(_count(f"{kind}_columns", len(names), found.train.rows, ", ".join(names)))
    both = [
        _count("rows_in_both", int(shared.whole.sum()), rows),
        _count("rows_in_both_share", shared.share, rows),
        _count("features_in_both_share", float(shared.features.mean()), rows),
    ]
    if shared.near is not None:
        both.append(_count("near_rows_in_both_share", float(shared.near.mean()), rows))
    new = on_rows(found.test.model, ~shared.whole, found.metric) if shared.whole.any() else None
    if new is not None:
        both.append(
            Figure(
                f"test_{found.metric}",
                "generalisation",
                new,
                _better(found.metric),
                int((~shared.whole).sum()),
                cohort="rows not in train",
            )
        )
    if found.groups is not None:
        both.append(_count("group_rows_in_both", int(found.groups.sum()), len(found.groups)))
    return [*columns, *both, _time_figure(found)]


def _time_figure(found: Found) -> Figure:
    name, time = "time_order_violations", found.time
    if time is None:
        return _figure(name, None, "less", 0, "no column of times")
    return _count(name, time.early, time.rows, f"by {time.column}")
