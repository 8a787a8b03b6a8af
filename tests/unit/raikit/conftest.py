"""Small models that are trained on tables with names, numbers, and missing values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from stepkit.model import Model

FEATURES = {"age": "double", "hours": "double", "job": "string", "sex": "string"}


def people(rows: int, seed: int = 0) -> pd.DataFrame:
    """Return people of whom those who work much in an office, and are not young, earn more."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "age": rng.integers(18, 70, rows).astype(float),
            "hours": rng.integers(10, 61, rows).astype(float),
            "job": rng.choice(["office", "farm", "none"], rows).astype(object),
            "sex": rng.choice(["Female", "Male"], rows).astype(object),
        }
    )
    score = table["hours"] / 10 + 2 * (table["job"] == "office") + (table["age"] > 30)
    table["income"] = np.where(score + rng.normal(0, 0.3, rows) > 5.5, "high", "low")
    table.loc[rng.random(rows) < 0.1, "job"] = None
    table.loc[rng.random(rows) < 0.1, "age"] = np.nan
    return table


@pytest.fixture(scope="session")
def train() -> pd.DataFrame:
    return people(600)


@pytest.fixture(scope="session")
def test_rows() -> pd.DataFrame:
    return people(200, seed=1)


@pytest.fixture(scope="session")
def classifier(train: pd.DataFrame) -> Model:
    pipeline = make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), ["job", "sex"]), remainder="passthrough"
        ),
        HistGradientBoostingClassifier(random_state=0, max_iter=40),
    )
    pipeline.fit(train[list(FEATURES)], train["income"])
    return Model(pipeline, "classification", "income", dict(FEATURES), {})


@pytest.fixture(scope="session")
def regressor() -> Model:
    """A model that says 2 a + b, and knows no other column."""
    rng = np.random.default_rng(2)
    table = pd.DataFrame(rng.normal(size=(50, 2)), columns=["a", "b"])
    fitted = LinearRegression().fit(table, 2 * table["a"] + table["b"])
    return Model(fitted, "regression", "y", {"a": "double", "b": "double"}, {})
