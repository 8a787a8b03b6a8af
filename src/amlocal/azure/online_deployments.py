"""Online deployments of an Azure ML workspace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from amlocal.azure.changes import changed_deployment
from amlocal.azure.endpoint_info import online_deployment_info
from amlocal.azure.errors import no_workspace
from amlocal.azure.jobs import Calls
from amlocal.azure.pollers import AzurePoller
from amlocal.azure.sdk import load
from amlocal.azure.source import CheckEndpoint, checked, file_of, refuse_environment
from amlocal.errors import UsageError
from amlocal.plan import OnlineDeploymentInfo
from amlocal.plan.source import Source

_KIND = "online deployment"


class AzureOnlineDeploymentOperations:
    """Online deployments, by the names of `endpoint_operations.OnlineDeploymentOperations`."""

    def __init__(
        self,
        ml_client: Any,
        calls: Calls,
        *,
        check: CheckEndpoint | None = None,
        sends: bool = True,
    ) -> None:
        """Keep what the operations work with; see `AzureOnlineEndpointOperations`."""
        self._deployments = ml_client.online_deployments
        self._calls = calls
        self._check = check
        self._sends = sends

    def begin_create_or_update(
        self,
        deployment: Source,
        *,
        overrides: Sequence[str] = (),
        name: str | None = None,
        endpoint_name: str | None = None,
        environment: str = "auto",
    ) -> AzurePoller[OnlineDeploymentInfo]:
        """Create or replace a deployment; settings alone change what there is.

        Raises:
            SpecError: The file is wrong.
            NotFoundError: There is no such endpoint, or nothing to change.
            UsageError: An argument has no meaning in Azure.
            TargetError: Azure did not do its part.
        """
        refuse_environment(environment)
        checked(self._check, _KIND, deployment, overrides, name=name, endpoint_name=endpoint_name)
        doing = "create or update the online deployment"
        with self._calls(doing, file=file_of(deployment)):
            if deployment is None:
                loaded = self._changed(name, endpoint_name, overrides)
            else:
                fields = {"name": name, "endpoint_name": endpoint_name}
                loaded = load(_KIND, deployment, overrides, fields)
            endpoint = str(loaded.endpoint_name)
            poller = self._deployments.begin_create_or_update(loaded)
        return AzurePoller(poller, doing, lambda made: online_deployment_info(made, endpoint))

    def get(self, name: str, endpoint_name: str) -> OnlineDeploymentInfo:
        """Return a deployment; raises NotFoundError."""
        self._need_workspace(f"online deployment {endpoint_name}/{name}")
        with self._calls(f"get online deployment {endpoint_name}/{name}"):
            return online_deployment_info(self._deployments.get(name, endpoint_name))

    def list(self, endpoint_name: str) -> Sequence[OnlineDeploymentInfo]:
        """Return the deployments of an endpoint, by name."""
        self._need_workspace(f"the deployments of {endpoint_name}")
        with self._calls(f"list the deployments of {endpoint_name!r}"):
            listed = self._deployments.list(endpoint_name)
            found = [online_deployment_info(each, endpoint_name) for each in listed]
        return sorted(found, key=lambda deployment: deployment.name)

    def begin_delete(self, name: str, endpoint_name: str) -> AzurePoller[None]:
        """Delete a deployment.

        Raises:
            NotFoundError: There is no such deployment.
            UsageError: It has traffic.
        """
        doing = f"delete online deployment {endpoint_name}/{name}"
        with self._calls(doing):
            poller = self._deployments.begin_delete(name, endpoint_name)
        return AzurePoller(poller, doing, lambda _: None)

    def get_logs(
        self, name: str, endpoint_name: str, *, lines: int = 50, container_type: str | None = None
    ) -> str:
        """Return the last lines that a deployment's container logged."""
        self._need_workspace(f"the logs of {endpoint_name}/{name}")
        with self._calls(f"get the logs of {endpoint_name}/{name}"):
            return str(
                self._deployments.get_logs(
                    name, endpoint_name, lines, container_type=container_type
                )
            )

    def _changed(
        self, name: str | None, endpoint_name: str | None, overrides: Sequence[str]
    ) -> Any:
        """Return the deployment that there is, with some settings changed."""
        if not name or not endpoint_name:
            raise UsageError(
                "which deployment is to be changed is not said",
                hint="name it and its endpoint, or give its file",
            )
        self._need_workspace(f"online deployment {endpoint_name}/{name}")
        return changed_deployment(_KIND, self._deployments.get(name, endpoint_name), overrides)

    def _need_workspace(self, asked: str) -> None:
        if not self._sends:
            raise no_workspace(asked)
