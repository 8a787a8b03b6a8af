"""The SDK's endpoints and deployments as info values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from amlocal.azure.info import job_status, strings, time_text
from amlocal.plan import (
    BatchDeploymentInfo,
    BatchEndpointInfo,
    EndpointCredentials,
    JobInfo,
    OnlineDeploymentInfo,
    OnlineEndpointInfo,
)
from amlocal.plan.endpoint_info import SUCCEEDED

#: Path of an asset's version in a workspace or a registry.
_VERSION = re.compile(r"(?i)/(?:models|environments)/([^/]+)/(?:versions|labels)/([^/]+)/?$")
_PIPELINE = "PipelineComponent"


def online_endpoint_info(endpoint: Any, deployments: Sequence[str] = ()) -> OnlineEndpointInfo:
    """Return an online endpoint of the SDK as a value.

    Args:
        endpoint: The SDK's object; one that was got has every deployment in its traffic.
        deployments: Names of its deployments, where they are known otherwise.
    """
    properties = strings(endpoint.properties)
    traffic, mirrored = _shares(endpoint.traffic), _shares(endpoint.mirror_traffic)
    return OnlineEndpointInfo(
        name=str(endpoint.name),
        auth_mode=str(endpoint.auth_mode or "").lower(),
        provisioning_state=_state(endpoint),
        scoring_uri=str(endpoint.scoring_uri or ""),
        openapi_uri=str(endpoint.openapi_uri or ""),
        traffic=traffic,
        mirror_traffic=mirrored,
        deployments=tuple(deployments) or tuple(dict.fromkeys([*traffic, *mirrored])),
        description=endpoint.description or "",
        tags=strings(endpoint.tags),
        properties=properties,
        creation_time=properties.get("createdAt", ""),
    )


def online_deployment_info(deployment: Any, endpoint_name: str = "") -> OnlineDeploymentInfo:
    """Return an online deployment of the SDK as a value.

    Azure does not tell how many instances are ready: a deployment that Succeeded has all of them.

    Args:
        deployment: The SDK's object.
        endpoint_name: Its endpoint, where the object does not know.
    """
    state = _state(deployment)
    count = int(deployment.instance_count or 1)
    return OnlineDeploymentInfo(
        name=str(deployment.name),
        endpoint_name=str(deployment.endpoint_name or endpoint_name),
        provisioning_state=state,
        model=asset_name(deployment.model),
        environment=asset_name(deployment.environment),
        instance_count=count,
        ready_instances=count if state == SUCCEEDED else 0,
        instance_type=str(deployment.instance_type or ""),
        description=deployment.description or "",
        tags=strings(deployment.tags),
        properties=strings(deployment.properties),
        creation_time=_created(deployment),
    )


def batch_endpoint_info(endpoint: Any, deployments: Sequence[str] = ()) -> BatchEndpointInfo:
    """Return a batch endpoint of the SDK as a value.

    Args:
        endpoint: The SDK's object.
        deployments: Names of its deployments, which the object does not know.
    """
    return BatchEndpointInfo(
        name=str(endpoint.name),
        default_deployment=_default(endpoint.defaults),
        deployments=tuple(deployments),
        provisioning_state=_state(endpoint),
        auth_mode=str(endpoint.auth_mode or "aad_token"),
        description=endpoint.description or "",
        tags=strings(endpoint.tags),
        properties=strings(endpoint.properties),
    )


def batch_deployment_info(deployment: Any, endpoint_name: str = "") -> BatchDeploymentInfo:
    """Return a batch deployment of the SDK as a value; see `online_deployment_info`."""
    properties = strings(deployment.properties)
    kind = properties.get("deployment_configuration_type", "")
    is_pipeline = kind == _PIPELINE or getattr(deployment, "type", None) == "pipeline"
    return BatchDeploymentInfo(
        name=str(deployment.name),
        endpoint_name=str(deployment.endpoint_name or endpoint_name),
        type="pipeline" if is_pipeline else "model",
        model=asset_name(deployment.model),
        provisioning_state=_state(deployment),
        description=deployment.description or "",
        tags=strings(deployment.tags),
        properties=properties,
        creation_time=_created(deployment),
    )


def credentials_info(credentials: Any) -> EndpointCredentials:
    """Return keys or a token of the SDK as a value."""
    if hasattr(credentials, "primary_key"):
        return EndpointCredentials(
            primary_key=str(credentials.primary_key or ""),
            secondary_key=str(credentials.secondary_key or ""),
        )
    return EndpointCredentials(
        access_token=str(credentials.access_token or ""),
        expiry_time_utc=float(credentials.expiry_time_utc or 0),
        # A token of Entra ID has none.
        refresh_after_time_utc=float(getattr(credentials, "refresh_after_time_utc", None) or 0),
    )


def batch_job_info(job: Any, endpoint_name: str) -> JobInfo:
    """Return a job of a batch endpoint as a value: Azure tells its name and state, no more."""
    return JobInfo(
        name=str(job.name or ""),
        type="pipeline",
        status=job_status(job.status),
        experiment_name=endpoint_name,
    )


def asset_name(asset: Any) -> str:
    """Return `NAME:VERSION` of an asset, from its path in Azure or from an object."""
    if asset is None:
        return ""
    if not isinstance(asset, str):
        return f"{asset.name}:{asset.version}" if asset.name else str(asset.path or "")
    found = _VERSION.search(asset)
    return f"{found[1]}:{found[2]}" if found else asset.removeprefix("azureml:")


def _state(resource: Any) -> str:
    """Return the state's name; the SDK has an enumeration of texts, whose own text is another."""
    state = resource.provisioning_state
    return str(getattr(state, "value", state) or SUCCEEDED)


def _shares(traffic: Mapping[str, Any] | None) -> dict[str, int]:
    return {str(name): int(share) for name, share in (traffic or {}).items()}


def _default(defaults: Any) -> str:
    """Return the default deployment, from a file's mapping or from Azure's object."""
    if isinstance(defaults, Mapping):
        return str(defaults.get("deployment_name") or defaults.get("deploymentName") or "")
    return str(getattr(defaults, "deployment_name", None) or "")


def _created(deployment: Any) -> str:
    return time_text(getattr(getattr(deployment, "creation_context", None), "created_at", None))
