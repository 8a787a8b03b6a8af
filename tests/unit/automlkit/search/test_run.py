"""Whole searches, as the engine starts them."""

import json
import os
import signal
import subprocess
import sys
import time

import mlflow
import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own, when it loads a model


@pytest.fixture
def table():
    random = np.random.default_rng(0)
    rows = 200
    frame = pd.DataFrame(
        {
            "age": random.integers(18, 80, rows),
            "colour": random.choice(["red", "green", None], rows),
            "height": np.where(random.random(rows) < 0.1, np.nan, random.normal(170, 9, rows)),
        }
    )
    signal_ = (frame["age"] - 50) / 15 + (frame["colour"] == "red") + random.normal(size=rows)
    return frame.assign(bought=np.where(signal_ > 0, "yes", "no"), spent=10 * signal_ + 100)


@pytest.fixture
def request_of(table, tmp_path):
    """Write a request for the table; return its file."""

    def write(task="classification", **more):
        target, other = ("bought", "spent") if task == "classification" else ("spent", "bought")
        data = table.drop(columns=other)
        data.iloc[:160].to_parquet(tmp_path / "train.parquet")
        data.iloc[160:].to_parquet(tmp_path / "test.parquet")
        names = ["LightGBM", "LogisticRegression" if task == "classification" else "ElasticNet"]
        facts = {
            "task": task,
            "primary_metric": "AUC_weighted" if task == "classification" else "r2_score",
            "target_column_name": target,
            "training_data": str(tmp_path / "train.parquet"),
            "test_data": str(tmp_path / "test.parquet"),
            "n_cross_validations": 3,
            "limits": {"max_trials": 3},
            "training": {"allowed_training_algorithms": names},
            **more,
        }
        file = tmp_path / "request.json"
        file.write_text(json.dumps(facts))
        return file

    return write


def command(request, out):
    return [sys.executable, "-m", "automlkit", "--request", str(request), "--out", str(out)]


def search(request, out):
    done = subprocess.run(command(request, out), capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def events(out):
    lines = (out / "events.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_a_classifier_takes_raw_columns(request_of, table, tmp_path):
    code, errors = search(request_of(), tmp_path / "out")
    assert code == 0, errors
    out = tmp_path / "out"
    told = events(out)
    assert told[0]["event"] == "setup"
    assert told[0]["validation"]["folds"] == 3
    finished = told[-1]
    assert finished["stopped_because"] == "max_trials"
    assert finished["test_metrics"]["AUC_weighted"] > 0.75
    model = mlflow.pyfunc.load_model(str(out / "model"))
    rows = pd.read_parquet(tmp_path / "test.parquet").drop(columns="bought")
    predicted = model.predict(rows.astype({"age": "float64"}))
    assert set(predicted) <= {"yes", "no"}
    accuracy = np.mean(np.asarray(predicted).ravel() == table["bought"].iloc[160:])
    assert accuracy == pytest.approx(finished["test_metrics"]["accuracy"])
    board = json.loads((out / "leaderboard.json").read_text())
    assert [row["trial"] for row in board if row["is_delivered"]] == [finished["best_trial"]]
    assert [row["column"] for row in json.loads((out / "featurization.json").read_text())] == [
        *("age", "colour", "height")
    ]
    assert (out / "explanation" / "importance.csv").read_text().splitlines()[1].startswith("age,")


def rounds_of(out):
    """Return how many rounds of folds each trial has predictions of."""
    files = sorted((out / "state").rglob("*.npz"))
    assert files
    return [sum(name.startswith("round_") for name in np.load(file).files) for file in files]


def test_leaders_on_held_out_rows_are_compared_on_others_as_long_as_there_is_time(
    request_of, tmp_path
):
    held_out = {"n_cross_validations": None, "validation_data_size": 0.3}
    timed = {"timeout_seconds": 25, "enable_early_termination": False}
    code, errors = search(request_of(**held_out, limits=timed), tmp_path / "timed")
    assert code == 0, errors
    assert events(tmp_path / "timed")[-1]["stopped_because"] == "timeout"
    assert max(rounds_of(tmp_path / "timed")) == 4
    # One that was to be short stays so.
    assert search(request_of(**held_out), tmp_path / "short")[0] == 0
    assert rounds_of(tmp_path / "short") == [1, 1, 1]


@pytest.mark.slow
def test_two_searches_without_a_time_limit_are_equal(request_of, tmp_path):
    request = request_of("regression")
    boards = []
    for name in ("first", "second"):
        assert search(request, tmp_path / name)[0] == 0
        finished = events(tmp_path / name)[-1]
        board = json.loads((tmp_path / name / "leaderboard.json").read_text())
        kept = [(row["trial"], row["hyperparameters"], row["score"]) for row in board]
        boards.append((kept, finished["test_metrics"], finished["best_trial"]))
    assert boards[0] == boards[1]


@pytest.mark.slow
def test_a_search_that_was_killed_goes_on(request_of, tmp_path):
    out = tmp_path / "out"
    request = request_of(limits={"max_trials": 500, "enable_early_termination": False})
    process = subprocess.Popen(command(request, out), stderr=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while time.monotonic() < end and len(list((out / "state").glob("*.npz"))) < 3:
        time.sleep(0.2)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    (out / "events.jsonl").unlink()
    kept = len(list((out / "state").glob("*.npz")))
    code, errors = search(request_of(limits={"max_trials": kept + 1}), out)
    assert code == 0, errors
    ended = [one for one in events(out) if one["event"] == "trial_ended"]
    assert sum(one["is_known"] for one in ended) == kept
    assert (out / "model" / "MLmodel").exists()


def test_wrong_data_is_told(request_of, tmp_path):
    code, errors = search(request_of(target_column_name="brought"), tmp_path / "out")
    assert code == 2
    assert "brought" in errors.splitlines()[-1]
    settings = {"stack_ensemble_settings": {"stack_meta_learner_type": "Magic"}}
    code, errors = search(request_of(training=settings), tmp_path / "out")
    assert code == 2
    assert "no stack_meta_learner_type 'Magic'" in errors.splitlines()[-1]


@pytest.mark.slow
def test_a_time_too_short_is_told(request_of, tmp_path):
    code, errors = search(request_of(limits={"timeout_seconds": 0.1}), tmp_path / "out")
    assert code == 1
    assert "more minutes" in errors.splitlines()[-1]
    assert not (tmp_path / "out" / "model").exists()
