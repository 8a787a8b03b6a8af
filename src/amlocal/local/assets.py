"""Components, environments, and data assets of a local workspace, by `MLClient`'s verbs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from amlocal.content import FROM_CONTENT, Content, content_of
from amlocal.errors import NotFoundError, UsageError
from amlocal.local.artifacts import Artifacts
from amlocal.local.asset_records import AssetRecords
from amlocal.local.digests import tree_digest
from amlocal.local.locations import Locations, is_address, redacted
from amlocal.local.snapshot import Snapshots
from amlocal.local.workspace import DEFAULT_DATASTORE, Workspace
from amlocal.plan import (
    AssetInfo,
    Component,
    DataAsset,
    Environment,
    Output,
    OutputInfo,
    PipelineComponent,
)
from amlocal.plan.base import Value

Load = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Assets:
    """One kind of asset.

    Attributes:
        kind: `component`, `environment`, or `data`.
        records: Where versions are kept.
        load: Reads an asset's file: takes the source and overrides.
        describe: Turns what was read into a version's record.
        prepare: Makes the workspace where there is none.
        value: Turns a record back into what was read; None where versions have no content.
    """

    kind: str
    records: AssetRecords
    load: Load
    describe: Callable[[Any], AssetInfo]
    prepare: Callable[[], None]
    value: Callable[[AssetInfo], Any] | None = None

    def create_or_update(
        self, asset: Any, *, overrides: Sequence[str] = (), **fields: str | None
    ) -> AssetInfo:
        """Register an asset from its file, an object, or fields alone.

        The version `content` is made of the content: registering the same again gives what is
        there. Without a version it gets the next number, as in Azure.

        Raises:
            SpecError: The file is wrong.
            UsageError: Nothing is given, or the version exists with another content.
        """
        given = {key: value for key, value in fields.items() if value is not None}
        if asset is None and not given:
            raise UsageError(f"nothing says which {self.kind} to create", hint="give a file: -f")
        settings = [*overrides, *(f"{key}={value}" for key, value in given.items())]
        loaded = self.load(asset, overrides=settings)
        if self.value is not None and loaded.version == FROM_CONTENT:
            loaded = msgspec.structs.replace(loaded, version=content_of(loaded).content_version)
        self.prepare()
        return self.records.add(self.describe(loaded))

    def content(self, name: str, version: str | None = None, label: str | None = None) -> Content:
        """Return what a registered version consists of.

        Raises:
            NotFoundError: There is no such version.
            UsageError: Assets of this kind are not told apart by content.
        """
        info = self.records.get(self.kind, name, version, label)
        return content_of(self._value_of(info), is_stored=True)

    def content_of(self, asset: Any, *, overrides: Sequence[str] = ()) -> Content:
        """Return what the file or object of a component or an environment consists of.

        Raises:
            SpecError: The file is wrong.
        """
        return content_of(self.load(asset, overrides=overrides), origin=str(asset))

    def _value_of(self, info: AssetInfo) -> Any:
        if self.value is None:
            raise UsageError(f"{self.kind} assets are not compared by content")
        return self.value(info)

    def get(self, name: str, version: str | None = None, label: str | None = None) -> AssetInfo:
        """Return one version, without one the version created last."""
        return self.records.get(self.kind, name, version, label)

    def list(
        self, name: str | None = None, *, list_view_type: str = "ActiveOnly"
    ) -> Sequence[AssetInfo]:
        """Return the latest version of each asset, or every version of one."""
        return self.records.list(self.kind, name, list_view_type)

    def archive(self, name: str, version: str | None = None) -> None:
        """Hide a version, or every version, from lists."""
        self.records.set_archived(self.kind, name, version, archived=True)

    def restore(self, name: str, version: str | None = None) -> None:
        """Show archived versions in lists again."""
        self.records.set_archived(self.kind, name, version, archived=False)


def _identity(value: Value) -> str:
    return hashlib.sha256(value.to_json()).hexdigest()


def describe_environment(environment: Environment) -> AssetInfo:
    """Return the record of an environment.

    Raises:
        UsageError: It has no name.
    """
    _named("environment", environment.name)
    return AssetInfo(
        kind="environment",
        name=environment.name,
        version=environment.version or "",
        type="environment",
        description=environment.description,
        tags=environment.tags,
        digest=_identity(environment),
        definition=msgspec.to_builtins(environment),
    )


@dataclass(frozen=True, slots=True)
class ComponentStore:
    """Takes components in, with their code, so that they outlive the files."""

    artifacts: Artifacts
    snapshots: Callable[[], Snapshots]
    folder: Path

    def describe(self, component: Component | PipelineComponent) -> AssetInfo:
        """Return the record of a component whose code is stored.

        Raises:
            UsageError: It has no name.
        """
        _named("component", component.name)
        if isinstance(component, PipelineComponent):
            return self._describe_pipeline(component)
        kept, code = self._kept(component)
        return AssetInfo(
            kind="component",
            name=kept.name,
            version=kept.version or "",
            type="command" if kept.parallel is None else "parallel",
            path=kept.code or "",
            description=kept.description,
            tags=kept.tags,
            digest=_identity(msgspec.structs.replace(kept, version=None)),
            definition=msgspec.to_builtins(kept),
            properties={"code_digest": code},
        )

    def _describe_pipeline(self, pipeline: PipelineComponent) -> AssetInfo:
        steps = tuple(
            msgspec.structs.replace(step, component=self._kept(step.component)[0])
            for step in pipeline.job.steps
        )
        job = msgspec.structs.replace(pipeline.job, steps=steps, source="")
        kept = msgspec.structs.replace(pipeline, job=job)
        return AssetInfo(
            kind="component",
            name=kept.name,
            version=kept.version or "",
            type="pipeline",
            description=job.description,
            tags=job.tags,
            digest=_identity(msgspec.structs.replace(kept, version=None)),
            definition=msgspec.to_builtins(kept),
        )

    def _kept(self, component: Component) -> tuple[Component, str]:
        """Store the code of a component; return the component with that, and its digest."""
        with self.artifacts.in_use():
            files = self.snapshots().take(component.code, component.additional_includes)
            code = tree_digest(files)
            place = self.folder / code[:24]
            if files and not place.exists():
                self.artifacts.restore(code, place)
        kept = msgspec.structs.replace(
            component, code=str(place) if files else None, additional_includes=(), source=""
        )
        return kept, code


@dataclass(frozen=True, slots=True)
class DataStore:
    """Takes local data in as Azure uploads it: a copy in the default datastore."""

    artifacts: Artifacts
    locations: Locations
    workspace: Workspace

    def describe(self, data: DataAsset) -> AssetInfo:
        """Return the record of a data asset.

        Raises:
            UsageError: It has no name.
            TargetError: There is no data at its path.
        """
        _named("data asset", data.name)
        path, digest = data.path, ""
        if not is_address(data.path):
            source = self.locations.existing(data.path)
            with self.artifacts.in_use():
                digest = self.artifacts.store(source, link=False)
                folder = self.workspace.datastore(DEFAULT_DATASTORE) / "LocalUpload" / digest[:24]
                place = folder / source.name
                if not place.exists():
                    self.artifacts.restore(digest, place)
            path = self.locations.address(place)
        return AssetInfo(
            kind="data",
            name=data.name,
            version=data.version or "",
            type=data.type,
            path=redacted(path),
            description=data.description,
            tags=data.tags,
            properties=data.properties,
            digest=digest,
        )


def output_asset(output: Output, written: OutputInfo) -> AssetInfo:
    """Return the record of a job's output that is registered as a data asset."""
    assert output.name is not None
    return AssetInfo(
        kind="data",
        name=output.name,
        version=output.version or "",
        type=written.type,
        path=written.uri or written.path,
        digest=written.digest,
    )


