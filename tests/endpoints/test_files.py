"""The demo's endpoint files, as both targets read them."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from amlocal.client import load_rollout
from amlocal.spec import load_online_deployment, load_online_endpoint

PROJECT = Path(__file__).parents[2]
ADULT = PROJECT / "endpoints/adult"

# The SDK's own use of marshmallow.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_blue_needs_no_code_and_keeps_no_sensitive_columns() -> None:
    assert load_online_endpoint(ADULT / "endpoint.yml").name == "adult"
    blue = load_online_deployment(ADULT / "blue.yml")
    assert (blue.endpoint_name, blue.code, blue.environment) == ("adult", None, None)
    assert blue.model is not None
    assert blue.model.reference == "azureml:income-classification@latest"
    assert blue.data_collector is not None
    assert blue.data_collector.redacted == ("race", "sex")


def test_another_model_needs_no_other_file() -> None:
    settings = ["model=azureml:price-regression:2"]
    found = load_online_deployment(ADULT / "blue.yml", overrides=settings, endpoint_name="price")
    assert found.model is not None
    assert (found.model.reference, found.endpoint_name) == ("azureml:price-regression:2", "price")


def test_the_commands_that_a_job_prints_say_all_that_a_deployment_needs() -> None:
    settings = ["model=azureml:adult:3", "instance_type=Standard_DS3_v2"]
    found = load_online_deployment(None, overrides=settings, name="blue", endpoint_name="adult")
    assert (found.name, found.instance_type) == ("blue", "Standard_DS3_v2")
    assert load_online_endpoint(None, name="adult").auth_mode == "key"


def test_the_rollout_goes_from_blue_to_green() -> None:
    policy = load_rollout(ADULT / "rollout.yml")
    green = load_online_deployment(policy.deployment_file)
    assert (policy.endpoint_name, policy.deployment_name) == (green.endpoint_name, green.name)
    assert green.code == str(ADULT / "scoring")


def test_the_request_is_of_real_rows_with_the_columns_that_the_lifecycle_learns_from() -> None:
    assert load_rollout(ADULT / "rollout.yml").probes is not None
    body = json.loads((ADULT / "request.json").read_text())["input_data"]
    rows = pd.DataFrame(body["data"], columns=body["columns"])
    table = pd.read_parquet(PROJECT / "data/adult-test.parquet")
    assert set(table.columns) - set(rows.columns) == {"income", "fnlwgt"}
    real = table[body["columns"]].astype(object).where(table.notna(), None)
    known = {tuple(row) for row in real.itertuples(index=False)}
    assert {tuple(row) for row in body["data"]} <= known
