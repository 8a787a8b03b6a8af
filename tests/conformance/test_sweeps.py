"""Public sweeps that nobody of this project wrote: each ends as a correct run of it must."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.conformance.test_azureml_examples import child, place_of, run
from tests.e2e.driver import Aml

# The first job that needs an environment builds it, which can take minutes.
pytestmark = [pytest.mark.conformance, pytest.mark.timeout(1800)]


def values(sweep: dict[str, Any]) -> list[float]:
    return [trial["trial"]["value"] for trial in sweep["children"]]


def test_hello_sweep(aml: Aml, examples: Path) -> None:
    job = run(aml, examples, "basics/hello-sweep.yml")
    trials = job["children"]
    assert [trial["status"] for trial in trials] == ["Completed"] * 4
    for trial in trials:
        assert trial["params"]["A"] == "0.5"
        assert trial["params"]["B"] in {"hello", "world", "hello_world"}
        assert 0.1 <= float(trial["params"]["C"]) <= 1.0
        assert trial["metrics"] == {"random_metric": trial["trial"]["value"]}
    assert job["sweep"]["value"] == min(values(job))
    assert job["metrics"]["random_metric"] == min(values(job))
    assert most_at_once(trials) == 2


def most_at_once(trials: list[dict[str, Any]]) -> int:
    moments = [(trial["start_time"], 1) for trial in trials]
    moments += [(trial["end_time"], -1) for trial in trials]
    at_once, most = 0, 0
    for _, change in sorted(moments):
        at_once += change
        most = max(most, at_once)
    return most


def test_a_sweep_step_feeds_a_step(aml: Aml, examples: Path) -> None:
    folder = "pipelines-with-components/pipeline_with_hyperparameter_sweep"
    job = run(aml, examples, f"{folder}/pipeline.yml")
    sweep = child(job, "sweep_step")
    assert len(sweep["children"]) == 5
    assert all(0.97 <= value <= 1.0 for value in values(sweep))
    # The file minimises the F1 score.
    assert sweep["sweep"]["value"] == min(values(sweep))
    predicted = pd.read_csv(place_of(job, "predict_step:predict_result/predict_result.csv"))
    assert len(predicted) == 30


def test_lightgbm_on_iris(aml: Aml, examples: Path) -> None:
    job = run(aml, examples, "single-step/lightgbm/iris/job-sweep.yml")
    assert [trial["status"] for trial in job["children"]] == ["Completed"] * 20
    assert {trial["params"]["boosting"] for trial in job["children"]} == {"gbdt", "dart"}
    assert job["sweep"]["metric"] == "test-multi_logloss"
    assert job["sweep"]["value"] == min(values(job))
