"""A trained model checked by the component, as a job."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from tests.e2e.driver import Aml, metrics_of

pytestmark = pytest.mark.slow

JOB = """
$schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json
type: pipeline
inputs:
  train: {type: uri_file, path: ../data/small-train.parquet}
  test: {type: uri_file, path: ../data/small-test.parquet}
outputs:
  report: {type: uri_folder}
settings: {default_compute: azureml:cpu-cluster}
jobs:
  train:
    type: command
    component: ../components/train/component.yml
    inputs:
      data: ${{parent.inputs.train}}
      target: income
      ignore: fnlwgt
      estimator: linear
  check:
    type: command
    component: ../components/check_generalisation/component.yml
    inputs:
      model: ${{parent.jobs.train.outputs.model}}
      train_data: ${{parent.inputs.train}}
      test_data: ${{parent.inputs.test}}
      resamples: 100
      folds: 3
    outputs:
      report: ${{parent.outputs.report}}
"""


@pytest.mark.timeout(600)
def test_the_component_checks_what_train_made(aml: Aml) -> None:
    (aml.project / "jobs/generalisation.yml").write_text(JOB)
    for part in ("train", "test"):
        table = pd.read_parquet(aml.project / f"data/adult-{part}.parquet").iloc[:1000]
        table.to_parquet(aml.project / f"data/small-{part}.parquet")
    job = aml.job("jobs/generalisation.yml", "-n", "checked")
    assert job["status"] == "Completed"
    report = Path(job["outputs"]["report"]["path"])
    details = json.loads((report / "generalisation.json").read_text())
    assert details["verdict"] in ("fits", "undecided", "underfits")
    assert {each["setting"].get("model__C") for each in details["points"]} > {None}
    logged = metrics_of(job, "check")
    assert logged["train_auc"] > logged["test_auc"] - 0.05
    assert logged["leaking_columns"] == 0
    assert logged["rows_in_both"] == pytest.approx(0, abs=5)
    assert (report / "learning_curve.png").is_file()
