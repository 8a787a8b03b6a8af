from __future__ import annotations

import time
import uuid
from pathlib import Path

import pytest

from amlocal.errors import NotFoundError
from amlocal.local.model_registry import ModelRegistry
from amlocal.local.model_reports import report_folder
from amlocal.local.tracking.client import TrackingClient
from amlocal.local.tracking.server import TrackingServer
from amlocal.local.tracking.values import Run


@pytest.fixture
def registry(tracking_server: TrackingServer) -> ModelRegistry:
    return ModelRegistry(tracking_server)


@pytest.fixture
def name() -> str:
    return f"m-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def report(tmp_path: Path) -> Path:
    folder = tmp_path / "report"
    folder.mkdir()
    (folder / "report.html").write_text("<!doctype html>")
    return folder


def step(tracking: TrackingClient, job: str, parent: Run | None = None) -> Run:
    tags = {"amlocal.job": job, **({"mlflow.parentRunId": parent.run_id} if parent else {})}
    experiment = tracking.experiment("reports")
    return tracking.create_run(experiment, job, tags=tags, start_time=time.time())


def registered(tracking: TrackingClient, name: str, **tags: str) -> None:
    tracking.registry.ensure_model(name)
    tracking.registry.create_version(
        name, "mlflow-artifacts:/models/x", run_id="", description="", tags=tags
    )


def test_the_run_that_the_version_names(
    registry: ModelRegistry, tracking: TrackingClient, name: str, report: Path
) -> None:
    run = step(tracking, f"job-{name}")
    tracking.upload(run, report, "report")
    registered(tracking, name, report_run_id=run.run_id)
    assert (report_folder(registry, name) / "report.html").read_text() == "<!doctype html>"


@pytest.mark.parametrize("gone", ["", "0" * 32])
def test_else_the_steps_of_the_job_that_registered_it(
    registry: ModelRegistry, tracking: TrackingClient, name: str, report: Path, gone: str
) -> None:
    root = step(tracking, f"job-{name}")
    step(tracking, f"job-{name}-train", root)
    tracking.upload(step(tracking, f"job-{name}-report", root), report, "report")
    registered(tracking, name, job=f"job-{name}", **({"report_run_id": gone} if gone else {}))
    assert (report_folder(registry, name, version="1") / "report.html").is_file()


@pytest.mark.parametrize("tags", [{}, {"job": "job-of-nobody"}, {"job": "it's"}])
def test_no_report_is_told_with_what_to_do(
    registry: ModelRegistry, tracking: TrackingClient, name: str, tags: dict[str, str]
) -> None:
    registered(tracking, name, **tags)
    with pytest.raises(NotFoundError, match=f"no report of model {name}:1") as told:
        report_folder(registry, name)
    assert "components/report" in told.value.hint


def test_an_unknown_model_is_told(registry: ModelRegistry, tracking: TrackingClient) -> None:
    with pytest.raises(NotFoundError, match="no model named 'nobody'"):
        report_folder(registry, "nobody")
