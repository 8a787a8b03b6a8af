from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.cli.fakes import FakeAzureClient, FakeJobs, FakeLocalClient, Outcome, aml

from amlocal.plan import InputInfo, JobInfo, JobStatus, OutputInfo
from amlocal.plan.reporter import Reporter

FOUND = {
    "metric": "auc",
    "best": "b",
    "recommended": "a",
    "reason": "a (linear) is the simplest that is not significantly worse than b (trees)",
    "models": [
        {
            "name": name,
            "value": value,
            "behind": behind,
            "behind_interval": [low, 0.02],
            "kind": kind,
            "bytes": 2_000_000,
            "training_seconds": seconds,
            "row_milliseconds": 1.25,
        }
        for name, value, behind, low, kind, seconds in (
            ("a", 0.91, 0.01, -0.001, "linear", 3.0),
            ("b", 0.92, 0.0, 0.0, "trees", None),
        )
    ],
}


@dataclass
class Comparing(FakeJobs):
    """Jobs of which the one that compares writes a report; its file is kept."""

    submitted: list[dict[str, Any]] = field(default_factory=list)
    status: JobStatus = JobStatus.COMPLETED

    def create_or_update(
        self, job: Any, *, reporter: Reporter | None = None, **given: Any
    ) -> JobInfo:
        assert reporter is not None
        self.submitted.append(yaml.safe_load(Path(job).read_text()))
        return JobInfo(name="cmp_1", type="pipeline", status=self.status)

    def download(self, name: str, **given: Any) -> Path:
        assert (name, given["output_name"]) == ("cmp_1", "report")
        folder = Path(given["download_path"]) / "named-outputs" / "report"
        folder.mkdir(parents=True)
        (folder / "comparison.json").write_text(json.dumps(FOUND))
        return Path(given["download_path"])


def model(path: str) -> OutputInfo:
    return OutputInfo(type="mlflow_model", path=path)


def job(name: str, outputs: dict[str, OutputInfo], **fields: Any) -> JobInfo:
    given = {"type": "command", "status": JobStatus.COMPLETED, **fields}
    return JobInfo(name=name, outputs=outputs, **given)


def told(path: str = "/data/test.parquet") -> dict[str, InputInfo]:
    return {"test_data": InputInfo(type="uri_file", path=path)}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "components/compare/component.yml"
    file.parent.mkdir(parents=True)
    file.write_text("name: compare\n")
    (tmp_path / "inside").mkdir()
    monkeypatch.chdir(tmp_path / "inside")
    return tmp_path


def run(jobs: list[JobInfo], *argv: str, tty: bool = False, **fields: Any) -> tuple[Outcome, Any]:
    client = FakeLocalClient()
    client.jobs = Comparing(jobs, **fields)  # type: ignore[assignment]
    outcome = aml("job", "compare", *argv, client=client, tty=tty)
    return outcome, client.jobs


def test_the_models_of_jobs_are_compared_by_the_component(project: Path) -> None:
    jobs = [job("a", {"model": model("/m/a")}, inputs=told()), job("b", {"out": model("/m/b")})]
    outcome, submitted = run(jobs, "a", "b", "--metric", "accuracy", "--target-column", "y")
    assert outcome.code == 0, outcome.err
    (file,) = submitted.submitted
    assert file["type"] == "pipeline"
    assert file["inputs"] == {
        "data": {"type": "uri_file", "path": "/data/test.parquet"},
        "model_1": {"type": "mlflow_model", "path": "/m/a"},
        "model_2": {"type": "mlflow_model", "path": "/m/b"},
    }
    step = file["jobs"]["compare"]
    assert step["component"] == str(project / "components/compare/component.yml")
    assert step["inputs"] == {
        "names": "a, b",
        "metric": "accuracy",
        "champion": "none",
        "target": "y",
        "data": "${{parent.inputs.data}}",
        "model_1": "${{parent.inputs.model_1}}",
        "model_2": "${{parent.inputs.model_2}}",
    }
    assert json.loads(outcome.out) == {"job": "cmp_1", **FOUND}


def test_people_get_a_table_the_best_first(project: Path) -> None:
    jobs = [job("a", {"model": model("/m/a")}, inputs=told()), job("b", {"out": model("/m/b")})]
    out = run(jobs, "a", "b", tty=True)[0].out
    lines = out.splitlines()
    assert lines[0].split() == [
        "Model",
        "auc",
        "Behind",
        "Interval",
        "Kind",
        "Size",
        "Trained",
        "A_row",
    ]
    assert lines[2].split()[:3] == ["b", "0.92", "best"]
    assert lines[3].split()[:7] == ["a", "*", "0.91", "0.01", "-0.001", "to", "0.02"]
    assert lines[-1].startswith("* a (linear) is the simplest")


