"""The figures of an explanation, for the gate and the report."""

from __future__ import annotations

import numpy as np

from raikit.explanation.explain import Explanation
from raikit.explanation.shapley import METHODS
from stepkit.figures import Figure


def figures_of(explanation: Explanation) -> list[Figure]:
    """Return the figures, the one that sums up how far to trust the rest first."""
    shap, surrogate = explanation.shap, explanation.surrogate
    shares = np.sort(shap.strength / max(float(shap.strength.sum()), 1e-300))[::-1]
    rows = len(shap.values)
    found = [
        *_agreement(explanation),
        Figure(
            name="surrogate_fidelity",
            area="interpretation",
            value=surrogate.fidelity,
            better="more",
            sample=surrogate.test_rows,
            low=surrogate.low,
            high=surrogate.high,
            note="" if surrogate.fidelity is not None else "the model says the same of all rows",
        ),
    ]
    if surrogate.same_class is not None:
        found.append(
            Figure(
                "surrogate_same_class",
                "interpretation",
                surrogate.same_class,
                "more",
                surrogate.test_rows,
            )
        )
    return [
        *found,
        Figure(
            "shap_additivity_error",
            "interpretation",
            shap.additivity_error,
            "less",
            rows,
            note=METHODS[shap.method],
        ),
        Figure("strongest_column_share", "interpretation", float(shares[0]), None, rows),
        Figure(
            "columns_for_90_percent",
            "interpretation",
            float(np.searchsorted(np.cumsum(shares), 0.9 - 1e-9) + 1),
            None,
            rows,
            unit="columns",
        ),
        Figure(
            "associated_column_pairs",
            "interpretation",
            float(len(explanation.associations)),
            "less",
            explanation.told_over,
            unit="pairs",
        ),
    ]


def _agreement(explanation: Explanation) -> list[Figure]:
    agreement = explanation.agreement
    sample = len(explanation.subject.names)
    found = []
    for place, pair in enumerate(agreement.pairs):
        known = pair.correlation is not None
        found.append(
            Figure(
                name="explanation_agreement" if place == 0 else "method_agreement",
                area="interpretation",
                value=pair.correlation,
                better="more",
                sample=sample,
                low=agreement.low if place == 0 and known else None,
                high=agreement.high if place == 0 and known else None,
                cohort="" if place == 0 else f"{pair.first} and {pair.second}",
                note="" if known else "one way ranks all columns alike",
            )
        )
    first = agreement.pairs[0]
    overlap = Figure("top_columns_overlap", "interpretation", first.overlap, "more", agreement.top)
    return [found[0], overlap, *found[1:]]
