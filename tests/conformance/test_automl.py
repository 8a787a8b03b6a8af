"""A public AutoML job that nobody of this project wrote: it ends as a correct run of it must."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conformance.test_azureml_examples import run
from tests.e2e.driver import Aml

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(1800)]

NAME = "cli-automl-regression-task-hardware-perf"
#: Those that the file allows, and what they may be put together to.
ALLOWED = {"LightGBM", "XGBoostRegressor"}
ENSEMBLES = {"VotingEnsemble", "StackEnsemble"}


def test_hardware_performance(aml: Aml, examples: Path) -> None:
    job = run(aml, examples, f"automl-standalone-jobs/{NAME}/{NAME}.yml")
    trials = [trial for trial in job["children"] if trial["trial"]["algorithm"] not in ENSEMBLES]
    assert 0 < len(trials) <= 10
    assert {trial["trial"]["algorithm"] for trial in trials} == ALLOWED
    scores = [trial["metrics"]["r2_score"] for trial in trials if trial["status"] == "Completed"]
    assert scores
    assert max(scores) > 0.8
    (best,) = [trial for trial in job["children"] if trial["trial"]["is_best"]]
    assert job["automl"]["best_trial"] == best["name"]
    assert job["automl"]["validation"]["folds"] == 5
    assert (Path(job["outputs"]["best_model"]["path"]) / "MLmodel").is_file()
