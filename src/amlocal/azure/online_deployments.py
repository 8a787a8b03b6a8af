"""Online deployments of an Azure ML workspace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from amlocal.azure.endpoint_base import DeploymentBase
from amlocal.azure.endpoint_info import online_deployment_info
from amlocal.azure.jobs import Calls
from amlocal.azure.pollers import AzurePoller
from amlocal.azure.source import CheckEndpoint, refuse_environment
from amlocal.plan import OnlineDeploymentInfo
from amlocal.plan.source import Source


class AzureOnlineDeploymentOperations(DeploymentBase[OnlineDeploymentInfo]):
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
        super().__init__(
            "online deployment",
            ml_client.online_deployments,
            online_deployment_info,
            calls=calls,
            check=check,
            sends=sends,
        )

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
        return self._begin(deployment, overrides, name, endpoint_name)

    def get_logs(
        self, name: str, endpoint_name: str, *, lines: int = 50, container_type: str | None = None
    ) -> str:
        """Return the last lines that a deployment's container logged."""
        self._need_workspace(f"the logs of {endpoint_name}/{name}")
        with self._calls(f"get the logs of {endpoint_name}/{name}"):
            return str(
                self._operations.get_logs(name, endpoint_name, lines, container_type=container_type)
            )
