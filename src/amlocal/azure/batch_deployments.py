"""Batch deployments of an Azure ML workspace."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from amlocal.azure.changes import changed_deployment
from amlocal.azure.endpoint_info import batch_deployment_info, batch_job_info
from amlocal.azure.errors import no_workspace
from amlocal.azure.jobs import Calls
from amlocal.azure.pollers import AzurePoller
from amlocal.azure.sdk import load
from amlocal.azure.source import CheckEndpoint, checked, file_of
from amlocal.errors import UsageError
from amlocal.plan import BatchDeploymentInfo, JobInfo
from amlocal.plan.source import Source

_KIND = "batch deployment"


class AzureBatchDeploymentOperations:
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
        self._deployments = ml_client.batch_deployments
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
    ) -> AzurePoller[BatchDeploymentInfo]:
        """Create or replace a deployment; settings alone change what there is.

        Raises:
            SpecError: The file is wrong.
            NotFoundError: There is no such endpoint, or nothing to change.
            TargetError: Azure did not do its part.
        """
        checked(self._check, _KIND, deployment, overrides, name=name, endpoint_name=endpoint_name)
        doing = "create or update the batch deployment"
        with self._calls(doing, file=file_of(deployment)):
            if deployment is None:
                loaded = self._changed(name, endpoint_name, overrides)
            else:
                fields = {"name": name, "endpoint_name": endpoint_name}
                loaded = load(_kind(deployment, overrides), deployment, overrides, fields)
            endpoint = str(loaded.endpoint_name)
            poller = self._deployments.begin_create_or_update(loaded)
        return AzurePoller(poller, doing, lambda made: batch_deployment_info(made, endpoint))

    def get(self, name: str, endpoint_name: str) -> BatchDeploymentInfo:
        """Return a deployment; raises NotFoundError."""
        self._need_workspace(f"batch deployment {endpoint_name}/{name}")
        with self._calls(f"get batch deployment {endpoint_name}/{name}"):
            return batch_deployment_info(self._deployments.get(name, endpoint_name))

    def list(self, endpoint_name: str) -> Sequence[BatchDeploymentInfo]:
        """Return the deployments of an endpoint, by name."""
        self._need_workspace(f"the deployments of {endpoint_name}")
        with self._calls(f"list the deployments of {endpoint_name!r}"):
            listed = self._deployments.list(endpoint_name)
            found = [batch_deployment_info(each, endpoint_name) for each in listed]
        return sorted(found, key=lambda deployment: deployment.name)

    def begin_delete(self, name: str, endpoint_name: str) -> AzurePoller[None]:
        """Delete a deployment; raises NotFoundError."""
        doing = f"delete batch deployment {endpoint_name}/{name}"
        with self._calls(doing):
            poller = self._deployments.begin_delete(name, endpoint_name)
        return AzurePoller(poller, doing, lambda _: None)

    def list_jobs(self, name: str, endpoint_name: str) -> Sequence[JobInfo]:
        """Return the jobs that a deployment has run, as Azure orders them: the newest first."""
        self._need_workspace(f"the jobs of {endpoint_name}/{name}")
        with self._calls(f"list the jobs of {endpoint_name}/{name}"):
            jobs = self._deployments.list_jobs(endpoint_name, name=name)
            return [batch_job_info(job, endpoint_name) for job in jobs]

    def _changed(
        self, name: str | None, endpoint_name: str | None, overrides: Sequence[str]
    ) -> Any:
        """Return the deployment that there is, with some settings changed.

        Raises:
            UsageError: It is of a pipeline, of which Azure tells too little to send it again.
        """
        if not name or not endpoint_name:
            raise UsageError(
                "which deployment is to be changed is not said",
                hint="name it and its endpoint, or give its file",
            )
        self._need_workspace(f"batch deployment {endpoint_name}/{name}")
        existing = self._deployments.get(name, endpoint_name)
        if batch_deployment_info(existing).type == "pipeline":
            raise UsageError(
                f"settings alone cannot change {name!r}, which runs a pipeline",
                hint="give its file with --file",
            )
        return changed_deployment(_KIND, existing, overrides)

    def _need_workspace(self, asked: str) -> None:
        if not self._sends:
            raise no_workspace(asked)


def _kind(source: Source, overrides: Sequence[str]) -> str:
    """Return which of the SDK's loaders reads a file: its `type` says so, as for `az`."""
    if not isinstance(source, (str, os.PathLike)):
        return _KIND
    content = yaml.safe_load(Path(source).read_bytes())
    kind = content.get("type") if isinstance(content, dict) else None
    for override in overrides:
        key, _, value = override.partition("=")
        kind = value if key.strip() == "type" else kind
    return f"{kind} {_KIND}" if kind in {"model", "pipeline"} else _KIND
