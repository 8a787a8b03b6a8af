"""The SDK's own objects as values."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from tests.unit.azure.fakes import sdk_job

from amlocal.azure.history import RunDetails
from amlocal.azure.info import asset_info, job_info, job_status
from amlocal.azure.sdk import Data, Environment, Model, load, quiet
from amlocal.plan import InputInfo, JobStatus, OutputInfo

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


@pytest.mark.parametrize("status", list(JobStatus))
def test_states_have_azures_names(status: JobStatus) -> None:
    assert job_status(status.value) is status


@pytest.mark.parametrize(
    ("name", "status"), [(None, JobStatus.NOT_STARTED), ("Meditating", JobStatus.UNKNOWN)]
)
def test_states_beyond_the_list(name: str | None, status: JobStatus) -> None:
    assert job_status(name) is status


def test_a_job_of_a_file(project: Any) -> None:
    with quiet():
        job = load("job", "job.yml", ["outputs.out.type=mlflow_model"], {"name": "j"})
        job.tags = {"n": 1}
    info = job_info(job, source="job.yml")
    assert (info.name, info.type, info.experiment_name) == ("j", "command", "exp")
    assert info.compute == "cpu-cluster"
    assert info.tags == {"n": "1"}
    assert info.inputs["n"] == InputInfo(type="integer", value=3)
    assert info.inputs["registered"] == InputInfo(type="uri_file", path="adult:3")
    assert info.outputs["out"] == OutputInfo(type="mlflow_model", path="")
    assert info.tracking.environment is not None
    assert info.tracking.environment["name"].endswith("sklearn-1.5/labels/latest")
    assert set(info.tracking.absent) == {"serving"}
    assert info.tracking.model == {"out": {"path": ""}}


def test_a_pipeline_of_a_file(project: Any) -> None:
    with quiet():
        job = load("job", "pipeline.yml", (), {})
    info = job_info(job)
    assert info.type == "pipeline"
    assert info.inputs["data"].type == "uri_file"
    assert [child.step for child in info.children] == ["train", "registered", "inline"]
    assert set(info.tracking.absent) == {"code", "environment", "model", "serving"}


@pytest.mark.parametrize(
    ("value", "kind"), [(True, "boolean"), (1, "integer"), (0.5, "number"), ("x", "string")]
)
def test_types_of_literals(value: Any, kind: str) -> None:
    info = job_info(sdk_job(inputs={"x": value}))
    assert info.inputs["x"] == InputInfo(type=kind, value=value)


def test_a_job_tells_its_page_in_studio() -> None:
    assert job_info(sdk_job(studio_url="https://ml.azure.com/runs/j1")).page == (
        "https://ml.azure.com/runs/j1"
    )
    assert job_info(sdk_job(studio_url=None)).page == ""


def test_times_and_duration() -> None:
    later = BEGAN.astimezone(timezone(timedelta(hours=2))) + timedelta(seconds=90)
    job = sdk_job(creation_context=SimpleNamespace(created_at=BEGAN.replace(tzinfo=None)))
    info = job_info(job, details=RunDetails(start_time=BEGAN, end_time=later))
    assert info.creation_time == info.start_time == "2026-01-02T03:04:05.000+00:00"
    assert info.end_time == "2026-01-02T03:05:35.000+00:00"
    assert info.duration == 90.0


def test_a_running_job_lasts_until_now() -> None:
    began = datetime.now(timezone.utc) - timedelta(seconds=60)
    assert 59 < job_info(sdk_job(), details=RunDetails(start_time=began)).duration < 120


def test_runs_are_matched_to_steps_by_display_name() -> None:
    nodes = {
        "a": SimpleNamespace(name=None, display_name="Prepare", compute="azureml:big"),
        "b": SimpleNamespace(name=None, display_name=None),
    }
    runs = [
        sdk_job("r2", "Completed", type="base", display_name="other"),
        sdk_job(
            "r1",
            "Completed",
            type="base",
            display_name="Prepare",
            properties={"azureml.isreused": "true", "azureml.reusedrunid": "r0"},
        ),
    ]
    job = sdk_job("p", "Running", type="pipeline", jobs=nodes)
    details = {"r1": RunDetails(start_time=BEGAN, end_time=BEGAN + timedelta(seconds=2))}
    first, second, extra = job_info(job, runs=runs, run_details=details).children
    assert (first.step, first.name, first.reused_from) == ("a", "r1", "r0")
    assert (first.parent, first.type, first.duration) == ("p", "command", 2.0)
    assert (second.step, second.name, second.status) == ("b", "b", JobStatus.NOT_STARTED)
    assert (extra.step, extra.name) == ("other", "r2")


def test_a_registered_output() -> None:
    output = SimpleNamespace(type="uri_file", path="azureml://x", name="d", version="2")
    info = job_info(sdk_job(outputs={"o": output, "none": None}))
    assert info.outputs["o"] == OutputInfo(
        type="uri_file", path="azureml://x", uri="azureml://x", asset="d:2"
    )
    assert info.outputs["none"] == OutputInfo(type="uri_folder", path="")


def test_assets() -> None:
    data = asset_info("data", Data(name="d", version="2", path="azureml://x", type="uri_file"))
    assert (data.name, data.version, data.type, data.path) == ("d", "2", "uri_file", "azureml://x")
    model = asset_info("model", Model(name="m", version="3", path="x", tags={"a": 1}))
    assert (model.version, model.tags, model.definition) == ("3", {"a": "1"}, None)
    with quiet():
        theirs = Environment(name="e", version="1", image="python:3.11")
        environment = asset_info("environment", theirs)
    assert environment.definition is not None
    assert environment.definition["image"] == "python:3.11"


def test_an_asset_of_a_list_has_its_latest_version() -> None:
    container = SimpleNamespace(
        name="e", version=None, latest_version="7", description=None, tags=None, properties=None
    )
    info = asset_info("environment", container)
    assert (info.version, info.definition) == ("7", None)
