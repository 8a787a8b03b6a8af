"""Whether rows that are alike in all else differ in a treatment at all."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stepkit.metrics import Floats

#: Where less than this share of a treatment is its own, its effect cannot be told from others'.
LEAST_UNEXPLAINED = 0.05


def unexplained(X: pd.DataFrame, treatment: str) -> float:
    """Return the share of a treatment's variance that no line through the other columns explains.

    It is 1 - R² of least squares on the other columns, names one column each. A column that says
    the same as another in other words has 0 of its own; no row shows what it does by itself.

    Args:
        X: Complete rows: numbers, and names as text.
        treatment: The column; of names the least of their shares is returned.
    """
    others = pd.get_dummies(X.drop(columns=treatment), dtype=float).to_numpy(dtype=np.float64)
    design = np.column_stack([np.ones(len(X)), _scaled(others)])
    own = pd.get_dummies(X[[treatment]], dtype=float).to_numpy(dtype=np.float64)
    coefficients = np.linalg.lstsq(design, own, rcond=None)[0]
    left = (own - design @ coefficients).var(axis=0) / own.var(axis=0)
    return float(left.min())


def _scaled(values: Floats) -> Floats:
    spread = values.std(axis=0)
    return np.asarray((values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0))
