from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.fakes import FakeAzureClient, FakeJobs, FakeLocalClient, Outcome, aml, step

from amlocal.errors import not_found
from amlocal.plan import JobInfo, JobStatus, OutputInfo
from stepkit.figures import Against, Figure, Figures, write_figures

POLICY = """\
name: release
require:
  - {figure: auc, at_least: 0.8}
  - {figure: auc, no_worse_than_champion: {by: 0.01}}
advise:
  - {figure: latency, at_most: 10}
"""
FOLDER = OutputInfo(type="uri_folder", path="/outputs")


@dataclass
class Reporting(FakeJobs):
    """Jobs whose outputs are folders of the test: `NAME/OUTPUT`, or `NAME` for the artifacts."""

    folder: Path = Path()
    downloads: list[tuple[str, str | None]] = field(default_factory=list)

    def download(self, name: str, **given: Any) -> Path:
        output = given.get("output_name")
        self.downloads.append((name, output))
        source = self.folder / name / (output or "artifacts")
        if not source.is_dir():
            raise not_found("output", str(output), [])
        shutil.copytree(source, Path(given["download_path"]) / name)
        return Path(given["download_path"]) / name


class Project:
    """A policy, and a job whose steps have written figures."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.policy = folder / "policy.yml"
        self.policy.write_text(POLICY)
        self.jobs = Reporting(folder=folder / "jobs")
        self.write("evaluate", "report", Figure("auc", "predictive", 0.9, "more", 9, 0.88, 0.92))
        self.write("profile", "report", Figure("latency", "processing", 12, "less", 9, unit="ms"))
        self.decide(None)
        outputs = {"report": FOLDER}
        self.of_steps(
            step("train", outputs={"model": OutputInfo(type="mlflow_model", path="/m")}),
            step("evaluate", outputs=outputs),
            step("profile", outputs=outputs),
            step("explain", JobStatus.FAILED, outputs=outputs),
            step("gate", outputs={"decision": FOLDER}),
        )

    def of_steps(self, *steps: JobInfo, **fields: Any) -> None:
        job = JobInfo(
            name="life", type="pipeline", status=JobStatus.COMPLETED, children=steps, **fields
        )
        self.jobs.jobs = [job, *steps]

    def write(self, name: str, output: str, figure: Figure, model: str = "m") -> Path:
        folder = self.folder / "jobs" / f"lifecycle_1_{name}" / output
        write_figures(folder, Figures(name, model, "", [figure]))
        return folder

    def decide(self, version: str | None) -> None:
        folder = self.folder / "jobs/lifecycle_1_gate/decision"
        folder.mkdir(parents=True, exist_ok=True)
        champion = {"version": version, "is_candidate": False}
        (folder / "gate.json").write_text(json.dumps({"champion": champion}))

    def check(self, *argv: str, **fields: Any) -> Outcome:
        client = fields.pop("client", None) or FakeLocalClient()
        client.jobs = self.jobs
        given = ["-f", str(self.policy), "--job", "life", *argv]
        return aml("gate", "check", *given, client=client, **fields)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_job_that_passes_exits_0_and_programs_get_the_verdicts(project: Project) -> None:
    outcome = project.check("-o", "json")
    assert outcome.code == 0, outcome.err
    found = json.loads(outcome.out)
    assert (found["job"], found["policy"], found["passed"]) == ("life", "release", True)
    assert found["refusals"] == []
    assert [(each["step"], each["outcome"]) for each in found["verdicts"]] == [
        ("evaluate", "pass"),
        ("", "not applied"),
        ("profile", "fail"),
    ]
    assert found["verdicts"][0]["value"] == 0.9
    # Steps that failed, and outputs that hold no figures, are left alone.
    assert project.jobs.downloads == [
        ("lifecycle_1_evaluate", "report"),
        ("lifecycle_1_profile", "report"),
        ("lifecycle_1_gate", "decision"),
    ]


def test_a_job_that_is_refused_exits_1_and_people_read_why(project: Project) -> None:
    project.write("evaluate", "report", Figure("auc", "predictive", 0.82, "more", 9, 0.79, 0.85))
    outcome = project.check(tty=True, environ={"COLUMNS": "120"})
    assert outcome.code == 1
    lines = outcome.out.splitlines()
    assert lines[0].split() == ["Rule", "Figure", "Wanted", "Got", "Verdict"]
    assert "undecided" in lines[2]
    assert "  auc: 0.82 (0.79 to 0.85) may or may not be at least 0.8" in lines
    assert lines[-1] == (
        "REFUSED life by release: 0 of 1 required rules hold (1 undecided); "
        "0 of 1 advisory rules hold (1 fail)"
    )


def test_a_table_has_a_row_for_each_rule(project: Project) -> None:
    out = project.check("-o", "table").out
    assert len(out.splitlines()) == 5
    assert project.check("--query", "verdicts[?outcome=='fail'].figure", "-o", "tsv").out == (
        "latency\n"
    )


@pytest.mark.parametrize(
    ("version", "flag", "code"), [("3", (), 0), ("4", (), 1), ("4", ("--no-champion",), 0)]
)
def test_a_comparison_is_with_the_champion_that_the_gate_knew(
    project: Project, version: str, flag: tuple[str, ...], code: int
) -> None:
    against = Against("3", 0.9, 0.0, 0.0, 0.0)
    figure = Figure("auc", "predictive", 0.9, "more", 9, 0.88, 0.92, against=against)
    project.write("evaluate", "report", figure)
    project.decide(version)
    assert project.check(*flag).code == code


def test_without_a_gate_a_comparison_that_was_not_made_refuses(project: Project) -> None:
    project.of_steps(step("evaluate", outputs={"report": FOLDER}))
    outcome = project.check("-o", "json")
    assert outcome.code == 1
    assert "did not compare it with a champion" in outcome.out
    assert project.check("--no-champion").code == 0


def test_a_single_step_is_judged_as_well(project: Project) -> None:
    outcome = project.check("-n", "lifecycle_1_evaluate", "--no-champion")
    assert outcome.code == 0
    assert project.jobs.downloads == [("lifecycle_1_evaluate", "report")]


def test_azure_does_not_tell_outputs_of_steps_so_the_jobs_own_are_read(project: Project) -> None:
    shutil.copytree(project.folder / "jobs/lifecycle_1_evaluate", project.folder / "jobs/life")
    project.of_steps(
        step("evaluate"),
        outputs={"report": FOLDER, "model": OutputInfo(type="mlflow_model", path="/m")},
    )
    outcome = project.check("--target", "azure", "--no-champion", client=FakeAzureClient())
    assert outcome.code == 0, outcome.err
    assert project.jobs.downloads == [("life", "report")]


def test_reports_that_are_artifacts_only_are_found(project: Project) -> None:
    place = project.folder / "jobs/lifecycle_1_evaluate"
    shutil.move(place / "report", place / "artifacts/evaluation")
    project.of_steps(step("evaluate"))
    outcome = project.check("--target", "azure", "--no-champion", client=FakeAzureClient())
    assert outcome.code == 0, outcome.err
    assert project.jobs.downloads == [("lifecycle_1_evaluate", None)]


def test_a_wrong_policy_exits_2_with_file_and_line(project: Project) -> None:
    project.policy.write_text(POLICY.replace("at_least", "at_lest"))
    outcome = project.check()
    assert outcome.code == 2
    said = f"{project.policy}:3: no field 'at_lest' in a rule; did you mean 'at_least'?\n"
    assert outcome.err == said
    assert project.jobs.calls == []


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("--job", "nope"), "no job named 'nope'"),
        (("--job", "lifecycle_1_train"), "no step of job lifecycle_1_train wrote figures"),
        (("--file", "none.yml"), "none.yml: no such file; docs/gate.md"),
        (("--dry-run", "--target", "azure"), "a dry run reads no jobs"),
    ],
)
def test_wrong_arguments_exit_2(project: Project, argv: tuple[str, ...], message: str) -> None:
    (project.folder / "jobs/lifecycle_1_train/artifacts").mkdir(parents=True)
    outcome = project.check(*argv)
    assert outcome.code == 2
    assert message in outcome.err


def test_reports_of_several_models_exit_2(project: Project) -> None:
    figure = Figure("latency", "processing", 12, "less", 9)
    project.write("profile", "report", figure, model="other")
    outcome = project.check()
    assert outcome.code == 2
    assert "job life: the reports are not of the same model" in outcome.err


def test_help_tells_the_verb() -> None:
    assert "check" in aml("gate", "--help", client=FakeLocalClient()).out
    help_text = aml("gate", "check", "--help", client=FakeLocalClient()).out
    assert "--no-champion" in help_text
    assert "exit 1" in help_text
