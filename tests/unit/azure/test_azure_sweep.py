"""Sweeps sent to Azure: the files that run here, with the SDK's own request body."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.azure.fakes import as_the_sdk_sends

import amlocal
from amlocal.azure.client import AzureClient
from amlocal.azure.sdk import load, quiet
from amlocal.errors import SpecError
from amlocal.plan import JobStatus

ROOT = Path(__file__).parents[3]
SWEEP = """
type: sweep
experiment_name: exp
trial:
  code: src
  command: python main.py ${{inputs.table}} ${{search_space.rate}} ${{search_space.kind}}
  environment: azureml://registries/azureml/environments/sklearn-1.5/labels/latest
inputs:
  table: {type: uri_folder, path: data}
compute: azureml:cpu-cluster
sampling_algorithm: {type: random, seed: 3, rule: sobol}
search_space:
  rate: {type: loguniform, min_value: -5, max_value: -1}
  kind: {type: choice, values: [a, b]}
objective: {goal: Maximize, primary_metric: auc}
early_termination: {type: bandit, slack_factor: 0.1, delay_evaluation: 5}
limits: {max_total_trials: 8, max_concurrent_trials: 2, timeout: 3600}
"""


@pytest.fixture(autouse=True)
def _sweep_file(project: Path) -> None:
    (project / "sweep.yml").write_text(SWEEP)


@pytest.mark.parametrize("file", ["sweep.yml", str(ROOT / "jobs" / "sweep.yml")])
def test_the_body_is_the_sdks_own(client: AzureClient, file: str) -> None:
    with quiet():
        job = load("job", file, (), {"name": "j"})  # unnamed, each conversion makes one up
    client.jobs.create_or_update(job)
    assert client.requests[-1].body == as_the_sdk_sends(job)


def test_a_sweep_job_is_sent_as_its_file_says(client: AzureClient) -> None:
    job = client.jobs.create_or_update("sweep.yml", name="tune")
    assert (job.name, job.type, job.status) == ("tune", "sweep", JobStatus.NOT_STARTED)
    sent: dict[str, Any] = client.requests[-1].body["properties"]
    assert sent["jobType"] == "Sweep"
    assert sent["objective"] == {"goal": "maximize", "primaryMetric": "auc"}
    assert sent["searchSpace"]["rate"] == ["loguniform", [-5, -1]]
    assert sent["searchSpace"]["kind"] == ["choice", [["a", "b"]]]
    assert sent["limits"]["maxTotalTrials"] == 8
    assert sent["trial"]["command"].endswith("${{search_space.kind}}")


def test_a_sweep_that_is_wrong_is_not_sent(client: AzureClient) -> None:
    checked = amlocal.connect(
        "azure", subscription_id="s", resource_group="r", workspace_name="w", dry_run=True
    )
    with pytest.raises(SpecError, match="max_concurrent_trials 20 is above max_total_trials 8"):
        checked.jobs.create_or_update("sweep.yml", overrides=["limits.max_concurrent_trials=20"])
