"""The programs that make a model, after one another on real tables, with a real tracking server."""

from __future__ import annotations

import json
from pathlib import Path

import check_data
import evaluate
import gate
import pytest
import register
import split
import train

from stepkit.program import StepError
from stepkit.table import read_table, write_table

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data"


class Chain:
    """Runs the programs as `jobs/lifecycle.yml` chains them."""

    def __init__(self, folder: Path, step_run) -> None:
        self.folder = folder
        self._step_run = step_run
        self.runs = {}

    def run(self, data: Path, target: str, *training: str) -> dict:
        out = self.folder
        source = ["--data", str(data), "--test-data", str(DATA / "adult-test.parquet")]
        rules = ["--rules", str(ROOT / "jobs/checks"), "--target", target]
        self._open("check_data")
        check_data.main([*source, *rules, "--report", str(out / "check")])
        self._open("split")
        parts = ["--train", str(out / "train"), "--test", str(out / "test")]
        gate = ["--checked", str(out / "check"), "--target", target]
        split.main([*source, *gate, *parts, "--report", str(out / "split")])
        return self.train(target, *training)

    def train(self, target: str, *training: str, name: str = "model") -> dict:
        model = str(self.folder / name)
        self._open("train")
        data = ["--data", str(self.folder / "train"), "--target", target]
        train.main([*data, *training, "--model", model])
        self._open("evaluate")
        tested = ["--data", str(self.folder / "test"), "--model", model]
        evaluate.main([*tested, "--report", str(self.folder / f"{name}-evaluation")])
        return self.register(name)

    def register(self, name: str = "model", *arguments: str) -> dict:
        out = self.folder
        given = ["--evaluation", str(out / f"{name}-evaluation")]
        given += ["--decision", str(out / "decision")]
        self._open("gate")
        policy = ["--policy", str(ROOT / "jobs/policies/accuracy.yml")]
        rows = ["--test-data", str(out / "test")]
        gate.main([*given, *policy, *rows, "--thresholds", "auc>=0.8 r2>=0.1", *arguments])
        self._open("register")
        placed = ["--model", str(out / name), "--registration", str(out / "registration")]
        register.main([*given, *placed])
        return json.loads((out / "registration/decision.json").read_text())

    def _open(self, step: str) -> None:
        self.runs[step] = self._step_run(step)


def test_adult_is_trained_and_becomes_champion(
    tmp_path: Path, step_run, capsys: pytest.CaptureFixture[str]
) -> None:
    chain = Chain(tmp_path, step_run)

    decision = chain.run(DATA / "adult-train.parquet", "income", "--ignore", "fnlwgt")

    assert decision["registered"]
    assert (decision["name"], decision["alias"]) == ("income-classification", "champion")
    assert decision["metrics"]["auc"] >= 0.925
    assert decision["metrics"]["error_rate"] <= 0.13
    # split logs nothing, and leaves its run to the job.
    assert {name for name, run in chain.runs.items() if run.status == "FINISHED"} == {
        "check_data",
        "train",
        "evaluate",
        "gate",
        "register",
    }
    assert chain.runs["check_data"].data.metrics["rows"] == 32561
    assert chain.runs["train"].data.params["estimator.early_stopping"] == "False"
    assert chain.runs["evaluate"].data.metrics["auc"] == decision["metrics"]["auc"]
    assert "evaluation/roc.png" in chain.runs["evaluate"].artifacts("evaluation")
    assert "model/MLmodel" in chain.runs["register"].artifacts("model")
    assert "REGISTERED income-classification version 1 as champion" in capsys.readouterr().out


def test_wages_by_changing_inputs_only(tmp_path: Path, step_run) -> None:
    chain = Chain(tmp_path, step_run)

    decision = chain.run(DATA / "cps1988.parquet", "wage", "--ignore", "fnlwgt")

    assert decision["alias"] == "champion"
    assert decision["name"] == "wage-regression"
    assert 0.25 < decision["metrics"]["r2"] < 0.4
    assert chain.runs["check_data"].data.metrics["warnings"] == 1
    checked = json.loads((tmp_path / "check/report.json").read_text())
    assert checked["problems"][0]["rows"] == 438


def test_what_comes_after_a_champion(
    tmp_path: Path, step_run, capsys: pytest.CaptureFixture[str]
) -> None:
    chain = Chain(tmp_path, step_run)
    names = ["--model-name", "after-a-champion"]
    chain.run(DATA / "cps1988.parquet", "wage", "--estimator", "linear")
    first = chain.register("model", *names)
    version = chain.runs["register"]._client.get_model_version_by_alias(names[1], "champion")
    assert first["alias"] == "champion"
    assert version.tags["training_run_id"] == chain.runs["train"].id
    assert version.tags["job"] == "job-1"
    assert float(version.tags["metric.rmse"]) == pytest.approx(first["metrics"]["rmse"], rel=1e-5)

    again = chain.register("model", *names)
    assert not again["registered"]
    assert again["reasons"] == ["it is the champion already, version 1"]
    concluded = chain.runs["register"].data.params["conclusion"]
    assert concluded == f"NOT REGISTERED after-a-champion: {again['reasons'][0]}"
    assert "NOT REGISTERED" in capsys.readouterr().out

    chain.train("wage", "--estimator", "linear", "--ignore", "education", name="worse")
    worse = chain.register("worse", *names)
    assert (worse["alias"], worse["version"]) == ("challenger", "2")
    assert worse["comparisons"][0]["incumbent"] == pytest.approx(first["metrics"]["rmse"])

    chain.train("wage", "--estimator", "hist_gradient_boosting", name="better")
    assert chain.register("better", *names, "--min-gain", "100")["alias"] == "challenger"
    better = chain.register("better", *names)
    assert (better["alias"], better["version"]) == ("champion", "4")

    refused = chain.register("better", *names, "--thresholds", "r2>=0.9")
    assert (refused["registered"], refused["version"]) == (False, None)
    with pytest.raises(StepError, match=r"refused: r2: fail, 0\..* is not at least"):
        chain.register("better", *names, "--thresholds", "r2>=0.9", "--fail-when-refused", "True")
    assert chain.runs["gate"].status == "FAILED"


def test_a_model_name_of_another_target_is_refused(tmp_path: Path, step_run) -> None:
    names = ["--model-name", "one-name"]
    wage = Chain(tmp_path / "wage", step_run)
    wage.run(DATA / "cps1988.parquet", "wage", "--estimator", "linear")
    assert wage.register("model", *names)["registered"]
    other = Chain(tmp_path / "other", step_run)
    other.run(DATA / "cps1988.parquet", "experience", "--estimator", "linear")
    with pytest.raises(StepError, match="regression of 'wage', this model is regression of 'exp"):
        other.register("model", *names)


def test_a_champion_of_another_table_is_told_of(tmp_path: Path, step_run) -> None:
    Chain(tmp_path / "wage", step_run).run(
        DATA / "cps1988.parquet", "wage", "--estimator", "linear"
    )
    other = Chain(tmp_path / "other", step_run)
    table = read_table(DATA / "cps1988.parquet").drop(columns="smsa")
    write_table(table.head(2000), other.folder / "train")
    write_table(table.tail(2000), other.folder / "test")
    with pytest.raises(StepError, match=r"version \d+, cannot be scored .*'smsa'") as error:
        other.train("wage", "--estimator", "linear")
    assert "model_name" in error.value.hint
