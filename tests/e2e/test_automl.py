"""AutoML from the command line: a small table, a few trials, and the steps behind it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.e2e.driver import Aml, metrics_of, reused

pytestmark = pytest.mark.slow

#: Rows of the table; few, so that a trial takes a moment.
ROWS = 600
PIPELINE = """\
$schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json
type: pipeline
experiment_name: automl-small
inputs:
  train: {type: mltable, path: ./train}
  test: {type: uri_folder, path: ./test}
outputs:
  model: {type: mlflow_model}
settings: {default_compute: azureml:cpu-cluster}
jobs:
  best:
    type: automl
    task: classification
    primary_metric: AUC_weighted
    target_column_name: income
    training_data: ${{parent.inputs.train}}
    n_cross_validations: 2
    limits: {timeout_minutes: 2, max_trials: 2, max_concurrent_trials: 1}
    featurization: {mode: custom, column_name_and_types: {fnlwgt: Ignore}}
    training:
      allowed_training_algorithms: [logistic_regression, light_gbm]
      enable_model_explainability: false
    outputs:
      best_model: ${{parent.outputs.model}}
  evaluate:
    type: command
    component: ../components/evaluate/component.yml
    inputs:
      model: ${{parent.jobs.best.outputs.best_model}}
      data: ${{parent.inputs.test}}
      target: income
  gate:
    type: command
    component: ../components/gate/component.yml
    inputs:
      policy: {type: uri_file, path: ../jobs/policies/accuracy.yml}
      evaluation: ${{parent.jobs.evaluate.outputs.report}}
      model_name: small
  register:
    type: command
    component: ../components/register/component.yml
    inputs:
      model: ${{parent.jobs.best.outputs.best_model}}
      decision: ${{parent.jobs.gate.outputs.decision}}
      evaluation: ${{parent.jobs.evaluate.outputs.report}}
"""
MLTABLE = "paths: [{file: ./rows.parquet}]\ntransformations: [read_parquet]\n"


@pytest.fixture(scope="module")
def small(aml: Aml) -> str:
    """The pipeline's file, in a folder with its tables."""
    folder = aml.project / "small"
    for name, rows in (("train", slice(0, ROWS)), ("test", slice(0, 2000))):
        table = pd.read_parquet(aml.project / f"data/adult-{name}.parquet").iloc[rows]
        (folder / name).mkdir(parents=True)
        table.to_parquet(folder / name / "rows.parquet")
    (folder / "train" / "MLTable").write_text(MLTABLE)
    (folder / "pipeline.yml").write_text(PIPELINE)
    return "small/pipeline.yml"


@pytest.fixture(scope="module")
def ran(aml: Aml, small: str) -> dict[str, Any]:
    return aml.job(small)


def search_of(job: dict[str, Any]) -> dict[str, Any]:
    (found,) = [child for child in job["children"] if child["type"] == "automl"]
    assert isinstance(found, dict)
    return found


def test_the_best_model_is_judged_and_registered(aml: Aml, ran: dict[str, Any]) -> None:
    assert ran["status"] == "Completed"
    assert (Path(ran["outputs"]["model"]["path"]) / "MLmodel").is_file()
    assert metrics_of(ran, "evaluate")["auc"] >= 0.8
    (model,) = [each for each in aml.json("model", "list") if each["name"] == "small"]
    assert model["aliases"] == ["champion"]


def test_trials_are_told_of(aml: Aml, ran: dict[str, Any]) -> None:
    search = search_of(ran)
    trials = search["children"]
    tried = {trial["trial"]["algorithm"] for trial in trials if trial["status"] == "Completed"}
    assert {"LogisticRegression", "LightGBM"} <= tried
    (best,) = [trial for trial in trials if trial["trial"]["is_best"]]
    assert search["automl"]["best_trial"] == best["name"]
    assert 0.8 <= best["trial"]["value"] <= 1.0
    assert search["metrics"]["AUC_weighted"] == best["trial"]["value"]
    assert search["automl"]["reason"]
    assert search["automl"]["guardrails"]
    outputs = Path(search["outputs"]["default"]["path"]) / "outputs"
    assert {path.name for path in outputs.iterdir()} >= {
        "featurization.json",
        "guardrails.json",
        "leaderboard.json",
    }
    assert aml.json("job", "show", "-n", search["name"])["automl"] == search["automl"]


def test_an_unchanged_search_is_reused(aml: Aml, small: str, ran: dict[str, Any]) -> None:
    assert reused(aml.job(small)) == ["best", "evaluate", "gate", "register"]


def test_a_column_that_is_not_there_is_told(aml: Aml, small: str) -> None:
    given = ("--set", "jobs.best.target_column_name=incom")
    job = aml.job(small, *given, code=1)
    search = search_of(job)
    assert search["status"] == "Failed"
    assert re.search(r"'?incom'?\b", search["error"])
    assert "Traceback" not in search["error"]
