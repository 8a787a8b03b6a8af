from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import train
from estimators import CHOICES, build, features_of

from stepkit.model import load_model, score, typed_features
from stepkit.program import StepError
from stepkit.saved import read_description


def mixed(rows: int = 300) -> pd.DataFrame:
    """Return rows with every kind of column, of which some say something of both targets."""
    rng = np.random.default_rng(0)
    size, colour = rng.normal(size=rows), rng.choice(["red", "green", "blue"], rows)
    price = 3 * size + 2 * (colour == "red") + rng.normal(scale=0.1, size=rows)
    table = pd.DataFrame(
        {
            "size": np.where(rng.random(rows) < 0.1, np.nan, size),
            "colour": np.where(rng.random(rows) < 0.1, None, colour),
            "count": rng.integers(0, 50, rows),
            "new": rng.random(rows) < 0.5,
            "weight": rng.integers(1, 4, rows),
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 99, rows), "D"),
            "nothing": np.full(rows, np.nan),
            "price": price,
        }
    )
    table["dear"] = np.where(table["price"] > 1, "yes", "no")
    return table


pytestmark = pytest.mark.filterwarnings("ignore:Missing values detected:UserWarning")


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the estimators from starting processes for a few hundred rows."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    mixed().to_parquet(tmp_path / "train.parquet")
    return tmp_path / "train.parquet"


def run(table: Path, target: str, *arguments: str) -> Path:
    model = table.parent / "model"
    ignored = ["--ignore", "dear" if target == "price" else "price"]
    train.main(
        ["--data", str(table), "--target", target, *ignored, "--model", str(model), *arguments]
    )
    return model


@pytest.mark.parametrize("estimator", list(CHOICES))
@pytest.mark.parametrize("target", ["price", "dear"])
def test_every_estimator_learns_both_tasks(table: Path, estimator: str, target: str) -> None:
    extra = ["--max-iter", "50"] if estimator == "ebm" else []
    model = load_model(run(table, target, "--estimator", estimator, *extra))
    metrics = score(model, pd.read_parquet(table)).metrics
    assert metrics["auc" if target == "dear" else "r2"] > 0.6
    assert model.metadata["estimator"] == estimator


def test_the_saved_model_says_what_it_is(table: Path) -> None:
    folder = run(table, "dear")
    description = read_description(folder)
    inputs = {each["name"]: each["type"] for each in json.loads(description["signature"]["inputs"])}
    assert inputs == {
        "size": "double",
        "colour": "string",
        "count": "double",
        "new": "double",
        "weight": "double",
    }
    example = json.loads((folder / "input_example.json").read_text())
    assert (example["columns"], len(example["data"])) == (list(inputs), 5)
    requirements = (folder / "requirements.txt").read_text().split()
    assert {line.partition("==")[0] for line in requirements} == set(train.REQUIREMENTS)
    assert all(line.partition("==")[2] for line in requirements)
    assert description["metadata"]["task"] == "classification"
    assert len(description["metadata"]["train_data_digest"]) == 64
    assert "training_run_id" not in description["metadata"]
    assert json.loads(description["metadata"]["hyperparameters"]) == {}
    assert float(description["metadata"]["training_seconds"]) > 0


@pytest.mark.slow
def test_a_candidate_is_taken_as_it_is(table: Path, step_run) -> None:
    first = run(table, "dear", "--estimator", "linear")
    step = step_run("train")
    given = ["--data", str(table), "--target", "dear", "--candidate", str(first)]
    train.main([*given, "--model", str(table.parent / "taken")])
    for file in (file for file in first.rglob("*") if file.is_file()):
        taken = table.parent / "taken" / file.relative_to(first)
        assert taken.read_bytes() == file.read_bytes()
    assert step.data.tags["candidate"] == str(first)


def test_a_candidate_of_another_target_is_refused(table: Path) -> None:
    first = run(table, "dear", "--estimator", "linear")
    given = ["--data", str(table), "--target", "price", "--candidate", str(first)]
    with pytest.raises(StepError, match="predicts 'dear', not 'price'"):
        train.main([*given, "--model", str(table.parent / "taken")])
    assert not (table.parent / "taken").exists()


