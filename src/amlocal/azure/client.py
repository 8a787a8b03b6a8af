"""The client of an Azure ML workspace."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from amlocal.azure.assets import AzureAssetOperations, ContentOf
from amlocal.azure.batch_deployments import AzureBatchDeploymentOperations
from amlocal.azure.batch_endpoints import AzureBatchEndpointOperations
from amlocal.azure.dry_run import DryRun
from amlocal.azure.errors import azure_errors
from amlocal.azure.federation import credential
from amlocal.azure.history import RunHistory, SdkRunHistory
from amlocal.azure.jobs import AzureJobOperations, Check
from amlocal.azure.models import AzureModelOperations
from amlocal.azure.online_deployments import AzureOnlineDeploymentOperations
from amlocal.azure.online_endpoints import AzureOnlineEndpointOperations
from amlocal.azure.recorder import Request
from amlocal.azure.schedules import AzureScheduleOperations, CheckSchedule
from amlocal.azure.sdk import MLClient
from amlocal.azure.source import CheckEndpoint
from amlocal.azure.workspace import WorkspaceId, find_workspace


class AzureClient:
    """An Azure ML workspace, by the names of `amlocal.client.Client`.

    Attributes:
        jobs: Its jobs.
        components: Its components.
        environments: Its environments.
        data: Its data assets.
        models: Its models.
        online_endpoints: Its online endpoints.
        online_deployments: Its online deployments.
        batch_endpoints: Its batch endpoints.
        batch_deployments: Its batch deployments.
    """

    def __init__(
        self,
        ml_client: Any,
        *,
        history: RunHistory | None = None,
        dry_run: DryRun | None = None,
        check: Check | None = None,
        check_endpoint: CheckEndpoint | None = None,
        content_of: ContentOf | None = None,
        check_schedule: CheckSchedule | None = None,
    ) -> None:
        """Keep what the operations work with.

        Args:
            ml_client: An `MLClient`, or what behaves like one.
            history: Where details and logs of runs come from; None is the workspace's own.
            dry_run: Keeps the requests of `ml_client`, where they are not sent.
            check: Checks a job before it is sent; None leaves the checks to the SDK.
            check_endpoint: Checks an endpoint or a deployment, likewise.
            content_of: Tells what a component or an environment consists of.
            check_schedule: Checks a schedule, likewise.
        """
        self._dry_run = dry_run
        calls = azure_errors if dry_run is None else dry_run.calls
        self.jobs = AzureJobOperations(
            ml_client,
            history or SdkRunHistory(ml_client),
            calls,
            check=check,
            sends=dry_run is None,
        )

        def assets(
            kind: str, operations: Any, content_of: ContentOf | None = None
        ) -> AzureAssetOperations:
            return AzureAssetOperations(
                kind, operations, calls, sends=dry_run is None, content_of=content_of
            )

        self.components = assets("component", ml_client.components, content_of)
        self.environments = assets("environment", ml_client.environments, content_of)
        self.data = assets("data", ml_client.data)
        self.models = AzureModelOperations(ml_client, calls, sends=dry_run is None)
        sends = dry_run is None
        self.online_endpoints = AzureOnlineEndpointOperations(
            ml_client, calls, check=check_endpoint, sends=sends
        )
        self.online_deployments = AzureOnlineDeploymentOperations(
            ml_client, calls, check=check_endpoint, sends=sends
        )
        self.batch_endpoints = AzureBatchEndpointOperations(
            ml_client, calls, check=check_endpoint, sends=sends
        )
        self.batch_deployments = AzureBatchDeploymentOperations(
            ml_client, calls, check=check_endpoint, sends=sends
        )
        self.schedules = AzureScheduleOperations(
            ml_client, calls, check=check_schedule, sends=sends
        )

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str] | None,
        environ: Mapping[str, str],
        *,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        workspace_name: str | None = None,
        dry_run: bool = False,
        check: Check | None = None,
        check_endpoint: CheckEndpoint | None = None,
        content_of: ContentOf | None = None,
        check_schedule: CheckSchedule | None = None,
    ) -> AzureClient:
        """Return the client of a workspace; nothing is sent before its first operation.

        Args:
            path: A config file, or the folder from which `config.json` is searched upwards.
            environ: The environment to read.
            subscription_id: Wins over the environment and `config.json`.
            resource_group: Likewise.
            workspace_name: Likewise.
            dry_run: Requests are built and kept instead of sent; needs no credentials and no
                network, and placeholders stand for a workspace that nothing names.
            check: Checks a job before it is sent.
            check_endpoint: Checks an endpoint or a deployment before it is sent.
            content_of: Tells what a component or an environment consists of.
            check_schedule: Checks a schedule before it is sent.

        Raises:
            UsageError: Nothing names the workspace.
            SpecError: The config file is not one.
        """
        workspace = find_workspace(
            path,
            environ,
            subscription_id=subscription_id,
            resource_group=resource_group,
            workspace_name=workspace_name,
            dry_run=dry_run,
        )
        recorded = DryRun(workspace, environ) if dry_run else None
        with azure_errors("open the workspace"):
            ml_client = _connect(workspace, environ) if recorded is None else recorded.ml_client
        return cls(
            ml_client,
            dry_run=recorded,
            check=check,
            check_endpoint=check_endpoint,
            content_of=content_of,
            check_schedule=check_schedule,
        )

    @property
    def requests(self) -> Sequence[Request]:
        """In a dry run, the requests that would have been sent, in order."""
        return () if self._dry_run is None else self._dry_run.requests


def _connect(workspace: WorkspaceId, environ: Mapping[str, str]) -> Any:
    """Return the SDK's client."""
    return MLClient(
        credential(environ),
        workspace.subscription_id,
        workspace.resource_group,
        workspace.workspace_name,
        enable_telemetry=False,
        show_progress=False,
    )
