from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import responsible_ai
import train
from analyses import ANALYSES

from stepkit.figures import read_figures
from stepkit.findings import read_findings
from stepkit.model import load_model
from stepkit.program import StepError
from stepkit.table import digest


def people(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    sex = rng.choice(["f", "m"], rows)
    skill = rng.normal(size=rows)
    earned = rng.random(rows) < 1 / (1 + np.exp(-2 * skill))
    denied = (sex == "f") & (rng.random(rows) < 0.4)
    return pd.DataFrame(
        {
            "skill": skill,
            "town": rng.choice(["x", "y", "z"], rows),
            "sex": sex,
            "age": rng.integers(18, 80, rows),
            "hired": np.where(earned & ~denied, "yes", "no"),
            "pay": 10 + skill - (sex == "f") + rng.normal(size=rows),
        }
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with rows, a model of a class, and one of a quantity."""
    folder = tmp_path_factory.mktemp("rai")
    for name, seed in (("train", 0), ("test", 1)):
        people(2500, seed).to_csv(folder / f"{name}.csv", index=False)
    data = ["--data", str(folder / "train.csv"), "--estimator", "linear"]
    for target, other in (("hired", "pay"), ("pay", "hired")):
        model = ["--model", str(folder / target)]
        train.main([*data, "--target", target, "--ignore", f"{other},age", *model])
    return folder


def run(place: Path, out: Path, *arguments: str, model: str = "hired") -> dict:
    responsible_ai.main(
        [
            *("--model", str(place / model)),
            *("--train-data", str(place / "train.csv"), "--test-data", str(place / "test.csv")),
            *("--report", str(out / "report"), "--mitigated", str(out / "mitigated")),
            *arguments,
        ]
    )
    return {(each.name, each.cohort): each for each in read_figures(out / "report").figures}


@pytest.mark.slow
def test_everything_lands_in_the_report_and_the_run(
    place: Path, tmp_path: Path, step_run, capsys: pytest.CaptureFixture[str]
) -> None:
    step = step_run("responsible_ai")
    figures = run(place, tmp_path)
    written = read_figures(tmp_path / "report")
    assert written.step == "responsible_ai"
    assert written.model_digest == digest(place / "hired")
    assert written.test_data_digest == digest(place / "test.csv")
    # A biased label makes a model that chooses one group less.
    assert figures["demographic_parity_ratio", "sex"].high < 0.8
    assert figures["label_gap_at_equal_features", "sex"].low > 0.05
    assert ("equalised_odds_difference", "sex x age") in figures
    assert ("worst_cohort_error_ratio", "") in figures
    assert {"counterfactual_found", "causal_effect"} <= {name for name, _ in figures}
    sections = read_findings(tmp_path / "report")["sections"]
    titles = [each["title"] for each in sections]
    assert titles[:2] == ["Where the model errs", "Whether groups are treated alike"]
    assert [each["verdict"] for each in sections][1] == "warning"
    assert all(each["words"] for each in sections)
    report = (tmp_path / "report/report.md").read_text()
    assert "usual names were taken: sex and age" in report
    assert "![figures by sex, with intervals](fairness_sex.png)" in report
    metrics = step.data.metrics
    assert metrics["demographic_parity_difference.sex"] == pytest.approx(
        figures["demographic_parity_difference", "sex"].value
    )
    assert "mitigation_accuracy_change.sex_demographic_parity" in metrics
    assert not any(" x " in name or "_x_" in name for name in metrics)
    assert len(metrics) <= 60
    assert "whether groups are treated alike" in step.data.params["conclusion"]
    names = ("figures.json", "findings.json", "report.md", "fairness_sex.png", "errors.json")
    assert {f"responsible_ai/{name}" for name in names} <= step.artifacts("responsible_ai")
    assert "demographic_parity_difference" in capsys.readouterr().out


def test_the_model_is_handed_on_as_it_is(place: Path, tmp_path: Path) -> None:
    run(place, tmp_path, "--analyses", "errors")
    assert digest(tmp_path / "mitigated") == digest(place / "hired")


def test_a_mitigated_model_is_made_where_asked_for(place: Path, tmp_path: Path, capsys) -> None:
    arguments = ("--analyses", "fairness", "--mitigation", "demographic_parity")
    run(place, tmp_path, *arguments, "--mitigation-column", "sex")
    assert load_model(tmp_path / "mitigated").metadata["mitigation"] == "demographic_parity by sex"
    assert "mitigated: demographic_parity by sex, difference" in capsys.readouterr().out


@pytest.mark.slow
def test_quantities_are_analysed(place: Path, tmp_path: Path) -> None:
    arguments = ("--min-rows", "50", "--analyses", "errors,fairness,balance,causal")
    figures = run(place, tmp_path, *arguments, model="pay")
    assert figures["mean_prediction_difference", "sex"].low > 0.5
    assert figures["label_gap_at_equal_features", "sex"].value == pytest.approx(1, abs=0.2)
    assert ("demographic_parity_difference", "sex") not in figures


def test_none_skips_groups_with_a_sentence(place: Path, tmp_path: Path) -> None:
    arguments = ("--sensitive", "none", "--analyses", "errors,fairness,balance")
    figures = run(place, tmp_path, *arguments)
    assert {cohort for _, cohort in figures} == {""}
    missing = figures["equalised_odds_difference", ""]
    why = "No sensitive columns were to be looked at (sensitive: none)"
    assert (missing.value, missing.note) == (None, why)
    fairness = read_findings(tmp_path / "report")["sections"][1]
    nothing = "No group was looked at, so nothing is known of how it treats groups."
    assert fairness["words"] == [nothing, f"{why}."]


def test_ranges_are_those_asked_for(place: Path, tmp_path: Path) -> None:
    arguments = ("--sensitive", "age", "--ranges", "age: 50", "--analyses", "fairness")
    run(place, tmp_path, *arguments)
    details = json.loads((tmp_path / "report/fairness.json").read_text())
    assert details["groups"][0]["labels"] == ["under 50", "50 and over"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--analyses", "errors,fairnes"), "no analysis named 'fairnes'"),
        (("--analyses", ","), "no analysis is named"),
        (("--sensitive", "gender"), "no sensitive column 'gender'"),
        (("--heatmap", "sexx"), "no column to look for errors by, 'sexx'"),
        (("--positive-label", "maybe"), "no class 'maybe'"),
        (("--ranges", "age"), "does not say where a column is cut"),
        (("--target", "pay"), "predicts 'hired', not 'pay'"),
    ],
)
def test_what_is_wrong_is_said(place, tmp_path, arguments, message) -> None:
    with pytest.raises(StepError, match=message):
        run(place, tmp_path, *arguments)
    assert not (tmp_path / "report/figures.json").exists()


def test_the_component_offers_what_there_is() -> None:
    text = (Path(responsible_ai.__file__).parent / "component.yml").read_text()
    assert f"default: {','.join(ANALYSES)}\n" in text