@pytest.mark.slow
def test_the_model_loads_where_only_its_requirements_are(table: Path, tmp_path: Path) -> None:
    folder = run(table, "dear")
    program = (
        "import json, sys, mlflow.pyfunc\n"
        "request = json.load(open(sys.argv[1] + '/serving_input_example.json'))\n"
        "from mlflow.pyfunc.scoring_server import infer_and_parse_data\n"
        "data = infer_and_parse_data(request, None)\n"
        "print(list(mlflow.pyfunc.load_model(sys.argv[1]).predict(data)))\n"
        "assert not {'stepkit', 'estimators', 'train'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        cwd=tmp_path,
        env={"PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("yes") + done.stdout.count("no") == 5


def test_the_same_rows_and_seed_give_the_same_model(table: Path) -> None:
    found = []
    for name in ("first", "second"):
        given = ["--data", str(table), "--target", "dear", "--estimator", "random_forest"]
        train.main([*given, "--seed", "7", "--model", str(table.parent / name)])
        model = load_model(table.parent / name)
        found.append(score(model, pd.read_parquet(table)).metrics)
    assert found[0] == found[1]


def test_settings_and_metrics_land_in_the_run(table: Path, step_run) -> None:
    step = step_run("train")
    folder = run(table, "price", "--learning-rate", "0.05", "--cross-validation", "3")
    assert step.data.params["estimator.learning_rate"] == "0.05"
    assert step.data.metrics["features"] == 5
    assert step.data.metrics["train_r2"] > step.data.metrics["cv_r2"] > 0.5
    assert read_description(folder)["metadata"]["training_run_id"] == step.id


def test_classes_are_cross_validated(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(table, "dear", "--cross-validation", "3")
    told = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    assert "cv_accuracy" in [name for name, _ in told]  # a name, a space, and a number each


def test_weights_count_and_are_no_feature(table: Path) -> None:
    plain = load_model(run(table, "price", "--estimator", "linear"))
    given = ["--data", str(table), "--target", "price", "--ignore", "dear", "--estimator", "linear"]
    folder = str(table.parent / "weighted")
    train.main([*given, "--sample-weight", "weight", "--model", folder])
    weighted = load_model(table.parent / "weighted")
    assert "weight" in plain.features
    assert "weight" not in weighted.features
    assert plain.estimator["model"].intercept_ != weighted.estimator["model"].intercept_


def test_notes_say_what_is_left_out(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(table, "dear", "--estimator", "linear", "--ignore", "price,fnlwgt")
    text = capsys.readouterr().out
    assert "column 'fnlwgt', to be ignored, is not in the data" in text
    assert "column 'when' is empty or a time, and not used" in text
    assert "column 'nothing' is empty or a time, and not used" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--target", "prize"], "no target column 'prize' in the data\n  -> did you mean 'price'"),
        (["--target", "nothing"], "no row has a value in the target column"),
        (["--target", "dear", "--task", "regression"], "is not a number"),
        (["--target", "dear", "--sample-weight", "size"], "must be numbers from 0"),
        (["--target", "dear", "--sample-weight", "colour"], "must be numbers from 0"),
        (
            ["--target", "dear", "--estimator", "linear", "--learning-rate", "0.1"],
            "linear has no learning_rate\n  -> it has: max_iter, l2",
        ),
        (
            ["--target", "dear", "--ignore", "size,colour,count,new,weight,when,nothing,price"],
            "no feature column is left",
        ),
    ],
)
def test_what_cannot_be_trained_is_a_clear_error(
    table: Path, arguments: list[str], message: str
) -> None:
    with pytest.raises(StepError, match=message):
        train.main(["--data", str(table), "--model", str(table.parent / "model"), *arguments])
    assert not (table.parent / "model").exists()


def test_one_value_is_nothing_to_learn(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("n,y\n1,a\n2,a\n")
    with pytest.raises(StepError, match="'y' has one value only"):
        train.main(["--data", str(tmp_path / "t.csv"), "--target", "y", "--model", str(tmp_path)])


@pytest.mark.parametrize("estimator", list(CHOICES))
def test_new_and_missing_values_are_scored(estimator: str) -> None:
    table = mixed()
    columns, _ = features_of(table, ("price", "dear"))
    settings = {"max_iter": 20} if estimator != "linear" else {}
    pipeline = build(estimator, "classification", columns, settings, seed=0)
    pipeline.fit(typed_features(table, columns.kinds), table["dear"])
    row = pd.DataFrame(
        {"size": [None, 1e9], "colour": ["violet", None], "count": [1, None]}
        | {"new": [True, None], "weight": [0, 1]}
    )
    probabilities = pipeline.predict_proba(typed_features(row, columns.kinds))
    assert probabilities.sum(axis=1) == pytest.approx([1, 1])


@pytest.mark.parametrize("estimator", list(CHOICES))
@pytest.mark.slow
def test_none_and_nan_are_missing_alike(estimator: str) -> None:
    table = mixed()
    table["dear"] = table["dear"].where(table["colour"].notna(), "yes")
    columns, _ = features_of(table, ("price", "dear"))
    pipeline = build(estimator, "classification", columns, {}, seed=0)
    pipeline.fit(typed_features(table, columns.kinds), table["dear"])
    rows = typed_features(table, columns.kinds)
    # As pandas reads an empty cell of a CSV file.
    read = rows.assign(colour=rows["colour"].where(rows["colour"].notna(), np.nan))
    assert rows["colour"].isna().any()
    assert pipeline.predict_proba(read) == pytest.approx(pipeline.predict_proba(rows), abs=0)


def test_more_categories_than_a_tree_can_tell_apart() -> None:
    table = pd.DataFrame({"name": [f"n{i % 700}" for i in range(1400)], "y": [0, 1] * 700})
    columns, _ = features_of(table, ("y",))
    pipeline = build("hist_gradient_boosting", "classification", columns, {"max_iter": 5}, seed=0)
    features = typed_features(table, columns.kinds)
    assert pipeline.fit(features, table["y"]).predict(features).shape == (1400,)


@pytest.mark.parametrize(("given", "expected"), [({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "A"}, "A")])
def test_threads_are_told_how_to_wait_before_they_are_loaded(given: dict, expected: str) -> None:
    program = (
        "import os, sys, train; print(os.environ['OMP_WAIT_POLICY'], 'sklearn' in sys.modules)"
    )
    root = Path(train.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": f"{root / 'src'}:{root / 'components/train'}", **given},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{expected} False\n"
