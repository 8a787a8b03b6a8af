from __future__ import annotations

import csv
import json
from pathlib import Path

import explain
import numpy as np
import pandas as pd
import pytest
import train

from raikit.explanation.explain import Settings
from raikit.explanation.explain import explain as explain_model
from raikit.explanation.subject import Subject
from stepkit.figures import read_figures
from stepkit.findings import read_findings
from stepkit.model import load_model
from stepkit.program import StepError
from stepkit.table import read_table

QUICK = ("--explained-rows", "60", "--shuffled-rows", "200", "--repeats", "3", "--effects", "3")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of train and test rows with three targets, two of them classes."""
    place = tmp_path_factory.mktemp("explain")
    rng = np.random.default_rng(4)
    for name, count in (("train", 600), ("test", 300)):
        x = rng.normal(size=count)
        k = rng.choice(["red", "green", "blue"], size=count)
        q = 2 * x + 3 * (k == "red") + rng.normal(scale=0.2, size=count)
        table = pd.DataFrame({"x": x, "k": k, "noise": rng.normal(size=count), "q": q})
        table.loc[::9, "k"] = None
        table["yes"] = np.where(q > 1, "yes", "no")
        table["size"] = np.select([q < 0, q < 2], ["small", "middle"], "large")
        table.to_parquet(place / f"{name}.parquet")
    return place


def trained(folder: Path, target: str, *arguments: str) -> Path:
    model = folder / f"model-{target}-{'-'.join(arguments)}"
    if not model.is_dir():
        others = ",".join(name for name in ("q", "yes", "size") if name != target)
        given = ["--data", str(folder / "train.parquet"), "--target", target, "--ignore", others]
        train.main([*given, "--model", str(model), *arguments])
    return model


def explained(folder: Path, model: Path, out: Path, *arguments: str) -> dict:
    tables = ["--train-data", str(folder / "train.parquet")]
    tables += ["--test-data", str(folder / "test.parquet")]
    explain.main(["--model", str(model), *tables, "--report", str(out), *QUICK, *arguments])
    return {figure.name: figure for figure in read_figures(out).figures if not figure.cohort}


def titles(out: Path) -> list[str]:
    return [section["title"] for section in read_findings(out)["sections"]]


def choice(out: Path, title: str) -> dict:
    section = next(each for each in read_findings(out)["sections"] if each["title"] == title)
    return next(block for block in section["blocks"] if block["kind"] == "choice")["options"]


def test_two_classes(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = trained(folder, "yes", "--max-iter", "30")
    figures = explained(folder, model, tmp_path, "--rows", "7,3")
    assert figures["shap_additivity_error"].value < 1e-9
    assert figures["shap_additivity_error"].note.startswith("tree SHAP")
    assert figures["explanation_agreement"].value > 0.4
    assert 0.5 < figures["surrogate_fidelity"].value < 1
    assert figures["surrogate_fidelity"].sample == 200
    assert read_figures(tmp_path).step == "explain"
    with (tmp_path / "importance.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["column"] for row in rows] == ["x", "k", "noise"]
    assert float(rows[0]["direction"]) > 0.9
    assert rows[1]["direction"] == ""  # a category has none
    assert sum(float(row["share"]) for row in rows) == pytest.approx(1)
    local = json.loads((tmp_path / "local.json").read_text())
    assert [row["row"] for row in local["rows"] if row["why"] == "chosen"] == [7, 3]
    assert sum(row["why"] == "worst" for row in local["rows"]) == 5
    for row in local["rows"]:
        total = local["base"][0] + sum(each["contributions"][0] for each in row["columns"])
        assert total == pytest.approx(row["scores"][0])
        odds = 1 / (1 + np.exp(-total))
        right = odds if row["predicted"] == "yes" else 1 - odds
        assert right == pytest.approx(row["probability"])
    assert "How far to trust this" in titles(tmp_path)
    assert set(choice(tmp_path, "What each column does")) == {"x", "k", "noise"}
    kinds = [block["kind"] for block in choice(tmp_path, "What each column does")["k"]]
    assert kinds == ["chart", "chart", "chart"]
    assert any("row 7 (chosen" in name for name in choice(tmp_path, "Single predictions"))
    report = (tmp_path / "report.md").read_text()
    for name in ("importance.png", "contributions.png", "effects.png"):
        assert f"({name})" in report
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    assert "what moves the predictions most: x (" in capsys.readouterr().out


@pytest.mark.slow
def test_the_worst_predicted_rows_are_the_worst(folder: Path, tmp_path: Path) -> None:
    model = trained(folder, "yes", "--max-iter", "30")
    explained(folder, model, tmp_path, "--worst", "2")
    loaded, table = load_model(model), read_table(folder / "test.parquet")
    said = loaded.estimator.predict_proba(table[list(loaded.features)])
    own = np.where(table["yes"] == "yes", said[:, 1], said[:, 0])
    local = json.loads((tmp_path / "local.json").read_text())["rows"]
    worst = [row for row in local if row["why"] == "worst"]
    assert [row["row"] for row in worst] == np.argsort(own)[:2].tolist()
    assert worst[0]["loss"] == pytest.approx(-np.log(own.min()))
    assert sum(row["why"] == "typical" for row in local) == 3


@pytest.mark.slow
def test_the_other_class_turns_every_sign(folder: Path, tmp_path: Path) -> None:
    model = trained(folder, "yes", "--max-iter", "30")
    explained(folder, model, tmp_path / "yes", "--rows", "1")
    explained(folder, model, tmp_path / "no", "--rows", "1", "--positive-label", "no")
    found = []
    for name in ("yes", "no"):
        rows = json.loads((tmp_path / name / "local.json").read_text())["rows"]
        row = next(row for row in rows if row["row"] == 1)
        found.append([each["contributions"][0] for each in row["columns"]])
    assert found[0] == pytest.approx([-value for value in found[1]])


def test_a_quantity(folder: Path, tmp_path: Path) -> None:
    figures = explained(folder, trained(folder, "q", "--estimator", "linear"), tmp_path)
    assert figures["shap_additivity_error"].note.startswith("linear SHAP")
    assert "surrogate_same_class" not in figures
    document = json.loads((tmp_path / "global.json").read_text())
    assert document["shap"]["unit"] == "q"
    effect = next(each for each in document["effects"] if each["column"] == "x")
    rise = (effect["ale"][-1][0] - effect["ale"][0][0]) / (effect["grid"][-1] - effect["grid"][0])
    assert rise == pytest.approx(2, abs=0.1)


@pytest.mark.slow
def test_three_classes(folder: Path, tmp_path: Path) -> None:
    model = trained(folder, "size", "--estimator", "random_forest", "--max-iter", "20")
    figures = explained(folder, model, tmp_path)
    assert figures["shap_additivity_error"].value < 1e-9
    document = json.loads((tmp_path / "global.json").read_text())
    assert document["outputs"] == ["large", "middle", "small"]
    assert document["shap"]["unit"] == "probability"
    chart = choice(tmp_path, "What each column does")["x"][0]
    assert {line["name"] for line in chart["lines"]} == {"large", "middle", "small"}
    local = json.loads((tmp_path / "local.json").read_text())["rows"]
    assert all(len(row["columns"][0]["contributions"]) == 3 for row in local)


@pytest.mark.filterwarnings("ignore:Missing values detected")
@pytest.mark.slow
def test_an_ebm_says_its_own_terms(folder: Path, tmp_path: Path) -> None:
    model = trained(folder, "yes", "--estimator", "ebm", "--max-iter", "100")
    figures = explained(folder, model, tmp_path)
    assert figures["shap_additivity_error"].note == "the model's own terms"
    assert titles(tmp_path)[-1] == "The model's own curves"
    options = choice(tmp_path, "The model's own curves")
    assert {"x", "k"} <= set(options)
    assert {block["kind"] for blocks in options.values() for block in blocks} == {"chart", "grid"}
    pairs = [figure.cohort for figure in read_figures(tmp_path).figures if figure.cohort]
    assert "SHAP and the model's own terms" in pairs
    assert (tmp_path / "terms.png").is_file()


@pytest.mark.slow
def test_the_same_seed_gives_the_same_files(folder: Path, tmp_path: Path) -> None:
    model = trained(folder, "yes", "--max-iter", "30")
    for name in ("one", "two"):
        explained(folder, model, tmp_path / name, "--seed", "3")
    for file in ("figures.json", "findings.json", "local.json", "importance.csv", "effects.png"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--rows", "300"), "no row 300 in the test data"),
        (("--repeats", "1"), "have no spread"),
        (("--positive-label", "maybe"), "no class 'maybe'"),
        (("--target", "q"), "predicts 'yes', not 'q'"),
    ],
)
def test_wrong_inputs_are_told(
    folder: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    with pytest.raises(StepError, match=message):
        explained(folder, trained(folder, "yes", "--max-iter", "30"), tmp_path, *arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("rows", ["one", "-1", "1.5"])
def test_rows_are_numbers(rows: str, capsys: pytest.CaptureFixture[str]) -> None:
    places = ["--model", "m", "--train-data", "t", "--test-data", "t", "--report", "r"]
    with pytest.raises(SystemExit):
        explain.main([*places, f"--rows={rows}"])
    assert "no list of row numbers" in capsys.readouterr().err


@pytest.mark.slow
def test_it_logs_to_its_run(folder: Path, tmp_path: Path, step_run) -> None:
    run = step_run("explain")
    explained(folder, trained(folder, "yes", "--max-iter", "30"), tmp_path)
    assert run.data.metrics["surrogate_fidelity"] > 0.5
    assert "method_agreement.SHAP_and_surrogate_tree" in run.data.metrics
    assert run.data.params["conclusion"].startswith("what moves the predictions most: x")
    assert {"explain/figures.json", "explain/effects.png"} <= run.artifacts("explain")


def test_forecasts_and_rows_without_a_target_are_refused(folder: Path) -> None:
    model = load_model(trained(folder, "yes", "--max-iter", "30"))
    table = read_table(folder / "test.parquet")
    forecast = type(model)(
        model.estimator, "regression", "yes", model.features, {"task": "forecasting"}
    )
    with pytest.raises(StepError, match="whole series"):
        Subject.of(forecast, table)
    subject = Subject.of(model, table)
    empty = table.assign(yes=None)
    with pytest.raises(StepError, match="no test row has a value"):
        explain_model(subject, table, empty)
    hole = table.assign(yes=table["yes"].where(table.index != 2))
    with pytest.raises(StepError, match="test row 2 has no 'yes'"):
        explain_model(subject, table, hole, Settings(rows=(2,)))
