from __future__ import annotations

import importlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import mlflow.sklearn
import numpy as np
import pandas as pd
import pytest
from mlflow.models import ModelSignature, infer_signature
from mlflow.types import ParamSchema, ParamSpec
from mlflow.types.schema import Array, ColSpec, DataType, Schema
from tests.unit.scoringserver.serving import people

from automlmodel.forecast_features import SERIES, TIME, Features
from automlmodel.forecaster import Forecaster
from scoringserver.answers import as_json
from scoringserver.body import Body, Form
from scoringserver.columns import ColumnSchema
from scoringserver.errors import ModelError, RequestError
from scoringserver.given import GivenSchema, MlflowSchema
from scoringserver.model import Model, load_model
from scoringserver.tensors import TensorSchema

TEXTS = pd.DataFrame({"text": ["a", "bc"]})


class Lengths(mlflow.pyfunc.PythonModel):
    """Tells how long texts are."""

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> Any:
        return model_input["text"].str.len() * (params or {}).get("times", 1)


class Ranks(mlflow.pyfunc.PythonModel):
    """Ranks the rows of a request."""

    def predict(self, context: Any, model_input: pd.DataFrame) -> Any:
        return model_input["text"].str.len().rank()


class Sums(mlflow.pyfunc.PythonModel):
    """Sums the arrays in a column."""

    def predict(self, context: Any, model_input: pd.DataFrame) -> Any:
        return [float(np.sum(each)) for each in model_input["values"]]


class Hinted(mlflow.pyfunc.PythonModel):
    """Says what its input is by type hints."""

    def predict(self, model_input: list[str]) -> list[int]:
        return [len(each) for each in model_input]


def save(folder: Path, model: Any, **options: Any) -> Path:
    mlflow.pyfunc.save_model(
        str(folder), python_model=model, pip_requirements=["mlflow"], **options
    )
    return folder


def predict(model: Model, form: Form, value: Any, params: Any = None) -> Any:
    data = model.schema.assemble([model.schema.read(Body(form, value))])
    return as_json(model.predict(data, model.parameters.read(params)[0]))


def test_a_scikit_learn_model_answers_as_mlflow_does(people_model: Path) -> None:
    model = load_model(people_model)
    frame = people(40)
    records = frame.astype(object).where(frame.notna(), None).to_dict("records")
    theirs = mlflow.pyfunc.load_model(str(people_model)).predict(frame)
    assert predict(model, Form.INPUT_DATA, records) == theirs.tolist()
    assert isinstance(model.schema, ColumnSchema)
    assert model.is_rowwise
    assert model.example is not None
    assert model.flavor == "mlflow.sklearn"


def test_a_model_of_tensors_is_called_by_the_function_it_names(digits_model: Path) -> None:
    model = load_model(digits_model)
    rows = [[0.1, 0.2, 0.3, 0.4]]
    theirs = mlflow.pyfunc.load_model(str(digits_model)).predict(np.array(rows))
    assert isinstance(model.schema, TensorSchema)
    assert predict(model, Form.INPUT_DATA, rows) == theirs.tolist()
    assert np.shape(predict(model, Form.INPUTS, rows)) == (1, 2)


@pytest.mark.parametrize("flavor", ["lightgbm", "xgboost"])
def test_boosted_trees_answer_as_mlflow_does(tmp_path: Path, flavor: str) -> None:
    frame = people(200)[["age", "children"]].astype("float64")
    target = frame["age"] * 2 + frame["children"]
    library, saver = importlib.import_module(flavor), importlib.import_module(f"mlflow.{flavor}")
    name = {"lightgbm": "LGBMRegressor", "xgboost": "XGBRegressor"}[flavor]
    estimator = getattr(library, name)(n_estimators=5, n_jobs=1).fit(frame, target)
    saver.save_model(
        estimator,
        str(tmp_path / "m"),
        signature=infer_signature(frame, target),
        input_example=frame.head(3),
        pip_requirements=[flavor],
    )
    model = load_model(tmp_path / "m")
    theirs = mlflow.pyfunc.load_model(str(tmp_path / "m")).predict(frame)
    assert model.is_rowwise
    assert predict(model, Form.INPUT_DATA, frame.to_numpy().tolist()) == theirs.tolist()


@dataclass
class Steps:
    """Forecasts the number of the step."""

    columns: tuple[str, ...] = ()

    def predict(self, steps: int, future: pd.DataFrame) -> Any:
        return np.arange(1.0, steps + 1)[None, :]


def test_a_forecast_is_asked_for_by_itself(tmp_path: Path) -> None:
    forecaster = Forecaster(
        time_column="month",
        id_columns=(),
        target="sales",
        frequency="MS",
        horizon=3,
        origins={"series": pd.Timestamp("2020-12-01")},
        members=[Steps()],
        weights=[1.0],
        features=Features("MS", has_calendar=False),
        history=pd.DataFrame({SERIES: [], TIME: []}),
        spread={"series": np.ones(3)},
        floors={"series": -np.inf},
    )
    months = pd.DataFrame({"month": pd.to_datetime(["2021-01-01", "2021-03-01"])})
    mlflow.sklearn.save_model(
        forecaster,
        str(tmp_path / "m"),
        signature=infer_signature(months, np.array([1.0])),
        input_example=months,
        serialization_format="cloudpickle",
        pip_requirements=["scikit-learn"],
        metadata={"task": "forecasting"},
    )
    model = load_model(tmp_path / "m")
    assert not model.is_rowwise
    assert model.example is not None
    value = {"columns": ["month"], "data": [["2021-02-01"], ["2021-12-01T00:00:00"]]}
    assert predict(model, Form.INPUT_DATA, value) == [2.0, 12.0]


