"""Rows that the tests of explanations share."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session")
def mixed_rows() -> pd.DataFrame:
    """Return 600 rows of two numbers, two categories, and what depends on them, some missing."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "a": rng.normal(size=600),
            "c": rng.choice(["red", "green", "blue", "grey"], size=600).astype(object),
            "b": rng.exponential(size=600),
            "d": rng.choice(["x", "y"], size=600).astype(object),
            "noise": rng.normal(size=600),
        }
    )
    X.loc[rng.random(600) < 0.1, "b"] = np.nan
    X.loc[rng.random(600) < 0.1, "c"] = None
    level = X["a"] * (X["d"] == "x") + 2 * X["c"].isin(["red", "blue"]) - X["b"].fillna(3)
    return X.assign(y=level + rng.normal(scale=0.3, size=600))
