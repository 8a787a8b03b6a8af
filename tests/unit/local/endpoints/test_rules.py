from __future__ import annotations

from typing import Any

import pytest

from amlocal.errors import NotFoundError, UsageError
from amlocal.local.endpoints.records import DeploymentRecord, EndpointRecord
from amlocal.local.endpoints.rules import (
    checked_name,
    merged,
    said_fields,
    wanted_endpoint,
    without_deployment,
)
from amlocal.local.endpoints.versions import DeploymentVersion
from amlocal.local.environments import EnvironmentChoice
from amlocal.plan import ModelSource, OnlineDeployment, OnlineEndpoint, RequestSettings

CHOICE = EnvironmentChoice("current", "env", "0" * 64, "3.11.7", "/usr/bin/python3")


def deployment(name: str, *, is_ready: bool = True) -> DeploymentRecord:
    plan = OnlineDeployment(name=name, endpoint_name="adult")
    version = DeploymentVersion(plan=plan, folder="", choice=CHOICE)
    return DeploymentRecord(
        endpoint="adult",
        name=name,
        revision=1,
        state="Succeeded" if is_ready else "Failed",
        created=0.0,
        version=version,
        served=version if is_ready else None,
    )


def endpoint(**fields: Any) -> OnlineEndpoint:
    return OnlineEndpoint(name="adult", **fields)


def record(**fields: Any) -> EndpointRecord:
    return EndpointRecord(endpoint(**{"traffic": {}, **fields}), 1, "Succeeded", 0.0)


BOTH = (deployment("blue"), deployment("green"))


def test_what_is_not_said_stays_as_it_is() -> None:
    old = record(
        traffic={"blue": 100}, mirror_traffic={"green": 5}, description="d", tags={"a": "1"}
    )
    wanted = wanted_endpoint(endpoint(tags={"b": "2"}), old, BOTH)
    assert wanted.traffic == {"blue": 100}
    assert wanted.mirror_traffic == {"green": 5}
    assert (wanted.description, wanted.tags) == ("d", {"a": "1", "b": "2"})
    wanted = wanted_endpoint(
        endpoint(traffic={"green": 100}, mirror_traffic={}, description="e"), old, BOTH
    )
    assert (wanted.traffic, wanted.mirror_traffic) == ({"green": 100}, {})
    assert wanted.description == "e"


@pytest.mark.parametrize(
    ("traffic", "mirror", "problem"),
    [
        ({"blue": 50}, {}, "sums up to 50 percent"),
        ({"blue": 60, "green": 60}, {}, "sums up to 120 percent"),
        ({"blue": 101, "green": -1}, {}, "is 101 percent"),
        ({"blue": 100}, {"green": 51}, "is 51 percent"),
        ({"blue": 100}, {"blue": 10}, "live and mirrored"),
        ({}, {"blue": 10, "green": 10}, "mirrored to 2 deployments"),
    ],
)
def test_traffic_follows_azures_rules(
    traffic: dict[str, int], mirror: dict[str, int], problem: str
) -> None:
    with pytest.raises(UsageError, match=problem):
        wanted_endpoint(endpoint(traffic=traffic, mirror_traffic=mirror), record(), BOTH)


@pytest.mark.parametrize(
    ("traffic", "mirror"),
    [({}, {}), ({"blue": 0}, {}), ({"blue": 90, "green": 10}, {}), ({"blue": 100}, {"green": 50})],
)
def test_traffic_that_is_right(traffic: dict[str, int], mirror: dict[str, int]) -> None:
    wanted = wanted_endpoint(endpoint(traffic=traffic, mirror_traffic=mirror), record(), BOTH)
    assert (wanted.traffic, wanted.mirror_traffic) == (traffic, mirror)


def test_traffic_goes_only_to_deployments_that_are_there_and_ready() -> None:
    with pytest.raises(UsageError, match="a new endpoint has no deployments"):
        wanted_endpoint(endpoint(traffic={"blue": 100}), None, ())
    with pytest.raises(NotFoundError, match="named 'blu'"):
        wanted_endpoint(endpoint(traffic={"blu": 100}), record(), BOTH)
    failed = (deployment("blue", is_ready=False),)
    for fields in ({"traffic": {"blue": 100}}, {"mirror_traffic": {"blue": 10}}):
        with pytest.raises(UsageError, match="'blue' is not ready"):
            wanted_endpoint(endpoint(**fields), record(), failed)
    assert wanted_endpoint(endpoint(traffic={"blue": 0}), record(), failed).traffic == {"blue": 0}


def test_how_callers_show_who_they_are_does_not_change() -> None:
    tokens = record(auth_mode="aml_token")
    assert wanted_endpoint(endpoint(), tokens, ()).auth_mode == "aml_token"
    with pytest.raises(UsageError, match="has auth_mode key, which does not change"):
        wanted_endpoint(endpoint(auth_mode="aml_token"), record(), ())


def test_a_deployment_with_traffic_is_not_deleted() -> None:
    busy = record(traffic={"blue": 100, "green": 0}, mirror_traffic={"green": 10})
    with pytest.raises(UsageError, match="has 100 percent of the traffic") as caught:
        without_deployment(busy, "blue")
    assert "--traffic blue=0" in caught.value.hint
    with pytest.raises(UsageError, match="10 percent of the mirrored traffic"):
        without_deployment(busy, "green")
    rest = without_deployment(record(traffic={"blue": 100, "green": 0}), "green")
    assert rest.traffic == {"blue": 100}


@pytest.mark.parametrize("name", ["a", "adult", "A-1", "x" * 32])
def test_names_that_azure_takes(name: str) -> None:
    assert checked_name("endpoint", name) == name


@pytest.mark.parametrize("name", ["", "1a", "a_b", "a.b", "../a", "-a", "a-", "x" * 33, "a/b"])
def test_names_that_azure_refuses(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name"):
        checked_name("endpoint", name)


OLD = OnlineDeployment(
    name="blue",
    endpoint_name="adult",
    model=ModelSource(reference="azureml:m:1"),
    code="/code",
    scoring_script="score.py",
    environment_variables={"A": "1", "B": "2"},
    instance_count=2,
    request_settings=RequestSettings(request_timeout_ms=9000, max_queue_wait_ms=100),
)


def test_settings_change_what_they_say_and_nothing_else() -> None:
    new = OnlineDeployment(
        name="blue",
        endpoint_name="adult",
        environment_variables={"B": "3"},
        request_settings=RequestSettings(request_timeout_ms=1000),
    )
    said = said_fields(
        [
            "instance_count=1",
            "environment_variables.B=3",
            "request_settings.request_timeout_ms=1000",
        ]
    )
    found = merged(new, OLD, said)
    assert found.instance_count == 1
    assert found.environment_variables == {"A": "1", "B": "3"}
    assert found.request_settings.request_timeout_ms == 1000
    assert found.request_settings.max_queue_wait_ms == 100
    assert (found.model, found.code) == (OLD.model, OLD.code)


def test_settings_name_fields_as_files_do() -> None:
    new = OnlineDeployment(name="blue", endpoint_name="adult", scoring_script="other.py")
    found = merged(new, OLD, said_fields(["code_configuration.scoring_script=other.py"]))
    assert (found.scoring_script, found.code) == ("other.py", "/code")
    with pytest.raises(UsageError, match="no field 'instance_cuont'"):
        merged(new, OLD, said_fields(["instance_cuont=1"]))
