from __future__ import annotations

import json
from pathlib import Path

import check_tuning
import numpy as np
import pandas as pd
import pytest
import train
from judgement import DEFAULTS, Compared, Setting, judge

from stepkit.program import StepError
from stepkit.resampling import Gain


def compared(name: str, low: float, high: float) -> Compared:
    return Compared(Setting(name, {}), 0.9, Gain((low + high) / 2, low, high))


@pytest.mark.parametrize(
    ("defaults", "neighbour", "edges", "verdict", "said"),
    [
        ((0.01, 0.02), (-0.01, 0.01), {}, "above_noise", r"\+0.015, \+0.01 to \+0.02"),
        ((-0.01, 0.02), (-0.01, 0.01), {}, "within_noise", "within the noise"),
        ((-0.01, 0.02), (-0.01, 0.01), {"a": "low"}, "within_noise", "within the noise"),
        ((0.01, 0.02), (-0.01, 0.01), {"a": "low"}, "at_edge", r"widen a \(low\)"),
        ((0.01, 0.02), (-0.02, -0.01), {"a": "low"}, "neighbour_is_better", "a up is better"),
        ((-0.02, -0.01), (-0.02, -0.01), {}, "defaults_are_better", "the defaults are better"),
    ],
)
def test_verdicts(defaults: tuple, neighbour: tuple, edges: dict, verdict: str, said: str) -> None:
    import re

    found = judge([compared(DEFAULTS, *defaults), compared("a up", *neighbour)], edges, "auc")
    assert found.verdict == verdict
    assert re.search(said, found.sentence)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(1)
    x, z = rng.normal(size=(2, 400))
    q = 2 * x + 3 * np.abs(z) + rng.normal(scale=0.3, size=400)
    file = tmp_path_factory.mktemp("rows") / "train.parquet"
    table = pd.DataFrame({"x": x, "z": z, "q": q, "y": np.where(q > 2.5, "yes", "no")})
    table.assign(w=1 + (x > 0)).to_parquet(file)
    return file


def trained(rows: Path, name: str, *arguments: str, target: str = "q") -> Path:
    model = rows.parent / name
    ignored = ["--ignore", "y,w" if target == "q" else "q,w"]
    given = ["--data", str(rows), "--target", target, *ignored, "--model", str(model)]
    train.main([*given, *arguments])
    return model


def check(rows: Path, model: Path, out: Path, space: str, *arguments: str) -> dict:
    given = ["--model", str(model), "--data", str(rows), "--search-space", space]
    check_tuning.main([*given, "--folds", "3", "--repeats", "1", "--report", str(out), *arguments])
    return json.loads((out / "tuning.json").read_text())


SPACE = "{max_iter: {type: choice, values: [1, 60, 120]}, learning_rate: {type: loguniform, "
SPACE += "min_value: -4, max_value: 0}}"


def test_a_winner_that_is_worse_than_the_defaults(rows: Path, tmp_path: Path, capsys) -> None:
    model = trained(rows, "bad", "--max-iter", "1", "--learning-rate", "0.1")
    found = check(rows, model, tmp_path, SPACE)
    assert found["verdict"] == "defaults_are_better"
    assert found["edges"] == {"max_iter": "low"}
    assert found["metric"] == "rmse"
    names = [each["name"] for each in found["compared"]]
    assert names == [
        "defaults",
        "max_iter up to 60",
        "learning_rate down to 0.06703",
        "learning_rate up to 0.1492",
    ]
    assert found["compared"][0]["hyperparameters"] == {}
    assert found["compared"][1]["hyperparameters"] == {"max_iter": 60, "learning_rate": 0.1}
    assert found["compared"][0]["gain"]["high"] < 0
    assert found["score"] > found["compared"][0]["score"]
    assert "DEFAULTS ARE BETTER" in capsys.readouterr().out
    assert "| defaults |" in (tmp_path / "tuning.md").read_text()
    assert (tmp_path / "tuning.png").read_bytes().startswith(b"\x89PNG")


def test_a_winner_as_good_as_the_defaults(rows: Path, tmp_path: Path, step_run) -> None:
    model = trained(rows, "same", "--max-iter", "100", target="y")
    step = step_run("check_tuning")
    space = "{max_iter: {type: randint, upper: 201}}"
    found = check(rows, model, tmp_path, space, "--metric", "accuracy")
    assert found["verdict"] == "within_noise"
    assert found["compared"][0]["gain"] == {"mean": 0, "low": 0, "high": 0}
    assert step.data.metrics["gain"] == 0
    assert step.data.metrics["winner_accuracy"] == pytest.approx(found["score"])
    assert step.data.tags["tuning"] == "within_noise"
    assert "tuning/tuning.png" in step.artifacts("tuning")


def test_neighbours_share_the_doubt(rows: Path, tmp_path: Path) -> None:
    settings = [Setting(name, {}) for name in ("winner", DEFAULTS, "a", "b")]
    scores = np.random.default_rng(0).random((4, 6))
    scores[2] = scores[1]
    args = check_tuning.parse(
        ["--model", "m", "--data", "d", "--search-space", "s", "--report", "r", "--metric", "auc"]
    )
    defaults, neighbour, _ = check_tuning.compare(settings, scores, args)
    assert neighbour.gain.low < defaults.gain.low < defaults.gain.mean == neighbour.gain.mean


def test_what_every_trial_was_given_is_kept_and_weights_count(rows: Path, tmp_path: Path) -> None:
    given = ["--estimator", "linear", "--l2", "2", "--max-iter", "100", "--sample-weight", "w"]
    model = trained(rows, "weighted", *given)
    plain = trained(rows, "plain", *given[:-2])
    space = (
        "{l2: {type: uniform, min_value: 1, max_value: 3}, estimator: {type: choice, values: [a]}}"
    )
    found = [check(rows, each, tmp_path, space) for each in (model, plain)]
    assert found[0]["compared"][0]["hyperparameters"] == {"max_iter": 100}
    assert [each["name"] for each in found[0]["compared"][1:]] == ["l2 down to 1.8", "l2 up to 2.2"]
    assert found[0]["score"] != found[1]["score"]


@pytest.mark.parametrize(
    ("space", "metric", "message"),
    [
        ("{l2: {type: choice, values: [1]}}", "auto", "not trained with l2 of the search space"),
        ("{max_iter: {type: choice, values: [1]}}", "auc", "'auc' is not a metric of regression"),
    ],
)
def test_what_cannot_be_checked(
    rows: Path, tmp_path: Path, space: str, metric: str, message: str
) -> None:
    model = trained(rows, f"judged by {metric}", "--max-iter", "5")
    with pytest.raises(StepError, match=message):
        check(rows, model, tmp_path / "report", space, "--metric", metric)
    assert not (tmp_path / "report").exists()


def test_a_model_of_another_origin_is_refused(rows: Path, tmp_path: Path) -> None:
    import mlflow.sklearn
    from mlflow.models import infer_signature
    from sklearn.linear_model import LinearRegression

    table = pd.read_parquet(rows)
    model = LinearRegression().fit(table[["x"]], table["q"])
    mlflow.sklearn.save_model(
        model,
        str(tmp_path / "model"),
        signature=infer_signature(table[["x"]], model.predict(table[["x"]])),
        metadata={"task": "regression", "target": "q"},
        serialization_format="cloudpickle",
        pip_requirements=["scikit-learn"],
    )
    with pytest.raises(StepError, match="does not tell its estimator and hyperparameters"):
        check(rows, tmp_path / "model", tmp_path, "{l2: {type: choice, values: [1]}}")
