"""Models under Azure ML's names.

In Azure the workspace's registry is the MLflow registry, and so it is here: a model that a script
registers with plain `mlflow` and one that a YAML file registers are in one place, with integer
versions that the registry counts from 1.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from amlocal.errors import UsageError, near_miss
from amlocal.local.model_registry import ModelRegistry
from amlocal.local.model_reports import report_folder
from amlocal.local.model_tags import ARCHIVED_TAG, asset_info, is_archived, lineage
from amlocal.local.promotions import LocalPromotionRegistry
from amlocal.local.tracking.client import TrackingClient
from amlocal.local.tracking.values import ModelVersion
from amlocal.plan import MODEL_TYPES, AssetInfo, ModelAsset
from amlocal.promotion import CHAMPION, Promotion, promote

__all__ = ["LoadModel", "ModelOperations", "ModelRegistry"]

_FIELDS = frozenset({"name", "version", "path", "type", "description", "stage"})
_VIEWS = {"ActiveOnly": (False,), "ArchivedOnly": (True,), "All": (False, True)}


class LoadModel(Protocol):
    """Reads a model's file or object."""

    def __call__(self, source: Any, *, overrides: Sequence[str] = ()) -> ModelAsset:
        """Return the model; raises SpecError."""


class ModelOperations:
    """The models of a workspace: `amlocal.client.AssetOperations`, and `download`.

    Args:
        registry: The workspace's registry.
        load: Reads a model file or object, with `--set` overrides.
        resolve: Returns where a path or an address is on this machine.
        prepare: Makes the workspace where there is none.
    """

    def __init__(
        self,
        registry: ModelRegistry,
        load: LoadModel,
        resolve: Callable[[str], Path],
        prepare: Callable[[], None],
    ) -> None:
        self._registry = registry
        self._load = load
        self._resolve = resolve
        self._prepare = prepare

    def create_or_update(
        self, asset: Any, *, overrides: Sequence[str] = (), **fields: str | None
    ) -> AssetInfo:
        """Register a model, or update the description and tags of a version that is there.

        Args:
            asset: A model's file or object; None takes `fields` alone.
            overrides: `a.b=c` settings of a file.
            **fields: Fields of the model that win: `name`, `version`, `path`, `type`,
                `description`, `stage`.

        Raises:
            SpecError: The file is wrong.
            UsageError: A field is unknown or missing, or the version is neither the next one nor
                one with this content.
            NotFoundError: There is no such run, job, or artifact.
            TargetError: The files are not there, or the tracking server did not do its part.
        """
        model = self._model(asset, overrides, fields)
        self._prepare()
        with self._registry.client() as client:
            content = self._registry.content(client, model.path, self._resolve)
            return self._described(client, self._registry.register(client, model, content))

    def get(self, name: str, version: str | None = None, label: str | None = None) -> AssetInfo:
        """Return one version with its lineage; `label` is `latest` (as is neither) or an alias.

        Raises:
            NotFoundError: There is no such model, version, or alias.
            UsageError: Both a version and a label are given.
        """
        with self._registry.client_for(name) as client:
            return self._described(client, self._registry.find(client, name, version, label))

    def list(
        self, name: str | None = None, *, list_view_type: str = "ActiveOnly"
    ) -> Sequence[AssetInfo]:
        """Return the latest version of each model, or every version of one, the newest first.

        Raises:
            UsageError: The view is not `ActiveOnly`, `ArchivedOnly`, or `All`.
        """
        if list_view_type not in _VIEWS:
            raise UsageError(f"no view {list_view_type!r}", hint=near_miss(list_view_type, _VIEWS))
        models = [name] if name else sorted(self._registry.names())
        if not models:
            return []
        found = []
        with self._registry.client_for(models[0]) as client:
            for model in models:
                versions = [
                    version
                    for version in client.registry.versions(model)
                    if is_archived(version) in _VIEWS[list_view_type]
                ]
                found += [
                    asset_info(version, self._registry.path_of(client, version))
                    for version in (versions if name else versions[:1])
                ]
        return found

    def archive(self, name: str, version: str | None = None) -> None:
        """Hide a version, or every version, from lists; raises NotFoundError."""
        with self._registry.client_for(name) as client:
            for item in self._registry.versions(client, name, version):
                client.registry.tag_version(name, item.version, ARCHIVED_TAG, "true")

    def restore(self, name: str, version: str | None = None) -> None:
        """Show archived versions in lists again; raises NotFoundError."""
        with self._registry.client_for(name) as client:
            for item in self._registry.versions(client, name, version):
                client.registry.untag_version(name, item.version, ARCHIVED_TAG)

    def download(
        self, name: str, version: str | None = None, *, download_path: Path = Path()
    ) -> Path:
        """Copy a version's files into `download_path/NAME`, as MLClient does; returns that.

        Raises:
            NotFoundError: There is no such version.
            TargetError: Its files are gone.
        """
        source = self._registry.local_path(name, version)
        target = download_path / name
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
        return target

    def promote(
        self, name: str, version: str, *, alias: str = CHAMPION, force: bool = False
    ) -> Promotion:
        """Let a version hold an alias, and no other version; see `amlocal.promotion.promote`.

        Raises:
            NotFoundError: There is no such model or version.
            RefusedError: The gate has refused the version, and `force` is false.
        """
        with self._registry.client_for(name) as client:
            registry = LocalPromotionRegistry(client)
            return promote(registry, name, version, alias=alias, force=force)

    def report(self, name: str, version: str | None = None, label: str | None = None) -> Path:
        """Return the folder with a version's report (`report.html`, `scorecard.pdf`), for reading.

        Raises:
            NotFoundError: There is no such version, or nobody made a report of it.
            UsageError: Both a version and a label are given.
        """
        return report_folder(self._registry, name, version, label)

    def _model(
        self, asset: Any, overrides: Sequence[str], fields: Mapping[str, str | None]
    ) -> ModelAsset:
        given: dict[str, Any] = {key: text for key, text in fields.items() if text is not None}
        for key in given.keys() - _FIELDS:
            raise UsageError(f"a model has no field {key!r}", hint=near_miss(key, _FIELDS))
        if asset is not None:
            model = msgspec.structs.replace(self._load(asset, overrides=overrides), **given)
        elif "name" in given and "path" in given:
            model = ModelAsset(**given)
        else:
            raise UsageError(
                "a model needs a name and a path", hint="give both, or a model file with `-f`"
            )
        if model.type not in MODEL_TYPES:
            raise UsageError(
                f"no model type {model.type!r}", hint=near_miss(model.type, MODEL_TYPES)
            )
        return model

    def _described(self, client: TrackingClient, version: ModelVersion) -> AssetInfo:
        path = self._registry.path_of(client, version)
        return asset_info(version, path, lineage(client, version))
