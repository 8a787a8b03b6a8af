"""Endpoints and deployments, by `MLClient`'s verbs: one protocol for both targets."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from amlocal.plan import (
    Answer,
    BatchDeploymentInfo,
    BatchEndpointInfo,
    DeploymentMetrics,
    EndpointCredentials,
    JobInfo,
    OnlineDeploymentInfo,
    OnlineEndpointInfo,
)
from amlocal.plan.source import Source

T_co = TypeVar("T_co", covariant=True)


class Poller(Protocol, Generic[T_co]):
    """An operation that goes on, as azure-core's `LROPoller`."""

    def result(self, timeout: float | None = None) -> T_co:
        """Wait for its end, at most so many seconds; raises as the operation failed."""

    def done(self) -> bool:
        """Whether it has ended."""

    def status(self) -> str:
        """Return `InProgress`, `Succeeded`, or `Failed`."""


class OnlineEndpointOperations(Protocol):
    """Online endpoints of a workspace."""

    def begin_create_or_update(
        self, endpoint: Source, *, overrides: Sequence[str] = (), name: str | None = None
    ) -> Poller[OnlineEndpointInfo]:
        """Create an endpoint, or change its traffic, mirrored traffic, description, and tags.

        Args:
            endpoint: The path of its file, an object built with azure-ai-ml, or None where the
                overrides say all of it. What it does not say stays as it is.
            overrides: `a.b=c` settings as `az ml online-endpoint create --set` takes them.
            name: Stands for the name in the file.

        Raises:
            SpecError: The file is wrong, or its traffic is.
            UsageError: Traffic goes to a deployment that is not there or not ready.
            TargetError: The target did not do its part.
        """

    def get(self, name: str) -> OnlineEndpointInfo:
        """Return an endpoint; raises NotFoundError."""

    def list(self) -> Sequence[OnlineEndpointInfo]:
        """Return all endpoints, by name."""

    def begin_delete(self, name: str) -> Poller[None]:
        """Delete an endpoint with all its deployments; raises NotFoundError."""

    def invoke(
        self,
        endpoint_name: str,
        *,
        request_file: str | os.PathLike[str],
        deployment_name: str | None = None,
    ) -> Answer:
        """Post a file to an endpoint, or past its traffic rules to one of its deployments."""

    def get_keys(self, name: str) -> EndpointCredentials:
        """Return an endpoint's keys, or a token where its `auth_mode` has tokens."""

    def begin_regenerate_keys(
        self, name: str, *, key_type: str = "primary"
    ) -> Poller[EndpointCredentials]:
        """Make one of an endpoint's keys anew, `primary` or `secondary`; the other one holds."""

    def metrics(self, endpoint_name: str) -> Mapping[str, DeploymentMetrics]:
        """Return what each deployment of an endpoint has done, by the deployment's name."""


class OnlineDeploymentOperations(Protocol):
    """Online deployments of a workspace."""

    def begin_create_or_update(
        self,
        deployment: Source,
        *,
        overrides: Sequence[str] = (),
        name: str | None = None,
        endpoint_name: str | None = None,
        environment: str = "auto",
    ) -> Poller[OnlineDeploymentInfo]:
        """Create a deployment, or replace it while the old instances serve until the new do.

        Args:
            deployment: The path of its file, an object built with azure-ai-ml, or None where the
                overrides say all of it.
            overrides: `a.b=c` settings as `az ml online-deployment create --set` takes them.
            name: Stands for the name in the file.
            endpoint_name: Stands for the endpoint's name in the file.
            environment: `auto`, `current`, or `isolated`; only of the local target.

        Raises:
            SpecError: The file is wrong; holds every problem.
            NotFoundError: There is no such endpoint or model.
            TargetError: It did not become ready; holds the last lines of its log.
        """

    def get(self, name: str, endpoint_name: str) -> OnlineDeploymentInfo:
        """Return a deployment; raises NotFoundError."""

    def list(self, endpoint_name: str) -> Sequence[OnlineDeploymentInfo]:
        """Return the deployments of an endpoint, by name."""

    def begin_delete(self, name: str, endpoint_name: str) -> Poller[None]:
        """Delete a deployment once its requests are answered.

        Raises:
            NotFoundError: There is no such deployment.
            UsageError: It has traffic.
        """

    def get_logs(
        self, name: str, endpoint_name: str, *, lines: int = 50, container_type: str | None = None
    ) -> str:
        """Return the last lines that a deployment's instances logged."""


