"""Parallel steps sent to Azure: the files that run here, with the SDK's own request body."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.azure.fakes import as_the_sdk_sends

import amlocal
from amlocal.azure.client import AzureClient
from amlocal.azure.sdk import load, quiet
from amlocal.errors import SpecError

PARALLEL = """
type: pipeline
experiment_name: exp
settings: {default_compute: azureml:cpu-cluster}
jobs:
  score:
    type: parallel
    inputs:
      data: {type: uri_folder, path: ./data}
    outputs:
      rows: {type: uri_file}
    input_data: ${{inputs.data}}
    mini_batch_size: "5"
    max_concurrency_per_instance: 2
    mini_batch_error_threshold: 3
    retry_settings: {timeout: 90, max_retries: 1}
    resources: {instance_count: 2}
    task:
      type: run_function
      code: src
      entry_script: main.py
      program_arguments: --data ${{inputs.data}}
      append_row_to: ${{outputs.rows}}
      environment: azureml://registries/azureml/environments/sklearn-1.5/labels/latest
"""


@pytest.fixture(autouse=True)
def _parallel_file(project: Path) -> None:
    (project / "parallel.yml").write_text(PARALLEL)


def test_the_body_is_the_sdks_own(client: AzureClient) -> None:
    with quiet():
        job = load("job", "parallel.yml", (), {"name": "j"})
    client.jobs.create_or_update(job)
    assert client.requests[-1].body == as_the_sdk_sends(job)
    sent: dict[str, Any] = client.requests[-1].body["properties"]["jobs"]["score"]
    assert (sent["type"], sent["mini_batch_size"]) == ("parallel", 5)
    assert sent["retry_settings"] == {"timeout": 90, "max_retries": 1}


def test_a_parallel_step_that_is_wrong_is_not_sent() -> None:
    checked = amlocal.connect(
        "azure", subscription_id="s", resource_group="r", workspace_name="w", dry_run=True
    )
    wrong = ["jobs.score.task.entry_script=mein.py"]
    with pytest.raises(SpecError, match=r"the entry script 'mein\.py' is not there"):
        checked.jobs.create_or_update("parallel.yml", overrides=wrong)