def test_a_pipeline_without_models_of_its_own_gives_its_steps(project: Path) -> None:
    steps = (
        job("p_split", {"test": OutputInfo(type="uri_folder", path="/data/test")}),
        job("p_train", {"model": model("/m/p")}),
    )
    pipeline = job("p", {}, type="pipeline", children=steps)
    file = run([pipeline], "p")[1].submitted[0]
    assert file["inputs"]["model_1"]["path"] == "/m/p"
    assert file["inputs"]["data"] == {"type": "uri_folder", "path": "/data/test"}


def test_of_several_models_the_best_is_meant(project: Path) -> None:
    outputs = {"model": model("/m/1"), "best": model("/m/2"), "other": model("/m/3")}
    file = run([job("a", outputs, inputs=told())], "a")[1].submitted[0]
    assert file["inputs"]["model_1"]["path"] == "/m/2"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("azureml:adult-test:1", {"type": "uri_folder", "path": "azureml:adult-test:1"}),
        ("https://x.org/t.csv", {"type": "uri_file", "path": "https://x.org/t.csv"}),
    ],
)
def test_test_rows_may_be_an_address(project: Path, data: str, expected: dict) -> None:
    file = run([job("a", {"m": model("/m/a")})], "a", "--data", data)[1].submitted[0]
    assert file["inputs"]["data"] == expected


def test_test_rows_are_found_from_here(project: Path) -> None:
    (project / "inside/t.csv").write_text("a\n1\n")
    jobs = [job("a", {"m": model("/m/a")})]
    file = run(jobs, "a", "--data", "t.csv")[1].submitted[0]
    assert file["inputs"]["data"] == {"type": "uri_file", "path": str(project / "inside/t.csv")}
    file = run(jobs, "a", "--data", ".")[1].submitted[0]
    assert file["inputs"]["data"]["type"] == "uri_folder"


def test_a_comparison_that_fails_is_told(project: Path) -> None:
    jobs = [job("a", {"m": model("/m/a")}, inputs=told())]
    outcome = run(jobs, "a", status=JobStatus.FAILED)[0]
    assert (outcome.code, outcome.out) == (1, "")
    assert "cmp_1" in outcome.err


def test_jobs_without_models_are_laid_side_by_side() -> None:
    jobs = [
        job("a", {}, params={"depth": "3"}, metrics={"auc": 0.9}),
        job("b", {}, params={"depth": "4", "rate": "1"}, metrics={"auc": 0.95}),
    ]
    outcome, client = run(jobs, "a", "b", "-o", "table")
    assert [line.split() for line in outcome.out.splitlines() if "--" not in line] == [
        ["Kind", "Name", "a", "b"],
        ["parameter", "depth", "3", "4"],
        ["parameter", "rate", "1"],
        ["metric", "auc", "0.9", "0.95"],
    ]
    assert client.submitted == []
    data = json.loads(run(jobs, "a", "b")[0].out)
    assert data[1]["metrics"] == {"auc": 0.95}
    assert "logged no parameters" in run([job("c", {})], "c", tty=True)[0].out


@pytest.mark.parametrize(
    ("jobs", "argv", "message"),
    [
        ([job("a", {"m": model("/m")}), job("b", {})], ["a", "b"], "no model in b"),
        ([job("a", {"m": model("/m")})], ["a"], "no job tells its test rows"),
        ([job("a", {"m": model("/m")})], ["a", "--data", "nope.csv"], "no file or folder nope.csv"),
        (
            [job("a", {"m": model("/m")}, status=JobStatus.RUNNING)],
            ["a"],
            "job a is Running, so it has no model",
        ),
        (
            [job("a", {"m": model("/m"), "n": model("/n")})],
            ["a"],
            "wrote several models: m, n\nhint: compare its steps",
        ),
        ([job("a", {"m": model("/m")}, inputs=told())], ["a", "--component", "x"], "no x here"),
        (
            [job(f"j{n}", {"m": model("/m")}) for n in range(7)],
            [f"j{n}" for n in range(7)],
            "7 models; at most 6",
        ),
        ([job("a", {})], ["b"], "no job named 'b'"),
        ([], [], "JOB"),
    ],
)
def test_what_cannot_be_compared_is_told(
    project: Path, jobs: list[JobInfo], argv: list[str], message: str
) -> None:
    outcome, client = run(jobs, *argv)
    assert outcome.code in (2, 3)
    assert message in outcome.err
    assert client.submitted == []


def test_outside_a_project_the_component_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = run([job("a", {"m": model("/m")}, inputs=told())], "a")[0]
    assert outcome.code == 2
    assert "no components/compare/component.yml here or above" in outcome.err


def test_a_dry_run_compares_nothing() -> None:
    argv = ["job", "compare", "a", "--target", "azure", "--dry-run"]
    outcome = aml(*argv, client=FakeAzureClient())
    assert outcome.code == 2
    assert "a dry run reads no jobs" in outcome.err
