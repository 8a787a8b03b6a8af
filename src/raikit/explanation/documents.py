"""An explanation as JSON and as a table, for files and for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from raikit.explanation.explain import Explanation, Local
from raikit.explanation.glassbox import Term
from raikit.explanation.shapley import METHODS
from raikit.explanation.subject import MISSING
from stepkit.metrics import Floats
from stepkit.table import label_text

FORMAT = 1


def importance_rows(explanation: Explanation) -> list[dict[str, Any]]:
    """Return what is known of each column's importance, the strongest first.

    `shap` is the mean absolute contribution with its interval; `share` its part of their sum;
    `permutation` the loss of the metric with its interval; `direction` the rank correlation of an
    ordered column's values with their contributions to the first output, None where it cannot be
    told; then each other way's importance.
    """
    shap, importance = explanation.shap, explanation.importance
    strength, total = shap.strength, float(shap.strength.sum())
    shap_low, shap_high = shap.interval()
    lost, (low, high) = importance.mean, importance.interval()
    ways = list(explanation.agreement.ways.items())[2:]
    found = []
    for place in explanation.order:
        name = explanation.subject.names[place]
        found.append(
            {
                "column": name,
                "shap": float(strength[place]),
                "shap_low": float(shap_low[place]),
                "shap_high": float(shap_high[place]),
                "share": float(strength[place]) / total if total > 0 else 0.0,
                "permutation": float(lost[place]),
                "permutation_low": float(low[place]),
                "permutation_high": float(high[place]),
                "direction": direction_of(explanation, name),
                **{way.replace(" ", "_"): float(values[place]) for way, values in ways},
            }
        )
    return found


def direction_of(explanation: Explanation, name: str) -> float | None:
    """Return whether greater values add to the first output (to 1) or take from it (to -1)."""
    subject, place = explanation.subject, explanation.subject.names.index(name)
    if not subject.is_ordered(name) or len(subject.outputs) > 1:
        return None
    values = explanation.X[name].rank().to_numpy()
    given = pd.Series(explanation.shap.values[:, place, 0]).rank().to_numpy()
    known = ~np.isnan(values)
    if known.sum() < 3 or values[known].std() == 0 or given[known].std() == 0:
        return None
    return float(np.corrcoef(values[known], given[known])[0, 1])


def global_document(explanation: Explanation) -> dict[str, Any]:
    """Return everything but single rows: importance, effects, surrogate, terms, agreement."""
    subject, shap, surrogate = explanation.subject, explanation.shap, explanation.surrogate
    return {
        "format": FORMAT,
        "task": subject.task,
        "target": subject.target,
        "outputs": list(subject.outputs),
        "settings": asdict(explanation.settings),
        "shap": {
            "method": METHODS[shap.method],
            "unit": subject.unit_in_words(shap.unit),
            "note": shap.note,
            "rows": len(shap.values),
            "base": shap.base.tolist(),
            "additivity_error": shap.additivity_error,
        },
        "metric": explanation.importance.metric,
        "metric_value": explanation.importance.whole,
        "importance": importance_rows(explanation),
        "importance_by_output": {
            output: np.abs(shap.values[:, :, place]).mean(axis=0).tolist()
            for place, output in enumerate(subject.outputs)
        },
        "columns": list(subject.names),
        "associations": [asdict(each) for each in explanation.associations],
        "agreement": {
            "pairs": [asdict(each) for each in explanation.agreement.pairs],
            "top": explanation.agreement.top,
        },
        "surrogate": {**asdict(surrogate), "importance": surrogate.importance.tolist()}
        | {
            "branches": [
                {**asdict(each), "scores": each.scores.tolist()} for each in surrogate.branches
            ]
        },
        "effects": [
            {
                name: value.tolist() if isinstance(value, np.ndarray) else value
                for name, value in asdict(each).items()
            }
            for each in explanation.effects.values()
        ],
        "terms": [_term(each) for each in explanation.terms],
    }


def _term(term: Term) -> dict[str, Any]:
    return {
        "name": term.name,
        "importance": term.importance,
        "bins": [list(each) for each in term.bins],
        "scores": term.scores.tolist(),
        "deviations": term.deviations.tolist(),
        "counts": term.counts.tolist(),
    }


def local_document(explanation: Explanation) -> dict[str, Any]:
    """Return the explained rows: what they are, what the model says, and each contribution."""
    subject, shap = explanation.subject, explanation.shap
    return {
        "format": FORMAT,
        "method": METHODS[shap.method],
        "unit": subject.unit_in_words(shap.unit),
        "outputs": list(subject.outputs),
        "base": shap.base.tolist(),
        "rows": [_row(subject.names, each) for each in explanation.local],
    }


def _row(names: Sequence[str], local: Local) -> dict[str, Any]:
    return {
        "row": local.row,
        "why": local.why,
        "truth": local.truth,
        "predicted": local.predicted,
        "probability": local.probability,
        "loss": local.loss,
        "scores": local.scores.tolist(),
        "columns": [
            {
                "name": name,
                "value": plain_value(local.values[name]),
                "contributions": local.contributions[place].tolist(),
            }
            for place, name in enumerate(names)
        ],
    }


def plain_value(value: Any) -> str | float | None:
    """Return a cell as JSON has it: a number, a text, or None where it is missing."""
    if pd.isna(value):
        return None
    if isinstance(value, bool | np.bool_ | str):
        return str(value)
    if isinstance(value, int | float | np.number):
        return float(value)
    return pd.Timestamp(value).isoformat() if isinstance(value, np.datetime64) else str(value)


def shown_value(value: Any) -> str:
    """Return a cell as a reader sees it."""
    plain = plain_value(value)
    if plain is None:
        return MISSING
    return f"{plain:,.6g}" if isinstance(plain, float) else label_text(plain)


def usual_outputs(explanation: Explanation, most: int) -> list[tuple[int, str]]:
    """Return the outputs with a place in a chart, by number and name, the most usual first."""
    order = np.argsort(-explanation.shap.base, kind="stable")[:most]
    return [(int(place), explanation.subject.outputs[place]) for place in order]


def strongest(names: Sequence[str], values: Floats, most: int) -> list[tuple[str, float]]:
    """Return the columns of the greatest contributions by size, and the sum of all others.

    Args:
        names: Of the columns.
        values: A contribution each.
        most: How many are named.
    """
    order = np.argsort(-np.abs(values), kind="stable")
    found = [(names[place], float(values[place])) for place in order[:most]]
    rest = order[most:]
    return [*found, (f"{len(rest)} others", float(values[rest].sum()))] if len(rest) else found
