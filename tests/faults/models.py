"""Small models with signatures, saved as MLflow saves them."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path

import cloudpickle
import mlflow.sklearn
import numpy as np
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder
from tests.faults.site import LINES

#: Seconds that the slow model takes for a call.
SLOW_SECONDS = 0.05
JOBS = ("clerk", "smith", "nurse")


def save_models(folder: Path) -> Mapping[str, Path]:
    """Write all models.

    `old` and `new` answer a number by the lines of `LINES`, `slow` as `old` does after
    `SLOW_SECONDS`, without taking time of the processor. `people` predicts a number for anything
    that its signature allows: missing and infinite numbers, unknown texts.
    """
    table = pd.DataFrame({"x": np.arange(-1000.0, 1000.0)})
    x = Schema([ColSpec(DataType.double, "x")])
    found = {}
    for name, (a, b) in LINES.items():
        found[name] = _save(folder / name, LinearRegression().fit(table, a * table["x"] + b), x)
    wait = FunctionTransformer(_wait)
    a, b = LINES["old"]
    slow = make_pipeline(wait, LinearRegression()).fit(table, a * table["x"] + b)
    return {**found, "slow": _save(folder / "slow", slow, x), "people": _people(folder / "people")}


def _save(folder: Path, model: object, inputs: Schema) -> Path:
    # What a model holds of this module is pickled with it: instances cannot import it.
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    mlflow.sklearn.save_model(
        model,
        str(folder),
        signature=ModelSignature(inputs, Schema([ColSpec(DataType.double)])),
        serialization_format="cloudpickle",
        pip_requirements=["scikit-learn"],
    )
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])
    return folder


def _wait(table: pd.DataFrame) -> pd.DataFrame:
    time.sleep(SLOW_SECONDS)
    return table


def _people(folder: Path) -> Path:
    source = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "age": source.integers(18, 80, 300).astype("float64"),
            "job": source.choice(JOBS, 300).astype(object),
            "children": source.integers(0, 5, 300),
        }
    )
    encode = make_column_transformer(
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["job"]),
        remainder="passthrough",
    )
    model = make_pipeline(encode, HistGradientBoostingRegressor(max_iter=5))
    inputs = [
        ColSpec(DataType.double, "age"),
        ColSpec(DataType.string, "job"),
        ColSpec(DataType.long, "children"),
    ]
    return _save(folder, model.fit(table, table["age"] * table["children"]), Schema(inputs))
