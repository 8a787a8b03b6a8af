"""Models: the workspace's MLflow registry, under Azure ML's names.

In Azure, too, the workspace's registry is the MLflow registry, so that a model that a script
registers with plain `mlflow` and one that a YAML file registers are in one place. What MLflow has
no field for is kept in tags (`model_tags`).
"""

from __future__ import annotations

import contextlib
import re
import shutil
import urllib.parse
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from amlocal.errors import NotFoundError, TargetError, UsageError, near_miss, not_found
from amlocal.local.model_tags import (
    ARCHIVED_TAG,
    DIGEST_TAG,
    asset_info,
    is_archived,
    lineage,
    tags_of,
)
from amlocal.local.tracking.artifacts import SCHEME, root_of
from amlocal.local.tracking.client import TrackingClient
from amlocal.local.tracking.server import TrackingServer
from amlocal.local.tracking.values import JOB_TAG, ModelVersion, RunData
from amlocal.plan import MODEL_TYPES, AssetInfo, ModelAsset

_VIEWS = {"ActiveOnly": (False,), "ArchivedOnly": (True,), "All": (False, True)}
_JOB_ADDRESS = re.compile(r"azureml://jobs/(?P<job>[^/]+)/outputs/artifacts/paths/(?P<path>.*)")
_ANY_JOB = re.compile(r"azureml://jobs/(?P<job>[^/]+)/")
_RUN_ADDRESS = re.compile(r"runs:/{1,2}(?P<run>[^/]+)/(?P<path>.+)")


@dataclass(frozen=True, slots=True)
class _Content:
    """Where a model's files are.

    Attributes:
        path: On this machine.
        run_id: The run that they come from, or an empty string.
        address: Their address where the tracking server has them already, else an empty string.
    """

    path: Path
    run_id: str = ""
    address: str = ""


