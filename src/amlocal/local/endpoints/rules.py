"""What may be wanted of endpoints and deployments: pure.

The rules are those of Azure: of traffic `plan.traffic` says them; a deployment that has some is not
deleted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from amlocal.errors import UsageError, near_miss
from amlocal.local.endpoints.records import DeploymentRecord, EndpointRecord
from amlocal.plan import OnlineDeployment, OnlineEndpoint
from amlocal.plan.traffic import routing_problems, traffic_problems

#: Of endpoints and deployments: a letter, then letters, digits, and `-`, at most 32 characters.
_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?")


def checked_name(kind: str, name: str) -> str:
    """Return a name that Azure would take; raises UsageError."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the name of an {kind}",
            hint="a letter, then letters, digits, or -, at most 32 characters; the last is no -",
        )
    return name


def wanted_endpoint(
    new: OnlineEndpoint, old: EndpointRecord | None, deployments: Sequence[DeploymentRecord]
) -> OnlineEndpoint:
    """Return what is wanted of an endpoint; what the new plan does not say stays as it is.

    Args:
        new: What somebody asks for.
        old: What there is, or None.
        deployments: Its deployments.

    Raises:
        UsageError: Traffic breaks a rule.
    """
    wanted = new if old is None else _kept(new, old.plan)
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


def _kept(new: OnlineEndpoint, old: OnlineEndpoint) -> OnlineEndpoint:
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
        tags={**old.tags, **new.tags},
        properties={**old.properties, **new.properties},
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


#: Where a plan keeps what a file nests.
_PLAN_FIELDS = {
    "code_configuration.code": "code",
    "code_configuration.scoring_script": "scoring_script",
}


def said_fields(overrides: Sequence[str]) -> frozenset[str]:
    """Return the plan's fields, as `a` or `a.b`, that `a.b=c` settings give."""
    paths = (override.partition("=")[0].strip() for override in overrides)
    return frozenset(_PLAN_FIELDS.get(path, path) for path in paths)


def merged(new: OnlineDeployment, old: OnlineDeployment, said: frozenset[str]) -> OnlineDeployment:
    """Return a deployment whose fields are the old one's, but for those that are said.

    Args:
        new: What was read from settings alone.
        old: What there is.
        said: The fields, as `a` or `a.b`, that the settings give.
    """
    changes: dict[str, Any] = {}
    for path in sorted(said):
        field, _, inner = path.partition(".")
        if field not in OnlineDeployment.__struct_fields__:
            raise UsageError(
                f"a deployment has no field {field!r}",
                hint=near_miss(field, OnlineDeployment.__struct_fields__),
            )
        value, present = getattr(new, field), changes.get(field, getattr(old, field))
        changes[field] = _with_inner(present, value, inner) if inner else value
    return msgspec.structs.replace(old, **changes)


def _with_inner(present: Any, value: Any, inner: str) -> Any:
    """Return a dict or a value with one of its items, or fields, taken from another."""
    if isinstance(present, dict):
        return {**present, inner: value[inner]}
    if isinstance(present, msgspec.Struct) and inner in present.__struct_fields__:
        return msgspec.structs.replace(present, **{inner: getattr(value, inner)})
    return value
