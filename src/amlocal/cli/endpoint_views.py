"""What endpoints and deployments look like: as data with Azure's field names, and for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from amlocal.cli import text
from amlocal.cli.output import plain, render_table
from amlocal.cli.session import View
from amlocal.cli.summary import facts_lines, section
from amlocal.cli.terminal import Terminal
from amlocal.plan import (
    BatchDeploymentInfo,
    BatchEndpointInfo,
    EndpointCredentials,
    JobStatus,
    OnlineDeploymentInfo,
    OnlineEndpointInfo,
)
from amlocal.plan.endpoint_info import FAILED, SUCCEEDED

#: What people read instead of Azure's names.
_SHORT = {
    "Provisioning_state": "Status",
    "Auth_mode": "Auth",
    "Mirror_traffic": "Mirror",
    "Creation_time": "Created",
}
_NO_DEPLOYMENT = "none yet; aml {noun}-deployment create -f FILE -e {name} makes one"


def online_endpoint_view(
    endpoint: OnlineEndpointInfo, deployments: Callable[[], Sequence[OnlineDeploymentInfo]]
) -> View:
    """Return an online endpoint; its deployments are asked for where people read."""
    return View(
        plain(endpoint),
        [_online_endpoint_row(endpoint)],
        lambda terminal: _online_endpoint(endpoint, deployments(), terminal),
    )


def online_endpoints_view(endpoints: Sequence[OnlineEndpointInfo]) -> View:
    """Return a list of online endpoints."""
    nothing = "no online endpoints; aml online-endpoint create -f FILE makes one\n"
    return _list(plain(endpoints), [_online_endpoint_row(each) for each in endpoints], nothing)


def _online_endpoint_row(endpoint: OnlineEndpointInfo) -> dict[str, str]:
    return {
        "Name": endpoint.name,
        "Provisioning_state": endpoint.provisioning_state,
        "Auth_mode": endpoint.auth_mode,
        "Traffic": _shares(endpoint.traffic),
        "Mirror_traffic": _shares(endpoint.mirror_traffic),
        "Scoring_uri": endpoint.scoring_uri,
        "Creation_time": text.moment(endpoint.creation_time),
    }


def _online_endpoint(
    endpoint: OnlineEndpointInfo, deployments: Sequence[OnlineDeploymentInfo], terminal: Terminal
) -> str:
    facts = {
        "scoring": endpoint.scoring_uri or "down",
        "openapi": endpoint.openapi_uri,
        "auth": endpoint.auth_mode,
        "description": endpoint.description,
        "created": _created(endpoint.creation_time),
        "error": endpoint.error,
    }
    rows = [
        {
            **_deployment_row(each),
            "Traffic": _share(endpoint.traffic, each.name),
            "Mirror": _share(endpoint.mirror_traffic, each.name),
        }
        for each in deployments
    ]
    none = [f"  {_NO_DEPLOYMENT.format(noun='online', name=endpoint.name)}"]
    commands = {
        "keys": f"aml online-endpoint get-credentials -n {endpoint.name}",
        "try it": f"aml online-endpoint invoke -n {endpoint.name} -r REQUEST.json",
    }
    return _lines(
        [_headline(endpoint.provisioning_state, endpoint.name, terminal)],
        facts_lines(facts),
        section("deployments", _indented(rows, terminal) or none, terminal),
        section("tags", facts_lines(endpoint.tags), terminal),
        section("look", facts_lines(commands), terminal),
    )


def online_deployment_view(deployment: OnlineDeploymentInfo) -> View:
    """Return an online deployment."""
    return View(
        plain(deployment),
        [_online_deployment_row(deployment)],
        lambda terminal: _online_deployment(deployment, terminal),
    )


def online_deployments_view(deployments: Sequence[OnlineDeploymentInfo], endpoint: str) -> View:
    """Return the deployments of an online endpoint."""
    nothing = f"{_NO_DEPLOYMENT.format(noun='online', name=endpoint)}\n"
    rows = [_online_deployment_row(each) for each in deployments]
    return _list(plain(deployments), rows, nothing)


def _deployment_row(deployment: OnlineDeploymentInfo) -> dict[str, str]:
    return {
        "Name": deployment.name,
        "Provisioning_state": deployment.provisioning_state,
        "Ready": f"{deployment.ready_instances} of {deployment.instance_count}",
        "Model": deployment.model,
    }


def _online_deployment_row(deployment: OnlineDeploymentInfo) -> dict[str, str]:
    return {
        **_deployment_row(deployment),
        "Environment": deployment.environment,
        "Creation_time": text.moment(deployment.creation_time),
    }


def _online_deployment(deployment: OnlineDeploymentInfo, terminal: Terminal) -> str:
    instances = text.plural(deployment.instance_count, "instance")
    facts = {
        "endpoint": deployment.endpoint_name,
        "ready": f"{deployment.ready_instances} of {instances}",
        "model": deployment.model,
        "environment": deployment.environment,
        "instance type": deployment.instance_type,
        "description": deployment.description,
        "created": _created(deployment.creation_time),
    }
    flags = f"-n {deployment.name} -e {deployment.endpoint_name}"
    invoke = f"-n {deployment.endpoint_name} -d {deployment.name} -r REQUEST.json"
    commands = {
        "logs": f"aml online-deployment get-logs {flags}",
        "try it": f"aml online-endpoint invoke {invoke}",
    }
    return _lines(
        [_headline(deployment.provisioning_state, deployment.name, terminal)],
        facts_lines(facts),
        _error(deployment.error, terminal),
        section("tags", facts_lines(deployment.tags), terminal),
        section("look", facts_lines(commands), terminal),
    )


def credentials_view(credentials: EndpointCredentials) -> View:
    """Return keys or a token under az's names."""
    if credentials.access_token:
        data: dict[str, Any] = {
            "accessToken": credentials.access_token,
            "expiryTimeUtc": credentials.expiry_time_utc,
            "refreshAfterTimeUtc": credentials.refresh_after_time_utc,
            "tokenType": "Bearer",
        }
        told = {"access token": credentials.access_token}
        if credentials.expiry_time_utc:
            until = datetime.fromtimestamp(credentials.expiry_time_utc, tz=timezone.utc)
            told["holds until"] = f"{until:%Y-%m-%d %H:%M:%S} UTC"
    else:
        data = {
            "primaryKey": credentials.primary_key,
            "secondaryKey": credentials.secondary_key,
        }
        told = {"primary key": credentials.primary_key, "secondary key": credentials.secondary_key}
    row = {name[:1].upper() + name[1:]: str(value) for name, value in data.items()}
    return View(data, [row], lambda _: _lines(facts_lines(told)))


