from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from tests.unit.automlkit.models import built

from automlkit.request import Request
from automlkit.save import requirements, save_model, signed
from stepkit.model import load_model, score

# MLflow warns of its own type hints when it is imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint is inferred as AnyType")

SOME = np.random.default_rng(2)
X = pd.DataFrame(
    {
        "a": SOME.normal(size=120),
        "n": SOME.integers(0, 100, 120),
        "flag": SOME.random(120) > 0.5,
        "k": [["red", "green", None][n % 3] for n in range(120)],
        "day": pd.date_range("2024-01-01", periods=120),
    }
)
X.loc[::7, "a"] = np.nan
Y = pd.Series(np.where(X["n"] > 50, "high", "low"), name="y")

#: Loads a model where nothing of the project is installed, and predicts the first row.
PROGRAM = """
import importlib.util, json, sys
import mlflow.pyfunc, pandas as pd
model = mlflow.pyfunc.load_model(sys.argv[1])
row = pd.DataFrame(json.loads(sys.argv[2]))
row["day"] = pd.to_datetime(row["day"])
import automlmodel
assert automlmodel.__file__.startswith(sys.argv[1]), automlmodel.__file__
assert importlib.util.find_spec("automlkit") is None
print(json.dumps(model.predict(row).tolist()))
"""


def request(task: Any = "classification") -> Request:
    return Request(task, "accuracy", "y", "train.parquet")


def fitted(name: str, task: str, y: pd.Series, config: dict[str, Any]) -> Any:
    classes = sorted(set(y)) if task == "classification" else None
    return built(X, name, task, config, classes).fit(X, y)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    folder = tmp_path_factory.mktemp("saved") / "model"
    model = fitted("LightGBM", "classification", Y, {"n_estimators": 20})
    model.algorithm = "LightGBM"
    scores = {"accuracy": 0.9}
    save_model(model, folder, X_example=X, y=Y, request=request(), metrics=scores)
    # Here, since whoever loads the model leaves byte code in it.
    assert not list(folder.rglob("__pycache__"))
    return model, folder


def test_the_projects_steps_read_it(saved: tuple[Any, Path]) -> None:
    model, folder = saved
    loaded = load_model(folder)
    assert (loaded.task, loaded.target) == ("classification", "y")
    assert loaded.features == {
        "a": "double",
        "n": "double",
        "flag": "double",
        "k": "string",
        "day": "datetime",
    }
    assert loaded.metadata["algorithm"] == "LightGBM"
    assert float(loaded.metadata["validation_score"]) == 0.9
    # As `evaluate` scores it: with numbers as doubles, and all else as text.
    found = score(loaded, X.assign(y=Y))
    assert found.metrics["accuracy"] == pytest.approx(model.score(X, Y))


@pytest.mark.slow
def test_it_predicts_where_the_project_is_not_installed(
    saved: tuple[Any, Path], tmp_path: Path
) -> None:
    model, folder = saved
    row = signed(X.head(1)).astype({"day": str})
    environ = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONWARNINGS")}
    # -P and site's own start-up files would let the project's sources in.
    packages = str(Path(np.__file__).parents[1])
    start = f"import sys; sys.path.insert(0, {packages!r})\n"
    done = subprocess.run(
        [sys.executable, "-S", "-c", start + PROGRAM, str(folder), row.to_json(orient="records")],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environ,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == model.predict(X.head(1)).tolist()


def test_what_is_saved_says_what_it_needs(saved: tuple[Any, Path]) -> None:
    _, folder = saved
    lines = (folder / "requirements.txt").read_text().splitlines()
    assert any(line.startswith("lightgbm==") for line in lines)
    assert not any(line.startswith(("xgboost", "interpret")) for line in lines)
    document = yaml.safe_load((folder / "MLmodel").read_text())
    assert document["flavors"]["python_function"]["code"] == "code"
    assert (folder / "code" / "automlmodel" / "tabular.py").is_file()
    assert json.loads(document["signature"]["outputs"])[0]["type"] == "string"


def test_each_learners_package_is_named() -> None:
    ebm = fitted("ExplainableBoosting", "classification", Y, {"outer_bags": 1, "max_rounds": 5})
    assert any(line.startswith("interpret-core==") for line in requirements(ebm))
    boosted = fitted("XGBoostClassifier", "classification", Y, {"n_estimators": 5})
    assert any(line.startswith("xgboost") for line in requirements(boosted))
    linear = fitted("LogisticRegression", "classification", Y, {})
    assert len(requirements(linear)) == 6


def test_a_model_of_quantities_replaces_what_was_there(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "old.txt").write_text("old")
    y = pd.Series(X["n"] * 2.0, name="y")
    model = fitted("ElasticNet", "regression", y, {})
    save_model(model, folder, X_example=X, y=y, request=request("regression"), metrics={})
    assert not (folder / "old.txt").exists()
    found = score(load_model(folder), X.assign(y=y))
    assert found.metrics["r2"] > 0.99
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_signed_types() -> None:
    frame = pd.DataFrame(
        {
            "whole": pd.array([1, None], dtype="Int64"),
            "empty": [None, None],
            "mixed": pd.Series([1.0, "a"], dtype=object),
            "kind": pd.Categorical(["x", None]),
        }
    )
    found = signed(frame)
    assert found["whole"].dtype == "float64"
    assert found["empty"].dtype == "float64"
    assert found["mixed"].tolist() == ["1", "a"]
    assert found["kind"].tolist() == ["x", None]
