"""What Azure Monitor tells of an online endpoint and its deployments.

A value a minute of each metric. Of `Microsoft.MachineLearningServices/workspaces/onlineEndpoints`:
`RequestsPerMinute` by `deployment` and `statusCode`. Of their `deployments`: `RequestsPerMinute` by
`envoy_response_code`, and the latency at four percentiles, in milliseconds, without dimensions.
https://learn.microsoft.com/azure/azure-monitor/reference/supported-metrics/microsoft-machinelearningservices-workspaces-onlineendpoints-metrics
https://learn.microsoft.com/azure/azure-monitor/reference/supported-metrics/microsoft-machinelearningservices-workspaces-onlineendpoints-deployments-metrics
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from statistics import fmean
from typing import Any

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.rest import HttpRequest

from amlocal.plan import MonitoredDeployment

_API_VERSION = "2023-10-01"
_REQUESTS = "RequestsPerMinute"
#: The dimensions of requests: of a deployment, and of an endpoint.
_CODE, _DEPLOYMENT, _STATUS = "envoy_response_code", "deployment", "statusCode"
_LATENCIES = {
    "p50": "RequestLatency_P50",
    "p90": "RequestLatency_P90",
    "p95": "RequestLatency_P95",
    "p99": "RequestLatency_P99",
}
_MILLISECOND = 0.001


def read_monitor(
    endpoints: Any, endpoint_name: str, deployment_name: str, since: datetime
) -> MonitoredDeployment:
    """Ask Azure Monitor for a deployment's metrics.

    Args:
        endpoints: The SDK's `online_endpoints`, whose credential and pipeline are used.
        endpoint_name: The endpoint.
        deployment_name: Its deployment.
        since: The time from which on, with a time zone.

    Raises:
        azure.core.exceptions.HttpResponseError: Azure Monitor did not answer with metrics.
    """
    deployment = f"{_resource(endpoints, endpoint_name)}/deployments/{deployment_name}"
    span = _span(since)
    # A filter holds for all metrics of a request, and those of latency have no dimensions.
    requests = _ask(endpoints, deployment, span, [_REQUESTS], {"$filter": f"{_CODE} eq '*'"})
    latencies = _ask(endpoints, deployment, span, list(_LATENCIES.values()), {})
    return MonitoredDeployment(
        requests=_counts(requests.get(_REQUESTS, []), _CODE),
        latency={
            quantile: mean * _MILLISECOND
            for quantile, metric in _LATENCIES.items()
            if (mean := _mean(latencies.get(metric, []))) is not None
        },
    )


def read_counts(endpoints: Any, endpoint_name: str, since: datetime) -> dict[str, dict[str, int]]:
    """Return the requests to an endpoint by deployment and by status; see `read_monitor`.

    Asked again with the same `since`, no count is less than before.
    """
    asked = {"$filter": f"{_DEPLOYMENT} eq '*' and {_STATUS} eq '*'"}
    resource = _resource(endpoints, endpoint_name)
    series = _ask(endpoints, resource, _span(since), [_REQUESTS], asked).get(_REQUESTS, [])
    names = {_dimensions(each).get(_DEPLOYMENT, "") for each in series}
    return {
        name: _counts([x for x in series if _dimensions(x).get(_DEPLOYMENT) == name], _STATUS)
        for name in sorted(names)
    }


def _resource(endpoints: Any, endpoint_name: str) -> str:
    scope = endpoints._operation_scope  # noqa: SLF001 - the SDK tells its names nowhere else
    return (
        f"/subscriptions/{scope.subscription_id}/resourceGroups/{scope.resource_group_name}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{scope.workspace_name}"
        f"/onlineEndpoints/{endpoint_name}"
    )


def _ask(
    endpoints: Any, resource: str, span: str, metrics: list[str], more: Mapping[str, str]
) -> dict[str, list[Mapping[str, Any]]]:
    """Return the time series of each metric."""
    operation = endpoints._online_operation  # noqa: SLF001 - signs requests as MLClient's own
    client, host = operation._client, operation._config.base_url  # noqa: SLF001
    request = HttpRequest(
        "GET",
        f"{host.rstrip('/')}{resource}/providers/Microsoft.Insights/metrics",
        params={
            "api-version": _API_VERSION,
            "metricnames": ",".join(metrics),
            "aggregation": "Average",
            "interval": "PT1M",
            "timespan": span,
            **more,
        },
    )
    response = client.send_request(request)
    if response.status_code == 404:
        raise ResourceNotFoundError(response=response)
    if response.status_code >= 400:
        raise HttpResponseError(response=response)
    return {each["name"]["value"]: each.get("timeseries", []) for each in response.json()["value"]}


def _dimensions(series: Mapping[str, Any]) -> dict[str, str]:
    """Return the dimensions of a series; Azure writes their names in lower case or not."""
    known = {name.lower(): name for name in (_CODE, _DEPLOYMENT, _STATUS)}
    pairs = [(item["name"]["value"], str(item["value"])) for item in series["metadatavalues"]]
    return {known.get(name.lower(), name): value for name, value in pairs}


def _counts(series: Iterable[Mapping[str, Any]], dimension: str) -> dict[str, int]:
    """Return the requests by status: what the minutes of each status add up to."""
    counts: defaultdict[str, float] = defaultdict(float)
    for each in series:
        counts[_dimensions(each).get(dimension, "")] += sum(_values(each))
    return {status: round(count) for status, count in sorted(counts.items()) if round(count)}


def _mean(series: Iterable[Mapping[str, Any]]) -> float | None:
    """Return the mean of the minutes that have a value; None where none has."""
    values = [value for each in series for value in _values(each)]
    return fmean(values) if values else None


def _values(series: Mapping[str, Any]) -> list[float]:
    return [point["average"] for point in series["data"] if point.get("average") is not None]


def _span(since: datetime) -> str:
    return f"{_time(since)}/{_time(datetime.now(timezone.utc))}"


def _time(time: datetime) -> str:
    return time.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
