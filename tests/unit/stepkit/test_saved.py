"""Models that were saved by others than the train component."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.svm import LinearSVC

from stepkit.model import load_model, score
from stepkit.program import StepError
from stepkit.saved import features_of, read_description

pytestmark = pytest.mark.filterwarnings("ignore:::mlflow", "ignore:.*Add type hints to")

ROWS = pd.DataFrame({"a": np.arange(40.0), "b": np.arange(40) % 3})
TABLE = ROWS.assign(y=np.where(ROWS["a"] > 18, "yes", "no"), q=2 * ROWS["a"] + 1)


def save_sklearn(folder: Path, estimator, target: str, **given) -> Path:
    import mlflow.sklearn
    from mlflow.models import infer_signature

    estimator.fit(ROWS, TABLE[target])
    signature = infer_signature(ROWS, estimator.predict(ROWS))
    mlflow.sklearn.save_model(
        estimator,
        str(folder),
        signature=signature,
        serialization_format="cloudpickle",
        pip_requirements=["scikit-learn"],
        **given,
    )
    return folder


def save_pyfunc(folder: Path, signature=True) -> Path:
    import mlflow.pyfunc
    from mlflow.models import infer_signature

    class Threshold(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            return np.where(model_input["a"] > 20, "yes", "no")

    told = infer_signature(ROWS, np.array(["yes", "no"])) if signature else None
    mlflow.pyfunc.save_model(
        str(folder), python_model=Threshold(), signature=told, pip_requirements=["numpy"]
    )
    return folder


def test_any_sklearn_classifier_with_a_signature(tmp_path: Path) -> None:
    folder = save_sklearn(tmp_path / "model", LogisticRegression(), "y")
    model = load_model(folder, target="y")
    assert (model.task, model.target, model.metadata) == ("classification", "y", {})
    assert model.features == {"a": "double", "b": "long"}
    assert score(model, TABLE).metrics["auc"] == 1


def test_any_sklearn_regressor_with_a_signature(tmp_path: Path) -> None:
    model = load_model(save_sklearn(tmp_path / "model", LinearRegression(), "q"), target="q")
    assert model.task == "regression"
    assert score(model, TABLE).metrics["r2"] == pytest.approx(1)


def test_a_classifier_without_probabilities(tmp_path: Path) -> None:
    model = load_model(save_sklearn(tmp_path / "model", LinearSVC(), "y"), target="y")
    scores = score(model, TABLE)
    assert model.task == "classification"
    assert scores.metrics["accuracy"] > 0.9
    assert "auc" not in scores.metrics


def test_any_python_function_with_a_signature(tmp_path: Path) -> None:
    model = load_model(save_pyfunc(tmp_path / "model"), target="y")
    assert model.task == "classification"
    assert score(model, TABLE).metrics["accuracy"] == pytest.approx(38 / 40)


def test_what_a_model_does_not_say_is_asked_for(tmp_path: Path) -> None:
    folder = save_sklearn(tmp_path / "model", LogisticRegression(), "y")
    with pytest.raises(StepError, match=r"does not say which column it predicts\n  -> give the"):
        load_model(folder)


def test_what_a_model_says_is_not_overruled(tmp_path: Path) -> None:
    told = {"task": "regression", "target": "q"}
    folder = save_sklearn(tmp_path / "model", LinearRegression(), "q", metadata=told)
    assert load_model(folder).target == "q"
    with pytest.raises(StepError, match="predicts 'q', not 'y'"):
        load_model(folder, target="y")
    with pytest.raises(StepError, match="is for regression, not classification"):
        load_model(folder, task="classification")


def test_whole_numbers_may_be_classes_or_a_quantity(tmp_path: Path) -> None:
    import mlflow.pyfunc
    from mlflow.models import infer_signature

    class Rounds(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            return model_input["b"]

    folder = str(tmp_path / "model")
    signature = infer_signature(ROWS, np.array([1, 2]))
    mlflow.pyfunc.save_model(
        folder, python_model=Rounds(), signature=signature, pip_requirements=["numpy"]
    )
    with pytest.raises(StepError, match="classes or a quantity\n  -> set task"):
        load_model(Path(folder), target="b")
    assert load_model(Path(folder), target="b", task="regression").task == "regression"


def test_a_package_that_is_not_here_is_named(tmp_path: Path) -> None:
    folder = save_sklearn(tmp_path / "model", LinearRegression(), "q")
    described = yaml.safe_load((folder / "MLmodel").read_text())
    del described["flavors"]["sklearn"]
    described["flavors"]["python_function"]["loader_module"] = "no_such_package"
    (folder / "MLmodel").write_text(yaml.safe_dump(described))
    with pytest.raises(StepError, match=r"no_such_package.*\n  -> add the packages"):
        load_model(folder, target="q")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no MLmodel file"),
        ("a: [", "is no YAML"),
        ("flavors: {onnx: {}}", "no python_function flavor"),
        ("flavors: {python_function: {}}", "does not say which columns it needs"),
        (
            "flavors: {python_function: {}}\n"
            'signature: {inputs: \'[{"type": "tensor", "tensor-spec": {}}]\'}',
            "does not say which columns it needs",
        ),
    ],
)
def test_a_folder_that_holds_no_model_of_columns(
    tmp_path: Path, content: str | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "MLmodel").write_text(content)
    with pytest.raises(StepError, match=message):
        read_description(tmp_path)


def test_a_python_function_without_a_signature(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="signature=mlflow"):
        read_description(save_pyfunc(tmp_path / "model", signature=False))


def test_the_columns_of_a_signature(tmp_path: Path) -> None:
    folder = save_sklearn(tmp_path / "model", LinearRegression(), "q")
    assert features_of(read_description(folder)) == {"a": "double", "b": "long"}


class Repeats:
    """Predicts as a forecaster does, and has no more of scikit-learn than that."""

    def fit(self, rows, values):
        return self

    def predict(self, rows):
        if (rows["a"] < 0).any():
            raise ValueError("rows in the past")
        return 2 * rows["a"].to_numpy() + 1


@pytest.mark.parametrize("given", [{"metadata": {"task": "forecasting", "target": "q"}}, {}])
def test_a_forecast_is_judged_as_a_quantity(tmp_path: Path, given) -> None:
    model = load_model(save_sklearn(tmp_path / "model", Repeats(), "q", **given), target="q")
    assert model.task == "regression"
    assert score(model, TABLE).metrics["rmse"] == 0.0


def test_rows_that_a_model_refuses_are_told(tmp_path: Path) -> None:
    model = load_model(save_sklearn(tmp_path / "model", Repeats(), "q"), target="q")
    with pytest.raises(StepError, match="cannot predict these rows: rows in the past"):
        score(model, TABLE.assign(a=-1.0))
