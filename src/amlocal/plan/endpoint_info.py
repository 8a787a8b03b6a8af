"""What a workspace tells of its endpoints and deployments."""

from __future__ import annotations

from amlocal.plan.base import Value

#: `provisioning_state` of an endpoint or a deployment, by Azure's names.
CREATING, UPDATING, DELETING = "Creating", "Updating", "Deleting"
SUCCEEDED, FAILED = "Succeeded", "Failed"
#: States that nothing leaves by itself.
SETTLED = frozenset({SUCCEEDED, FAILED})


class OnlineEndpointInfo(Value, frozen=True):
    """An online endpoint.

    Attributes:
        name: Its name.
        auth_mode: `key`, `aml_token`, or `aad_token`.
        provisioning_state: One of Azure's states.
        scoring_uri: Where requests are posted to, or an empty string while it is down.
        openapi_uri: Where its OpenAPI document is.
        traffic: Percent of the requests by deployment.
        mirror_traffic: Percent of the requests that a deployment gets a copy of.
        deployments: Names of its deployments.
        error: Why it Failed, or an empty string.
        description: What it is for.
        tags: Free labels.
        properties: What the workspace keeps beside it.
        creation_time: When it was created, ISO 8601 in UTC.
        warnings: What of its file the target does not do in full; told where it was given.
    """

    name: str
    auth_mode: str = "key"
    provisioning_state: str = SUCCEEDED
    scoring_uri: str = ""
    openapi_uri: str = ""
    traffic: dict[str, int] = {}
    mirror_traffic: dict[str, int] = {}
    deployments: tuple[str, ...] = ()
    error: str = ""
    description: str = ""
    tags: dict[str, str] = {}
    properties: dict[str, str] = {}
    creation_time: str = ""
    warnings: tuple[str, ...] = ()


class OnlineDeploymentInfo(Value, frozen=True):
    """An online deployment.

    Attributes:
        name: Its name.
        endpoint_name: Its endpoint.
        provisioning_state: One of Azure's states.
        model: `NAME:VERSION` of what it serves, its path where it is not registered, or empty.
        environment: The environment that its instances run in.
        instance_count: How many instances it is to have.
        ready_instances: How many of them take requests.
        instance_type: The machine that Azure runs it on.
        error: Why it Failed, with the last lines of the log, or an empty string.
        warnings: What is done otherwise than in Azure, or is still to be done.
        description: What it is for.
        tags: Free labels.
        properties: What the workspace keeps beside it.
        creation_time: When it was created, ISO 8601 in UTC.
    """

    name: str
    endpoint_name: str
    provisioning_state: str = SUCCEEDED
    model: str = ""
    environment: str = ""
    instance_count: int = 1
    ready_instances: int = 0
    instance_type: str = ""
    error: str = ""
    warnings: tuple[str, ...] = ()
    description: str = ""
    tags: dict[str, str] = {}
    properties: dict[str, str] = {}
    creation_time: str = ""


class EndpointCredentials(Value, frozen=True):
    """What opens an endpoint: two keys, or a token.

    Attributes:
        primary_key: Of `key`; else an empty string.
        secondary_key: Of `key`; else an empty string.
        access_token: Of `aml_token` and `aad_token`; else an empty string.
        expiry_time_utc: Seconds since 1970 until which the token holds; 0 of keys.
        refresh_after_time_utc: Seconds since 1970 after which to ask for another; 0 of keys.
    """

    primary_key: str = ""
    secondary_key: str = ""
    access_token: str = ""
    expiry_time_utc: float = 0
    refresh_after_time_utc: float = 0


class Answer(Value, frozen=True):
    """What an endpoint answered.

    Attributes:
        status: The HTTP status.
        body: The body as text.
        headers: The headers, their names in lower case.
    """

    status: int
    body: str
    headers: dict[str, str] = {}


class DeploymentMetrics(Value, frozen=True):
    """What a deployment has done since it was first ready, as counts that only grow.

    Attributes:
        requests: Live requests by HTTP status, as text.
        mirrored: Mirrored requests by HTTP status, as text.
        latency: Live requests answered within each bound, by the bound in seconds (a cumulative
            histogram, as Prometheus keeps it; the bound of all is `+Inf`).
        mirrored_latency: The same of mirrored requests.
        agreed: Mirrored answers that were equal to the live ones.
        disagreed: Mirrored answers that were not.
    """

    requests: dict[str, int] = {}
    mirrored: dict[str, int] = {}
    latency: dict[str, int] = {}
    mirrored_latency: dict[str, int] = {}
    agreed: int = 0
    disagreed: int = 0


class MonitoredDeployment(Value, frozen=True):
    """What Azure Monitor has of a deployment's requests over some minutes.

    Attributes:
        requests: About how many there were by HTTP status, as text: what the rates of the minutes
            add up to.
        latency: Seconds at `p50`, `p90`, `p95`, and `p99`: the mean of the minutes' percentiles.
            One that no minute has is missing.
    """

    requests: dict[str, int] = {}
    latency: dict[str, float] = {}


class BatchEndpointInfo(Value, frozen=True):
    """A batch endpoint.

    Attributes:
        name: Its name.
        default_deployment: The deployment that `invoke` uses, or an empty string.
        deployments: Names of its deployments.
        provisioning_state: One of Azure's states.
        auth_mode: `aad_token`.
        description: What it is for.
        tags: Free labels.
        properties: What the workspace keeps beside it.
        creation_time: When it was created, ISO 8601 in UTC.
        warnings: What of its file the target does not do in full; told where it was given.
    """

    name: str
    default_deployment: str = ""
    deployments: tuple[str, ...] = ()
    provisioning_state: str = SUCCEEDED
    auth_mode: str = "aad_token"
    description: str = ""
    tags: dict[str, str] = {}
    properties: dict[str, str] = {}
    creation_time: str = ""
    warnings: tuple[str, ...] = ()


class BatchDeploymentInfo(Value, frozen=True):
    """A batch deployment.

    Attributes:
        name: Its name.
        endpoint_name: Its endpoint.
        type: `model` or `pipeline`.
        model: `NAME:VERSION` of what it scores with, its path where it is not registered, or empty.
        provisioning_state: One of Azure's states.
        description: What it is for.
        tags: Free labels.
        properties: What the workspace keeps beside it.
        creation_time: When it was created, ISO 8601 in UTC.
        warnings: What of its file the target does not do in full; told where it was given.
    """

    name: str
    endpoint_name: str
    type: str = "model"
    model: str = ""
    provisioning_state: str = SUCCEEDED
    description: str = ""
    tags: dict[str, str] = {}
    properties: dict[str, str] = {}
    creation_time: str = ""
    warnings: tuple[str, ...] = ()
