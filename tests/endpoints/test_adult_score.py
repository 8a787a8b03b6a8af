"""The scoring script of the demo, called as the inference server calls it."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import mlflow.sklearn
import pandas as pd
import pytest
from mlflow.models import infer_signature
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

# What MLflow says of types that it was not given.
pytestmark = pytest.mark.filterwarnings("ignore:::mlflow")

SCRIPT = Path(__file__).parents[2] / "endpoints/adult/scoring/score.py"
ROWS = pd.DataFrame({"age": [20.0, 30.0, 40.0, 50.0], "sex": ["Male", "Female", "Male", "Female"]})
TARGET = ["<=50K", "<=50K", ">50K", ">50K"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model as Azure lays a registered one out: NAME/VERSION/FOLDER."""
    folder = tmp_path_factory.mktemp("models")
    columns = make_column_transformer((OneHotEncoder(), ["sex"]), remainder="passthrough")
    model = make_pipeline(columns, LogisticRegression()).fit(ROWS, TARGET)
    mlflow.sklearn.save_model(
        model,
        folder / "income" / "3" / "model",
        signature=infer_signature(ROWS, model.predict(ROWS)),
        serialization_format="cloudpickle",
        pip_requirements=["scikit-learn"],
    )
    return folder


@pytest.fixture
def script(models: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("AZUREML_MODEL_DIR", str(models))
    spec = importlib.util.spec_from_file_location("score", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.init()
    return module


def test_rows_are_scored_in_both_forms(script: ModuleType) -> None:
    # Whole numbers where the model takes doubles, and columns in another order.
    split = {"columns": ["sex", "age"], "index": [7, 9], "data": [["Male", 20], ["Female", 50]]}
    records = [{"age": 20, "sex": "Male", "more": 1}, {"age": 50, "sex": "Female"}]
    for body in (split, records):
        assert script.run(json.dumps({"input_data": body})) == ["<=50K", ">50K"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{", "no input_data"),
        ("[1]", "no input_data"),
        ({"data": []}, "no input_data"),
        ({"input_data": {"columns": ["age"], "data": [[1, 2]]}}, "no input_data"),
        ({"input_data": []}, "has no rows"),
        ({"input_data": [{"age": 3}]}, "columns are missing: sex"),
        ({"input_data": [{"age": "old", "sex": "Male"}]}, "column 'age' must be double"),
    ],
)
def test_a_wrong_body_is_the_callers_fault(script: ModuleType, body: Any, message: str) -> None:
    answer = script.run(body if isinstance(body, str) else json.dumps(body))
    assert answer.status_code == 400
    assert message in answer.get_json()["error"]


def test_a_folder_without_a_model_is_told(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZUREML_MODEL_DIR", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="no MLflow model in"):
        script.init()
