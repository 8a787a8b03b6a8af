"""Computes one signal: reads its rows, chooses its features, and hands both to its metrics."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from monitorkit import defaults
from monitorkit.attribution import SURROGATE_ROWS, Labelled, attribution_drift, labelled
from monitorkit.columns import Kind, Rows, kinds
from monitorkit.custom import custom
from monitorkit.distances import Floats
from monitorkit.drift import drift
from monitorkit.features import chosen_features
from monitorkit.joining import joined_rows
from monitorkit.performance import performance
from monitorkit.quality import quality
from monitorkit.reading import read_rows
from monitorkit.request import Data, Request, Signal
from monitorkit.scoring import scored
from monitorkit.verdicts import Metric
from stepkit.program import StepError
from stepkit.table import read_table

#: Rows, chosen at random, whose predictions are looked up to learn attributions from; a surrogate
#: takes `SURROGATE_ROWS` of them.
_EXPLAINED = 20 * SURROGATE_ROWS
#: Of production and reference: rows that attributions are learned from, or attributions of rows.
Sides: TypeAlias = "tuple[Labelled, Labelled] | tuple[Floats, Floats]"


@dataclass(frozen=True)
class Outcome:
    """What came of a signal.

    Attributes:
        signal: What was asked.
        metrics: Of its features.
        production: Its rows.
        reference: Its rows, or None.
        features: What each is.
        notes: What a reader is to know.
    """

    signal: Signal
    metrics: list[Metric]
    production: Rows
    reference: Rows | None
    features: dict[str, Kind]
    notes: list[str]


class Reader:
    """Reads windows, each once, whatever signals ask for it."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._held: dict[tuple[object, ...], Rows] = {}

    def rows(self, data: Data) -> Rows:
        """Return the rows of a window."""
        data = scored(data, self._request.model_python)
        window = data.window(self._request.now)
        rows_of = (data.timestamp_column, data.segment_column, data.segment_values)
        key = (data.path, window.begin, window.end, rows_of)
        if key not in self._held:
            request = self._request
            self._held[key] = read_rows(
                data, request.now, rows_at_most=request.rows_at_most, seed=request.seed
            )
        return self._held[key]

    def joined(
        self, *parts: tuple[Data, tuple[str, ...] | None], rows_at_most: int | None = None
    ) -> tuple[Rows, int]:
        """Return rows that are joined by correlation id, and how many of the first part were."""
        request = self._request
        most = min(rows_at_most or request.rows_at_most, request.rows_at_most)
        return joined_rows(parts, request.now, rows_at_most=most, seed=request.seed)


def compute(signal: Signal, request: Request, reader: Reader) -> Outcome:
    """Return what came of a signal, its metrics not yet judged.

    Raises:
        StepError: Its data cannot be read, or do not fit what is asked.
    """
    if signal.type == "custom":
        table = read_table(Path(signal.production.path))
        found = custom(signal.name, table, signal.thresholds)
        return Outcome(signal, found, Rows({}, len(table), len(table)), None, {}, [])
    if signal.type == "model_performance":
        return _performance(signal, request, reader)
    if signal.type == "feature_attribution_drift":
        return _attribution(signal, request, reader)
    production, reference = reader.rows(signal.production), reader.rows(_reference(signal))
    if signal.type == "prediction_drift":
        signal, reference = _aligned(signal, reference)
    found_kinds = kinds(reference, signal.feature_types)
    features, notes = chosen_features(signal, production, reference, found_kinds, request.seed)
    measure = quality if signal.type == "data_quality" else drift
    metrics = measure(
        signal.name,
        production,
        reference,
        features,
        defaults.thresholds(signal),
        request.minimum_rows,
    )
    return Outcome(signal, metrics, production, reference, features, notes)


def _reference(signal: Signal) -> Data:
    if signal.reference is None:
        raise StepError(f"signal {signal.name!r}: no reference")
    return signal.reference


def _aligned(signal: Signal, reference: Rows) -> tuple[Signal, Rows]:
    """Return a signal of the prediction column, and a reference in which it has the same name."""
    name = signal.production.prediction_column
    if name is None or signal.features is not None or not reference.kept:
        return signal, reference
    data = _reference(signal)
    theirs = data.prediction_column or (name if name in reference.columns else data.target_column)
    if theirs is None or theirs not in reference.columns:
        raise StepError(
            f"signal {signal.name!r}: the reference has no column of predictions",
            hint="give the reference's prediction_column, or its target_column to compare with",
        )
    columns = {name: reference.columns[theirs]}
    return replace(signal, features=(name,)), replace(reference, columns=columns)


