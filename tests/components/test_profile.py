"""Models with planted defects, and a sound one, in real processes."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import profile_model
import pytest
import train
from profile_figures import figures
from profile_findings import sections
from profile_memory import judge, soak
from profile_process import started
from profile_results import Options
from profile_run import measure
from profile_server import requests_of
from profile_timing import in_rounds, slow_calls

from stepkit.figures import read_figures
from stepkit.findings import read_findings
from stepkit.program import StepError
from stepkit.registry import RegisteredModel

PROGRAM = """
import time

import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel


class Planted(PythonModel):
    def __init__(self):
        self.calls = 0
        self.kept = []

    def predict(self, context, model_input: pd.DataFrame, params=None):
        self.calls += 1
        {defect}
        return np.zeros(len(model_input))


set_model(Planted())
"""
SOUND = "print('a model may print')"
SLOW_CALLS = "time.sleep(0.05 if self.calls % 100 == 0 else 0.0)"
LEAK = "time.sleep(0.003); self.kept.append(b'x' * 1_000_000)"
SLOW = "time.sleep(0.2)"  # far above what a busy machine makes of a quick call
UNSERVED = "assert 'scoringserver' not in __import__('sys').modules"
RAISES = "raise ValueError('no such shop')"


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(2, 400))
    table = pd.DataFrame({"x": x, "z": z, "c": rng.choice(["a", None], 400), "y": x + z})
    folder = tmp_path_factory.mktemp("data")
    table.to_parquet(folder / "rows.parquet")
    return folder


def planted(folder: Path, defect: str) -> Path:
    """Save a model whose program has a defect."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "program.py").write_text(PROGRAM.format(defect=defect))
    example = pd.DataFrame({"x": [0.5], "z": [0.5]})
    mlflow.pyfunc.save_model(
        str(folder / "model"),
        python_model=str(folder / "program.py"),
        signature=mlflow.models.infer_signature(example, np.zeros(1)),
        pip_requirements=["mlflow"],
        metadata={"target": "y", "task": "regression"},
    )
    return folder / "model"


@pytest.mark.skipif(
    not Path("/proc/thread-self/schedstat").exists(),
    reason="without Linux's word on who waited for a core, other programs make a model slow",
)
@pytest.mark.parametrize(("defect", "is_slow"), [(SLOW_CALLS, True), (SOUND, False)])
@pytest.mark.slow
def test_one_slow_call_in_a_hundred_is_found_and_none_in_a_sound_model(
    defect: str, is_slow: bool, data: Path, tmp_path: Path
) -> None:
    with started(planted(tmp_path, defect), data, 1) as worker:
        (found,) = in_rounds([worker], 1, 2.0, enough=1000)
        assert slow_calls(found.own).are_there == is_slow
        assert worker.start_seconds > worker.reload()


@pytest.mark.parametrize(("defect", "verdict"), [(LEAK, "leak"), (SOUND, "none")])
@pytest.mark.slow
def test_a_memory_leak_is_found_and_none_in_a_sound_model(
    defect: str, verdict: str, data: Path, tmp_path: Path
) -> None:
    with started(planted(tmp_path, defect), data, 1) as worker:
        seconds = 1.0
        found = judge(soak(worker, 10, seconds))
        while found.verdict == "insufficient" and seconds < 10:  # a busy machine
            seconds *= 3
            found = judge(soak(worker, 10, seconds))
    assert found.verdict == verdict
    if verdict == "leak":
        assert found.per_1000.value == pytest.approx(1000, rel=0.1)


@pytest.mark.slow
def test_a_model_that_raises_is_told_with_its_reason(data: Path, tmp_path: Path) -> None:
    folder = planted(tmp_path, RAISES)
    with started(folder, data, 1) as worker, pytest.raises(StepError, match="no such shop"):
        worker.call(1, 1, 0.0)


@pytest.mark.slow
def test_a_model_that_cannot_be_served_is_a_finding(data: Path, tmp_path: Path) -> None:
    found = measure(planted(tmp_path, UNSERVED), None, data, Options(1.0, (1,), 10, serve=True))
    assert found.serving is None
    assert found.not_served == "the scoring server answers a row with 500"
    (figure,) = [each for each in figures(found) if each.name == "saturation_rps"]
    assert figure.value is None
    assert figure.note == f"not served: {found.not_served}"
    assert sections(found)[-1].verdict == "bad"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "model"
    given = ["--data", str(data), "--target", "y", "--estimator", "linear"]
    train.main([*given, "--model", str(folder)])
    return folder


def figures_of(report: Path) -> dict:
    return {each.name + each.cohort: each for each in read_figures(report).figures}


