"""The program evaluate on forecasts, against a champion, and with its arguments."""

from __future__ import annotations

import json
import os
from pathlib import Path

import evaluate
import mlflow
import numpy as np
import pandas as pd
import pytest
import train
from tests.components.test_evaluate import TWO, run

from stepkit.figures import read_figures
from stepkit.findings import read_findings
from stepkit.program import StepError
from stepkit.registry import RegisteredModel
from stepkit.table import digest

KINDS = {"table", "chart", "grid", "thresholds", "choice"}


def test_figures_and_findings_are_written(tmp_path: Path) -> None:
    run(tmp_path, TWO, "--resamples", "100", "--cost-false-negative", "4")
    found = read_figures(tmp_path / "report")
    assert found.step == "evaluate"
    assert found.model_digest == digest(tmp_path / "model")
    assert found.test_data_digest == digest(tmp_path / "t.csv")
    names = {each.name for each in found.figures if not each.cohort}
    assert {"auc", "brier", "ece", "mcc", "cost", "best_threshold", "best_cost"} <= names
    assert {each.cohort.partition("=")[0] for each in found.figures} == {"", "n"}
    sections = read_findings(tmp_path / "report")["sections"]
    blocks = [block for section in sections for block in section["blocks"]]
    assert {block["kind"] for block in blocks} == KINDS
    assert all(section["words"] for section in sections)
    (slider,) = [block for block in blocks if block["kind"] == "thresholds"]
    assert slider["cost_fn"] == 4
    assert {slider["tp"][0] + slider["fn"][0], slider["fp"][0] + slider["tn"][0]} == {19, 21}
    longest = [len(line["x"]) for block in blocks for line in block.get("lines", ())]
    assert max(longest) <= 201


@pytest.mark.parametrize("cost", ["0", "-1", "inf", "nan"])
def test_a_cost_that_is_none_is_refused(tmp_path: Path, cost: str) -> None:
    with pytest.raises(SystemExit):
        evaluate.parse(
            ["--model", "m", "--data", "d", "--report", "r", "--cost-false-positive", cost]
        )


def test_a_champion_needs_a_registry(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="no model registry"):
        run(tmp_path, TWO, "--champion", "auto", "--resamples", "100")


@pytest.mark.slow
def test_the_champion_is_scored_on_the_same_rows(tmp_path: Path, step_run) -> None:
    rows = "".join(f"{i},{i % 7},{'yes' if i + 9 * (i % 5) > 50 else 'no'}\n" for i in range(80))
    run(tmp_path, "n,m,y\n" + rows, "--resamples", "100", before=step_run)
    given = ["--model", str(tmp_path / "model"), "--report", str(tmp_path / "report")]
    step_run("register")
    run_id = os.environ["MLFLOW_RUN_ID"]
    mlflow.start_run(run_id)
    mlflow.log_artifacts(given[1], "model")
    registry = RegisteredModel(mlflow.MlflowClient(), "evaluated")
    registry.give("champion", registry.add(mlflow.get_artifact_uri("model"), run_id, {}))
    mlflow.end_run()
    other = str(tmp_path / "other")
    training = ["--target", "y", "--estimator", "linear", "--ignore", "n"]
    train.main(["--data", str(tmp_path / "t.csv"), "--model", other, *training])
    step = step_run("evaluate")
    given = ["--model", other, "--data", str(tmp_path / "t.csv"), *given[2:]]
    evaluate.main([*given, "--champion", "evaluated", "--resamples", "100"])
    auc = next(each for each in read_figures(tmp_path / "report").figures if each.name == "auc")
    assert auc.against is not None
    assert auc.against.version == "1"
    assert auc.against.difference == pytest.approx(auc.value - auc.against.value)
    assert auc.against.high < 0
    (headline, *_) = read_findings(tmp_path / "report")["sections"]
    assert "It is worse, beyond what chance explains." in headline["words"][-1]
    assert step.data.params["conclusion"].startswith("auc ")
    assert {"brier", "best_threshold"} <= set(step.data.metrics)
    assert any(name.startswith("error_rate.m_") for name in step.data.metrics)


def monthly(folder: Path) -> tuple[Path, Path]:
    """Write six years of a series with a season, the last of them apart."""
    times = pd.date_range("2018-01-01", periods=72, freq="MS")
    rng = np.random.default_rng(0)
    values = 100 + 20 * np.sin(np.arange(72) * np.pi / 6) + rng.normal(size=72)
    table = pd.DataFrame({"month": times, "phase": np.arange(72) % 12, "y": values})
    table["phase"] = table.phase.map("p{}".format)
    table[:60].to_parquet(folder / "past.parquet")
    table[60:].to_parquet(folder / "future.parquet")
    return folder / "past.parquet", folder / "future.parquet"


def test_a_forecast_is_held_against_the_seasonal_naive_one(tmp_path: Path) -> None:
    past, future = monthly(tmp_path)
    model, report = tmp_path / "model", tmp_path / "report"
    training = ["--target", "y", "--estimator", "linear", "--ignore", "month"]
    train.main(["--data", str(past), "--model", str(model), *training])
    given = ["--model", str(model), "--data", str(future), "--report", str(report)]
    given += ["--task", "forecasting", "--time-column", "month", "--resamples", "100"]
    evaluate.main([*given, "--history", str(past)])
    figures = {each.name: each for each in read_figures(report).figures if not each.cohort}
    history, rows = pd.read_parquet(past), pd.read_parquet(future)
    scale = np.abs(history.y.to_numpy()[12:] - history.y.to_numpy()[:-12]).mean()
    assert figures["mase"].value == pytest.approx(figures["mae"].value / scale)
    span = np.ptp(np.append(history.y, rows.y))
    assert figures["nrmse"].value == pytest.approx(figures["rmse"].value / span)
    metrics = json.loads((report / "metrics.json").read_text())["metrics"]
    assert metrics["mase"] == figures["mase"].value
    titles = [section["title"] for section in read_findings(report)["sections"]]
    assert "How good are its forecasts?" in titles
    evaluate.main(given)
    (missing,) = [each for each in read_figures(report).figures if each.name == "mase"]
    assert missing.value is None
    assert "give history" in missing.note


def test_a_forecast_without_times_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="give time_column"):
        run(tmp_path, "n,y\n" + "".join(f"{i},{i}.5\n" for i in range(50)), "--task", "forecasting")
