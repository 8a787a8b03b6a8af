"""Online endpoints of an Azure ML workspace."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from amlocal.azure.endpoint_base import EndpointBase
from amlocal.azure.endpoint_info import credentials_info, online_endpoint_info
from amlocal.azure.jobs import Calls
from amlocal.azure.monitor import read_counts, read_monitor
from amlocal.azure.pollers import AzurePoller
from amlocal.azure.source import CheckEndpoint
from amlocal.errors import TargetError, UsageError
from amlocal.plan import (
    Answer,
    DeploymentMetrics,
    EndpointCredentials,
    MonitoredDeployment,
    OnlineEndpointInfo,
)


class AzureOnlineEndpointOperations(EndpointBase[OnlineEndpointInfo]):
    """Online endpoints, by the names of `endpoint_operations.OnlineEndpointOperations`."""

    def __init__(
        self,
        ml_client: Any,
        calls: Calls,
        *,
        check: CheckEndpoint | None = None,
        sends: bool = True,
    ) -> None:
        """Keep what the operations work with.

        Args:
            ml_client: An `MLClient`, or what behaves like one.
            calls: Surrounds each call of the SDK.
            check: Checks an endpoint before it is sent.
            sends: Whether there is a workspace to ask.
        """
        super().__init__(
            "online endpoint",
            ml_client.online_endpoints,
            online_endpoint_info,
            calls=calls,
            check=check,
            sends=sends,
        )
        self._counted_since: dict[str, datetime] = {}

    def invoke(
        self,
        endpoint_name: str,
        *,
        request_file: str | os.PathLike[str],
        deployment_name: str | None = None,
    ) -> Answer:
        """Post a file to an endpoint, or past its traffic rules to one of its deployments.

        The SDK's own `invoke` keeps nothing of the answer but the body of a success, and sends the
        deployment's name of one invocation with the next ones too. So the request is made here, of
        the same parts.

        Raises:
            UsageError: The file cannot be read.
            NotFoundError: There is no such endpoint.
        """
        content = _read(request_file)
        with self._calls(f"invoke online endpoint {endpoint_name!r}"):
            address = self._operations.get(endpoint_name).scoring_uri
            credentials = credentials_info(self._operations.get_keys(endpoint_name))
            opening = credentials.primary_key or credentials.access_token
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {opening}"}
            if deployment_name is not None:
                headers["azureml-model-deployment"] = deployment_name
            response = self._operations._requests_pipeline.post(  # noqa: SLF001 - the SDK's own
                address, content=content, headers=headers
            )
            return Answer(
                status=int(response.status_code),
                body=str(response.text()),
                headers={key.lower(): str(value) for key, value in response.headers.items()},
            )

    def get_keys(self, name: str) -> EndpointCredentials:
        """Return an endpoint's keys, or a token where its `auth_mode` has tokens."""
        self._need_workspace(f"the keys of online endpoint {name}")
        with self._calls(f"get the keys of online endpoint {name!r}"):
            return credentials_info(self._operations.get_keys(name))

    def begin_regenerate_keys(
        self, name: str, *, key_type: str = "primary"
    ) -> AzurePoller[EndpointCredentials]:
        """Make one of an endpoint's keys anew, `primary` or `secondary`; the other one holds.

        Raises:
            UsageError: The endpoint has no keys.
            TargetError: Azure did not do its part, or kept the key.
        """
        doing = f"regenerate a key of online endpoint {name!r}"
        with self._calls(doing):
            before = credentials_info(self._operations.get_keys(name))
            if not before.primary_key:
                raise UsageError(
                    f"online endpoint {name!r} has no keys",
                    hint="it is opened by tokens, which end by themselves",
                )
            poller = self._operations.begin_regenerate_keys(name, key_type=key_type)
        return AzurePoller(poller, doing, lambda _: self._regenerated(name, key_type, before))

    def _regenerated(
        self, name: str, key_type: str, before: EndpointCredentials
    ) -> EndpointCredentials:
        """Return the keys as they are now."""
        if not self._sends:
            return before
        after = self.get_keys(name)
        kept = {
            "primary": after.primary_key == before.primary_key,
            "secondary": after.secondary_key == before.secondary_key,
        }
        # The SDK sends the old key along as the value to set, so that it is worth a look.
        if kept[key_type]:
            raise TargetError(
                f"Azure kept the {key_type} key of online endpoint {name!r}",
                hint="regenerate it in Azure ML studio, on the endpoint's page under Consume",
            )
        return after

    def metrics(self, endpoint_name: str) -> Mapping[str, DeploymentMetrics]:
        """Return how many requests each deployment has got, by status, as Azure Monitor has it.

        It has rates by the minute; what they add up to since this was first asked only grows, some
        minutes late. It has neither a histogram of latency nor what was mirrored, which are left
        empty: `monitor` returns percentiles.

        Raises:
            NotFoundError: There is no such endpoint.
            TargetError: Azure did not do its part.
        """
        self._need_workspace(f"the metrics of online endpoint {endpoint_name}")
        now = datetime.now(timezone.utc)
        since = self._counted_since.setdefault(endpoint_name, now.replace(second=0, microsecond=0))
        with self._calls(f"read the metrics of online endpoint {endpoint_name!r}"):
            counts = read_counts(self._operations, endpoint_name, since)
        return {name: DeploymentMetrics(requests=requests) for name, requests in counts.items()}

    def monitor(
        self, endpoint_name: str, deployment_name: str, since: datetime
    ) -> MonitoredDeployment:
        """Return what Azure Monitor has of a deployment's requests; it lags by some minutes.

        Args:
            endpoint_name: The endpoint.
            deployment_name: Its deployment.
            since: The time from which on, with a time zone.

        Raises:
            NotFoundError: There is no such deployment.
            TargetError: Azure did not do its part.
        """
        self._need_workspace(f"the metrics of online endpoint {endpoint_name}")
        with self._calls(f"read the metrics of deployment {endpoint_name}/{deployment_name}"):
            return read_monitor(self._operations, endpoint_name, deployment_name, since)


def _read(file: str | os.PathLike[str]) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise UsageError(f"the request file cannot be read: {error}") from error
