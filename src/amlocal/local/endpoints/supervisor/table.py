"""The table that a router follows: pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from amlocal.local.endpoints.keys import EndpointKeys
from amlocal.local.endpoints.records import EndpointRecord
from amlocal.local.endpoints.supervisor.collecting import collects_by_script
from amlocal.local.endpoints.versions import DeploymentVersion

#: Of a deployment: the version that serves, and the addresses of its instances by id.
Serving = tuple[DeploymentVersion, Mapping[str, str]]


def router_table(
    revision: int,
    endpoint: EndpointRecord,
    keys: EndpointKeys,
    serving: Mapping[str, Serving],
    collected: Path,
    script_key: str,
) -> dict[str, Any]:
    """Return the table of an endpoint's router.

    Args:
        revision: Later tables have higher ones.
        endpoint: The endpoint.
        keys: Its keys, of which only digests go out.
        serving: Its deployments that have ever been ready, by name; one whose instances are all
            being replaced has none, and requests wait for one.
        collected: The folder that collected data goes to.
        script_key: What instances send the rows with that their scripts collect.
    """
    return {
        "revision": revision,
        "endpoint": endpoint.name,
        "auth": {
            "mode": endpoint.plan.auth_mode,
            "digests": keys.digests(),
            "token_key": keys.token_key,
        },
        "traffic": {name: n for name, n in endpoint.traffic.items() if n},
        "mirror": {name: n for name, n in endpoint.mirror_traffic.items() if n},
        "deployments": {
            name: _deployment(version, instances, collected / name, script_key)
            for name, (version, instances) in sorted(serving.items())
        },
    }


def _deployment(
    version: DeploymentVersion, instances: Mapping[str, str], collected: Path, script_key: str
) -> dict[str, Any]:
    plan, settings = version.plan, version.plan.request_settings
    collector = None
    if plan.data_collector is not None:
        collector = {
            **_json(plan.data_collector),
            "folder": str(collected),
            "script_key": script_key if collects_by_script(version) else "",
        }
    return {
        "instances": [{"id": key, "address": place} for key, place in sorted(instances.items())],
        "path": version.container.scoring.path if version.container else "/score",
        "request_timeout_ms": settings.request_timeout_ms,
        "max_concurrent_requests_per_instance": settings.max_concurrent_requests_per_instance,
        "max_queue_wait_ms": settings.max_queue_wait_ms,
        "swagger": None if version.container else "/swagger.json",
        "model": version.model,
        "collector": collector,
    }


def _json(value: msgspec.Struct) -> dict[str, Any]:
    """Return a plan value as JSON has it, defaults among it."""
    return msgspec.structs.asdict(value) | {
        key: {name: msgspec.structs.asdict(each) for name, each in item.items()}
        for key, item in msgspec.structs.asdict(value).items()
        if isinstance(item, dict)
    }
