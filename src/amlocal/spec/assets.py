"""Loads assets from their files: components, environments, data assets, models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from amlocal.errors import UsageError
from amlocal.plan import Component, DataAsset, Environment, ModelAsset
from amlocal.spec import build, convert, overrides, sdk
from amlocal.spec.check import check_component_name
from amlocal.spec.compiler import require_mapping
from amlocal.spec.findings import Findings
from amlocal.spec.locate import Document
from amlocal.spec.paths import Files, check_environment, check_path
from amlocal.spec.steps import read_component
from amlocal.spec.structure import check_object


def component(source: Path | Any, settings: Sequence[str]) -> Component:
    """Load a command component; see `amlocal.spec.load_component`."""
    document, loaded = _load(source, settings, "component")
    fields = convert.component_mapping(loaded)
    return build.declared_component(fields, document.folder, source=document.name)


def environment(source: Path | Any, settings: Sequence[str]) -> Environment:
    """Load an environment; see `amlocal.spec.load_environment`."""
    document, loaded = _load(source, settings, "environment")
    found = build.environment(convert.environment_mapping(loaded, document.folder), document.folder)
    return found or Environment()


def data(source: Path | Any, settings: Sequence[str]) -> DataAsset:
    """Load a data asset; see `amlocal.spec.load_data`."""
    document, loaded = _load(source, settings, "data")
    fields = convert.asset_mapping(loaded)
    return DataAsset(
        name=fields["name"],
        path=build.local_path(fields["path"], document.folder),
        type=fields.get("type") or build.UNSAID,
        version=build.text_or_none(fields.get("version")),
        description=build.text(fields.get("description")),
        tags=build.texts(fields["tags"]),
        properties=build.texts(fields["properties"]),
    )


def model(source: Path | Any, settings: Sequence[str]) -> ModelAsset:
    """Load a model; see `amlocal.spec.load_model`."""
    document, loaded = _load(source, settings, "model")
    fields = convert.asset_mapping(loaded)
    return ModelAsset(
        name=fields["name"],
        path=build.local_path(fields["path"], document.folder),
        type=fields.get("type") or "custom_model",
        version=build.text_or_none(fields.get("version")),
        description=build.text(fields.get("description")),
        tags=build.texts(fields["tags"]),
        properties=build.texts(fields["properties"]),
        stage=build.text_or_none(fields.get("stage")),
    )


def _load(source: Path | Any, settings: Sequence[str], kind: str) -> tuple[Document, Any]:
    """Check a file and load it with the SDK, or take an object of the SDK as it is.

    Raises:
        SpecError: The file is wrong; holds every problem.
        UsageError: There are settings for an object.
    """
    if not isinstance(source, Path):
        if settings:
            raise UsageError("settings change files, not objects", hint="change the object")
        return Document(name="", data={}, folder=convert.base(source)), source
    findings = Findings()
    files = Files()
    document = overrides.apply(files.document(source), settings)
    findings.add(document.problems)
    require_mapping(findings, document)
    _check(findings, files, document, kind)
    findings.raise_problems()
    loaded = sdk.load(kind, document.place, findings)
    findings.raise_problems()
    return document, loaded


def _check(findings: Findings, files: Files, document: Document, kind: str) -> None:
    place, value = document.place, document.data
    if kind == "component":
        read_component(findings, files, place, value)
        if isinstance(value.get("name"), str):
            findings.add(check_component_name(value["name"], place.at("name")))
    else:
        check_object(findings, place, value, kind)
    if kind == "environment":
        check_environment(findings, files, place, value)
    if not isinstance(value.get("name"), str):
        findings.problem(place, f"the {kind} has no name", "add name:, or pass it as a flag")
    if kind in {"data", "model"}:
        path = value.get("path")
        if isinstance(path, str):
            check_path(findings, files, place.at("path"), path, f"the {kind}")
        elif kind == "model":
            findings.problem(place, "the model has no path", "add path:")