class ModelOperations:
    """The models of a workspace; `amlocal.client.AssetOperations`, and `download`.

    Versions are integers that the registry counts from 1, as in every MLflow registry.

    Args:
        server: The workspace's tracking server, started where it is needed.
        load: Reads a model file or object, with `--set` overrides.
        resolve: Returns where a path or an address is on this machine.
        digest: Returns the SHA-256 of a file's or folder's content.
    """

    def __init__(
        self,
        server: TrackingServer,
        load: Callable[[Any, Sequence[str]], ModelAsset],
        resolve: Callable[[str], Path],
        digest: Callable[[Path], str],
    ) -> None:
        self._server = server
        self._load = load
        self._resolve = resolve
        self._digest = digest

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
            TrackingError: The tracking server did not do its part.
        """
        model = self._model(asset, overrides, fields)
        with self._client() as client:
            content = self._content(client, model.path)
            digest = self._digest(content.path)
            known = {item.version: item for item in client.registry.versions(model.name)}
            if model.version is not None and model.version in known:
                return self._update(client, known[model.version], model, digest)
            following = str(max(map(int, known), default=0) + 1)
            if model.version not in {None, following}:
                raise UsageError(
                    f"model {model.name!r} cannot get version {model.version!r}: MLflow's registry "
                    f"counts, and the next one is {following}",
                    hint="leave the version out",
                )
            version = self._create(client, model, content, digest)
            return self._described(client, version)

    def get(self, name: str, version: str | None = None, label: str | None = None) -> AssetInfo:
        """Return one version; `label` is `latest` (as is neither) or an alias.

        Raises:
            NotFoundError: There is no such model, version, or alias.
            UsageError: Both a version and a label are given.
        """
        with self._client() as client:
            found = self._find(client, name, version, label)
            return self._described(client, found)

    def list(
        self, name: str | None = None, *, list_view_type: str = "ActiveOnly"
    ) -> Sequence[AssetInfo]:
        """Return the latest version of each model, or every version of one, the newest first.

        Raises:
            UsageError: The view is not `ActiveOnly`, `ArchivedOnly`, or `All`.
        """
        if list_view_type not in _VIEWS:
            raise UsageError(f"no view {list_view_type!r}", hint=near_miss(list_view_type, _VIEWS))
        found = []
        with self._client() as client:
            for model in [name] if name else sorted(client.registry.models()):
                versions = [
                    version
                    for version in client.registry.versions(model)
                    if is_archived(version) in _VIEWS[list_view_type]
                ]
                wanted = versions if name else versions[:1]
                found += [asset_info(item, self._path(client, item)) for item in wanted]
        return found

    def archive(self, name: str, version: str | None = None) -> None:
        """Hide a version, or every version, from lists; raises NotFoundError."""
        with self._client() as client:
            for item in self._versions(client, name, version):
                client.registry.tag_version(name, item.version, ARCHIVED_TAG, "true")

    def restore(self, name: str, version: str | None = None) -> None:
        """Show archived versions in lists again; raises NotFoundError."""
        with self._client() as client:
            for item in self._versions(client, name, version):
                client.registry.untag_version(name, item.version, ARCHIVED_TAG)

    def download(self, name: str, version: str, download_path: Path = Path()) -> Path:
        """Copy a version's files into `download_path/NAME`, as MLClient does; returns that."""
        source = self.local_path(name, version)
        target = download_path / name
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
        return target

    def local_path(self, name: str, version: str | None = None, label: str | None = None) -> Path:
        """Return where a version's files are on this machine, for a job to read, not to change.

        Raises:
            NotFoundError: There is no such version.
            TargetError: Its files are gone.
        """
        with self._client() as client:
            found = self._find(client, name, version, label)
            path = self._path(client, found)
        if not path.exists():
            raise TargetError(
                f"the files of model {name}:{found.version} are gone: {path}",
                hint=f"register them anew: `aml model create -n {name} -p PATH`",
            )
        return path

    @contextlib.contextmanager
    def _client(self) -> Iterator[TrackingClient]:
        with self._server.hold(), TrackingClient(self._server.ensure()) as client:
            yield client

    def _model(
        self, asset: Any, overrides: Sequence[str], fields: dict[str, str | None]
    ) -> ModelAsset:
        given: dict[str, Any] = {key: text for key, text in fields.items() if text is not None}
        allowed = {"name", "version", "path", "type", "description", "stage"}
        for key in given.keys() - allowed:
            raise UsageError(f"a model has no field {key!r}", hint=near_miss(key, allowed))
        if asset is not None:
            model = msgspec.structs.replace(self._load(asset, overrides), **given)
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

    def _content(self, client: TrackingClient, path: str) -> _Content:
        """Find a model's files: in a run's artifacts, or anywhere else."""
        if match := _RUN_ADDRESS.fullmatch(path):
            run = client.get_run(match["run"])
            content = self._artifact(run, match["path"])
            if content is None:
                raise NotFoundError(f"run {run.run.run_id} has no artifact {match['path']!r}")
            return content
        if path.startswith(f"{SCHEME}:"):
            return _Content(self._server.artifacts / root_of(path), address=path)
        run_of_job = self._run_of_job(client, path)
        if run_of_job is not None and (match := _JOB_ADDRESS.fullmatch(path)):
            content = self._artifact(run_of_job, match["path"])
            if content is not None:
                return content
        return _Content(self._resolve(path), run_of_job.run.run_id if run_of_job else "")

    def _artifact(self, run: RunData, path: str) -> _Content | None:
        address = f"{run.run.artifact_uri}/{PurePosixPath(urllib.parse.unquote(path))}"
        place = self._server.artifacts / root_of(address)
        return _Content(place, run.run.run_id, address) if place.exists() else None

    def _run_of_job(self, client: TrackingClient, path: str) -> RunData | None:
        match = _ANY_JOB.match(path)
        if match is None:
            return None
        runs = client.search_runs(filter_string=f"tags.`{JOB_TAG}` = '{match['job']}'")
        return next(runs, None)

    def _create(
        self, client: TrackingClient, model: ModelAsset, content: _Content, digest: str
    ) -> ModelVersion:
        address = content.address
        if not address:
            folder = f"{SCHEME}:/registered-models/{model.name}/{uuid.uuid4().hex}"
            client.upload_to(folder, content.path)
            address = f"{folder}/{content.path.name}" if content.path.is_file() else folder
        client.registry.ensure_model(model.name)
        created = client.registry.create_version(
            model.name,
            address,
            run_id=content.run_id,
            description=model.description,
            tags=tags_of(model, digest),
        )
        if model.version not in {None, created.version}:
            client.registry.delete_version(model.name, created.version)
            raise UsageError(
                f"version {model.version} of model {model.name!r} was taken in this moment",
                hint="leave the version out",
            )
        return created

    def _update(
        self, client: TrackingClient, version: ModelVersion, model: ModelAsset, digest: str
    ) -> AssetInfo:
        if digest != (version.tags.get(DIGEST_TAG) or self._digest(self._path(client, version))):
            raise UsageError(
                f"model {model.name}:{version.version} is there with other content",
                hint="leave the version out to register a new one",
            )
        registry = client.registry
        if model.description:
            registry.describe_version(model.name, version.version, model.description)
        for key, value in tags_of(model, digest).items():
            registry.tag_version(model.name, version.version, key, value)
        updated = registry.version(model.name, version.version)
        return self._described(client, updated)

    def _versions(
        self, client: TrackingClient, name: str, version: str | None
    ) -> Sequence[ModelVersion]:
        """Return a model's versions, or the one that is asked for; never none."""
        known = tuple(client.registry.versions(name))
        if not known:
            raise not_found("model", name, client.registry.models())
        if version is None:
            return known
        found = tuple(item for item in known if item.version == version)
        if not found:
            raise not_found(f"version of model {name!r}", version, [item.version for item in known])
        return found

    def _find(
        self, client: TrackingClient, name: str, version: str | None, label: str | None
    ) -> ModelVersion:
        if version is not None and label is not None:
            raise UsageError("a version and a label cannot both be given", hint="leave one out")
        known = self._versions(client, name, version)
        if version is None and label in {None, "latest"}:
            return next((item for item in known if not is_archived(item)), known[0])
        if label is None:
            return known[0]
        for item in known:
            if label in item.aliases:
                return item
        aliases = {alias for item in known for alias in item.aliases}
        raise not_found(f"label of model {name!r}", label, {"latest", *aliases})

    def _path(self, client: TrackingClient, version: ModelVersion) -> Path:
        address = version.source
        if not address.startswith(f"{SCHEME}:"):
            address = client.registry.address(version.name, version.version)
        if address.startswith(f"{SCHEME}:"):
            return self._server.artifacts / root_of(address)
        if address.startswith("file:"):
            return Path(urllib.parse.unquote(urllib.parse.urlsplit(address).path))
        return self._resolve(address)

    def _described(self, client: TrackingClient, version: ModelVersion) -> AssetInfo:
        return asset_info(version, self._path(client, version), lineage(client, version))
