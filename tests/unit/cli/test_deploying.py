"""The commands that serve what a job registered."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cli.fakes import command, pipeline, step, terminal

from amlocal.cli import deploying, summary
from amlocal.plan import JobInfo, JobStatus, OutputInfo, Tracking


def registering(*names: str, **fields: Any) -> JobInfo:
    """Return a step whose script registered models."""
    versions = [{"name": name, "version": "7", "source": "runs:/1/model"} for name in names]
    return step("register", tracking=Tracking(model={"registered": versions}), **fields)


def test_what_a_step_registered_is_served_under_its_own_name() -> None:
    job = pipeline(step("train"), registering("price-regression"))
    assert deploying.commands(job) == [
        "aml online-endpoint create -n price-regression",
        "aml online-deployment create -n blue -e price-regression --all-traffic"
        " --set model=azureml:price-regression:7 instance_type=Standard_DS3_v2",
    ]


def test_an_output_that_was_registered_is_served() -> None:
    outputs = {
        "model": OutputInfo(type="mlflow_model", path="/m", asset="adult:3"),
        "weights": OutputInfo(type="custom_model", path="/w", asset="weights:1"),
        "other": OutputInfo(type="mlflow_model", path="/o"),
    }
    assert deploying.registered_model(command(outputs=outputs)) == "adult:3"


def test_the_last_of_several_is_served() -> None:
    assert deploying.registered_model(pipeline(registering("first", "second"))) == "second:7"


def test_a_step_named_registered_is_no_registered_model() -> None:
    tracking = Tracking(model={"registered": {"outputs": {"model": "m"}}})
    assert deploying.commands(pipeline(step("registered"), tracking=tracking)) == []


@pytest.mark.parametrize(
    ("model", "endpoint"),
    [
        ("income_of.persons", "income-of-persons"),
        ("3-classes", "model-3-classes"),
        ("a" * 31 + "-b", "a" * 31),
    ],
)
def test_the_endpoints_name_is_one_that_azure_takes(model: str, endpoint: str) -> None:
    first, second = deploying.commands(pipeline(registering(model)))
    assert first == f"aml online-endpoint create -n {endpoint}"
    assert f"-e {endpoint} " in second
    assert f"model=azureml:{model}:7" in second


def test_the_end_of_a_job_shows_them_where_it_completed() -> None:
    job = pipeline(registering("adult"))
    text = summary.ended(job, terminal(NO_COLOR="1"))
    assert "deploy with\n  aml online-endpoint create -n adult\n  aml online-deployment" in text
    failed = pipeline(registering("adult"), status=JobStatus.FAILED)
    assert "deploy with" not in summary.ended(failed, terminal())
    assert "deploy with" not in summary.ended(pipeline(step("train")), terminal())
