"""Changes of traffic at once: over to a deployment, and back to the traffic before a rollout."""

from __future__ import annotations

import secrets

import msgspec

from amlocal.endpoint_operations import EndpointClient
from amlocal.errors import UsageError
from amlocal.plan import OnlineEndpointInfo
from amlocal.rollout import state as states
from amlocal.rollout.start import ready_deployment
from amlocal.rollout.state import RolloutState, TrafficBefore


def switch(client: EndpointClient, endpoint_name: str, deployment_name: str) -> OnlineEndpointInfo:
    """Give a deployment all traffic once it is known to be ready.

    A rollout that runs is ended by it: its command sees that, and leaves the endpoint alone.

    Raises:
        NotFoundError: There is no such endpoint or deployment.
        UsageError: The deployment is not ready.
        TargetError: The endpoint cannot be changed.
    """
    endpoint = client.online_endpoints.get(endpoint_name)
    ready_deployment(client, endpoint, deployment_name)
    found = states.read(endpoint)
    before = TrafficBefore(traffic=dict(endpoint.traffic), mirror=dict(endpoint.mirror_traffic))
    stages = ""
    if found is not None and found[0].state == "running":
        before, stages = found[1], found[0].stages
    state = RolloutState(
        to=deployment_name,
        state="completed",
        stage=0,
        stages=stages,
        owner=secrets.token_hex(4),
    )
    return states.apply(client, endpoint, {deployment_name: 100}, {}, state, before)


def abort(client: EndpointClient, endpoint_name: str) -> OnlineEndpointInfo:
    """Return to the traffic before the rollout that runs, or that was interrupted.

    Raises:
        NotFoundError: There is no such endpoint.
        UsageError: No rollout runs.
        TargetError: The endpoint cannot be changed.
    """
    endpoint = client.online_endpoints.get(endpoint_name)
    found = states.read(endpoint)
    if found is None or found[0].state != "running":
        raise UsageError(
            f"no rollout of {endpoint_name!r} runs",
            hint=f"to go back to a deployment: --to NAME -e {endpoint_name}",
        )
    state, before = found
    ended = msgspec.structs.replace(state, state="returned", owner=secrets.token_hex(4))
    return states.apply(client, endpoint, before.traffic, before.mirror, ended, before)
