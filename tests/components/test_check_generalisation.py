"""Planted defects are found by the whole step, and sound models pass."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import check_generalisation
import numpy as np
import pandas as pd
import pytest
from generalisation_figures import Found, figures_of

from stepkit.figures import Figure, read_figures
from stepkit.findings import read_findings
from stepkit.model import Model
from stepkit.program import StepError

FEATURES = {"x": "double", "z": "double", "u": "double"}


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def rows(number: int, seed: int, *, bend: float = 3.0) -> pd.DataFrame:
    """Return rows whose targets depend on `x` linearly, on `z` by a bend, and not on `u`."""
    rng = np.random.default_rng(seed)
    x, z, u = rng.normal(size=(3, number))
    q = x + bend * np.abs(z) + rng.normal(scale=1.0, size=number)
    return pd.DataFrame(
        {"x": x, "z": z, "u": u, "q": q, "y": np.where(q > np.median(q), "yes", "no")}
    )


class Desk:
    """A folder with train and test rows, where models are checked without being saved."""

    def __init__(self, folder: Path, train: pd.DataFrame, test: pd.DataFrame) -> None:
        self.folder = folder
        self.table = train
        train.to_parquet(folder / "train.parquet")
        test.to_parquet(folder / "test.parquet")

    def arguments(self, *more: str) -> list[str]:
        given = ["--train-data", str(self.folder / "train.parquet")]
        given += ["--test-data", str(self.folder / "test.parquet"), "--resamples", "300"]
        return [*given, "--report", str(self.folder / "report"), *more]

    def check(
        self, estimator: Any, target: str, *more: str, features: dict[str, str] | None = None
    ) -> Found:
        kinds = FEATURES if features is None else features
        fitted = estimator.fit(self.table[list(kinds)], self.table[target])
        task = "regression" if target == "q" else "classification"
        model = Model(fitted, task, target, kinds, {})
        args = check_generalisation.parse(self.arguments("--model", "none", *more))
        return check_generalisation.find_out(model, args)


@pytest.fixture(scope="module")
def bent(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("bent"), rows(1500, 1), rows(1500, 2))


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    folder = tmp_path_factory.mktemp("straight")
    return Desk(folder, rows(1500, 3, bend=0), rows(1500, 4, bend=0))


def figure(found: Found, name: str, cohort: str = "") -> Figure:
    (one,) = [each for each in figures_of(found) if each.name == name and each.cohort == cohort]
    return one


def linear(target: str) -> Any:
    from sklearn.linear_model import LogisticRegression, Ridge

    return Ridge() if target == "q" else LogisticRegression()


def tree(target: str, **settings: Any) -> Any:
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    kind = DecisionTreeRegressor if target == "q" else DecisionTreeClassifier
    return kind(random_state=0, **settings)


@pytest.mark.parametrize("target", ["q", "y"])
def test_a_line_on_bent_data_underfits(bent: Desk, target: str) -> None:
    found = bent.check(linear(target), target)
    assert found.judgement.verdict == "underfits"
    assert "gradient boosting" in found.judgement.reason
    assert (figure(found, "underfits").value, figure(found, "overfits").value) == (1, 0)
    loss = figure(found, "fit_loss")
    assert loss.low is not None
    assert loss.low > 0.02
    assert "more rows would not help" in found.judgement.advice


@pytest.mark.parametrize("target", ["q", "y"])
def test_a_tree_without_a_limit_overfits(bent: Desk, target: str) -> None:
    found = bent.check(tree(target), target)
    assert found.judgement.verdict == "overfits"
    assert found.judgement.reason.startswith("max_depth = ")
    assert (figure(found, "underfits").value, figure(found, "overfits").value) == (0, 1)
    for name in ("gap", "gap_cv"):
        gap = figure(found, f"{name}_{found.metric}")
        assert gap.low is not None
        assert gap.low > 0


def test_a_stump_underfits(bent: Desk) -> None:
    found = bent.check(tree("q", max_depth=1), "q")
    assert found.judgement.verdict == "underfits"


@pytest.mark.parametrize("target", ["q", "y"])
@pytest.mark.slow
def test_a_line_on_straight_data_passes(straight: Desk, target: str) -> None:
    found = straight.check(linear(target), target)
    assert found.judgement.verdict == "fits"
    assert figure(found, "overfits").value == figure(found, "underfits").value == 0
    assert figure(found, "leaking_columns").value == figure(found, "rows_in_both").value == 0
    assert figure(found, "near_rows_in_both_share").value == 0
    gap = found.gaps[found.metric]
    assert gap.low < 0.1
    shift = figure(found, f"shift_{found.metric}")
    assert shift.low is not None
    assert shift.high is not None
    assert shift.low < 0 < shift.high


@pytest.mark.parametrize("target", ["q", "y"])
@pytest.mark.slow
def test_gradient_boosting_on_bent_data_passes(bent: Desk, target: str) -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingRegressor if target == "q" else HistGradientBoostingClassifier
    settings = {"max_leaf_nodes": 5, "max_iter": 50, "random_state": 0}
    found = bent.check(kind(**settings), target)
    assert found.judgement.verdict == "fits"
    assert found.curves is not None
    assert found.curves.parameter is not None
    assert found.curves.parameter.name == "max_leaf_nodes"


def test_noise_learned_by_heart_overfits(tmp_path: Path) -> None:
    parts = [rows(600, seed).assign(y=np.tile(["a", "b"], 300)) for seed in (5, 6)]
    found = Desk(tmp_path, *parts).check(tree("y"), "y")
    assert found.judgement.verdict == "overfits"
    assert "no better than guessing" in found.judgement.reason


def test_noise_that_is_not_learned_is_undecided(tmp_path: Path) -> None:
    parts = [rows(600, seed).assign(y=np.tile(["a", "b"], 300)) for seed in (5, 6)]
    found = Desk(tmp_path, *parts).check(linear("y"), "y")
    assert found.judgement.verdict == "undecided"
    undecided = figure(found, "overfits")
    assert undecided.value is None
    assert undecided.note.startswith("undecided")


@pytest.mark.slow
def test_a_leaking_column_is_found(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    parts = [
        rows(800, seed).assign(after=lambda table: table["q"] + rng.normal(scale=0.1, size=800))
        for seed in (7, 8)
    ]
    desk, kinds = Desk(tmp_path, *parts), {**FEATURES, "after": "double"}
    for target in ("q", "y"):
        found = desk.check(tree(target, max_depth=6), target, features=kinds)
        assert found.columns_that_are("leaking") == ["after"]
        assert figure(found, "leaking_columns").value == 1
        assert figure(found, "leaking_columns").note == "after"
    trusted = desk.check(tree("q", max_depth=6), "q", "--trusted-columns", "after", features=kinds)
    assert figure(trusted, "leaking_columns").value == 0


def test_rows_in_both_parts_are_found_and_what_they_do(tmp_path: Path) -> None:
    train, test = rows(800, 9), rows(800, 10)
    test = pd.concat([test.iloc[:600], train.iloc[:200]], ignore_index=True)
    found = Desk(tmp_path, train, test).check(tree("q"), "q")
    assert figure(found, "rows_in_both").value == 200
    assert figure(found, "rows_in_both_share").value == 0.25
    assert figure(found, "features_in_both_share").value == 0.25
    whole, new = figure(found, "test_rmse"), figure(found, "test_rmse", "rows not in train")
    assert new.sample == 600
    # A tree without a limit knows its train rows by heart: the other rows have all of the error.
    assert whole.value is not None
    assert new.value == pytest.approx(whole.value * np.sqrt(800 / 600))


def test_rows_that_are_nearly_in_both_are_found(tmp_path: Path) -> None:
    train, test = rows(500, 11), rows(500, 12)
    copies = train.iloc[:50].copy()
    copies[["x", "z", "u", "q"]] += 1e-6
    found = Desk(tmp_path, train, pd.concat([test, copies])).check(linear("q"), "q")
    assert figure(found, "rows_in_both").value == 0
    share = figure(found, "near_rows_in_both_share").value
    assert share == pytest.approx(50 / 550, abs=0.002)
    assert found.shared.is_leaking


class Doubler:
    """A model that is a plain function in all but name: it cannot be fitted anew."""

    def fit(self, features: pd.DataFrame, target: pd.Series) -> Doubler:
        return self

    def predict(self, features: pd.DataFrame) -> np.ndarray:
        return features["x"].to_numpy() + 3 * np.abs(features["z"].to_numpy())


def test_of_a_plain_function_train_and_test_are_compared(bent: Desk) -> None:
    found = bent.check(Doubler(), "q")
    assert found.curves is None
    assert found.judgement.verdict == "fits"
    folds = figure(found, "cv_rmse")
    assert folds.value is None
    assert folds.note == "Doubler cannot be cloned"
    assert figure(found, "learning_curve_slope").value is None
    assert abs(found.gaps["rmse"].mean) < 0.1


@pytest.mark.slow
def test_the_saved_model_is_checked_and_all_files_written(
    bent: Desk, step_run, capsys: pytest.CaptureFixture[str]
) -> None:
    import mlflow.sklearn
    from mlflow.models import infer_signature

    features = bent.table[list(FEATURES)]
    fitted = tree("y").fit(features, bent.table["y"])
    mlflow.sklearn.save_model(
        fitted,
        str(bent.folder / "model"),
        signature=infer_signature(features, fitted.predict(features)),
        metadata={"task": "classification", "target": "y"},
        serialization_format="cloudpickle",
        pip_requirements=["scikit-learn"],
    )
    step = step_run("check_generalisation")
    check_generalisation.main(bent.arguments("--model", str(bent.folder / "model")))
    report = bent.folder / "report"
    figures = {each.name: each for each in read_figures(report).figures}
    assert figures["overfits"].value == 1
    assert len(read_figures(report).model_digest) == 64
    assert step.data.metrics["gap_auc"] == pytest.approx(figures["gap_auc"].value)
    assert step.data.tags["fit_verdict"] == "overfits"
    assert step.data.params["conclusion"].startswith("overfits: max_depth = ")
    assert {f"check_generalisation/{name}" for name in PICTURES} <= step.artifacts(
        "check_generalisation"
    )
    for name in PICTURES:
        assert (report / name).read_bytes().startswith(b"\x89PNG")
    sections = read_findings(report)["sections"]
    assert [each["verdict"] for each in sections] == ["bad", "", "", "good", "good"]
    kinds = [[block["kind"] for block in each["blocks"]] for each in sections]
    assert kinds == [["table", "bars"], ["chart"], ["chart"], ["bars", "table"], []]
    details = json.loads((report / "generalisation.json").read_text())
    assert details["verdict"] == "overfits"
    assert {each["curve"] for each in details["points"]} == {"learning", "validation"}
    text = (report / "report.md").read_text()
    assert text.startswith("# Generalisation of y: overfits")
    assert "| auc | 1.0000 |" in text
    assert "OVERFITS" in capsys.readouterr().out


PICTURES = ("learning_curve.png", "validation_curve.png", "columns.png")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--parameter", "depth"), "no parameter 'depth'"),
        (("--parameter", "criterion"), "a curve needs numbers"),
        (("--metric", "auc"), "do not define 'auc'"),
        (("--time-column", "when"), "no time column 'when'"),
        (("--group-column", "who"), "no group column 'who'"),
    ],
)
def test_what_cannot_be_checked_is_told(bent: Desk, more: tuple[str, ...], message: str) -> None:
    with pytest.raises(StepError, match=message):
        bent.check(tree("q", max_depth=3), "q", *more)


def test_a_target_of_one_value_is_refused(tmp_path: Path) -> None:
    desk = Desk(tmp_path, rows(50, 1), rows(50, 2).assign(q=1.0))
    with pytest.raises(StepError, match="fewer than two different values"):
        desk.check(linear("q"), "q")
