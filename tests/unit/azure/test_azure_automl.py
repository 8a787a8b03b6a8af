"""AutoML sent to Azure: the files that run here, with the SDK's own request body."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import amlocal
from amlocal.azure.client import AzureClient
from amlocal.errors import SpecError
from amlocal.plan import JobStatus

ROOT = Path(__file__).parents[3]
AUTOML = """
type: automl
experiment_name: exp
compute: azureml:cpu-cluster
task: classification
primary_metric: AUC_weighted
target_column_name: y
n_cross_validations: 3
training_data: {type: mltable, path: ./rows}
test_data: {type: mltable, path: azureml://datastores/d/paths/p}
limits: {max_trials: 8, timeout_minutes: 20}
featurization: {mode: custom, column_name_and_types: {w: Ignore}}
training: {allowed_training_algorithms: [LightGBM], enable_stack_ensemble: false}
outputs:
  best_model: {type: mlflow_model}
"""
STEP = """
type: pipeline
experiment_name: exp
settings: {default_compute: "azureml:cpu-cluster"}
jobs:
  find:
    type: automl
    task: regression
    target_column_name: y
    training_data: {type: mltable, path: ./rows}
"""


@pytest.fixture
def files(project: Path) -> Path:
    """Make a folder below the current one with both jobs and their table."""
    folder = project / "jobs"
    (folder / "rows").mkdir(parents=True)
    (folder / "rows" / "MLTable").write_text(
        "paths:\n- file: ./a.csv\ntransformations:\n- read_delimited\n"
    )
    (folder / "rows" / "a.csv").write_text("w,y\n1,2\n")
    (folder / "automl.yml").write_text(AUTOML)
    (folder / "pipeline.yml").write_text(STEP)
    return folder


@pytest.fixture
def client() -> AzureClient:
    return AzureClient.open(
        None, {}, subscription_id="sub", resource_group="rg", workspace_name="ws", dry_run=True
    )


@pytest.mark.parametrize(
    "file",
    [
        "automl.yml",
        "pipeline.yml",
        str(ROOT / "jobs" / "automl-classification.yml"),
        str(ROOT / "jobs" / "automl-regression.yml"),
    ],
)
def test_the_body_is_the_sdks_own(client: AzureClient, files: Path, file: str) -> None:
    from azure.ai.ml._restclient.arm_ml_service._utils.model_base import SdkJSONEncoder
    from azure.ai.ml.entities._job.to_rest_functions import to_rest_job_object

    from amlocal.azure.sdk import load, quiet

    with quiet():
        job = load("job", files / file, (), {"name": "j"})
    client.jobs.create_or_update(job)
    with quiet():  # the SDK left the ids of what it created in its object
        theirs = to_rest_job_object(job)
    as_sent = json.loads(json.dumps(theirs, cls=SdkJSONEncoder, exclude_readonly=True))
    assert client.requests[-1].body == as_sent


def test_an_automl_job_is_sent_as_its_file_says(client: AzureClient, files: Path) -> None:
    job = client.jobs.create_or_update(files / "automl.yml", name="find")
    assert (job.name, job.type, job.status) == ("find", "automl", JobStatus.NOT_STARTED)
    assert {name: value.type for name, value in job.inputs.items()} == {
        "training_data": "mltable",
        "test_data": "mltable",
    }
    sent: dict[str, Any] = client.requests[-1].body["properties"]
    assert sent["jobType"] == "AutoML"
    details = sent["taskDetails"]
    assert (details["taskType"], details["primaryMetric"]) == ("Classification", "AUCWeighted")
    assert details["limitSettings"]["timeout"] == "PT20M"
    assert details["trainingSettings"]["allowedTrainingAlgorithms"] == ["LightGBM"]
    assert details["testData"]["uri"] == "azureml://datastores/d/paths/p"


@pytest.mark.parametrize("file", ["automl.yml", "pipeline.yml"])
def test_data_is_found_beside_the_file(client: AzureClient, files: Path, file: str) -> None:
    client.jobs.create_or_update(files / file)
    uploads = {request.path.rsplit("/", 1)[-1] for request in client.requests if request.is_upload}
    assert uploads == {"MLTable", "a.csv"}
    assert "LocalUpload" in json.dumps(client.requests[-1].body)


def test_the_demo_tables_are_sent_with_their_rows(client: AzureClient, files: Path) -> None:
    client.jobs.create_or_update(ROOT / "jobs" / "automl-classification.yml")
    sizes = {
        request.path.rsplit("/", 1)[-1]: request.body["bytes"]
        for request in client.requests
        if request.is_upload
    }
    assert sizes["adult-train.parquet"] == (ROOT / "data/adult-train.parquet").stat().st_size


def test_an_automl_job_that_is_wrong_is_not_sent(files: Path) -> None:
    checked = amlocal.connect(
        "azure", subscription_id="s", resource_group="r", workspace_name="w", dry_run=True
    )
    with pytest.raises(SpecError, match="'r2_score' is no primary metric of classification"):
        checked.jobs.create_or_update(files / "automl.yml", overrides=["primary_metric=r2_score"])
    assert checked.requests == ()


def test_what_only_azure_runs_is_sent(files: Path) -> None:
    checked = amlocal.connect(
        "azure", subscription_id="s", resource_group="r", workspace_name="w", dry_run=True
    )
    (files / "text.yml").write_text(
        "type: automl\ntask: text_classification\ntarget_column_name: y\ncompute: azureml:c\n"
        "training_data: {type: mltable, path: ./rows}\n"
        "validation_data: {type: mltable, path: ./rows}\n"
    )
    checked.jobs.create_or_update(files / "text.yml")
    details = checked.requests[-1].body["properties"]["taskDetails"]
    assert details["taskType"] == "TextClassification"
