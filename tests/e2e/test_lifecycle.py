"""The lifecycle pipeline on real data, from the command line to the registry."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pandas as pd
import pytest
from tests.e2e.driver import Aml, metrics_of, reused, short_lifecycle
from tests.unit.raikit.report.browser import CHROMIUM, chromium

EXAMINING = ["evaluate", "check_generalisation", "profile", "explain", "responsible_ai"]
STEPS = ["check_data", "split", "train", *EXAMINING, "gate", "register", "report"]
JOB = "jobs/lifecycle.yml"
POLICY = "jobs/policies/release.yml"
#: As little measuring as every step can do with; all rows of Adult are trained and tested on.
QUICK = (
    "--set",
    "inputs.profile_seconds=1",
    "inputs.refit_seconds=1",
    "inputs.analyses=errors,fairness",
    "jobs.check_generalisation.inputs.rows=2000",
    "jobs.evaluate.inputs.resamples=200",
    "jobs.explain.inputs.explained_rows=20",
    "jobs.explain.inputs.shuffled_rows=200",
    "jobs.explain.inputs.repeats=2",
    "jobs.explain.inputs.effects=2",
)
# A step that a test needs may take minutes where others run on the machine, too.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def adult(aml: Aml) -> dict:
    return aml.job(JOB, *QUICK)


@pytest.fixture(scope="module")
def short(aml: Aml) -> str:
    return short_lifecycle(aml.project)


def test_a_model_is_trained_judged_and_registered(aml: Aml, adult: dict) -> None:
    assert adult["status"] == "Completed"
    assert [child["step"] for child in adult["children"]] == STEPS
    # Published results on this split: the donors' best is an error of 14.05 %.
    metrics = metrics_of(adult, "evaluate")
    assert metrics["auc"] >= 0.925
    assert metrics["error_rate"] <= 0.130
    assert metrics["test_rows"] == 16_281
    (model,) = aml.json("model", "list")
    assert (model["name"], model["version"]) == ("income-classification", "1")
    assert model["aliases"] == ["champion"]
    assert (Path(adult["outputs"]["model"]["path"]) / "MLmodel").is_file()
    concluded = {
        child["step"]: child["params"].get("conclusion", "") for child in adult["children"]
    }
    assert concluded["gate"].startswith("PASSED income-classification as champion")
    assert concluded["register"].startswith("REGISTERED income-classification version 1 as champ")
    assert "deploy with" in aml.run("job", "stream", "-n", adult["name"]).stdout


def test_every_step_has_told_its_figures_to_the_gate_and_the_report(adult: dict) -> None:
    folders = {name: Path(output["path"]) for name, output in adult["outputs"].items()}
    decision = json.loads((folders["decision"] / "gate.json").read_text())
    assert decision["passes_policy"]
    told = {each["step"] for each in decision["verdicts"]} - {""}
    assert told >= {"evaluate", "check_generalisation", "profile", "responsible_ai", "check_data"}
    required = [each for each in decision["verdicts"] if each["required"]]
    assert {each["outcome"] for each in required} == {"pass", "not applied"}
    assert (folders["report"] / "report.html").stat().st_size < 5_000_000
    assert (folders["report"] / "scorecard.pdf").is_file()


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
def test_the_report_opens_without_a_complaint_or_a_request(adult: dict, tmp_path: Path) -> None:
    page = Path(adult["outputs"]["report"]["path"]) / "report.html"
    with chromium(tmp_path / "profile") as browser:
        for width in (1280, 360):
            browser.open(page, width=width)
            assert browser.run("document.documentElement.scrollWidth") <= width
        assert browser.complaints == []
        # Pictures are in the page itself.
        assert {each.partition(":")[0] for each in browser.requests} <= {"file", "data"}
        assert {each for each in browser.requests if each.startswith("file")} == {page.as_uri()}


def test_the_job_is_judged_by_the_same_policy_from_outside(aml: Aml, adult: dict) -> None:
    found = aml.json("gate", "check", "-f", POLICY, "--job", adult["name"])
    inside = json.loads((Path(adult["outputs"]["decision"]["path"]) / "gate.json").read_text())
    assert found["passed"]
    assert found["verdicts"] == inside["verdicts"]
    strict = aml.project / "strict.yml"
    strict.write_text("require: [{figure: auc, at_least: 0.99}]")
    done = aml.run("gate", "check", "-f", str(strict), "--job", adult["name"], code=1)
    assert json.loads(done.stdout)["verdicts"][0]["outcome"] == "fail"
    strict.write_text("require: [{figure: auc, at_lest: 0.99}]")
    done = aml.run("gate", "check", "-f", str(strict), "--job", adult["name"], code=2)
    assert done.stderr.startswith(f"{strict}:1: no field 'at_lest'")


def test_the_five_things_are_tracked(adult: dict) -> None:
    tracking = adult["tracking"]
    assert set(tracking["data"]) == {"data", "test_data", "rules", "policy"}
    assert tracking["data"]["data"]["digest"]
    assert "income" in tracking["data"]["data"]["schema"]
    assert tracking["environment"]["train"]["packages"].startswith("runs:/")
    assert tracking["model"]["register"]["registered"][0]["name"] == "income-classification"
    assert tracking["serving"] is None
    assert "deployment" in tracking["absent"]["serving"]
    train = next(child for child in adult["children"] if child["step"] == "train")
    assert train["tracking"]["code"]["hash"]


def test_runs_are_nested_in_mlflow(adult: dict) -> None:
    tracking = adult["tracking"]
    address = f"{tracking['uri']}/api/2.0/mlflow/runs/get?run_id="
    for child in adult["children"]:
        with urllib.request.urlopen(address + child["tracking"]["run_id"]) as answer:
            text = answer.read().decode()
        assert tracking["run_id"] in text


def test_an_unchanged_job_reuses_every_step(aml: Aml, adult: dict) -> None:
    again = aml.job(JOB, *QUICK)
    assert again["status"] == "Completed"
    assert reused(again) == STEPS
    assert metrics_of(again, "evaluate") == metrics_of(adult, "evaluate")


@pytest.mark.slow
def test_a_changed_policy_judges_anew_and_the_champion_stays(aml: Aml, adult: dict) -> None:
    policy = aml.project / POLICY
    policy.write_text(policy.read_text().replace("at_least: 0.8", "at_least: 0.9"))
    again = aml.job(JOB, *QUICK)
    assert reused(again) == STEPS[:-3]
    (gate,) = [child for child in again["children"] if child["step"] == "gate"]
    assert "it is the champion already, version 1" in gate["params"]["conclusion"]
    (model,) = aml.json("model", "list")
    assert model["version"] == "1"


@pytest.mark.slow
def test_after_one_changed_line_only_what_follows_runs(aml: Aml, short: str) -> None:
    aml.job(short)
    program = aml.project / "components/train/train.py"
    program.write_text(program.read_text() + "\n# one more line\n")
    again = aml.job(short)
    assert reused(again)[:2] == ["check_data", "split"]
    assert "train" not in reused(again)
    reasons = {each["step"]: each for each in aml.json("job", "explain-reuse", "-n", again["name"])}
    assert [fact.split(":")[0] for fact in reasons["train"]["changed"]] == ["code train.py"]


@pytest.mark.slow
def test_the_same_job_takes_a_users_own_csv_and_another_estimator(aml: Aml) -> None:
    table = pd.read_parquet(aml.project / "data/cps1988.parquet").head(3000)
    own = aml.project / "my table.csv"
    table.rename(columns={"wage": "weekly pay"}).to_csv(own, index=False)
    job = aml.job(
        JOB,
        *QUICK,
        f"inputs.data.path={own}",
        "inputs.target=weekly pay",
        "inputs.estimator=linear",
    )
    assert job["status"] == "Completed"
    assert metrics_of(job, "evaluate")["r2"] > 0.1
    (train,) = [child for child in job["children"] if child["step"] == "train"]
    assert train["params"]["estimator"] == "linear"
    names = [model["name"] for model in aml.json("model", "list")]
    assert "weekly-pay-regression" in names


@pytest.mark.slow
@pytest.mark.parametrize("estimator", ["hist_gradient_boosting", "linear", "random_forest", "ebm"])
def test_the_same_job_takes_a_regression_table(aml: Aml, estimator: str) -> None:
    job = aml.job(
        JOB,
        *QUICK,
        "inputs.data.path=../data/cps1988.parquet",
        "inputs.target=wage",
        f"inputs.estimator={estimator}",
    )
    assert job["status"] == "Completed"
    assert "train" not in reused(job)
    assert metrics_of(job, "evaluate")["r2"] > 0.1
    assert "wage-regression" in [model["name"] for model in aml.json("model", "list")]


def test_bad_data_stops_the_pipeline_and_says_why(aml: Aml) -> None:
    table = pd.read_parquet(aml.project / "data/adult-train.parquet").head(2000)
    table.loc[:9, "age"] = 300
    table.to_parquet(aml.project / "data/bad.parquet")
    job = aml.job(JOB, "--set", "inputs.data.path=../data/bad.parquet", code=1)
    assert job["status"] == "Failed"
    failed = [child for child in job["children"] if child["status"] == "Failed"]
    assert [child["step"] for child in failed] == ["check_data"]
    assert "age" in Path(failed[0]["log"]).read_text()
    assert all(child["status"] == "NotStarted" for child in job["children"][1:])