def test_a_models_own_code_gets_parameters(tmp_path: Path) -> None:
    signature = ModelSignature(
        Schema([ColSpec(DataType.string, "text")]),
        Schema([ColSpec(DataType.long)]),
        ParamSchema([ParamSpec("times", DataType.long, 2)]),
    )
    model = load_model(save(tmp_path / "m", Lengths(), signature=signature, input_example=TEXTS))
    assert model.is_rowwise
    assert predict(model, Form.INSTANCES, [{"text": "abc"}]) == [{"text": 6}]
    assert predict(model, Form.INSTANCES, [{"text": "abc"}], {"times": 3}) == [{"text": 9}]


def test_a_model_that_ranks_its_rows_gets_no_batches(tmp_path: Path) -> None:
    signature = infer_signature(TEXTS, np.array([1.0, 2.0]))
    model = load_model(save(tmp_path / "m", Ranks(), signature=signature, input_example=TEXTS))
    assert not model.is_rowwise


def test_a_model_without_a_signature_gets_what_was_sent(tmp_path: Path) -> None:
    model = load_model(save(tmp_path / "m", Lengths()))
    assert isinstance(model.schema, GivenSchema)
    assert not model.is_rowwise
    assert model.signature is None
    assert predict(model, Form.INPUT_DATA, [{"text": "abc", "more": 1}]) == [{"text": 3}]


def test_nested_types_are_left_to_mlflow(tmp_path: Path) -> None:
    signature = ModelSignature(Schema([ColSpec(Array(DataType.double), "values")]))
    model = load_model(
        save(
            tmp_path / "m",
            Sums(),
            signature=signature,
            input_example=pd.DataFrame({"values": [[1.0, 2.0], [3.0]]}),
        )
    )
    assert isinstance(model.schema, MlflowSchema)
    for form, value in (
        (Form.INPUT_DATA, [{"values": [1.0, 2.0]}]),
        (Form.INPUT_DATA, {"columns": ["values"], "data": [[[1.0, 2.0]]]}),
        (Form.DATAFRAME_RECORDS, [{"values": [1.0, 2.0]}]),
    ):
        assert predict(model, form, value) == [3.0]
    for wrong in ([{"values": ["x"]}], [{"values": 1}], [{"other": [1.0]}], "x", None):
        with pytest.raises(RequestError):
            predict(model, Form.INPUT_DATA, wrong)


def test_type_hints_are_checked_by_the_model(tmp_path: Path) -> None:
    model = load_model(save(tmp_path / "m", Hinted(), input_example=["a"]))
    assert isinstance(model.schema, MlflowSchema)
    assert predict(model, Form.INPUT_DATA, ["a", "bc"]) == [1, 2]
    assert predict(model, Form.INPUTS, ["a"]) == [1]
    for form, wrong in ((Form.INPUTS, [1]), (Form.INPUTS, "x"), (Form.INSTANCES, ["a"])):
        with pytest.raises(RequestError):
            predict(model, form, wrong)


@pytest.fixture
def copied(people_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(people_model, tmp_path / "copied"))


def test_an_example_of_an_older_mlflow_is_read(copied: Path) -> None:
    file = copied / "MLmodel"
    file.write_text(file.read_text().replace("serving_input_path: serving", "x_path: serving"))
    example = load_model(copied).example
    assert example is not None
    assert example.form is Form.DATAFRAME_SPLIT


@pytest.mark.parametrize("text", ["{", "{}", json.dumps({"dataframe_records": [{"age": "x"}]})])
def test_an_example_that_does_not_fit_is_left_out(
    copied: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    (copied / "serving_input_example.json").write_text(text)
    model = load_model(copied)
    assert model.example is None
    assert "the input example is left out" in caplog.text


def test_a_folder_without_a_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has no MLmodel file"):
        load_model(tmp_path)


def test_a_missing_package_is_named(copied: Path) -> None:
    file = copied / "MLmodel"
    file.write_text(file.read_text().replace("mlflow.sklearn", "no_such_package.loader"))
    with pytest.raises(ModelError, match="needs the package 'no_such_package'"):
        load_model(copied)


@pytest.mark.parametrize(
    ("name", "text"), [("MLmodel", "x: ["), ("MLmodel", "flavors: {}"), ("model.pkl", "x")]
)
def test_a_broken_model_is_told(copied: Path, name: str, text: str) -> None:
    (copied / name).write_text(text)
    with pytest.raises(ModelError, match="cannot be loaded: "):
        load_model(copied)
