from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gate
import pytest
from tests.components.judged import Candidates

from gatekit.policy import PolicyError
from stepkit.figures import Against, Figure, Figures, write_figures
from stepkit.findings import read_findings
from stepkit.program import StepError, write_json

POLICY = """\
name: small
description: what a small model must be
require:
  - {figure: auc, for: classification, at_least: 0.8, minimum_sample: 100}
  - {figure: r2, for: regression, at_least: 0.1}
advise:
  - {figure: recall, cohort: every sex, at_least: 0.5, because: nobody is to be overlooked}
"""


class Reports:
    """Reports without a model or a registry, as a program started by hand finds them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "policy.yml").write_text(POLICY)
        self.evaluate()

    def evaluate(self, auc: float = 0.9, low: float = 0.88, high: float = 0.92) -> None:
        cohorts = [
            Figure("recall", "predictive", value, "more", 50, cohort=f"sex={name}")
            for name, value in (("F", 0.6), ("M", 0.7))
        ]
        figure = Figure("auc", "predictive", auc, "more", 400, low, high)
        report = self.folder / "evaluation"
        write_figures(report, Figures("evaluate", "m" * 64, "r" * 64, [figure, *cohorts]))
        said = {"task": "classification", "target": "y", "test_data_digest": "r" * 64}
        write_json(report / "metrics.json", {**said, "metrics": {"auc": auc}})

    def gate(self, *arguments: str) -> dict[str, Any]:
        given = ["--policy", str(self.folder / "policy.yml")]
        given += ["--evaluation", str(self.folder / "evaluation")]
        gate.main([*given, "--decision", str(self.folder / "decision"), *arguments])
        return self.decision

    @property
    def decision(self) -> dict[str, Any]:
        return json.loads((self.folder / "decision/gate.json").read_text())

    @property
    def section(self) -> dict[str, Any]:
        (section,) = read_findings(self.folder / "decision")["sections"]
        return section


@pytest.fixture
def reports(tmp_path: Path) -> Reports:
    return Reports(tmp_path)


def test_a_sound_model_passes(reports: Reports, capsys: pytest.CaptureFixture[str]) -> None:
    decision = reports.gate()

    assert (decision["decision"], decision["passes_policy"]) == ("champion", True)
    assert decision["reasons"] == ["passes the policy; there is no champion yet"]
    assert decision["policy"] == {"name": "small", "description": "what a small model must be"}
    assert (decision["model_name"], decision["model_digest"]) == ("y-classification", "m" * 64)
    outcomes = [(each["figure"], each["cohort"], each["outcome"]) for each in decision["verdicts"]]
    assert outcomes == [
        ("auc", "", "pass"),
        ("r2", "", "not applied"),
        ("recall", "sex=F", "pass"),
        ("recall", "sex=M", "pass"),
    ]
    first = decision["verdicts"][0]
    assert (first["value"], first["low"], first["limit"], first["sample"]) == (0.9, 0.88, 0.8, 400)
    assert reports.section["verdict"] == "good"
    out = capsys.readouterr().out
    assert "1 of 1 required rules hold; 2 of 2 advisory rules hold\nPASSED y-classification" in out


@pytest.mark.parametrize(
    ("auc", "low", "high", "outcome"),
    [(0.7, 0.65, 0.75, "fail"), (0.82, 0.79, 0.85, "undecided"), (0.79, 0.75, 0.83, "undecided")],
)
def test_what_is_not_surely_good_enough_is_refused(
    reports: Reports, auc: float, low: float, high: float, outcome: str
) -> None:
    reports.evaluate(auc, low, high)
    decision = reports.gate()
    assert (decision["decision"], decision["passes_policy"]) == ("refused", False)
    assert decision["verdicts"][0]["outcome"] == outcome
    assert decision["reasons"][0].startswith(f"auc: {outcome}, {auc} ({low} to {high}")
    assert reports.section["verdict"] == "bad"
    assert "**REFUSED y-classification.**" in (reports.folder / "decision/report.md").read_text()


def test_a_refusal_fails_the_step_only_where_asked_to(reports: Reports) -> None:
    reports.evaluate(0.7, 0.65, 0.75)
    with pytest.raises(StepError, match=r"the model is refused: auc: fail, 0\.7"):
        reports.gate("--fail-when-refused", "True")
    assert reports.decision["decision"] == "refused"


def test_advice_that_is_not_followed_is_a_warning(reports: Reports) -> None:
    policy = POLICY.replace("at_least: 0.5", "at_least: 0.65")
    (reports.folder / "policy.yml").write_text(policy)
    assert reports.gate()["decision"] == "champion"
    assert reports.section["verdict"] == "warning"
    (table,) = reports.section["blocks"]
    assert table["head"] == ["rule", "figure", "wanted", "got", "verdict", "why"]
    assert table["rows"][0] == [
        "advice",
        "recall (sex=F)",
        "at least 0.65",
        "0.6 (no interval)",
        "fail",
        "0.6 (no interval) is not at least 0.65. Wanted because nobody is to be overlooked.",
    ]


def test_thresholds_in_short_are_required_rules(reports: Reports) -> None:
    decision = reports.gate("--thresholds", "auc>=0.85 r2>=0.5")
    assert decision["decision"] == "champion"
    assert [each["outcome"] for each in decision["verdicts"][:2]] == ["pass", "not applied"]
    decision = reports.gate("--thresholds", "auc>=0.89 missing<=1")
    assert [each["outcome"] for each in decision["verdicts"][:2]] == ["undecided", "insufficient"]
    assert decision["decision"] == "refused"


def test_figures_of_the_data_are_judged_too(reports: Reports) -> None:
    data = reports.folder / "data"
    figure = Figure("data_warnings", "data", 2, "less", 100)
    write_figures(data, Figures("check_data", "", "", [figure]))
    policy = POLICY + "  - {figure: data_warnings, at_most: 0}\n"
    (reports.folder / "policy.yml").write_text(policy)
    decision = reports.gate("--data-report", str(data))
    assert decision["verdicts"][-1]["outcome"] == "fail"
    assert decision["verdicts"][-1]["step"] == "check_data"


def test_reports_of_another_model_are_an_error(reports: Reports) -> None:
    other = reports.folder / "other"
    write_figures(other, Figures("profile", "n" * 64, "r" * 64))
    with pytest.raises(StepError, match="not of the same model"):
        reports.gate("--profile", str(other))


def test_without_an_evaluation_nothing_is_let_through(reports: Reports) -> None:
    arguments = ["--policy", str(reports.folder / "policy.yml"), "--thresholds", "auc>=0.5"]
    arguments += ["--decision", str(reports.folder / "decision")]
    gate.main([*arguments, "--profile", str(reports.folder / "evaluation")])
    assert reports.decision["passes_policy"]
    assert reports.decision["decision"] == "refused"
    assert "no evaluation is given" in reports.decision["reasons"][0]
    with pytest.raises(StepError, match="no report is given to judge by"):
        gate.main(arguments)


def test_a_wrong_policy_is_told_with_its_lines(reports: Reports) -> None:
    file = reports.folder / "policy.yml"
    file.write_text(POLICY.replace("at_least", "at_lest"))
    with pytest.raises(PolicyError, match=rf"{file}:4: no field 'at_lest'.*\n{file}:5: "):
        reports.gate()


@pytest.fixture
def candidates(tmp_path: Path, step_run) -> Candidates:
    return Candidates(tmp_path, step_run)


@pytest.mark.slow
def test_what_comes_after_a_champion(candidates: Candidates) -> None:
    name = ["--model-name", "gate-after"]
    candidates.train("some", ignore="b")
    first = candidates.through("some", *name)
    assert (first["alias"], first["version"]) == ("champion", "1")

    again = candidates.gate("some", *name)
    assert again["reasons"] == ["it is the champion already, version 1"]
    assert again["champion"] == {"version": "1", "is_candidate": True}
    assert again["verdicts"][1]["outcome"] == "not applied"
    assert not candidates.register("some")["registered"]

    # Where nothing was compared, a required comparison refuses, whatever the gain.
    candidates.train("best")
    unsure = candidates.gate("best", *name)
    assert unsure["verdicts"][1]["outcome"] == "insufficient"
    assert unsure["decision"] == "refused"

    rmse = first["metrics"]["rmse"]
    candidates.evaluate("best", Against("1", rmse, -1.0, -1.1, -0.9))
    best = candidates.gate("best", *name, with_rows=False)
    assert best["decision"] == "champion"
    assert best["comparisons"][0]["incumbent"] == rmse
    assert candidates.gate("best", *name, "--min-gain", "10")["decision"] == "challenger"
    assert candidates.gate("best", *name, "--compare-by", "mae")["decision"] == "champion"
    with pytest.raises(StepError, match="no figure 'auc' of this model to compare by"):
        candidates.gate("best", *name, "--compare-by", "auc")
    conclusion = candidates.through("best", *name)
    assert (conclusion["alias"], conclusion["version"]) == ("champion", "2")

    (candidates.folder / "policy.yml").write_text("require: [{figure: r2, at_least: 0.1}]")
    tie = candidates.gate("some", *name)
    assert (tie["decision"], tie["champion"]["version"]) == ("challenger", "2")
    assert candidates.register("some")["alias"] == "challenger"
    candidates.train("worse", ignore="a")
    worse = candidates.gate("worse", *name)
    assert [each["alias"] for each in worse["comparisons"]] == ["champion", "challenger"]
    assert worse["decision"] == "refused"
    assert candidates.run.data.params["conclusion"].startswith("REFUSED gate-after: rmse 3.")
    assert candidates.run.data.tags["gate"] == "refused"
    assert candidates.run.data.metrics["rules_pass"] == 1
    assert "gate/gate.json" in candidates.run.artifacts("gate")


def test_a_champion_that_cannot_be_compared_stays(candidates: Candidates) -> None:
    (candidates.folder / "policy.yml").write_text("require: [{figure: r2, at_least: 0.1}]")
    name = ["--model-name", "gate-stays"]
    candidates.train("some", ignore="b")
    candidates.through("some", *name)
    candidates.train("best")
    with pytest.raises(StepError, match="version 1, was not evaluated beside this model"):
        candidates.gate("best", *name, with_rows=False)
    with pytest.raises(StepError, match="evaluated on other test data"):
        candidates.gate("best", *name, "--test-data", str(candidates.folder / "train"))
    # That which it was compared with is no longer champion: it is scored anew.
    candidates.evaluate("best", Against("0", 0.0, 1.0))
    assert candidates.gate("best", *name)["comparisons"][0]["incumbent"] > 1
