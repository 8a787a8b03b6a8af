"""Turns the SDK's endpoints and deployments into the mappings that a YAML file holds."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amlocal.spec import build
from amlocal.spec.convert import asset_mapping, environment_mapping
from amlocal.spec.entities import picked, plain

_REQUESTS = ("request_timeout_ms", "max_concurrent_requests_per_instance", "max_queue_wait_ms")
_PROBE = ("initial_delay", "period", "timeout", "success_threshold", "failure_threshold")
_BATCH = (
    "mini_batch_size",
    "instance_count",
    "max_concurrency_per_instance",
    "error_threshold",
    "output_action",
    "output_file_name",
    "logging_level",
)


def online_endpoint_mapping(endpoint: Any, _folder: Path) -> dict[str, Any]:
    """Return an `OnlineEndpoint` as its YAML fields."""
    fields = {
        **_described(endpoint),
        "auth_mode": endpoint.auth_mode,
        "location": endpoint.location,
        "identity": picked(endpoint.identity, ("type",)),
        "traffic": plain(endpoint.traffic),
        "mirror_traffic": plain(endpoint.mirror_traffic),
        "public_network_access": getattr(endpoint, "public_network_access", None),
        "compute": getattr(endpoint, "compute", None),
    }
    return _said(fields)


def batch_endpoint_mapping(endpoint: Any, _folder: Path) -> dict[str, Any]:
    """Return a `BatchEndpoint` as its YAML fields."""
    defaults = endpoint.defaults
    # A dict as it was given, or the REST model, which is a mapping by Azure's names.
    said = (
        dict(defaults) if isinstance(defaults, Mapping) else picked(defaults, ("deployment_name",))
    )
    name = said.get("deployment_name", said.get("deploymentName"))
    fields = {
        **_described(endpoint),
        "auth_mode": endpoint.auth_mode,
        "location": endpoint.location,
        "defaults": {"deployment_name": name} if name else None,
    }
    return _said(fields)


def online_deployment_mapping(deployment: Any, folder: Path) -> dict[str, Any]:
    """Return a `ManagedOnlineDeployment` or `KubernetesOnlineDeployment` as its YAML fields."""
    fields = {
        **_served(deployment, folder),
        "type": deployment.type if str(deployment.type).lower() == "kubernetes" else None,
        "environment_variables": dict(deployment.environment_variables or {}),
        "app_insights_enabled": deployment.app_insights_enabled or None,
        "instance_count": deployment.instance_count,
        "instance_type": deployment.instance_type,
        "model_mount_path": deployment.model_mount_path,
        "scale_settings": picked(deployment.scale_settings, ("type",)),
        "request_settings": picked(deployment.request_settings, _REQUESTS),
        "liveness_probe": picked(deployment.liveness_probe, _PROBE),
        "readiness_probe": picked(deployment.readiness_probe, _PROBE),
        "data_collector": _collector(deployment.data_collector),
        "egress_public_network_access": getattr(deployment, "egress_public_network_access", None),
        "private_network_connection": getattr(deployment, "private_network_connection", None),
    }
    return _said(fields)


def model_batch_mapping(deployment: Any, folder: Path) -> dict[str, Any]:
    """Return a `ModelBatchDeployment` or a plain `BatchDeployment` as the former's YAML fields."""
    # The attribute of both; only `ModelBatchDeployment` has the property `settings`.
    settings = deployment._settings  # noqa: SLF001
    said = picked(settings, _BATCH)
    resources = picked(deployment.resources, ("instance_count",))
    if resources:
        said.pop("instance_count", None)  # the SDK has made the resources of it
    said["retry_settings"] = picked(settings.retry_settings, ("max_retries", "timeout"))
    said["environment_variables"] = dict(settings.environment_variables or {})
    fields = {
        **_served(deployment, folder),
        "type": "model",
        "compute": deployment.compute,
        "resources": resources,
        "settings": _said(said),
    }
    return _said(fields)


def batch_deployment_mapping(deployment: Any, folder: Path) -> dict[str, Any]:
    """Return a batch deployment as its YAML fields; that of a pipeline holds the SDK's own."""
    if not hasattr(deployment, "job_definition"):
        return model_batch_mapping(deployment, folder)
    described = _described(deployment)
    fields = {
        **{name: described[name] for name in ("name", "description", "tags")},
        "endpoint_name": deployment.endpoint_name,
        "type": "pipeline",
        "component": _reference(deployment.component),
        "job_definition": _reference(deployment.job_definition),
        "settings": plain(deployment.settings or {}),
    }
    return _said(fields)


def _reference(value: Any) -> Any:
    if isinstance(value, str) and not value.startswith("azureml:"):
        return f"azureml:{value}"
    return value


def _described(entity: Any) -> dict[str, Any]:
    return {
        "name": entity.name,
        "description": entity.description,
        "tags": dict(entity.tags or {}),
        "properties": dict(entity.properties or {}),
    }


def _served(deployment: Any, folder: Path) -> dict[str, Any]:
    """Return what every deployment of a model says."""
    return {
        **_described(deployment),
        "endpoint_name": deployment.endpoint_name,
        "model": _model(deployment.model, folder),
        "code_configuration": _code(deployment.code_configuration, folder),
        "environment": environment_mapping(deployment.environment, folder),
    }


def _model(model: Any, folder: Path) -> Any:
    if model is None:
        return None
    if isinstance(model, str):
        return _reference(model)
    found = _said(asset_mapping(model))
    if model._is_anonymous:  # noqa: SLF001 - its name is a digest that the SDK has made up
        found.pop("name", None)
        found.pop("version", None)
    if isinstance(found.get("path"), str):
        found["path"] = build.local_path(found["path"], folder)
    return found


def _code(configuration: Any, folder: Path) -> dict[str, Any]:
    if configuration is None:
        return {}
    code, script = configuration.code, configuration.scoring_script
    fields = {
        "code": None if code is None else build.local_path(os.fspath(code), folder),
        "scoring_script": None if script is None else os.fspath(script),
    }
    return _said(fields)


def _collector(collector: Any) -> dict[str, Any]:
    if collector is None:
        return {}
    fields = picked(collector, ("sampling_rate", "rolling_rate"))
    fields["collections"] = {
        name: _collection(found) for name, found in (collector.collections or {}).items()
    }
    fields["request_logging"] = picked(collector.request_logging, ("capture_headers",))
    return {name: value for name, value in fields.items() if value != {} or name == "collections"}


def _collection(collection: Any) -> dict[str, Any]:
    data = collection.data
    fields = {
        "enabled": None if collection.enabled is None else str(collection.enabled).lower(),
        "data": data if isinstance(data, str) else picked(data, ("name", "version", "path")),
        "client_id": collection.client_id,
    }
    return _said(fields)


def _said(fields: Mapping[str, Any]) -> dict[str, Any]:
    # By identity and type: comparing an object of the SDK with something else raises.
    return {
        name: value
        for name, value in fields.items()
        if value is not None and not (isinstance(value, dict) and not value)
    }
