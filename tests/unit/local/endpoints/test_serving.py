from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from tests.lab import Lab, command
from tests.unit.local.endpoints.stage import Stage

from amlocal.local.database import Database
from amlocal.local.endpoints.records import DeploymentRecord
from amlocal.local.endpoints.serving import (
    Serving,
    ServingRecords,
    model_changes,
    write,
    write_waiting,
)
from amlocal.local.endpoints.versions import DeploymentVersion
from amlocal.local.environments import EnvironmentChoice
from amlocal.local.tracking.client import TrackingClient
from amlocal.local.tracking.values import Run
from amlocal.plan import ModelSource, OnlineDeployment, Output

TAG = "amlocal.serving.adult.blue"
CHOICE = EnvironmentChoice("current", "env", "0" * 64, "3.11.7", "/usr/bin/python3")


def version(model: str = "fruit:1", run_id: str = "r1") -> DeploymentVersion:
    name = model.partition(":")[0]
    source = ModelSource(reference=f"azureml:{model}") if name else ModelSource(path="/m")
    plan = OnlineDeployment(name="blue", endpoint_name="adult", model=source)
    return DeploymentVersion(plan=plan, folder="", choice=CHOICE, model=model, run_id=run_id)


def record(served: DeploymentVersion | None) -> DeploymentRecord:
    return DeploymentRecord("adult", "blue", 1, "Succeeded", 0.0, version(), served)


@pytest.fixture
def records(tmp_path: Path) -> ServingRecords:
    return ServingRecords(Database(tmp_path / "records.db", on_full=lambda: None))


@pytest.fixture
def run(tracking: TrackingClient) -> Run:
    experiment = tracking.experiment("serving")
    return tracking.create_run(experiment, "train", start_time=0.0)


@pytest.fixture
def serving(tracking: TrackingClient, run: Run) -> Serving:
    tracking.registry.ensure_model("pear")
    made = tracking.registry.create_version("pear", "mlflow-artifacts:/x", run_id=run.run_id)
    return Serving(
        endpoint="adult",
        deployment="blue",
        model="pear",
        version=made.version,
        run_id=run.run_id,
        uri="http://127.0.0.1:1/score",
        since="2026-01-01T00:00:00.000+00:00",
    )


def test_what_begins_and_ends_with_an_update() -> None:
    (begun,) = model_changes(record(None), version(), "uri")
    assert (begun.model, begun.version, begun.run_id, begun.until) == ("fruit", "1", "r1", "")
    assert list(model_changes(record(version()), version(), "uri")) == []
    ended, begun = model_changes(record(version()), version("fruit:2", "r2"), "uri")
    assert (ended.version, bool(ended.until), begun.version) == ("1", True, "2")
    (ended,) = model_changes(record(version()), None, "uri")
    assert ended.until > ended.since
    (path,) = model_changes(record(None), version("/models/m"), "uri")
    assert (path.model, path.run_id) == ("", "r1")


def test_the_model_and_its_run_tell_who_serves_it(
    tracking: TrackingClient, serving: Serving
) -> None:
    write(tracking, serving)
    assert tracking.registry.version("pear", serving.version).tags[TAG] == serving.uri
    said = json.loads(tracking.get_run(serving.run_id).tags[TAG])
    assert said == {"since": serving.since, "uri": serving.uri}
    write(tracking, msgspec.structs.replace(serving, until="2026-01-02T00:00:00.000+00:00"))
    assert TAG not in tracking.registry.version("pear", serving.version).tags
    assert "until" in json.loads(tracking.get_run(serving.run_id).tags[TAG])


def test_what_was_deleted_in_mlflow_is_no_matter(
    tracking: TrackingClient, serving: Serving
) -> None:
    write(tracking, msgspec.structs.replace(serving, version="99", run_id="0" * 32))
    write(tracking, msgspec.structs.replace(serving, model="none", until="now", run_id=""))


def test_what_cannot_be_written_waits_and_says_why(
    records: ServingRecords, tracking: TrackingClient, serving: Serving
) -> None:
    records.add(serving)
    assert not write_waiting(records, None)
    assert "the MLflow server is down" in records.warnings("adult", "blue")[0]
    assert not write_waiting(records, "http://127.0.0.1:9")
    assert "not yet in MLflow" in records.warnings("adult", "blue")[0]
    assert records.warnings("adult", "green") == ()
    assert write_waiting(records, tracking.uri)
    assert (records.waiting(), records.warnings("adult", "blue")) == ([], ())
    assert TAG in tracking.registry.version("pear", serving.version).tags


def test_a_model_that_is_neither_registered_nor_of_a_run_is_not_written(
    records: ServingRecords,
) -> None:
    records.add(Serving(endpoint="adult", deployment="blue"))
    assert records.waiting() == []


def test_a_job_tells_which_deployments_serve_its_model(stage: Stage) -> None:
    lab = Lab(stage.project, stage.client)
    output = Output(type="mlflow_model", name="melon")
    text = "mkdir -p ${{outputs.model}} && touch ${{outputs.model}}/MLmodel"
    job = lab.run(command(text, outputs={"model": output}))
    jobs, models = stage.client.jobs, stage.client.models
    assert jobs.get(job.name).tracking.absent["serving"]
    stage.endpoint()
    made = stage.deploy(model=ModelSource(reference="azureml:melon@latest"))
    number = made.model.partition(":")[2]
    assert made.model.startswith("melon:")
    tracking = jobs.get(job.name).tracking
    assert tracking.serving == {"adult/blue": {"model": made.model, "state": "Succeeded"}}
    assert "serving" not in tracking.absent
    uri = stage.client.online_endpoints.get("adult").scoring_uri
    stage.wait_until(
        lambda: models.get("melon", number).properties.get("serving.adult.blue") == uri
    )
    assert stage.client.online_deployments.get("blue", "adult").warnings == ()
    stage.client.online_endpoints.begin_delete("adult").result(30)
    assert jobs.get(job.name).tracking.serving is None
    stage.wait_until(lambda: "serving.adult.blue" not in models.get("melon", number).properties)
