"""Whole searches, small ones, in processes as they are."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pandas as pd
import pytest

from stepkit.model import load_model, score

# MLflow warns of its own type hints when it is imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint is inferred as AnyType")
QUICK = ["Naive", "SeasonalNaive", "ExponentialSmoothing", "ElasticNet"]


def start(request, out: Path) -> subprocess.Popen:
    file = out.parent / "request.json"
    file.write_bytes(msgspec.json.encode(request))
    return subprocess.Popen(
        [sys.executable, "-m", "automlkit", "--request", file, "--out", out],
        stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def search(request, out: Path) -> tuple[int, str]:
    process = start(request, out)
    _, errors = process.communicate(timeout=240)
    return process.returncode, errors


def events(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]


def of(told: list[dict], kind: str) -> list[dict]:
    return [event for event in told if event["event"] == kind]


@pytest.mark.slow
def test_a_search_leaves_a_model_of_raw_columns(ask, shops, tmp_path):
    late = shops["month"] > "2014-06-01"
    training = {"allowed_training_algorithms": [*QUICK, "Arimax"]}
    settings = {"time_series_id_column_names": ["shop"]}
    request = ask(shops[~late], test=shops[late], forecasting=settings, training=training,
                  limits={"max_trials": 6, "enable_early_termination": False})  # fmt: skip
    out = tmp_path / "out"
    assert search(request, out) == (0, "")
    told = events(out)
    assert told[0]["event"] == "setup"
    assert len(of(told, "trial_started")) == len(of(told, "trial_ended")) >= 6
    (finished,) = of(told, "finished")
    assert finished["stopped_because"] == "max_trials"
    # The price explains most of what these models would else miss.
    assert finished["test_metrics"]["normalized_root_mean_squared_error"] < 0.1
    leaders = json.loads((out / "leaderboard.json").read_text())
    scores = [row["score"] for row in leaders if row["score"] is not None]
    assert scores == sorted(scores)
    columns = {row["column"]: row["purpose"] for row in json.loads(
        (out / "featurization.json").read_text())}  # fmt: skip
    assert columns["price"] == "Numeric"
    assert columns["shop"] == "TimeSeriesId"
    model = load_model(out / "model")
    found = score(model, shops[late])
    assert found.metrics["rmse"] == pytest.approx(
        finished["test_metrics"]["root_mean_squared_error"], rel=0.5
    )
    (vote,) = [event for event in of(told, "trial_started")
               if event["algorithm"] == "VotingEnsemble"]  # fmt: skip
    assert sum(vote["hyperparameters"]["weights"]) == pytest.approx(1.0, abs=1e-5)
    importance = pd.read_csv(out / "explanation" / "importance.csv")
    assert importance["column"][0] == "price"
    assert (out / "explanation" / "forecast.png").is_file()
    requirements = (out / "model" / "requirements.txt").read_text()
    assert "pandas==" in requirements
    assert "amlocal" not in requirements


@pytest.mark.slow
def test_a_model_is_loaded_without_the_project(ask, table, tmp_path):
    request = ask(table, training={"allowed_training_algorithms": ["SeasonalNaive"]})
    out = tmp_path / "out"
    assert search(request, out) == (0, "")
    program = (
        "import sys, pandas as pd\n"
        "sys.modules.update(amlocal=None, automlkit=None, stepkit=None)\n"
        "sys.path = [path for path in sys.path if not path.endswith('src')]\n"
        "import mlflow\n"
        "model = mlflow.pyfunc.load_model(sys.argv[1])\n"
        "rows = pd.DataFrame({'month': pd.date_range('2016-01-01', periods=3, freq='MS')})\n"
        "print(*model.predict(rows))\n"
        "import automlmodel; print(automlmodel.__file__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, out / "model"], capture_output=True, text=True, check=True
    )
    numbers, place = done.stdout.splitlines()
    found = [float(number) for number in numbers.split()]
    assert found == pytest.approx(list(table["sales"][60:63]))
    assert place.startswith(str(out / "model" / "code"))


@pytest.mark.slow
def test_a_killed_search_goes_on_from_its_trials(ask, table, tmp_path):
    request = ask(table, limits={"max_trials": 8, "enable_early_termination": False})
    out = tmp_path / "out"
    process = start(request, out)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and len(list((out / "state").glob("*.npz"))) < 3:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    kept = len(list((out / "state").glob("*.npz")))
    before = len(events(out))
    assert search(request, out) == (0, "")
    told = events(out)[before:]
    ended = of(told, "trial_ended")
    assert sum(event["is_known"] for event in ended) >= min(kept, 3)
    assert [event["trial"] for event in of(told, "trial_started")][:8] == list(range(8))
    assert (out / "model" / "MLmodel").is_file()


@pytest.mark.slow
def test_a_search_ends_in_time(ask, table, tmp_path):
    request = ask(table, limits={"timeout_seconds": 20, "enable_early_termination": False})
    began = time.monotonic()
    assert search(request, tmp_path / "out") == (0, "")
    assert time.monotonic() - began < 1.05 * 20 + 10
    (finished,) = of(events(tmp_path / "out"), "finished")
    assert finished["stopped_because"] in ("timeout", "exhausted")


@pytest.mark.slow
def test_a_score_that_is_good_enough_ends_the_search(ask, table, tmp_path):
    request = ask(table, limits={"exit_score": 10.0})
    assert search(request, tmp_path / "out") == (0, "")
    told = events(tmp_path / "out")
    assert of(told, "finished")[0]["stopped_because"] == "exit_score"
    assert len(of(told, "trial_started")) == 1


@pytest.mark.slow
def test_two_searches_find_the_same(ask, table, tmp_path):
    limits = {"max_trials": 4, "enable_early_termination": False}
    request = ask(table, limits=limits, training={"allowed_training_algorithms": QUICK})
    found = []
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        assert search(request, folder / "out") == (0, "")
        found.append([e["metrics"] for e in of(events(folder / "out"), "trial_ended")])
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target_column_name": "profit"}, "no target column 'profit'"),
        ({"primary_metric": "accuracy"}, "no forecasting metric 'accuracy'"),
        ({"training": {"allowed_training_algorithms": ["Prophet"]}}, "Prophet are not installed"),
    ],
)
def test_a_wrong_request_is_told_in_one_line(ask, table, tmp_path, change, message):
    code, errors = search(ask(table, **change), tmp_path / "out")
    assert code == 2
    assert message in errors.splitlines()[-1]
    assert not (tmp_path / "out" / "model").exists()


@pytest.mark.slow
def test_trials_that_all_fail_are_told(ask, table, tmp_path):
    limits = {"max_trials": 1, "trial_timeout_seconds": 0.001}
    # Where a cheap model is allowed, that is delivered instead.
    training = {"allowed_training_algorithms": ["AutoArima"]}
    code, errors = search(ask(table, limits=limits, training=training), tmp_path / "out")
    assert code == 1
    assert "no trial came to an end" in errors.splitlines()[-1]


def test_an_mltable_folder_is_read(ask, table, tmp_path):
    folder = tmp_path / "table"
    folder.mkdir()
    table.to_csv(folder / "sales.csv", index=False)
    (folder / "MLTable").write_text(
        "paths:\n  - file: ./sales.csv\ntransformations:\n  - read_delimited:\n"
        "      delimiter: ','\n"
    )
    training = {"allowed_training_algorithms": ["Naive"], "enable_model_explainability": False}
    request = msgspec.structs.replace(ask(table, training=training), training_data=str(folder))
    assert search(request, tmp_path / "out") == (0, "")
    assert not (tmp_path / "out" / "explanation").exists()
    model = load_model(tmp_path / "out" / "model")
    rows = pd.DataFrame({"month": ["2016-01-01"]})
    assert model.estimator.predict(rows) == pytest.approx([table["sales"].iloc[-1]])
