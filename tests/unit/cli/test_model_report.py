from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.fakes import (
    FakeAzureClient,
    FakeJobs,
    FakeLocalClient,
    FakeModels,
    aml,
    version,
)


@dataclass
class FakeReportedModels(FakeModels):
    """Models with a report in a folder."""

    folder: Path = Path()

    def report(self, name: str, version: str | None = None, label: str | None = None) -> Path:
        self.calls.append(("report", {"name": name, "version": version, "label": label}))
        return self.folder


class FakeReportingJobs(FakeJobs):
    """Jobs whose output `report` has a page and no scorecard."""

    def download(self, name: str, **given: Any) -> Path:
        super().download(name, **given)
        place = Path(given["download_path"]) / "named-outputs" / "report"
        place.mkdir(parents=True)
        (place / "report.html").write_text("page from afar")
        return place


@pytest.fixture
def local(tmp_path: Path) -> FakeLocalClient:
    (tmp_path / "report.html").write_text("page")
    (tmp_path / "scorecard.pdf").write_bytes(b"%PDF-")
    client = FakeLocalClient()
    client.models = FakeReportedModels("model", [version("model")], folder=tmp_path)
    return client


@pytest.fixture
def azure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeAzureClient:
    monkeypatch.chdir(tmp_path)
    client = FakeAzureClient()
    client.jobs = FakeReportingJobs()
    client.models.assets = [version("model", tags={"job": "lifecycle_1"})]
    return client


@pytest.mark.parametrize(("argv", "file"), [("", "report.html"), ("--pdf", "scorecard.pdf")])
def test_the_path_of_a_report_is_printed(
    local: FakeLocalClient, tmp_path: Path, argv: str, file: str
) -> None:
    outcome = aml(*f"model report -n adult -v 3 {argv}".split(), client=local)
    assert json.loads(outcome.out) == {"report": str(tmp_path / file)}
    assert local.models.calls == [("report", {"name": "adult", "version": "3", "label": None})]
    assert outcome.pages == []


def test_it_is_written_and_opened_where_asked(local: FakeLocalClient, tmp_path: Path) -> None:
    target = tmp_path / "new folder" / "adult.html"
    argv = ["model", "report", "-n", "adult", "--output-file", str(target), "--open"]
    outcome = aml(*argv, client=local, tty=True)
    assert target.read_text() == "page"
    assert outcome.out == f"{target}\n"
    assert outcome.pages == [target.as_uri()]


def test_a_report_without_a_scorecard_is_told(local: FakeLocalClient, tmp_path: Path) -> None:
    (tmp_path / "scorecard.pdf").unlink()
    outcome = aml("model", "report", "-n", "adult", "--pdf", client=local)
    assert outcome.code == 2
    assert "the report of adult has no scorecard.pdf" in outcome.err


def test_elsewhere_it_comes_from_the_job_of_the_version(
    azure: FakeAzureClient, tmp_path: Path
) -> None:
    outcome = aml("model", "report", "-n", "adult", "--target", "azure", client=azure)
    target = tmp_path / "adult-3-report.html"
    assert json.loads(outcome.out) == {"report": str(target)}
    assert target.read_text() == "page from afar"
    verb, given = azure.jobs.calls[0]
    assert (verb, given["name"], given["output_name"]) == ("download", "lifecycle_1", "report")


def test_elsewhere_a_job_without_the_file_is_told(azure: FakeAzureClient, tmp_path: Path) -> None:
    outcome = aml("model", "report", "-n", "adult", "--pdf", "--target", "azure", client=azure)
    assert outcome.code == 2
    assert "has no scorecard.pdf" in outcome.err
    assert "output `report`" in outcome.err
    assert list(tmp_path.iterdir()) == []


def test_elsewhere_a_version_that_names_no_job_is_told(azure: FakeAzureClient) -> None:
    azure.models.assets = [version("model")]
    outcome = aml("model", "report", "-n", "adult", "--target", "azure", client=azure)
    assert outcome.code == 2
    assert "does not say by its tag `job`" in outcome.err
    assert "aml job download" in outcome.err
