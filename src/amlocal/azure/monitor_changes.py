"""Changes of a monitor that is in Azure, on what the service tells of it.

The SDK reads a monitor back with less than it sent (of `model_performance` it keeps neither
thresholds nor properties), so that sending its objects again, as its own `begin_enable` does, would
change the monitor.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from azure.core.exceptions import ResourceNotFoundError

from amlocal.azure.monitors import DataByContext, Found, named_deployment
from amlocal.azure.sdk import quiet
from amlocal.errors import UsageError
from amlocal.plan.monitor import COLLECTED, TRAINED_ON

with quiet():
    from azure.ai.ml.entities import Schedule

#: The setting that names the deployment of a monitor.
TARGET = "create_monitor.monitoring_target.endpoint_deployment_id"
_SENT = ("action", "description", "displayName", "isEnabled", "properties", "tags", "trigger")
_DATA = ("productionData", "referenceData")


class StoredMonitor:
    """A monitor's schedule as the service tells it.

    Args:
        schedules: `MLClient.schedules`.
        name: The schedule.
    """

    def __init__(self, schedules: Any, name: str) -> None:
        self._schedules = schedules
        self._name = name
        self._place = {
            "resource_group_name": schedules._resource_group_name,  # noqa: SLF001 - its own calls
            "workspace_name": schedules._workspace_name,  # noqa: SLF001
            "name": name,
            **schedules._kwargs,  # noqa: SLF001
        }
        told = schedules.service_client.get(**self._place).as_dict()
        self._workspace = str(told["id"]).partition("/schedules/")[0]
        self._properties = {key: told["properties"].get(key) for key in _SENT}

    def enable(self, *, enabled: bool) -> None:
        """Let it run, or not."""
        self._properties["isEnabled"] = enabled

    def take(self, schedule: Any) -> None:
        """Take over what settings have changed of the SDK's object of it."""
        trigger = schedule.trigger._to_rest_object().as_dict()  # noqa: SLF001
        self._properties |= {
            "displayName": schedule.display_name,
            "description": schedule.description,
            "tags": dict(schedule.tags or {}),
            "properties": dict(schedule.properties or {}),
            "trigger": json.loads(json.dumps(trigger)),
        }

    def look_at(self, reference: str, found: Found) -> None:
        """Let it look at another deployment, and at the data of that one.

        Args:
            reference: `azureml:ENDPOINT:DEPLOYMENT` or an ARM id.
            found: Finds the data of a deployment.
        """
        definition = self._properties["action"]["monitorDefinition"]
        target = definition.get("monitoringTarget") or {}
        before = target.get("deploymentId")
        endpoint, deployment = named_deployment(reference)
        now = found(endpoint, deployment)
        address = f"{self._workspace}/onlineEndpoints/{endpoint}/deployments/{deployment}"
        definition["monitoringTarget"] = {**target, "deploymentId": address}
        if not before:
            return
        old = _Before(*named_deployment(before), found)
        for data in _data(definition["signals"]):
            context = str(data.get("dataContext", "")).lower()
            if context in (*COLLECTED, *TRAINED_ON) and old.is_of(context, str(data["uri"])):
                given = now.of(context)
                data["uri"], data["jobInputType"] = self._address(given.path), given.type

    def _address(self, path: str) -> str:
        name, colon, version = path.removeprefix("azureml:").partition(":")
        if not colon or "/" in path:
            return path
        return f"{self._workspace}/data/{name}/versions/{version}"

    def begin_put(self) -> Any:
        """Send it, and return the SDK's poller."""
        return self._schedules.service_client.begin_create_or_update(
            **self._place,
            body={"properties": {k: v for k, v in self._properties.items() if v is not None}},
            cls=lambda _, told, __: Schedule._from_rest_object(told),  # noqa: SLF001
            polling=self._schedules._get_polling(self._name),  # noqa: SLF001
        )


class _Before:
    """The data of the deployment that a monitor has looked at, which may be gone."""

    def __init__(self, endpoint: str, deployment: str, found: Found) -> None:
        self._named = f"{endpoint}-{deployment}"
        try:
            self._data: DataByContext | None = found(endpoint, deployment)
        except ResourceNotFoundError:
            self._data = None

    def is_of(self, context: str, uri: str) -> bool:
        """Whether an address is the deployment's data of a context."""
        try:
            path = self._data.of(context).path if self._data is not None else ""
        except (UsageError, ResourceNotFoundError):
            path = ""
        # The name that Azure gives by default to what a deployment collects.
        collected = f"/data/{self._named}-{context}/versions/"
        return collected in uri or (bool(path) and _plain(uri) == _plain(path))


def _plain(path: str) -> str:
    """Return `NAME:VERSION` of an asset; another address as it is."""
    parts = path.removeprefix("azureml:").split("/")
    is_asset = "data" in parts[:-2] and parts[-2] == "versions"
    return f"{parts[-3]}:{parts[-1]}" if is_asset else path.removeprefix("azureml:").rstrip("/")


def _data(signals: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for signal in signals.values():
        for name in _DATA:
            said = signal.get(name)
            yield from said if isinstance(said, list) else [said] if said else []
        yield from (signal.get("inputAssets") or {}).values()