def batch_endpoint_view(endpoint: BatchEndpointInfo) -> View:
    """Return a batch endpoint."""
    return View(
        batch_endpoint_data(endpoint),
        [_batch_endpoint_row(endpoint)],
        lambda terminal: _batch_endpoint(endpoint, terminal),
    )


def batch_endpoints_view(endpoints: Sequence[BatchEndpointInfo]) -> View:
    """Return a list of batch endpoints."""
    nothing = "no batch endpoints; aml batch-endpoint create -f FILE makes one\n"
    data = [batch_endpoint_data(endpoint) for endpoint in endpoints]
    return _list(data, [_batch_endpoint_row(each) for each in endpoints], nothing)


def batch_endpoint_data(endpoint: BatchEndpointInfo) -> dict[str, Any]:
    """Return a batch endpoint as JSON values, with `defaults` as Azure nests it."""
    data: dict[str, Any] = plain(endpoint)
    name = data.pop("default_deployment")
    return {**data, "defaults": {"deployment_name": name} if name else {}}


def _batch_endpoint_row(endpoint: BatchEndpointInfo) -> dict[str, str]:
    return {
        "Name": endpoint.name,
        "Provisioning_state": endpoint.provisioning_state,
        "Default": endpoint.default_deployment,
        "Deployments": ", ".join(endpoint.deployments),
        "Creation_time": text.moment(endpoint.creation_time),
    }


