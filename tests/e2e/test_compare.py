"""Models of several jobs compared, and one of them taken through the lifecycle."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from tests.e2e.driver import Aml, reused, short_lifecycle

pytestmark = pytest.mark.slow

SMALL = (
    "--set",
    "jobs.sweep.limits.max_total_trials=2",
    "jobs.sweep.inputs.cross_validation=2",
    "jobs.sweep.inputs.max_iter=30",
    "jobs.ebm.inputs.max_iter=20",
    "jobs.automl.limits.max_trials=2",
    "jobs.automl.training.allowed_training_algorithms=[LogisticRegression,LightGBM]",
    "jobs.automl.training.enable_model_explainability=false",
    "jobs.compare.inputs.resamples=500",
)


#: Rows of each table: what is tested is how models go from step to step, not how good they are.
ROWS = 3000


@pytest.fixture(scope="module")
def compared(aml: Aml) -> dict:
    tables = []
    for name, part in (("data", "train"), ("test_data", "test")):
        file = aml.project / f"data/small-{part}.parquet"
        pd.read_parquet(aml.project / f"data/adult-{part}.parquet").iloc[:ROWS].to_parquet(file)
        tables.append(f"inputs.{name}.path={file}")
    return aml.job("jobs/compare.yml", *SMALL, *tables, "-n", "models")


def test_the_recommended_model_is_registered(aml: Aml, compared: dict) -> None:
    assert compared["status"] == "Completed"
    report = Path(compared["outputs"]["comparison"]["path"]) / "comparison.json"
    found = json.loads(report.read_text())
    assert [each["name"] for each in found["models"]] == ["sweep", "automl", "ebm", "linear"]
    # A simple model may win only where it is not significantly worse.
    (chosen,) = [each for each in found["models"] if each["name"] == found["recommended"]]
    assert not chosen["is_significantly_worse"]
    (step,) = [child for child in compared["children"] if child["step"] == found["recommended"]]
    (given,) = [out for out in step["outputs"].values() if out["type"] == "mlflow_model"]
    taken = compared["outputs"]["model"]
    assert taken["digest"] == given["digest"]
    (model,) = aml.json("model", "list")
    assert model["aliases"] == ["champion"]


def test_jobs_are_compared_by_name(aml: Aml, compared: dict) -> None:
    found = aml.json(
        "job", "compare", "models_linear", "models_ebm", "--data", "data/small-test.parquet"
    )
    assert {each["name"] for each in found["models"]} == {"models_linear", "models_ebm"}
    assert aml.json("job", "show", "-n", found["job"])["status"] == "Completed"
    logged = aml.json("job", "compare", "models_evaluate")
    assert logged[0]["metrics"]["auc"] > 0.85


def test_the_lifecycle_takes_a_model_from_a_job(aml: Aml, compared: dict) -> None:
    place = "jobs.train.inputs.candidate"
    source = "azureml://datastores/workspaceblobstore/paths/azureml/models_linear/model/"
    settings = ("--set", f"{place}.type=mlflow_model", f"{place}.path={source}")
    short = short_lifecycle(aml.project)
    job = aml.job(short, *settings)
    assert job["status"] == "Completed"
    (linear,) = [child for child in compared["children"] if child["step"] == "linear"]
    assert job["outputs"]["model"]["digest"] == linear["outputs"]["model"]["digest"]
    assert len(reused(aml.job(short, *settings))) == len(job["children"])
