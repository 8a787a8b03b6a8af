"""Compiles pipeline components by the code that compiles pipeline jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from amlocal.plan import Component, Input, PipelineComponent
from amlocal.spec import assemble, build, convert, overrides, sdk
from amlocal.spec.bindings import Places, check_job
from amlocal.spec.check import check_component, check_component_name
from amlocal.spec.compiler import object_steps, step_components
from amlocal.spec.entities import OUTPUT, base, picked
from amlocal.spec.findings import Findings
from amlocal.spec.locate import Document, Place
from amlocal.spec.paths import Files
from amlocal.spec.source import AssetSource
from amlocal.spec.steps import Parts, read_steps
from amlocal.spec.structure import check_object


def is_pipeline_component(value: object) -> bool:
    """Whether a file says that it is a pipeline component: by its type, or by its steps."""
    data = build.mapping(value)
    kind = build.text(data.get("type")).lower()
    return kind == "pipeline" or (not kind and "jobs" in data)


def read_pipeline_component(
    findings: Findings, files: Files, place: Place, value: object, assets: AssetSource | None
) -> tuple[PipelineComponent, Parts]:
    """Check the file of a pipeline component; return what of it is right, and its steps' parts.

    Args:
        findings: Where problems and warnings go.
        files: Reads the files that it names.
        place: The file.
        value: What it says.
        assets: The target's registered components.
    """
    data = build.mapping(value)
    if isinstance(value, Mapping) and not is_pipeline_component(value):
        message = f"a component of type {data.get('type', 'command')!r} is no pipeline"
        findings.problem(place.at("type"), message, "name the file of a component with jobs:")
    else:
        check_object(findings, place, value, "pipeline_component")
    parts = read_steps(findings, files, place, data, assets)
    return _check(findings, place, data, parts), parts


def load_pipeline_component(document: Document, assets: AssetSource | None) -> PipelineComponent:
    """Load a pipeline component from its file to register it.

    Args:
        document: The file, changed as settings say.
        assets: The target's registered components, of which its steps may be made.

    Raises:
        SpecError: The file is wrong; holds every problem.
    """
    findings = Findings(first=document.name)
    findings.add(document.problems)
    place = document.place
    _, parts = read_pipeline_component(findings, Files(), place, document.data, assets)
    name = document.data.get("name")
    if isinstance(name, str):
        findings.add(check_component_name(name, place.at("name")))
    else:
        hint = "add name:, or pass it as a flag"
        findings.problem(place, "the component has no name", hint)
    findings.raise_problems()
    loaded = sdk.load("component", place, findings)
    findings.raise_problems()
    return loaded_component(loaded, parts, document)


def loaded_component(component: Any, parts: Parts, document: Document) -> PipelineComponent:
    """Return what the SDK loaded of a file.

    Args:
        component: The SDK's `PipelineComponent`.
        parts: What its steps are made of, as the checks read it.
        document: The file.
    """
    fields = _mapping(component)
    steps = step_components(component.jobs, fields["jobs"], parts, document)
    # The SDK drops the name of a component that a file refers to.
    named = {name: document.data.get(name) for name in ("name", "version")}
    return _compiled({**fields, **named}, document.folder, steps, parts, source=document.name)


def built_component(
    findings: Findings,
    component: Any,
    assets: AssetSource | None,
    settings: Sequence[str] = (),
) -> PipelineComponent:
    """Check and compile a pipeline component that was built in Python.

    Args:
        findings: Where problems and warnings go.
        component: The SDK's `PipelineComponent`.
        assets: The target's registered components.
        settings: `a.b=c`.
    """
    with sdk.quiet():
        own = Document(name="", data=_mapping(component), folder=base(component))
    document = overrides.apply(own, settings)
    parts = object_steps(findings, component, document, assets, "pipeline_component")
    return _check(findings, document.place, document.data, parts)


def _check(
    findings: Findings, place: Place, data: Mapping[str, Any], parts: Parts
) -> PipelineComponent:
    """Check what a pipeline component declares, and how its steps are bound; return it."""
    folder = place.document.folder
    findings.add(check_component(build.declared_component(data, folder), place))
    component = _compiled(data, folder, parts.components, parts, source="")
    steps = build.mapping(data.get("jobs"))
    left_out = {name for name in steps if name not in parts.components}
    places = Places(place, parts.places, left_out, component.inputs)
    findings.add(check_job(component.job, places))
    return component


def _compiled(
    data: Mapping[str, Any],
    folder: Path,
    steps: Mapping[str, Component],
    parts: Parts,
    *,
    source: str,
) -> PipelineComponent:
    ports = build.mapping(data.get("inputs"))
    declared = {name: build.component_input(port, folder) for name, port in ports.items()}
    fields = {name: value for name, value in data.items() if name != "name"}
    job = assemble.pipeline_job(
        {**fields, "inputs": _defaults(declared)},
        folder,
        steps,
        inline=parts.inline,
        source=source,
        declared=declared,
    )
    job = msgspec.structs.replace(job, experiment_name="")  # that of what runs it
    name = build.text(data.get("name"))
    version = build.text_or_none(data.get("version")) if name else None
    return PipelineComponent(job=job, inputs=declared, name=name, version=version)


def _defaults(declared: Mapping[str, Input]) -> dict[str, Any]:
    return {
        name: port.default if port.is_literal else {"type": port.type, "path": port.default}
        for name, port in declared.items()
        if port.default is not None
    }


def _mapping(component: Any) -> dict[str, Any]:
    """Return an SDK's `PipelineComponent` as its YAML fields."""
    steps = convert.pipeline_steps(component.jobs, base(component))
    fields = {
        "name": convert.asset_name(component.name),
        "version": component.version,
        "display_name": component.display_name,
        "description": component.description,
        "tags": dict(component.tags or {}),
        "inputs": {name: convert.port(found) for name, found in component.inputs.items()},
        "outputs": {name: picked(found, OUTPUT) for name, found in component.outputs.items()},
        "jobs": steps,
    }
    return {name: value for name, value in fields.items() if value not in (None, {})}
