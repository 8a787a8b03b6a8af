"""Components, environments, data assets, and models of an Azure ML workspace."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Protocol

from amlocal.azure.errors import no_workspace
from amlocal.azure.info import asset_info
from amlocal.azure.jobs import Calls
from amlocal.azure.sdk import Data, Environment, Model, load
from amlocal.content import FROM_CONTENT, Content
from amlocal.errors import UsageError
from amlocal.plan import AssetInfo
from amlocal.plan.source import Source

_ENTITIES = {"data": Data, "environment": Environment, "model": Model}


class ContentOf(Protocol):
    """Takes the file or object of a component or an environment apart."""

    def __call__(self, kind: str, source: Any, *, overrides: Sequence[str] = ()) -> Content:
        """Return what it consists of; raises SpecError."""


class AzureAssetOperations:
    """Assets of one kind, by the names of `amlocal.client.AssetOperations`."""

    def __init__(
        self,
        kind: str,
        operations: Any,
        calls: Calls,
        *,
        sends: bool = True,
        content_of: ContentOf | None = None,
    ) -> None:
        """Keep what the operations work with.

        Args:
            kind: `component`, `environment`, `data`, or `model`.
            operations: The SDK's operations for that kind.
            calls: Surrounds each call of the SDK.
            sends: Whether there is a workspace to ask. A dry run has only stand-ins for what a
                file refers to, which must not be taken for assets.
            content_of: Tells what a file consists of, for versions that are made of that; None
                where assets of this kind have no such versions.
        """
        self._kind = kind
        self._operations = operations
        self._calls = calls
        self._sends = sends
        self._content_of = content_of

    def create_or_update(
        self, asset: Source, *, overrides: Sequence[str] = (), **fields: str | None
    ) -> AssetInfo:
        """Register an asset from its file, from an object, or (asset None) from fields alone.

        The version `content` of a component or an environment is made of its content. Without a
        version Azure gives the next number.

        Raises:
            SpecError: The file is wrong.
            UsageError: Nothing says what to register, or Azure has the version already, otherwise.
            TargetError: Azure did not do its part.
        """
        if fields.get("version") == FROM_CONTENT and self._content_of and asset is not None:
            found = self._content_of(self._kind, asset, overrides=overrides)
            fields = {**fields, "version": found.content_version}
        file = os.fspath(asset) if isinstance(asset, (str, os.PathLike)) else ""
        with self._calls(f"create the {self._kind}", file=file):
            if asset is None:
                loaded = self._from_fields(overrides, fields)
            else:
                loaded = load(self._kind, asset, overrides, fields)
            return asset_info(self._kind, self._operations.create_or_update(loaded))

    def get(self, name: str, version: str | None = None, label: str | None = None) -> AssetInfo:
        """Return one version; `label` latest, or neither, is the one created last."""
        if version is None and label is None:
            label = "latest"
        self._need_workspace(f"{self._kind} {name}")
        with self._calls(f"get {self._kind} {name!r}"):
            found = self._operations.get(name, version=version, label=label)
            return asset_info(self._kind, found)

    def list(
        self, name: str | None = None, *, list_view_type: str = "ActiveOnly"
    ) -> Sequence[AssetInfo]:
        """Return the latest version of each asset, or every version of one."""
        self._need_workspace(f"{self._kind} assets")
        with self._calls(f"list {self._kind} assets"):
            found = self._operations.list(name, list_view_type=list_view_type)
            return [asset_info(self._kind, asset) for asset in found]

    def archive(self, name: str, version: str | None = None) -> None:
        """Hide a version, or every version, from lists."""
        with self._calls(f"archive {self._kind} {name!r}"):
            self._operations.archive(name, version=version)

    def restore(self, name: str, version: str | None = None) -> None:
        """Show archived versions in lists again."""
        with self._calls(f"restore {self._kind} {name!r}"):
            self._operations.restore(name, version=version)

    def _need_workspace(self, asked: str) -> None:
        if not self._sends:
            raise no_workspace(asked)

    def _from_fields(self, overrides: Sequence[str], fields: dict[str, str | None]) -> Any:
        """Return the SDK's object from fields alone."""
        given = {key: value for key, value in fields.items() if value is not None}
        if self._kind not in _ENTITIES or overrides or "name" not in given:
            raise UsageError(
                f"a {self._kind} needs a file, or a name with its fields",
                hint=f"give the {self._kind}'s YAML file with --file",
            )
        return _ENTITIES[self._kind](**given)