def _batch_endpoint(endpoint: BatchEndpointInfo, terminal: Terminal) -> str:
    others = [name for name in endpoint.deployments if name != endpoint.default_deployment]
    names = [f"{endpoint.default_deployment} (default)"] if endpoint.default_deployment else []
    facts = {
        "deployments": ", ".join([*names, *others])
        or _NO_DEPLOYMENT.format(noun="batch", name=endpoint.name),
        "description": endpoint.description,
        "created": _created(endpoint.creation_time),
    }
    commands = {
        "score": f"aml batch-endpoint invoke -n {endpoint.name} --input DATA",
        "jobs": f"aml batch-endpoint list-jobs -n {endpoint.name}",
    }
    return _lines(
        [_headline(endpoint.provisioning_state, endpoint.name, terminal)],
        facts_lines(facts),
        section("tags", facts_lines(endpoint.tags), terminal),
        section("look", facts_lines(commands), terminal),
    )


def batch_deployment_view(deployment: BatchDeploymentInfo) -> View:
    """Return a batch deployment."""
    return View(
        plain(deployment),
        [_batch_deployment_row(deployment)],
        lambda terminal: _batch_deployment(deployment, terminal),
    )


def batch_deployments_view(deployments: Sequence[BatchDeploymentInfo], endpoint: str) -> View:
    """Return the deployments of a batch endpoint."""
    nothing = f"{_NO_DEPLOYMENT.format(noun='batch', name=endpoint)}\n"
    rows = [_batch_deployment_row(each) for each in deployments]
    return _list(plain(deployments), rows, nothing)


def _batch_deployment_row(deployment: BatchDeploymentInfo) -> dict[str, str]:
    return {
        "Name": deployment.name,
        "Provisioning_state": deployment.provisioning_state,
        "Type": deployment.type,
        "Model": deployment.model,
        "Creation_time": text.moment(deployment.creation_time),
    }


def _batch_deployment(deployment: BatchDeploymentInfo, terminal: Terminal) -> str:
    facts = {
        "endpoint": deployment.endpoint_name,
        "type": deployment.type,
        "model": deployment.model,
        "description": deployment.description,
        "created": _created(deployment.creation_time),
    }
    flags = f"-n {deployment.endpoint_name} -d {deployment.name}"
    jobs = f"-n {deployment.name} -e {deployment.endpoint_name}"
    commands = {
        "score": f"aml batch-endpoint invoke {flags} --input DATA",
        "jobs": f"aml batch-deployment list-jobs {jobs}",
    }
    return _lines(
        [_headline(deployment.provisioning_state, deployment.name, terminal)],
        facts_lines(facts),
        section("tags", facts_lines(deployment.tags), terminal),
        section("look", facts_lines(commands), terminal),
    )


def _headline(state: str, name: str, terminal: Terminal) -> str:
    status = {SUCCEEDED: JobStatus.COMPLETED, FAILED: JobStatus.FAILED}.get(state)
    mark, colour = terminal.marks.of(status or JobStatus.RUNNING)
    return f"{terminal.style(f'{mark} {state}', colour)}  {terminal.style(name, 'bold')}"


def _error(error: str, terminal: Terminal) -> list[str]:
    """Return why a deployment failed; the log's last lines follow the reason."""
    reason, *rest = error.splitlines() or [""]
    if not reason:
        return []
    return ["", terminal.style(text.clean(reason), "red"), *(f"  {text.clean(x)}" for x in rest)]


def _list(data: Any, rows: Sequence[Mapping[str, str]], nothing: str) -> View:
    """Return a list; for people under shorter names, and without columns that are empty."""
    return View(data, rows, lambda terminal: render_table(_short(rows), terminal) or nothing)


def _short(rows: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    headers = [key for key in rows[0] if any(row[key] for row in rows)] if rows else []
    return [{_SHORT.get(key, key): row[key] for key in headers} for row in rows]


def _indented(rows: Sequence[Mapping[str, str]], terminal: Terminal) -> list[str]:
    """Return a table two columns to the right."""
    shown = _short(rows)
    width = terminal.width - 2 if terminal.is_terminal else None
    table = text.table(shown, width=width, ellipsis=terminal.marks.ellipsis) if shown else ""
    return [f"  {line}" for line in table.splitlines()]


def _share(traffic: Mapping[str, int], name: str) -> str:
    return f"{traffic[name]} %" if traffic.get(name) else ""


def _shares(traffic: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {share} %" for name, share in traffic.items())


def _created(time: str) -> str:
    return f"{text.moment(time)} UTC" if time else ""


def _lines(*parts: Sequence[str]) -> str:
    return "".join(f"{line}\n" for part in parts for line in part)
