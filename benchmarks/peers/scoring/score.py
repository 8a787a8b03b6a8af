"""A scoring script as in Azure's documentation: a model loaded once, rows by `input_data`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import mlflow.sklearn
import pandas as pd

_loaded: dict[str, Any] = {}


def init() -> None:
    """Load the model, the one folder with an MLmodel file in the model's directory."""
    folder = Path(os.environ["AZUREML_MODEL_DIR"])
    (file,) = [*folder.glob("MLmodel"), *folder.glob("*/MLmodel")]
    _loaded["model"] = mlflow.sklearn.load_model(str(file.parent))


def run(raw_data: str) -> list[Any]:
    """Return a prediction for each row of `input_data`."""
    table = json.loads(raw_data)["input_data"]
    rows = pd.DataFrame(table["data"], columns=table["columns"])
    return list(_loaded["model"].predict(rows).tolist())
