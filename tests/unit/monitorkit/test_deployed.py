"""What a deployment's monitor asks beside: the model's own predictions, segments, nothing yet."""

from __future__ import annotations

import json
import shutil
import site
import subprocess
import sys
from pathlib import Path
from typing import Any

import cloudpickle
import mlflow.pyfunc
import mlflow.sklearn
import numpy as np
import pandas as pd
import pytest
from mlflow.models import infer_signature
from sklearn.linear_model import LogisticRegression

from monitorkit.request import Data, WrongRequestError, request_of
from monitorkit.scoring import scored
from stepkit.program import StepError
from stepkit.table import NoRowsError, read_table

from .conftest import NOW, Collect, people
from .test_run import FEATURES, breaches, run, signal

# What MLflow says of types that it was not given.
pytestmark = pytest.mark.filterwarnings("ignore:::mlflow")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that calls everybody tall who is."""
    folder = tmp_path_factory.mktemp("model") / "model"
    rows = people(500, 9)
    X = rows[["height"]]
    fitted = LogisticRegression().fit(X, np.where(rows["height"] > 170, "tall", "small"))
    mlflow.sklearn.save_model(
        fitted,
        folder,
        signature=infer_signature(X, fitted.predict(X)),
        serialization_format="cloudpickle",
        pip_requirements=["scikit-learn"],
    )
    return folder


def asking(path: Path, model: Path, place: Path, column: str = "0") -> Data:
    return Data(str(path), prediction_column=column, model=str(model), scored=str(place))


def test_a_reference_is_predicted_once(tmp_path: Path, model: Path) -> None:
    table, place = tmp_path / "table.parquet", tmp_path / "cache" / "kept.parquet"
    people(300, 1).to_parquet(table)
    found = scored(asking(table, model, place))
    assert (found.path, found.model, found.prediction_column) == (str(place), None, "0")
    rows = read_table(place)
    told_apart = rows.groupby("0")["height"]
    assert told_apart.max()["small"] < told_apart.min()["tall"]
    # The second time nobody is asked.
    again = scored(asking(table, tmp_path / "nobody", place))
    assert again == found
    assert [each.name for each in place.parent.iterdir()] == ["kept.parquet"]


def test_predictions_that_are_there_are_taken(tmp_path: Path, model: Path) -> None:
    table = tmp_path / "table.csv"
    people(50, 1).to_csv(table, index=False)
    asked = asking(table, model, tmp_path / "kept.parquet", "prediction")
    assert scored(asked) == Data(str(table), prediction_column="prediction")
    assert not (tmp_path / "kept.parquet").exists()


def test_a_model_of_other_versions_is_told_and_leaves_nothing(tmp_path: Path, model: Path) -> None:
    table, place = tmp_path / "table.parquet", tmp_path / "cache" / "kept.parquet"
    people(50, 1).to_parquet(table)
    old = tmp_path / "old"
    shutil.copytree(model, old)
    (pickled,) = old.glob("*.pkl")
    pickled.write_bytes(b"of another time")
    with pytest.raises(StepError, match=r"the model in .*/old cannot be loaded here: \w+Error"):
        scored(asking(table, old, place))
    # One that was fitted to other columns than its signature says.
    pickled.write_bytes(cloudpickle.dumps(LogisticRegression()))
    with pytest.raises(StepError, match=r"/old does not predict .* rows: NotFittedError: "):
        scored(asking(table, old, place))
    assert list(place.parent.iterdir()) == []


ELSEWHERE = """
import os
import mlflow
from mlflow.pyfunc import PythonModel

class Model(PythonModel):
    def predict(self, context, model_input, params=None):
        if model_input["height"].isna().any():
            os.abort()
        import elsewhere
        return elsewhere.labels(model_input["height"])

