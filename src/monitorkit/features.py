"""Which features a signal is of."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from monitorkit.attribution import additive_attributions, labelled
from monitorkit.columns import Kind, Rows
from monitorkit.request import Data, Signal
from stepkit.program import StepError


def chosen_features(
    signal: Signal, production: Rows, reference: Rows, kinds: Mapping[str, Kind], seed: int
) -> tuple[dict[str, Kind], list[str]]:
    """Return the features of a signal with what they are, and what to know of those left out.

    Args:
        signal: What is asked.
        production: Its rows.
        reference: Its rows; a feature is one of its columns.
        kinds: What those are.
        seed: Of the surrogate that importances come from.

    Raises:
        StepError: A stated feature is not in the reference, or importances cannot be computed.
    """
    if not reference.kept:
        return {}, ["the reference has no rows"]
    no_features = {*_no_features(signal.production), *_no_features(signal.reference)}
    if signal.features is not None:
        for name in signal.features:
            if name not in kinds:
                near = difflib.get_close_matches(name, list(kinds), n=1)
                raise StepError(
                    f"signal {signal.name!r}: no feature {name!r} in the reference",
                    hint=f"did you mean {near[0]!r}?" if near else f"known: {', '.join(kinds)}",
                )
        candidates = {name: kinds[name] for name in signal.features}
    else:
        among = kinds if signal.among is None else signal.among
        candidates = {
            name: kind for name, kind in kinds.items() if name not in no_features and name in among
        }
    found, notes = {}, []
    if not candidates:
        notes.append("no column of the reference is a feature")
    for name, kind in candidates.items():
        if kind in ("time", "unsupported"):
            notes.append(f"{name} is left out: {_WHY[kind]}")
        elif name not in production.columns and production.kept and not _is_expected(signal):
            # It may be the target, which nobody has named.
            notes.append(f"{name} is left out: production has no such column")
        else:
            found[name] = kind
    if signal.top_n_feature_importance is not None:
        found = _most_important(signal, reference, found, seed)
    return found, notes


_WHY = {
    "time": "times are neither numbers nor categories",
    "unsupported": "it holds no plain values",
}


def _no_features(data: Data | None) -> set[str]:
    if data is None:
        return set()
    columns = (
        data.target_column,
        data.prediction_column,
        data.timestamp_column,
        data.correlation_id_column,
    )
    return {name for name in columns if name is not None}


def _is_expected(signal: Signal) -> bool:
    """Return whether a column that is in the reference alone is a feature that got lost."""
    names_target = signal.reference is not None and signal.reference.target_column is not None
    return signal.features is not None or names_target


def _most_important(
    signal: Signal, reference: Rows, kinds: Mapping[str, Kind], seed: int
) -> dict[str, Kind]:
    importance = signal.feature_importance
    if importance is None:
        target = signal.reference.target_column if signal.reference else None
        if target is None or target not in reference.columns:
            raise StepError(
                f"signal {signal.name!r}: top_n_feature_importance needs the reference's target",
                hint="give the reference's target_column, or feature_importance",
            )
        (rows,) = labelled([reference], kinds, [target], seed)
        found = additive_attributions(rows, seed).tolist()
        importance = dict(zip(kinds, found, strict=True))
    ranked = sorted(kinds, key=lambda name: -importance.get(name, 0.0))
    best = set(ranked[: signal.top_n_feature_importance])
    return {name: kind for name, kind in kinds.items() if name in best}
