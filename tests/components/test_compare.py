from __future__ import annotations

import json
from pathlib import Path

import compare
import gate
import numpy as np
import pandas as pd
import pytest
import register
import train
from complexity import ORDER, kind_of

from stepkit.program import StepError

ROOT = Path(__file__).parents[2]
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def rows(number: int, seed: int, *, bend: float) -> pd.DataFrame:
    """Return rows whose target depends on `x` linearly, and on `z` by a bend."""
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(2, number))
    quantity = 2 * x + bend * np.abs(z) + rng.normal(scale=0.5, size=number)
    return pd.DataFrame({"x": x, "z": z, "q": quantity, "y": np.where(quantity > 1, "yes", "no")})


class Bench:
    """A folder with train and test rows, where each model is trained once, and compared."""

    def __init__(self, folder: Path, bend: float) -> None:
        self.folder = self.out = folder
        rows(600, 1, bend=bend).to_parquet(folder / "train.parquet")
        rows(500, 2, bend=bend).to_parquet(folder / "test.parquet")

    def train(self, estimator: str, target: str = "y", name: str = "") -> Path:
        model = self.folder / (name or f"{estimator}-{target}")
        if model.exists():
            return model
        given = ["--data", str(self.folder / "train.parquet"), "--target", target]
        given += ["--ignore", "q" if target == "y" else "y", "--estimator", estimator]
        train.main([*given, "--max-iter", "60", "--model", str(model)])
        return model

    def compare(self, *models: Path, more: tuple[str, ...] = ()) -> dict:
        given = [f"--model-{slot}={folder}" for slot, folder in enumerate(models, 1)]
        self.out = self.folder / f"comparison-{sum(1 for _ in self.folder.iterdir())}"
        out = ["--report", str(self.out / "report"), "--best", str(self.out / "best")]
        test = ["--data", str(self.folder / "test.parquet"), "--resamples", "500"]
        compare.main([*test, *given, *out, *more])
        return json.loads((self.out / "report/comparison.json").read_text())


@pytest.fixture(scope="module")
def bent(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("bent"), bend=3)


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("straight"), bend=0)


def test_what_is_surely_better_is_recommended(bent: Bench, capsys) -> None:
    linear, trees = bent.train("linear"), bent.train("hist_gradient_boosting")
    found = bent.compare(linear, trees)
    assert (found["metric"], found["task"], found["target"]) == ("auc", "classification", "y")
    assert found["best"] == found["recommended"] == "hist_gradient_boosting"
    assert found["reason"].endswith("every simpler model is significantly worse")
    worse, best = found["models"]
    assert worse["is_significantly_worse"]
    assert 0 < worse["behind_interval"][0] < worse["behind"] < worse["behind_interval"][1]
    assert worse["value"] == worse["metrics"]["auc"]
    assert (best["behind"], best["behind_interval"], best["kind"]) == (0, [0, 0], "trees")
    (pair,) = found["pairs"]
    assert pair["better_by"] == pytest.approx(-worse["behind"])
    assert pair["interval"] == pytest.approx([-each for each in worse["behind_interval"][::-1]])
    assert "RECOMMENDED hist_gradient_boosting" in capsys.readouterr().out


def test_the_simplest_of_equals_is_recommended(straight: Bench) -> None:
    linear, trees = straight.train("linear", "q"), straight.train("random_forest", "q")
    found = straight.compare(trees, linear, more=("--names", "forest, ridge"))
    assert found["metric"] == "rmse"
    assert found["recommended"] == "ridge"
    assert (straight.out / "best/MLmodel").read_bytes() == (linear / "MLmodel").read_bytes()
    report = (straight.out / "report/comparison.md").read_text()
    assert "| ridge * |" in report
    assert "| forest | ridge |" in report
    assert (straight.out / "report/comparison.png").read_bytes().startswith(PNG)


def test_simpler_but_behind_by_chance_is_recommended(straight: Bench) -> None:
    first, second = straight.train("linear"), straight.train("ebm")
    found = straight.compare(first, second, more=("--metric", "accuracy", "--confidence", "0.999"))
    assert found["recommended"] == "linear"
    assert found["confidence"] == 0.999


def test_costs_are_told(bent: Bench) -> None:
    found = bent.compare(bent.train("linear"))["models"][0]
    assert found["bytes"] > 1000
    assert 0 < found["row_milliseconds"] < 1000
    assert found["rows_per_second"] > 100
    assert 0 < found["training_seconds"] < 60


