"""What may be wanted of endpoints: pure.

The rules are those of Azure: of traffic `plan.traffic` says them; a deployment that has some is not
deleted.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from amlocal.errors import UsageError
from amlocal.local.endpoints.records import DeploymentRecord, EndpointRecord
from amlocal.plan import OnlineEndpoint
from amlocal.plan.endpoint_name import NAME_HINT, may_be_name
from amlocal.plan.source import kept
from amlocal.plan.traffic import routing_problems, traffic_problems


def check_name(kind: str, name: str) -> None:
    """Check that Azure would take a name, which becomes one of a folder; raises UsageError."""
    if not may_be_name(name):
        article = "an" if kind == "endpoint" else "a"
        message = f"{name!r} cannot be the name of {article} {kind}"
        raise UsageError(message, hint=NAME_HINT)


def wanted_endpoint(
    new: OnlineEndpoint,
    old: EndpointRecord | None,
    deployments: Sequence[DeploymentRecord],
    overrides: Sequence[str] = (),
) -> OnlineEndpoint:
    """Return what is wanted of an endpoint; what the new plan does not say stays as it is.

    Args:
        new: What somebody asks for.
        old: What there is, or None.
        deployments: Its deployments.
        overrides: The settings that the new plan was read with; null takes a tag away.

    Raises:
        UsageError: Traffic breaks a rule.
    """
    wanted = new if old is None else _kept(new, old.plan, overrides)
    problems = [
        *routing_problems(
            new.traffic,
            new.mirror_traffic,
            current=None if old is None else old.traffic,
            ready={record.name for record in deployments if record.is_ready},
        ),
        *traffic_problems(wanted.traffic, wanted.mirror_traffic),
    ]
    if problems:
        # One that is wrong by itself and for this endpoint is told once.
        hints = list(dict.fromkeys(problem.hint for problem in problems))
        raise UsageError(
            "; ".join(dict.fromkeys(problem.message for problem in problems)), hint="; ".join(hints)
        )
    return msgspec.structs.replace(
        wanted, traffic=wanted.traffic or {}, mirror_traffic=wanted.mirror_traffic or {}
    )


def _kept(new: OnlineEndpoint, old: OnlineEndpoint, overrides: Sequence[str]) -> OnlineEndpoint:
    """Return an endpoint whose unsaid fields are the old one's.

    A file that says nothing of `auth_mode` reads as `key`, so that one leaves what there is.
    """
    if new.auth_mode not in {"key", old.auth_mode}:
        raise UsageError(
            f"endpoint {old.name!r} has auth_mode {old.auth_mode}, which does not change",
            hint="delete the endpoint and create it anew",
        )
    return msgspec.structs.replace(
        new,
        auth_mode=old.auth_mode,
        traffic=old.traffic if new.traffic is None else new.traffic,
        mirror_traffic=old.mirror_traffic if new.mirror_traffic is None else new.mirror_traffic,
        description=new.description or old.description,
        tags=kept("tags", old.tags, new.tags, overrides),
        properties=kept("properties", old.properties, new.properties, overrides),
    )


def without_deployment(endpoint: EndpointRecord, name: str) -> OnlineEndpoint:
    """Return an endpoint without one of its deployments.

    Raises:
        UsageError: That one has traffic.
    """
    for field, percents in (
        ("traffic", endpoint.traffic),
        ("mirrored traffic", endpoint.mirror_traffic),
    ):
        if percents.get(name):
            raise UsageError(
                f"deployment {name!r} has {percents[name]} percent of the {field}",
                hint=f"first: aml online-endpoint update -n {endpoint.name} --traffic {name}=0",
            )
    return msgspec.structs.replace(
        endpoint.plan,
        traffic={key: n for key, n in endpoint.traffic.items() if key != name},
        mirror_traffic={key: n for key, n in endpoint.mirror_traffic.items() if key != name},
    )
