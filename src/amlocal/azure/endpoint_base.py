"""What the operations on endpoints, and those on deployments, share: online and batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from azure.core.exceptions import ResourceNotFoundError

from amlocal.azure.changes import changed_deployment, keep_unsaid, load_endpoint
from amlocal.azure.errors import no_workspace
from amlocal.azure.jobs import Calls
from amlocal.azure.pollers import AzurePoller
from amlocal.azure.sdk import load
from amlocal.azure.source import CheckEndpoint, checked, file_of
from amlocal.errors import UsageError
from amlocal.plan.source import Source


class _Named(Protocol):
    @property
    def name(self) -> str:
        """Its name."""


Info = TypeVar("Info", bound=_Named)


class _Operations(Generic[Info]):
    """Operations of the SDK on one kind of thing.

    Args:
        kind: What it is called, such as `online endpoint`.
        operations: The SDK's own.
        info: Makes what a target tells of what the SDK gives.
        calls: Surrounds each call of the SDK.
        check: Checks one before it is sent.
        sends: Whether there is a workspace to ask.
    """

    def __init__(
        self,
        kind: str,
        operations: Any,
        info: Callable[..., Info],
        *,
        calls: Calls,
        check: CheckEndpoint | None,
        sends: bool,
    ) -> None:
        self._kind = kind
        self._operations = operations
        self._info = info
        self._calls = calls
        self._check = check
        self._sends = sends

    def _need_workspace(self, asked: str) -> None:
        if not self._sends:
            raise no_workspace(asked)


class EndpointBase(_Operations[Info]):
    """Endpoints of a workspace, online or batch."""

    def begin_create_or_update(
        self, endpoint: Source, *, overrides: Sequence[str] = (), name: str | None = None
    ) -> AzurePoller[Info]:
        """Create or change an endpoint; what is not said of one that is there stays.

        Raises:
            SpecError: The file is wrong.
            TargetError: Azure did not do its part.
        """
        checked(self._check, self._kind, endpoint, overrides, name=name)
        doing = f"create or update the {self._kind}"
        with self._calls(doing, file=file_of(endpoint)):
            loaded = load_endpoint(self._kind, endpoint, overrides, {"name": name})
            existing = self._existing(loaded.name)
            if existing is not None:
                keep_unsaid(self._kind, loaded, existing, endpoint, overrides)
            poller = self._operations.begin_create_or_update(loaded)
        return AzurePoller(poller, doing, self._info)

    def get(self, name: str) -> Info:
        """Return an endpoint; raises NotFoundError."""
        self._need_workspace(f"{self._kind} {name}")
        with self._calls(f"get {self._kind} {name!r}"):
            return self._told(self._operations.get(name))

    def list(self) -> Sequence[Info]:
        """Return all endpoints, by name."""
        self._need_workspace(f"{self._kind}s")
        with self._calls(f"list {self._kind}s"):
            found = [self._info(endpoint) for endpoint in self._operations.list()]
        return sorted(found, key=lambda endpoint: endpoint.name)

    def begin_delete(self, name: str) -> AzurePoller[None]:
        """Delete an endpoint with its deployments; raises NotFoundError."""
        doing = f"delete {self._kind} {name!r}"
        with self._calls(doing):
            return AzurePoller(self._operations.begin_delete(name), doing, lambda _: None)

    def _told(self, endpoint: Any) -> Info:
        """Return what is told of one endpoint that was asked for."""
        return self._info(endpoint)

    def _existing(self, name: str) -> Any | None:
        """Return the SDK's endpoint of a name, or None where there is none."""
        try:
            return self._operations.get(name)
        except ResourceNotFoundError:
            return None


class DeploymentBase(_Operations[Info]):
    """Deployments of a workspace, online or batch."""

    def get(self, name: str, endpoint_name: str) -> Info:
        """Return a deployment; raises NotFoundError."""
        self._need_workspace(f"{self._kind} {endpoint_name}/{name}")
        with self._calls(f"get {self._kind} {endpoint_name}/{name}"):
            return self._info(self._operations.get(name, endpoint_name))

    def list(self, endpoint_name: str) -> Sequence[Info]:
        """Return the deployments of an endpoint, by name."""
        self._need_workspace(f"the deployments of {endpoint_name}")
        with self._calls(f"list the deployments of {endpoint_name!r}"):
            listed = self._operations.list(endpoint_name)
            found = [self._info(each, endpoint_name) for each in listed]
        return sorted(found, key=lambda deployment: deployment.name)

    def begin_delete(self, name: str, endpoint_name: str) -> AzurePoller[None]:
        """Delete a deployment.

        Raises:
            NotFoundError: There is no such deployment.
            UsageError: It has traffic.
        """
        doing = f"delete {self._kind} {endpoint_name}/{name}"
        with self._calls(doing):
            poller = self._operations.begin_delete(name, endpoint_name)
        return AzurePoller(poller, doing, lambda _: None)

    def _begin(
        self,
        deployment: Source,
        overrides: Sequence[str],
        name: str | None,
        endpoint_name: str | None,
    ) -> AzurePoller[Info]:
        """Create or replace a deployment; settings alone change what there is."""
        fields = {"name": name, "endpoint_name": endpoint_name}
        checked(
            self._check, self._kind, deployment, overrides, name=name, endpoint_name=endpoint_name
        )
        doing = f"create or update the {self._kind}"
        with self._calls(doing, file=file_of(deployment)):
            if deployment is None:
                loaded = self._changed(name, endpoint_name, overrides)
            else:
                loaded = load(self._loader(deployment, overrides), deployment, overrides, fields)
            endpoint = str(loaded.endpoint_name)
            poller = self._operations.begin_create_or_update(loaded)
        return AzurePoller(poller, doing, lambda made: self._info(made, endpoint))

    def _changed(
        self, name: str | None, endpoint_name: str | None, overrides: Sequence[str]
    ) -> Any:
        """Return the deployment that there is, with some settings changed."""
        if not name or not endpoint_name:
            raise UsageError(
                "which deployment is to be changed is not said",
                hint="name it and its endpoint, or give its file",
            )
        self._need_workspace(f"{self._kind} {endpoint_name}/{name}")
        existing = self._operations.get(name, endpoint_name)
        self._check_change(existing)
        return changed_deployment(self._kind, existing, overrides)

    def _loader(self, _source: Source, _overrides: Sequence[str]) -> str:
        """Return which of the SDK's loaders reads a file."""
        return self._kind

    def _check_change(self, existing: Any) -> None:
        """Refuse what settings alone cannot change; raises UsageError."""