def _performance(signal: Signal, request: Request, reader: Reader) -> Outcome:
    prediction = signal.production.prediction_column or ""
    truth = signal.ground_truth
    notes = []
    if truth is not None:
        target = truth.target_column
        if target is None:
            raise StepError(f"signal {signal.name!r}: ground_truth: no target_column")
        parts: list[tuple[Data, tuple[str, ...]]] = [(truth, (target,))]
        if signal.segment is not None and signal.segment.segment_column is not None:
            parts.append((signal.segment, (signal.segment.segment_column,)))
        production, asked = reader.joined((signal.production, (prediction,)), *parts)
        notes.append(f"the truth is known of {production.kept:,d} of {asked:,d} rows")
        # A name of both stays that of the predictions.
        target = f"{target}_output" if target == prediction else target
    else:
        production, target = reader.rows(signal.production), signal.production.target_column
        if target is None:
            raise StepError(
                f"signal {signal.name!r}: where is the truth?",
                hint="give ground_truth, or production's target_column",
            )
    _require(production, prediction, signal)
    _require(production, target, signal)
    reference = None
    if signal.reference is not None and signal.reference.prediction_column is not None:
        reference = reader.rows(signal.reference)
        _require(reference, signal.reference.prediction_column, signal)
        _require(reference, signal.reference.target_column or target, signal)
    metrics = performance(
        signal, production, reference, (prediction, target), signal.thresholds, request.minimum_rows
    )
    return Outcome(signal, metrics, production, reference, {}, notes)


def _require(rows: Rows, name: str, signal: Signal) -> None:
    if rows.kept and name not in rows.columns:
        raise StepError(
            f"signal {signal.name!r}: no column {name!r}",
            hint=f"columns: {', '.join(rows.columns)}",
        )


def _attribution(signal: Signal, request: Request, reader: Reader) -> Outcome:
    data = _reference(signal)
    reference = reader.rows(data)
    notes = []
    if signal.outputs is not None:
        prediction = signal.outputs.prediction_column or ""
        production, asked = reader.joined(
            (signal.production, None), (signal.outputs, (prediction,)), rows_at_most=_EXPLAINED
        )
        notes.append(f"predictions are known of {production.kept:,d} of {asked:,d} rows")
    else:
        production = reader.rows(signal.production)
        prediction = signal.production.prediction_column or ""
    found_kinds = kinds(reference, signal.feature_types)
    features, left = chosen_features(signal, production, reference, found_kinds, request.seed)
    features = {name: kind for name, kind in features.items() if name != prediction}
    (threshold,) = defaults.thresholds(signal)
    sides: Sides = (np.empty((0, 0)), np.empty((0, 0)))
    if min(production.kept, reference.kept) >= request.minimum_rows:
        sides = _sides(signal, data, production, reference, features, prediction, request.seed)
    metric = attribution_drift(
        signal.name,
        sides[0],
        sides[1],
        threshold,
        rows=(production.kept, reference.kept),
        minimum_rows=request.minimum_rows,
        seed=request.seed,
    )
    return Outcome(signal, [metric], production, reference, features, notes + left)


def _sides(
    signal: Signal,
    data: Data,
    production: Rows,
    reference: Rows,
    features: dict[str, Kind],
    prediction: str,
    seed: int,
) -> Sides:
    """Return attributions of both, or the rows that they are learned from."""
    if signal.has_attributions:
        given, before = (
            np.column_stack([rows.column(name).numbers()[0] for name in features])
            for rows in (production, reference)
        )
        return np.nan_to_num(given), np.nan_to_num(before)
    # Predictions with predictions where both are known: a model says the same more surely.
    goal = data.prediction_column or data.target_column
    if not prediction or goal is None:
        raise StepError(
            f"signal {signal.name!r}: attributions are of predictions",
            hint="give production's prediction_column (or outputs) and the reference's "
            "prediction_column or target_column",
        )
    _require(production, prediction, signal)
    _require(reference, goal, signal)
    ours, theirs = labelled([production, reference], features, [prediction, goal], seed)
    return ours, theirs
