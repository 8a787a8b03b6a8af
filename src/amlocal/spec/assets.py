"""Loads assets from their files: components, environments, data assets, models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from amlocal.plan import Component, DataAsset, Environment, ModelAsset, PipelineComponent
from amlocal.spec import build, convert, overrides, parallel, sdk
from amlocal.spec.check import check_component_name
from amlocal.spec.compiler import require_mapping
from amlocal.spec.entities import base
from amlocal.spec.findings import Findings
from amlocal.spec.locate import Document
from amlocal.spec.paths import Files, check_environment, check_path
from amlocal.spec.pipeline_component import (
    built_component,
    is_pipeline_component,
    load_pipeline_component,
)
from amlocal.spec.source import AssetSource
from amlocal.spec.steps import read_component
from amlocal.spec.structure import check_object


def component(
    source: Path | Any, settings: Sequence[str], assets: AssetSource | None
) -> Component | PipelineComponent:
    """Load a component; see `amlocal.spec.load_component`."""
    if hasattr(source, "jobs"):
        findings = Findings()
        built = built_component(findings, source, assets, settings)
        findings.raise_problems()
        return built
    if isinstance(source, Path):
        written = overrides.apply(Files().document(source), settings)
        if is_pipeline_component(written.data):
            return load_pipeline_component(written, assets)
    document, fields = _load(
        source, settings, "component", lambda it, _: convert.component_mapping(it)
    )
    if parallel.is_parallel(fields):
        return parallel.declared_component(fields, document.folder, source=document.name)
    return build.declared_component(fields, document.folder, source=document.name)


def environment(source: Path | Any, settings: Sequence[str]) -> Environment:
    """Load an environment; see `amlocal.spec.load_environment`."""
    document, fields = _load(source, settings, "environment", convert.environment_mapping)
    return build.environment(fields, document.folder) or Environment()


def data(source: Path | Any, settings: Sequence[str]) -> DataAsset:
    """Load a data asset; see `amlocal.spec.load_data`."""
    document, fields = _load(source, settings, "data", lambda it, _: convert.asset_mapping(it))
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
    document, fields = _load(source, settings, "model", lambda it, _: convert.asset_mapping(it))
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


def _load(
    source: Path | Any, settings: Sequence[str], kind: str, turn: Callable[[Any, Path], Any]
) -> tuple[Document, Any]:
    """Return an asset's YAML fields as the SDK reads them, and the document that they stand in.

    Args:
        source: A file, an object of the SDK, or None for what the settings alone say.
        settings: `a.b=c`.
        kind: `component`, `environment`, `data`, or `model`.
        turn: Turns an object of the SDK, relative to a folder, into its YAML fields.

    Raises:
        SpecError: The file is wrong; holds every problem.
        UsageError: A setting is wrong.
    """
    if source is not None and not isinstance(source, Path):
        folder = base(source)
        own = Document(name="", data=turn(source, folder), folder=folder)
        document = overrides.apply(own, settings)
        return document, document.data
    findings = Findings()
    files = Files()
    empty = Document(name="", data={}, folder=Path.cwd())
    document = overrides.apply(files.document(source) if source else empty, settings)
    findings.add(document.problems)
    require_mapping(findings, document)
    _check(findings, files, document, kind)
    findings.raise_problems()
    loaded = sdk.load(kind, document.place, findings)
    findings.raise_problems()
    return document, turn(loaded, document.folder)


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
