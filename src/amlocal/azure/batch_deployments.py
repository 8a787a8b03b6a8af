"""Batch deployments of an Azure ML workspace."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from amlocal.azure.endpoint_base import DeploymentBase
from amlocal.azure.endpoint_info import batch_deployment_info, batch_job_info
from amlocal.azure.jobs import Calls
from amlocal.azure.pollers import AzurePoller
from amlocal.azure.source import CheckEndpoint
from amlocal.errors import UsageError
from amlocal.plan import BatchDeploymentInfo, JobInfo
from amlocal.plan.source import Source

_KIND = "batch deployment"


class AzureBatchDeploymentOperations(DeploymentBase[BatchDeploymentInfo]):
    """Batch deployments, by the names of `endpoint_operations.BatchDeploymentOperations`."""

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
            _KIND,
            ml_client.batch_deployments,
            batch_deployment_info,
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
    ) -> AzurePoller[BatchDeploymentInfo]:
        """Create or replace a deployment; settings alone change what there is.

        Raises:
            SpecError: The file is wrong.
            NotFoundError: There is no such endpoint, or nothing to change.
            TargetError: Azure did not do its part.
        """
        return self._begin(deployment, overrides, name, endpoint_name)

    def list_jobs(self, name: str, endpoint_name: str) -> Sequence[JobInfo]:
        """Return the jobs that a deployment has run, as Azure orders them: the newest first."""
        self._need_workspace(f"the jobs of {endpoint_name}/{name}")
        with self._calls(f"list the jobs of {endpoint_name}/{name}"):
            jobs = self._operations.list_jobs(endpoint_name, name=name)
            return [batch_job_info(job, endpoint_name) for job in jobs]

    def _loader(self, source: Source, overrides: Sequence[str]) -> str:
        """Return which of the SDK's loaders reads a file: its `type` says so, as for `az`."""
        if not isinstance(source, (str, os.PathLike)):
            return _KIND
        content = yaml.safe_load(Path(source).read_bytes())
        kind = content.get("type") if isinstance(content, dict) else None
        for override in overrides:
            key, _, value = override.partition("=")
            kind = value if key.strip() == "type" else kind
        return f"{kind} {_KIND}" if kind in {"model", "pipeline"} else _KIND

    def _check_change(self, existing: Any) -> None:
        """Refuse one of a pipeline, of which Azure tells too little to send it again."""
        if batch_deployment_info(existing).type == "pipeline":
            raise UsageError(
                f"settings alone cannot change {existing.name!r}, which runs a pipeline",
                hint="give its file with --file",
            )