class BatchEndpointOperations(Protocol):
    """Batch endpoints of a workspace."""

    def begin_create_or_update(
        self, endpoint: Source, *, overrides: Sequence[str] = (), name: str | None = None
    ) -> Poller[BatchEndpointInfo]:
        """Create or change an endpoint; as `OnlineEndpointOperations.begin_create_or_update`."""

    def get(self, name: str) -> BatchEndpointInfo:
        """Return an endpoint; raises NotFoundError."""

    def list(self) -> Sequence[BatchEndpointInfo]:
        """Return all endpoints, by name."""

    def begin_delete(self, name: str) -> Poller[None]:
        """Delete an endpoint with its deployments; the jobs that it ran stay."""

    def invoke(
        self,
        endpoint_name: str,
        *,
        deployment_name: str | None = None,
        inputs: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Any] | None = None,
        input_type: str | None = None,
        output_path: str | None = None,
        overrides: Sequence[str] = (),
        job_name: str | None = None,
        experiment_name: str | None = None,
        note: Callable[[str], None] | None = None,
    ) -> JobInfo:
        """Start a job that scores data.

        Args:
            endpoint_name: The endpoint.
            deployment_name: The deployment; None is the endpoint's default.
            inputs: By name a path, an address, or a value, or an `Input` of the SDK; a model
                deployment takes one.
            outputs: By name a path or an address, or an `Output` of the SDK; a model's is `score`.
            input_type: `uri_file` or `uri_folder` of a model deployment's input.
            output_path: Where the output goes; None is the default place.
            overrides: `a.b=c` settings of the job, as `az ml batch-endpoint invoke --set` takes.
            job_name: The job's name; one is made up where it is None.
            experiment_name: The MLflow experiment; None is the endpoint's name.
            note: Told in a sentence of what takes time.

        Raises:
            NotFoundError: There is no such endpoint or deployment, or no default.
            UsageError: An input is missing, unknown, or of another type.
        """

    def list_jobs(self, endpoint_name: str) -> Sequence[JobInfo]:
        """Return the jobs that an endpoint has run, the newest first."""


class BatchDeploymentOperations(Protocol):
    """Batch deployments of a workspace."""

    def begin_create_or_update(
        self,
        deployment: Source,
        *,
        overrides: Sequence[str] = (),
        name: str | None = None,
        endpoint_name: str | None = None,
    ) -> Poller[BatchDeploymentInfo]:
        """Create or replace a deployment; jobs that run keep the one that they started with."""

    def get(self, name: str, endpoint_name: str) -> BatchDeploymentInfo:
        """Return a deployment; raises NotFoundError."""

    def list(self, endpoint_name: str) -> Sequence[BatchDeploymentInfo]:
        """Return the deployments of an endpoint, by name."""

    def begin_delete(self, name: str, endpoint_name: str) -> Poller[None]:
        """Delete a deployment; raises NotFoundError."""

    def list_jobs(self, name: str, endpoint_name: str) -> Sequence[JobInfo]:
        """Return the jobs that a deployment has run, the newest first."""


class EndpointClient(Protocol):
    """The endpoints of a workspace, local or in Azure."""

    @property
    def online_endpoints(self) -> OnlineEndpointOperations:
        """Its online endpoints."""

    @property
    def online_deployments(self) -> OnlineDeploymentOperations:
        """Its online deployments."""

    @property
    def batch_endpoints(self) -> BatchEndpointOperations:
        """Its batch endpoints."""

    @property
    def batch_deployments(self) -> BatchDeploymentOperations:
        """Its batch deployments."""