def _named(kind: str, name: str) -> None:
    if not name:
        raise UsageError(f"the {kind} has no name", hint="write `name:` in its file, or give -n")


def component_of(info: AssetInfo) -> Component | PipelineComponent:
    """Return the component of a record."""
    kind: Any = PipelineComponent if info.type == "pipeline" else Component
    component: Component | PipelineComponent = msgspec.convert(info.definition, kind)
    # A version that the workspace gave is not in the definition.
    return msgspec.structs.replace(component, version=info.version)


def environment_of(info: AssetInfo) -> Environment:
    """Return the environment of a record."""
    environment = msgspec.convert(info.definition, Environment)
    return msgspec.structs.replace(environment, version=info.version)


@dataclass(frozen=True, slots=True)
class Registered:
    """Registered components and environments, as plan values."""

    records: AssetRecords

    def component(self, name: str, version: str | None, label: str | None) -> Component:
        """Return a registered command component; raises NotFoundError."""
        info = self._component(name, version, label, "command")
        component = msgspec.convert(info.definition, Component)
        # A version that the workspace gave is not in the definition.
        return msgspec.structs.replace(component, version=info.version)

    def pipeline_component(
        self, name: str, version: str | None, label: str | None
    ) -> PipelineComponent:
        """Return a registered pipeline component; raises NotFoundError."""
        info = self._component(name, version, label, "pipeline")
        component = msgspec.convert(info.definition, PipelineComponent)
        return msgspec.structs.replace(component, version=info.version)

    def _component(self, name: str, version: str | None, label: str | None, kind: str) -> AssetInfo:
        info = self.records.get("component", name, version, label)
        if info.type != kind:
            message = f"component {name}:{info.version} is a {info.type}, not a {kind}"
            raise NotFoundError(message, hint=f"name a {kind} component")
        return info

    def environment(self, reference: str) -> Environment | None:
        """Return the registered environment of a reference, or None where none has the name."""
        name, version, label = parse_reference(reference)
        known = {info.name for info in self.records.list("environment", view="All")}
        if name not in known:
            return None
        return environment_of(self.records.get("environment", name, version, label))


def parse_reference(reference: str) -> tuple[str, str | None, str | None]:
    """Split `azureml:NAME:VERSION`, `NAME@LABEL`, or `NAME` into name, version, and label."""
    plain = reference.removeprefix("azureml:")
    if "@" in plain:
        name, label = plain.rsplit("@", 1)
        return name, None, label
    name, _, version = plain.partition(":")
    return name, version or None, None
