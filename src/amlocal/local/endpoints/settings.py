"""Settings alone change a deployment that is there: `update --set instance_count=2`.

Azure's client fetches what there is, changes it, and sends it whole. Here what there is becomes
settings too, which stand before those that are given, so that one reader checks them together; of
what it reads, only the fields that the given settings name are taken.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from amlocal.local.endpoints.versions import DeploymentVersion
from amlocal.plan import DataCollector, OnlineDeployment, ProbeSettings

#: What the plan makes of fields that it does not keep as the file nests them.
_PLAN_FIELDS = {
    "code_configuration": ("code", "scoring_script"),
    "tags": ("tags", "data_collector"),
}
_AS_THEY_ARE = ("instance_count", "description", "tags", "properties")
#: Azure asks for the size of a machine, which says nothing here.
_ANY_MACHINE = "Standard_DS3_v2"
#: Stands for the environment, which a file could not say so that the same is read of it; it is not
#: taken over.
_ANY_ENVIRONMENT = "azureml:any:1"


def said_fields(overrides: Sequence[str]) -> frozenset[str]:
    """Return the fields of the file, without what they nest, that `a.b=c` settings name."""
    paths = (override.partition("=")[0].strip() for override in overrides)
    return frozenset(path.partition(".")[0].partition("[")[0] for path in paths)


def known_plan(version: DeploymentVersion) -> OnlineDeployment:
    """Return the plan of a version, its code the version's copy."""
    return msgspec.structs.replace(
        version.plan, code=version.app or None, environment_variables=version.variables()
    )


def present_settings(version: DeploymentVersion) -> list[str]:
    """Return a version as `field=value` settings."""
    plan = known_plan(version)
    fields: dict[str, Any] = {
        **{name: getattr(plan, name) for name in _AS_THEY_ARE},
        "instance_type": plan.instance_type or _ANY_MACHINE,
        "environment_variables": plan.environment_variables,
        "request_settings": msgspec.to_builtins(msgspec.structs.asdict(plan.request_settings)),
        "liveness_probe": _probe(plan.liveness_probe),
        "readiness_probe": _probe(plan.readiness_probe),
        "data_collector": _collector(plan.data_collector),
    }
    if version.model_path:
        fields["model"] = {"path": version.model_path, "type": version.model_type}
    if plan.scoring_script is not None:
        fields["environment"] = _ANY_ENVIRONMENT
        fields["code_configuration"] = {"code": plan.code, "scoring_script": plan.scoring_script}
    # JSON is YAML, as which the values of settings are read.
    return [f"{name}={_text(value)}" for name, value in fields.items() if value not in ({}, "")]


def merged(new: OnlineDeployment, old: OnlineDeployment, said: frozenset[str]) -> OnlineDeployment:
    """Return a deployment whose fields are the old one's, but for those that settings name.

    Args:
        new: What was read from all settings together.
        old: What there is.
        said: The fields that the given settings name.
    """
    fields = {field for name in said for field in _PLAN_FIELDS.get(name, (name,))}
    known = fields & set(OnlineDeployment.__struct_fields__)
    return msgspec.structs.replace(old, **{field: getattr(new, field) for field in known})


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _probe(probe: ProbeSettings) -> dict[str, Any]:
    # Whole seconds as whole numbers, since Azure takes no others.
    return {
        name: int(value) if float(value).is_integer() else value
        for name, value in msgspec.structs.asdict(probe).items()
    }


def _collector(collector: DataCollector | None) -> dict[str, Any]:
    if collector is None:
        return {}
    collections: dict[str, Mapping[str, str]] = {}
    for name, found in collector.collections.items():
        data = {"data": f"azureml:{found.data}"} if found.data else {}
        collections[name] = {"enabled": str(found.enabled).lower(), **data}
    fields: dict[str, Any] = {
        "collections": collections,
        "sampling_rate": collector.sampling_rate,
        "rolling_rate": collector.rolling_rate,
    }
    if collector.capture_headers:
        fields["request_logging"] = {"capture_headers": list(collector.capture_headers)}
    return fields