@pytest.mark.slow
def test_the_champion_is_compared_too(bent: Bench, step_run, tmp_path: Path) -> None:
    linear, trees = bent.train("linear", name="first"), bent.train("hist_gradient_boosting")
    step_run("evaluate")
    import evaluate

    out, data = tmp_path, str(bent.folder / "test.parquet")
    evaluate.main(["--model", str(linear), "--data", data, "--report", str(out / "evaluation")])
    given = ["--evaluation", str(out / "evaluation"), "--decision", str(out / "decision")]
    step_run("gate")
    policy = ["--policy", str(ROOT / "jobs/policies/accuracy.yml")]
    gate.main([*given, *policy, "--model-name", "compared"])
    step_run("register")
    register.main([*given, "--model", str(linear), "--registration", str(out / "registration")])
    step = step_run("compare")
    found = bent.compare(trees, more=("--champion", "compared"))
    assert [each["name"] for each in found["models"]] == ["hist_gradient_boosting", "champion"]
    assert found["models"][1]["metrics"] == bent.compare(linear)["models"][0]["metrics"]
    assert step.data.tags["recommended"] == "hist_gradient_boosting"
    assert step.data.metrics["champion.behind"] == found["models"][1]["behind"]
    assert "comparison/comparison.png" in step.artifacts("comparison")


def test_without_a_champion_the_others_are_compared(bent: Bench, step_run, capsys) -> None:
    linear = bent.train("linear")
    step_run("compare")
    found = bent.compare(linear, more=("--champion", "nobody"))
    assert len(found["models"]) == 1
    assert "nobody has no champion yet" in capsys.readouterr().out


def test_a_run_tells_what_training_cost(bent: Bench, step_run) -> None:
    step = step_run("train")
    bent.train("linear", name="tracked")
    assert compare.run_seconds(step.id) > 0
    assert compare.run_seconds("0" * 32) is None
    assert compare.run_seconds("") is None


def test_models_of_one_name_get_others(bent: Bench) -> None:
    first, second = bent.train("linear"), bent.train("linear", name="second")
    found = bent.compare(first, second)
    assert [each["name"] for each in found["models"]] == ["linear", "model_2"]
    assert found["recommended"] == "linear"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--names", "a,b,c"), "3 names for 2 models"),
        (("--names", "a,a"), "two models are called 'a'"),
        (("--champion", "auto"), "no model registry"),
        (("--metric", "rmse"), "'rmse' is not a metric of classification"),
        (("--target", "x"), "model 'linear': .* predicts 'y', not 'x'"),
        (("--positive-label", "maybe"), "no class 'maybe'"),
    ],
)
def test_what_cannot_be_compared_is_told(bent: Bench, more: tuple, message: str) -> None:
    with pytest.raises(StepError, match=message):
        bent.compare(bent.train("linear"), bent.train("random_forest"), more=more)
    assert not (bent.out / "best").exists()


def test_models_of_two_targets_are_refused(bent: Bench) -> None:
    with pytest.raises(StepError, match="'linear' is for regression of 'q', 'first' for class"):
        bent.compare(
            bent.train("linear", name="first"),
            bent.train("linear", "q", name="other"),
            more=("--names", "first,linear"),
        )


def test_no_model_is_no_comparison(bent: Bench) -> None:
    with pytest.raises(StepError, match="no model to compare"):
        bent.compare()


def test_kinds_of_models() -> None:
    from sklearn.dummy import DummyClassifier
    from sklearn.ensemble import ExtraTreesRegressor, VotingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    linear = make_pipeline(StandardScaler(), make_pipeline(LogisticRegression()))
    found = [
        kind_of(DummyClassifier()),
        kind_of(linear),
        kind_of(object(), "ExplainableBoosting"),
        kind_of(ExtraTreesRegressor()),
        kind_of(SVC()),
        kind_of(VotingClassifier([("a", linear)])),
    ]
    assert found == ["constant", "linear", "additive", "trees", "other", "ensemble"]
    assert [ORDER.index(each) for each in found] == sorted(ORDER.index(each) for each in found)
    for said, kind in [("LightGBM", "trees"), ("StackEnsemble", "ensemble"), ("ebm", "additive")]:
        assert kind_of(object(), said) == kind
    assert kind_of(object(), "hist_gradient_boosting") == "trees"
