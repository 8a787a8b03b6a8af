"""How far a rollout is, kept in two tags of its endpoint.

The tags are set by the same request that sets the traffic, so that after a kill at any moment they
say what is so; they are there in Azure as here; and whoever looks at the endpoint, from whatever
machine, sees that it is being rolled out. A file in the workspace would be none of this. Azure cuts
a tag at 256 characters, hence two, and a digest in place of the policy's stages.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Literal

import msgspec

from amlocal.endpoint_operations import EndpointClient
from amlocal.plan import OnlineEndpointInfo, RolloutPolicy
from amlocal.plan.base import Value

#: Where a rollout is; `returned` also where it was left for something else.
Progress = Literal["running", "completed", "returned"]

#: No dots: `--set tags.NAME=` would part it there.
TAG = "amlocal_rollout"
BEFORE_TAG = "amlocal_rollout_before"


class RolloutState(Value, frozen=True):
    """How far a rollout is.

    Attributes:
        to: The new deployment.
        state: `running`; then `completed`, or `returned`.
        stage: The stage under way, counted from 0.
        stages: Digest of the policy's stages, which a resumed rollout must share.
        owner: The process that conducts it; one that is no longer it leaves the endpoint alone.
    """

    to: str
    state: Progress
    stage: int
    stages: str
    owner: str


class TrafficBefore(Value, frozen=True):
    """What the endpoint did before the rollout.

    Attributes:
        traffic: Percent of the requests by deployment.
        mirror: Percent of the requests that a deployment got a copy of.
    """

    traffic: dict[str, int]
    mirror: dict[str, int]


def digest_of_stages(policy: RolloutPolicy) -> str:
    """Return what tells a policy's stages from others; its rules may change on the way."""
    return hashlib.sha256(msgspec.json.encode(policy.stages)).hexdigest()[:12]


def read(endpoint: OnlineEndpointInfo) -> tuple[RolloutState, TrafficBefore] | None:
    """Return how far an endpoint's last rollout is, or None where it had none.

    Tags that someone has written over count as none.
    """
    try:
        return (
            RolloutState.from_json(endpoint.tags[TAG]),
            TrafficBefore.from_json(endpoint.tags[BEFORE_TAG]),
        )
    except (KeyError, msgspec.DecodeError):
        return None


def apply(
    client: EndpointClient,
    endpoint: OnlineEndpointInfo,
    traffic: Mapping[str, int],
    mirror: Mapping[str, int],
    state: RolloutState,
    before: TrafficBefore,
) -> OnlineEndpointInfo:
    """Bring an endpoint to a traffic and say so in its tags, in one request; waits for its end.

    Every deployment is named, also with 0: a share that is not named is kept, or taken away, by the
    target's own rules.

    Raises:
        TargetError: The target did not do its part.
    """
    overrides = [
        *_shares("traffic", set(endpoint.deployments), traffic),
        *_shares("mirror_traffic", {*endpoint.mirror_traffic} & {*endpoint.deployments}, mirror),
        f"tags.{TAG}={state.to_json().decode()}",
        f"tags.{BEFORE_TAG}={before.to_json().decode()}",
    ]
    operations = client.online_endpoints
    return operations.begin_create_or_update(None, overrides=overrides, name=endpoint.name).result()


def _shares(field: str, names: set[str], shares: Mapping[str, int]) -> list[str]:
    return [f"{field}.{name}={shares.get(name, 0)}" for name in sorted({*names, *shares})]


def shared(before: Mapping[str, int], deployment: str, percent: int) -> dict[str, int]:
    """Return the traffic with a share for one deployment, and the rest in its old proportions.

    Whole percents by largest remainders, so that they sum to 100.
    """
    old = {name: share for name, share in before.items() if share and name != deployment}
    rest, whole = 100 - percent, sum(old.values())
    exact = {name: share * rest / whole for name, share in old.items()}
    floors = {name: int(share) for name, share in exact.items()}
    left = rest - sum(floors.values())
    for name in sorted(exact, key=lambda it: (floors[it] - exact[it], it))[:left]:
        floors[name] += 1
    return {**floors, deployment: percent}
