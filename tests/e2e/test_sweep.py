"""A sweep of the train component on real data, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.e2e.driver import Aml, metrics_of, reused

JOB = "jobs/sweep.yml"
SMALL = (
    "--set",
    "jobs.tune.limits.max_total_trials=2",
    "jobs.tune.search_space.max_iter.values=[10, 20]",
    "jobs.tune.inputs.cross_validation=2",
    "jobs.check_tuning.inputs.folds=2",
    "jobs.check_tuning.inputs.search_space='{max_iter: {type: choice, values: [10, 20]}}'",
)

pytestmark = pytest.mark.slow


def test_the_best_model_of_a_sweep_is_judged(aml: Aml) -> None:
    job = aml.job(JOB, *SMALL)
    assert job["status"] == "Completed"
    (tune,) = [child for child in job["children"] if child["step"] == "tune"]
    assert [trial["status"] for trial in tune["children"]] == ["Completed"] * 2
    found = [trial["metrics"]["cv_accuracy"] for trial in tune["children"]]
    assert tune["sweep"]["value"] == max(found)
    best = tune["children"][found.index(max(found))]
    assert tune["sweep"]["best_trial"] == best["name"]
    assert job["outputs"]["model"]["path"] == best["outputs"]["model"]["path"]
    assert (Path(job["outputs"]["model"]["path"]) / "MLmodel").is_file()
    assert metrics_of(job, "evaluate")["error_rate"] < 0.15
    tuning = json.loads((Path(job["outputs"]["tuning"]["path"]) / "tuning.json").read_text())
    assert tuning["hyperparameters"]["max_iter"] == tune["sweep"]["parameters"]["max_iter"]
    assert len(tuning["compared"]) == 2
    shown = aml.json("job", "show", "-n", tune["name"])
    assert shown["sweep"] == tune["sweep"]
    again = aml.job(JOB, *SMALL)
    assert reused(again) == ["tune", "check_tuning", "evaluate"]
