"""The workspace's model registry: where a model's files are, and how a version is made of them."""

from __future__ import annotations

import contextlib
import re
import urllib.parse
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from amlocal.errors import NotFoundError, TargetError, UsageError, not_found
from amlocal.files import file_digest
from amlocal.local.digests import tree_digest, walk
from amlocal.local.model_tags import DIGEST_TAG, is_archived, tags_of
from amlocal.local.tracking.artifacts import SCHEME, root_of
from amlocal.local.tracking.client import TrackingClient
from amlocal.local.tracking.server import TrackingServer
from amlocal.local.tracking.values import JOB_TAG, ModelVersion, RunData
from amlocal.plan import ModelAsset, Output

_JOB_ARTIFACT = re.compile(r"azureml://jobs/[^/]+/outputs/artifacts/paths/(?P<path>.*)")
_JOB = re.compile(r"azureml://jobs/(?P<job>[^/']+)/")
_RUN_ARTIFACT = re.compile(r"runs:/{1,2}(?P<run>[^/]+)/(?P<path>.+)")


@dataclass(frozen=True, slots=True)
class ModelContent:
    """Where a model's files are.

    Attributes:
        path: On this machine.
        run_id: The run that they come from, or an empty string.
        address: Their address where the tracking server has them already, else an empty string.
    """

    path: Path
    run_id: str = ""
    address: str = ""


