from __future__ import annotations

from typing import Any

import pytest

from amlocal.errors import UsageError
from amlocal.local.endpoints.records import DeploymentRecord, EndpointRecord
from amlocal.local.endpoints.rules import (
    check_name,
    wanted_endpoint,
    without_deployment,
)
from amlocal.local.endpoints.versions import DeploymentVersion
from amlocal.local.environments import EnvironmentChoice
from amlocal.plan import OnlineDeployment, OnlineEndpoint

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
    assert wanted_endpoint(endpoint(), old, BOTH, ["tags.a=null"]).tags == {}
    wanted = wanted_endpoint(
        endpoint(traffic={"green": 100}, mirror_traffic={}, description="e"), old, BOTH
    )
    assert (wanted.traffic, wanted.mirror_traffic) == ({"green": 100}, {})
    assert wanted.description == "e"


@pytest.mark.parametrize(
    ("traffic", "mirror", "problem"),
    [
        ({"blue": 50}, {}, "sums to 50 percent"),
        ({"blue": 60, "green": 60}, {}, "sums to 120 percent"),
        ({"blue": 101, "green": -1}, {}, "101 percent of the traffic is out of range"),
        ({"blue": 100}, {"green": 51}, "51 percent of the traffic cannot be mirrored"),
        ({"blue": 100}, {"blue": 10}, "'blue' takes live traffic"),
        ({}, {"blue": 10, "green": 10}, "mirrored to 'blue' and 'green' at once"),
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


def test_a_mirrored_deployment_gets_no_live_traffic_by_a_later_wish() -> None:
    old = record(traffic={"blue": 100}, mirror_traffic={"green": 5})
    with pytest.raises(UsageError, match="'green' takes live traffic"):
        wanted_endpoint(endpoint(traffic={"blue": 50, "green": 50}), old, BOTH)
    with pytest.raises(
        UsageError, match=r"^'blue' takes live traffic, and so no mirrored traffic$"
    ):
        wanted_endpoint(endpoint(mirror_traffic={"blue": 5}), old, BOTH)


def test_traffic_goes_only_to_deployments_that_are_there_and_ready() -> None:
    with pytest.raises(UsageError, match="cannot be given when the endpoint is created"):
        wanted_endpoint(endpoint(traffic={"blue": 100}), None, ())
    with pytest.raises(UsageError, match="no deployment named 'blu' is ready") as caught:
        wanted_endpoint(endpoint(traffic={"blu": 100}), record(), BOTH)
    assert caught.value.hint == "did you mean 'blue'?"
    failed = (deployment("blue", is_ready=False),)
    for fields in ({"traffic": {"blue": 100}}, {"mirror_traffic": {"blue": 10}}):
        with pytest.raises(UsageError, match="no deployment named 'blue' is ready"):
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


@pytest.mark.parametrize("name", ["adult", "A-1", "x" * 32])
def test_names_that_azure_takes(name: str) -> None:
    check_name("endpoint", name)


@pytest.mark.parametrize(
    "name", ["", "ab", "1ab", "a_b", "a.b", "../a", "-ab", "ab-", "x" * 33, "a/b", "abc\n"]
)
def test_names_that_azure_refuses(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name"):
        check_name("endpoint", name)
