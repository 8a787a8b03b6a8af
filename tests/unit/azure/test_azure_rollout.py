"""What a rollout sends to Azure, and which figures it gets from there."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from amlocal.azure.changes import keep_unsaid
from amlocal.azure.client import AzureClient
from amlocal.plan import OnlineEndpointInfo
from amlocal.rollout import state as states
from amlocal.rollout.measurements import Monitoring
from amlocal.rollout.state import RolloutState, TrafficBefore

ENDPOINT = OnlineEndpointInfo(
    name="adult", traffic={"blue": 100}, deployments=("blue", "green"), tags={"team": "risk"}
)
STATE = RolloutState(to="green", state="running", stage=1, stages="9f86d0818884", owner="1a2b3c4d")


@pytest.mark.usefixtures("no_network")
def test_a_stage_is_one_request_with_its_traffic_and_its_state(client: AzureClient) -> None:
    before = TrafficBefore(traffic={"blue": 100}, mirror={})
    states.apply(client, ENDPOINT, {"blue": 90, "green": 10}, {}, STATE, before)
    (request,) = client.requests
    assert (request.method, request.path.split("?")[0].rpartition("/")[2]) == ("PUT", "adult")
    assert request.body["properties"]["traffic"] == {"blue": 90, "green": 10}
    tags = request.body["tags"]
    assert json.loads(tags[states.TAG])["stage"] == 1
    assert json.loads(tags[states.BEFORE_TAG])["traffic"] == {"blue": 100}
    # What Azure keeps is what the next look reads.
    assert states.read(OnlineEndpointInfo(name="adult", tags=tags)) == (STATE, before)


def test_a_setting_of_a_tag_leaves_the_others() -> None:
    existing = SimpleNamespace(
        tags={"team": "risk", "a": "1"},
        **dict.fromkeys(("description", "auth_mode", "traffic", "mirror_traffic", "identity")),
    )
    endpoint = SimpleNamespace(tags={"a": "2"}, description=None)
    keep_unsaid("online endpoint", endpoint, existing, None, ["tags.a=2"])
    assert endpoint.tags == {"team": "risk", "a": "2"}


@pytest.mark.usefixtures("no_network")
def test_azures_endpoints_are_monitored(client: AzureClient) -> None:
    assert isinstance(client.online_endpoints, Monitoring)