mlflow.models.set_model(Model())
"""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A model that needs a module which is not here, and an interpreter that has it."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "model.py").write_text(ELSEWHERE)
    mlflow.pyfunc.save_model(
        folder / "model",
        python_model=str(folder / "model.py"),
        signature=infer_signature(people(5, 0)[["height"]], ["tall"]),
        pip_requirements=["mlflow"],
    )
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True
    )
    (packages,) = (folder / "venv").glob("lib/python*/site-packages")
    (packages / "here.pth").write_text("\n".join(site.getsitepackages()))
    (packages / "elsewhere.py").write_text("def labels(heights): return [1.0, None] * 50\n")
    return folder / "model", str(folder / "venv" / "bin" / "python")


def test_a_model_is_asked_by_the_interpreter_that_has_its_packages(
    tmp_path: Path, elsewhere: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, python = elsewhere
    table, place = tmp_path / "table.parquet", tmp_path / "cache" / "kept.parquet"
    people(100, 1).to_parquet(table)
    with pytest.raises(StepError, match=r"does not predict .* rows: ModuleNotFoundError: .*elsewh"):
        scored(asking(table, model, place))
    # What this interpreter is told of its modules is not for that one.
    monkeypatch.setenv("PYTHONHOME", str(tmp_path))
    found = scored(asking(table, model, place), python)
    rows = read_table(Path(found.path))
    assert rows["0"].dropna().tolist() == ["1"] * 50  # labels, as one is missing
    assert rows["0"].isna().sum() == 50
    assert [each.name for each in place.parent.iterdir()] == ["kept.parquet"]


def test_a_model_that_answers_with_other_rows_or_ends_the_process_is_told(
    tmp_path: Path, elsewhere: tuple[Path, str]
) -> None:
    model, python = elsewhere
    table, place = tmp_path / "table.parquet", tmp_path / "cache" / "kept.parquet"
    people(99, 1).to_parquet(table)
    with pytest.raises(StepError, match="the model says 100 values of 99 rows"):
        scored(asking(table, model, place), python)
    people(100, 1).assign(height=None).to_parquet(table)
    with pytest.raises(StepError, match="the process that asked it was ended by SIGABRT"):
        scored(asking(table, model, place), python)
    assert list(place.parent.iterdir()) == []


def test_a_table_that_the_model_cannot_read_leaves_nothing(tmp_path: Path, model: Path) -> None:
    folder = tmp_path / "tables"
    folder.mkdir()
    people(50, 1).to_parquet(folder / "a.parquet")
    people(50, 1).drop(columns="height").to_parquet(folder / "b.parquet")
    place = tmp_path / "cache" / "kept.parquet"
    with pytest.raises(StepError, match="height"):
        scored(asking(folder, model, place))
    assert list(place.parent.iterdir()) == []


def test_predictions_drift_from_those_of_the_model(
    tmp_path: Path, collect: Collect, model: Path
) -> None:
    reference = tmp_path / "reference.parquet"
    people(3000, 0).to_parquet(reference)
    known = {
        "path": str(reference),
        "prediction_column": "0",
        "model": str(model),
        "scored": str(tmp_path / "kept.parquet"),
    }
    for share, expected in ((0.5, set()), (0.8, {("jensen_shannon_distance", "0")})):
        said = np.random.default_rng(1).choice(["tall", "small"], 1000, p=[share, 1 - share])
        outputs = collect(f"outputs-{share}", pd.DataFrame({"0": said}))
        production = {"path": str(outputs), "window_size": "P7D", "prediction_column": "0"}
        asked = signal(
            "prediction_drift", outputs, reference, production=production, reference=known
        )
        code, document = run(tmp_path, asked)
        assert (code, breaches(document)) == (0, expected)


def test_a_segment_is_compared_with_itself(tmp_path: Path, collect: Collect) -> None:
    before, week = people(4000, 0), people(2000, 1)
    reference = tmp_path / "reference.parquet"
    before.to_parquet(reference)
    # Farmers alone have grown.
    week.loc[week["job"] == "farm", "height"] += 20
    inputs = collect("inputs", week[FEATURES])

    def of(*jobs: str) -> dict[str, Any]:
        segment = {"segment_column": "job", "segment_values": list(jobs)}
        parts = {"production": {"path": str(inputs)}, "reference": {"path": str(reference)}}
        return signal(
            "data_drift",
            inputs,
            reference,
            features=["height"],
            **{role: {**part, **segment} for role, part in parts.items()},
        )

    farmers = run(tmp_path, of("farm"))[1]
    assert breaches(farmers) == {("normalized_wasserstein_distance", "height")}
    assert farmers["signals"][0]["production"]["rows"] == int((week["job"] == "farm").sum())
    assert breaches(run(tmp_path, of("office", "none"))[1]) == set()


def test_a_segment_of_predictions_is_found_in_the_inputs(tmp_path: Path, collect: Collect) -> None:
    week = people(2000, 1)
    inputs = collect("inputs", week[FEATURES])
    week.loc[week["job"] == "farm", "prediction"] = "wrong"
    outputs = collect("outputs", week[["prediction"]])
    truth = tmp_path / "truth.csv"
    week[["target"]].assign(order=[f"request-{i}" for i in range(len(week))]).to_csv(truth)
    asked = {
        "name": "s",
        "type": "model_performance",
        "production": {"path": str(outputs), "prediction_column": "prediction"},
        "ground_truth": {
            "path": str(truth),
            "target_column": "target",
            "correlation_id_column": "order",
        },
        "segment": {"path": str(inputs), "segment_column": "job", "segment_values": ["farm"]},
        "thresholds": [{"metric": "accuracy", "threshold": 0.5}],
    }
    (found,) = run(tmp_path, asked)[1]["signals"][0]["metrics"]
    assert (found["value"], found["verdict"]) == (0.0, "breach")
    assert found["rows"] == int((week["job"] == "farm").sum())


def test_a_segment_of_a_column_that_is_not_there_is_refused(
    tmp_path: Path, collect: Collect, capsys: pytest.CaptureFixture[str]
) -> None:
    inputs = collect("inputs", people(10, 1)[FEATURES])
    part = {"path": str(inputs), "segment_column": "town", "segment_values": ["x"]}
    asked = signal("data_drift", inputs, inputs, production=part, reference=part)
    assert run(tmp_path, asked)[0] == 1
    assert "no column 'town', which a segment is of" in capsys.readouterr().err


def test_columns_that_nobody_sends_are_no_features(tmp_path: Path, collect: Collect) -> None:
    reference = tmp_path / "reference.parquet"
    people(1000, 0).assign(weight=1.0).to_parquet(reference)
    inputs = collect("inputs", people(500, 1)[FEATURES])
    quality = signal("data_quality", inputs, reference, among=FEATURES)
    document = run(tmp_path, quality)[1]
    assert {each["feature"] for each in document["signals"][0]["metrics"]} == set(FEATURES)
    assert document["verdict"] == "ok"
    nothing = run(tmp_path, signal("data_quality", inputs, reference, among=["x"]))[1]
    assert nothing["signals"][0]["notes"] == ["no column of the reference is a feature"]
    assert nothing["verdict"] == "insufficient"


def test_before_anything_is_collected_nothing_is_told(tmp_path: Path) -> None:
    """Of every type of signal: production, a reference of production, and the truth are empty."""
    names = ("inputs", "outputs")
    empty = {name: {"path": str(tmp_path / name), "window_size": "P7D"} for name in names}
    for name in names:
        (tmp_path / name).mkdir()
    (tmp_path / "truth.csv").write_text("correlationid,target\n")
    said = {**empty["outputs"], "prediction_column": "prediction"}
    truth = {"path": str(tmp_path / "truth.csv"), "target_column": "target"}
    table = tmp_path / "reference.parquet"
    people(500, 0).to_parquet(table)
    known = {"path": str(table), "prediction_column": "prediction", "target_column": "target"}
    fixed = [{"metric": "mean_absolute_error", "threshold": 1}]
    parts: list[dict[str, Any]] = [
        {"type": "data_drift", "production": empty["inputs"], "reference": empty["inputs"]},
        {"type": "data_drift", "production": empty["inputs"], "reference": known},
        {"type": "data_quality", "production": empty["inputs"], "reference": empty["inputs"]},
        {"type": "prediction_drift", "production": said, "reference": said},
        {"type": "prediction_drift", "production": said, "reference": known},
        {
            "type": "feature_attribution_drift",
            "production": empty["inputs"],
            "outputs": said,
            "reference": known,
        },
        {
            "type": "model_performance",
            "production": said,
            "ground_truth": truth,
            "thresholds": fixed,
        },
        {
            "type": "model_performance",
            "production": said,
            "ground_truth": truth,
            "reference": known,
        },
    ]
    named = [{"name": f"s{place}", **part} for place, part in enumerate(parts)]
    code, document = run(tmp_path, *named)
    assert code == 0
    assert {each["verdict"] for each in document["signals"]} == {"insufficient"}


def test_a_table_without_rows_says_so(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n")
    with pytest.raises(NoRowsError):
        read_table(tmp_path / "t.csv")


def test_a_model_needs_a_place_for_what_it_says() -> None:
    asked = signal("data_drift", Path("a"), Path("b"), reference={"path": "b", "model": "m"})
    with pytest.raises(WrongRequestError, match="a model needs scored and prediction_column"):
        request_of(
            json.loads(json.dumps({"name": "m", "now": NOW.isoformat(), "signals": [asked]}))
        )