class ModelRegistry:
    """The model registry behind a workspace's tracking server, started where it is needed."""

    def __init__(self, server: TrackingServer) -> None:
        self._server = server

    @contextlib.contextmanager
    def client(self) -> Iterator[TrackingClient]:
        """Give a client of the running server, which does not idle meanwhile."""
        with self._server.hold(), TrackingClient(self._server.ensure()) as client:
            yield client

    @property
    def _was_started(self) -> bool:
        return self._server.artifacts.parent.exists()

    @contextlib.contextmanager
    def client_for(self, name: str) -> Iterator[TrackingClient]:
        """Give a client of the running server, to look at a model.

        Raises:
            NotFoundError: There has never been a server, and none is started to say so.
        """
        if not self._was_started:
            raise not_found("model", name, ())
        with self.client() as client:
            yield client

    def names(self) -> frozenset[str]:
        """Return the names of the registered models."""
        if not self._was_started:
            return frozenset()
        with self.client() as client:
            return frozenset(client.registry.models())

    def local_path(self, name: str, version: str | None = None, label: str | None = None) -> Path:
        """Return where a version's files are on this machine, for a job to read, not to change.

        Raises:
            NotFoundError: There is no such version.
            TargetError: Its files are gone, or elsewhere.
        """
        with self.client_for(name) as client:
            found = self.find(client, name, version, label)
            path = self.path_of(client, found)
        if path is None or not path.exists():
            raise TargetError(
                f"the files of model {name}:{found.version} are not on this machine: "
                f"{path or found.source}",
                hint=f"register them anew: `aml model create -n {name} -p PATH`",
            )
        return path

    def register_output(self, output: Output, place: Path, *, run_id: str) -> str:
        """Register what a job wrote to a model output that has a name.

        Args:
            output: The output; its version may be left to the registry.
            place: Where it was written.
            run_id: The run that wrote it.

        Returns:
            `NAME:VERSION`.

        Raises:
            UsageError: The output has no name, or its version is there with other content.
        """
        if not output.name:
            raise UsageError("an output without a name cannot be registered", hint="give it one")
        model = ModelAsset(
            name=output.name,
            path=str(place),
            type=output.type or "custom_model",
            version=output.version,
            description=output.description,
        )
        with self.client() as client:
            version = self.register(client, model, ModelContent(place, run_id))
        return f"{version.name}:{version.version}"

    def versions(
        self, client: TrackingClient, name: str, version: str | None = None
    ) -> Sequence[ModelVersion]:
        """Return a model's versions, the newest first, or the one that is asked for; never none.

        Raises:
            NotFoundError: There is no such model or version.
        """
        known = tuple(client.registry.versions(name))
        if not known:
            raise not_found("model", name, client.registry.models())
        if version is None:
            return known
        found = tuple(item for item in known if item.version == version)
        if not found:
            raise not_found(f"version of model {name!r}", version, [item.version for item in known])
        return found

    def find(
        self, client: TrackingClient, name: str, version: str | None, label: str | None
    ) -> ModelVersion:
        """Return one version; `label` is `latest` (as is neither) or an alias.

        Raises:
            NotFoundError: There is no such model, version, or alias.
            UsageError: Both a version and a label are given.
        """
        if version is not None and label is not None:
            raise UsageError("a version and a label cannot both be given", hint="leave one out")
        known = self.versions(client, name, version)
        if version is not None:
            return known[0]
        if label is None or label == "latest":
            return next((item for item in known if not is_archived(item)), known[0])
        for item in known:
            if label in item.aliases:
                return item
        aliases = {alias for item in known for alias in item.aliases}
        raise not_found(f"label of model {name!r}", label, {"latest", *aliases})

    def content(
        self, client: TrackingClient, path: str, resolve: Callable[[str], Path]
    ) -> ModelContent:
        """Find a model's files: in a run's artifacts, or anywhere else.

        Args:
            client: The server's client.
            path: `runs:/RUN/PATH`, `azureml://jobs/JOB/outputs/...`, or what `resolve` knows.
            resolve: Returns where a path or an address is on this machine.

        Raises:
            NotFoundError: There is no such run or artifact.
        """
        if match := _RUN_ARTIFACT.fullmatch(path):
            run = client.get_run(match["run"])
            content = self._artifact(run, match["path"])
            if content is None:
                raise NotFoundError(f"run {run.run.run_id} has no artifact {match['path']!r}")
            return content
        if path.startswith(f"{SCHEME}:"):
            return ModelContent(self._server.artifacts / root_of(path), address=path)
        job = _JOB.match(path)
        if job is None:
            return ModelContent(resolve(path))
        runs = client.search_runs(filter_string=f"tags.`{JOB_TAG}` = '{job['job']}'")
        writer = next(runs, None)
        artifact = _JOB_ARTIFACT.fullmatch(path)
        if writer is not None and artifact is not None:
            content = self._artifact(writer, artifact["path"])
            if content is not None:
                return content
        return ModelContent(resolve(path), writer.run.run_id if writer else "")

    def register(
        self, client: TrackingClient, model: ModelAsset, content: ModelContent
    ) -> ModelVersion:
        """Make a model's next version, or update one that is there with the same content.

        Raises:
            UsageError: The version that is asked for is neither the next one nor one with this
                content.
        """
        digest = _digest(content.path)
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
        return self._create(client, model, content, digest)

    def path_of(self, client: TrackingClient, version: ModelVersion) -> Path | None:
        """Return where a version's files are, or were, on this machine; None if on another."""
        address = version.source
        if not address.startswith(f"{SCHEME}:"):
            # The registry knows what `models:/` addresses stand for.
            address = client.registry.address(version.name, version.version)
        if match := _RUN_ARTIFACT.fullmatch(address):
            try:
                run = client.get_run(match["run"]).run
            except NotFoundError:
                return None
            address = f"{run.artifact_uri}/{match['path']}"
        if address.startswith(f"{SCHEME}:"):
            return self._server.artifacts / root_of(address)
        if address.startswith("file:"):
            return Path(urllib.parse.unquote(urllib.parse.urlsplit(address).path))
        return None if ":" in address else Path(address)

    def artifact(self, run: RunData, path: str) -> Path | None:
        """Return where an artifact of a run is on this machine; None where it has no such one."""
        content = self._artifact(run, path)
        return None if content is None else content.path

    def _artifact(self, run: RunData, path: str) -> ModelContent | None:
        """Return an artifact of a run, or None where it has no such one."""
        address = f"{run.run.artifact_uri}/{PurePosixPath(urllib.parse.unquote(path))}"
        place = self._server.artifacts / root_of(address)
        return ModelContent(place, run.run.run_id, address) if place.exists() else None

    def _create(
        self, client: TrackingClient, model: ModelAsset, content: ModelContent, digest: str
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
    ) -> ModelVersion:
        known = version.tags.get(DIGEST_TAG, "")
        path = self.path_of(client, version)
        if not known and path is not None and path.exists():
            known = _digest(path)
        if digest != known:
            raise UsageError(
                f"model {model.name}:{version.version} is there with other content",
                hint="leave the version out to register a new one",
            )
        registry = client.registry
        if model.description:
            registry.describe_version(model.name, version.version, model.description)
        for key, value in tags_of(model, digest).items():
            registry.tag_version(model.name, version.version, key, value)
        return registry.version(model.name, version.version)


def _digest(path: Path) -> str:
    """Return the SHA-256 of a file or folder, as `Digests.content` counts it.

    Without its memory: a model's files are read once.
    """
    if not path.is_dir():
        return file_digest(path)
    return tree_digest(
        {file.relative_to(path).as_posix(): file_digest(file) for file in walk(path)}
    )