@pytest.mark.slow
def test_a_sound_model_beside_a_slow_champion(
    trained: Path, data: Path, tmp_path: Path, step_run, capsys
) -> None:
    step = step_run("profile")
    client = mlflow.MlflowClient()
    slow = planted(tmp_path / "slow", SLOW)
    client.log_artifacts(step.id, str(slow), "model")
    source = f"{client.get_run(step.id).info.artifact_uri}/model"
    registered = RegisteredModel(client, "profiled")
    registered.give("champion", registered.add(source, step.id, {}))
    report = tmp_path / "report"
    given = ["--model", str(trained), "--data", str(data), "--report", str(report)]
    profile_model.main(
        [*given, "--champion", "profiled", "--seconds", "6", "--threads", "1", "--wanted-rate", "5"]
    )
    found = figures_of(report)
    assert {each.area for each in found.values()} == {"processing"}
    assert found["latency_row_p50_ms"].against.version == "1"
    assert found["latency_row_p50_ms"].against.value > 200
    assert found["latency_row_p50_ms"].against.difference < 0
    assert found["latency_row_ratio"].high < 1
    assert found["latency_batch_ratio"].value < 1
    assert found["throughput_rows_s"].value == found["throughput_rows_sthreads=1"].value > 100
    assert 0 < found["model_size_mb"].value < 1
    assert found["model_size_mb"].against.value < 1
    assert found["peak_memory_mb"].value >= found["steady_memory_mb"].value > 50
    assert found["cold_load_s"].value > found["cold_read_s"].value > 0
    assert found["saturation_rps"].value > 5
    assert found["served_error_share"].value == 0
    assert found["instances"].value == 1
    findings = read_findings(report)
    assert [each["title"] for each in findings["sections"]] == [
        "How long a prediction takes",
        "How many rows a second",
        "Start and memory",
        "Behind an endpoint",
    ]
    assert all(each["words"] for each in findings["sections"])
    for name in ("latency", "throughput", "memory", "serving"):
        assert (report / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert f"({name}.png)" in (report / "report.md").read_text()
    details = json.loads((report / "profile.json").read_text())
    assert len(details["milliseconds"]["row"]["calls"]) == found["latency_row_p50_ms"].sample
    assert step.data.metrics["latency_row_ratio"] == found["latency_row_ratio"].value
    assert "one row" in step.data.params["conclusion"]
    assert "profile/report.md" in step.artifacts("profile")
    assert "latency_row_ratio" in capsys.readouterr().out


@pytest.mark.slow
def test_too_short_a_time_says_insufficient(trained: Path, data: Path, tmp_path: Path) -> None:
    report = tmp_path / "report"
    given = ["--model", str(trained), "--data", str(data), "--report", str(report)]
    profile_model.main([*given, "--seconds", "3", "--serve", "false", "--rows", "20"])
    found = figures_of(report)
    assert found["latency_batch_p99_ms"].value is None
    assert "p99 needs 368" in found["latency_batch_p99_ms"].note
    assert found["latency_batch_p50_ms"].note == "batches of 20 rows"
    assert "saturation_rps" not in found
    assert not (report / "serving.png").exists()


def test_requests_are_rows_as_azure_takes_them() -> None:
    rows = pd.DataFrame({"n": [1.5, None], "t": ["a", None]})
    rows["when"] = pd.to_datetime(["2024-01-02", None])
    first, second = (each.split(b"\r\n\r\n") for each in requests_of(rows))
    assert b"POST /score HTTP/1.1" in first[0]
    assert f"Content-Length: {len(first[1])}".encode() in first[0]
    table = json.loads(first[1])["input_data"]
    assert table["columns"] == ["n", "t", "when"]
    assert table["data"] == [[1.5, "a", "2024-01-02T00:00:00.000"]]
    assert json.loads(second[1])["input_data"]["data"] == [[None, None, None]]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--seconds", "0"), "seconds is 0"),
        (("--seconds", "nan"), "seconds is nan"),
        (("--batch-rows", "0"), "batch_rows is 0"),
        (("--threads", "1,zero"), "threads are '1,zero'"),
        (("--champion", "auto"), "no model registry"),
    ],
)
def test_what_cannot_be_measured_is_told(
    trained: Path, data: Path, tmp_path: Path, more: tuple, message: str
) -> None:
    report = tmp_path / "report"
    with pytest.raises(StepError, match=message):
        profile_model.main(
            ["--model", str(trained), "--data", str(data), "--report", str(report), *more]
        )
    assert not report.exists()


def test_no_model_is_told_before_anything_starts(data: Path, tmp_path: Path) -> None:
    with pytest.raises(StepError, match="no MLflow model"):
        profile_model.main(
            ["--model", str(tmp_path), "--data", str(data), "--report", str(tmp_path / "r")]
        )


def test_threads_are_one_and_all_cores_unless_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert profile_model.threads_of("auto") == (1, 4)
    assert profile_model.threads_of("2, 8,2") == (2, 8)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert profile_model.threads_of("auto") == (1,)


def test_auto_is_the_name_that_register_gives(trained: Path) -> None:
    args = argparse.Namespace(champion="auto", model=trained, target="", task="auto")
    assert profile_model.registered_name(args) == "y-regression"
