"""Loads batch deployments of pipelines: their component is compiled to a job without its inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from amlocal.errors import Problem, near_miss
from amlocal.plan import (
    BatchDeployment,
    Input,
    Job,
    JobBinding,
    LiteralValue,
    PipelineComponent,
)
from amlocal.spec import assemble, build, build_endpoint, sdk
from amlocal.spec.check import article, check_value
from amlocal.spec.check_endpoint import check_name
from amlocal.spec.compiler import compile_object, with_warnings
from amlocal.spec.findings import Findings
from amlocal.spec.kinds import kind_of
from amlocal.spec.locate import Document, Place
from amlocal.spec.paths import Files, check_inputs
from amlocal.spec.pipeline_component import (
    built_component,
    loaded_component,
    read_pipeline_component,
)
from amlocal.spec.source import AssetSource
from amlocal.spec.steps import Parts, look_up
from amlocal.spec.structure import check_object

_WRITE_A_FILE = "write it into a file, and name that: component: ./pipeline.yml"


@dataclass(frozen=True, slots=True)
class _Found:
    """The pipeline of a deployment.

    Attributes:
        component: The component; of a file, as far as the checks read it.
        document: Its file, or None where it was built in Python.
        parts: What the steps of a file are made of.
    """

    component: PipelineComponent
    document: Document | None = None
    parts: Parts | None = None


def pipeline_deployment(document: Document, assets: AssetSource | None) -> BatchDeployment:
    """Load a batch deployment of a pipeline.

    Args:
        document: Its fields; those of an object hold the SDK's component or job itself.
        assets: The target's registered components, of which the steps may be made.

    Raises:
        SpecError: Something is wrong; holds every problem.
    """
    findings = Findings(first=document.name)
    findings.add(document.problems)
    place, data = document.place, document.data
    check_object(findings, place, data, "pipeline_batch_deployment")
    check_name(findings, place, data, "name", "deployment")
    check_name(findings, place, data, "endpoint_name", "endpoint")
    definition = data.get("job_definition")
    at = place.at("job_definition") if isinstance(definition, Mapping) else place
    node = build.mapping(definition)
    if node:
        check_object(findings, at, definition, "pipeline_node")
    if "component" in data and "job_definition" in data:
        message = "the deployment has both a component and a job definition"
        findings.problem(place.at("job_definition"), message, "keep one")
    found: _Found | None
    if hasattr(definition, "jobs"):
        found = _Found(_of_job(compile_object(definition, (), assets)))
    else:
        found = _find(findings, at, node or data, assets)
    if found is not None:
        findings.add(_check_given(at.at("inputs"), node.get("inputs"), found.component.inputs))
        check_inputs(findings, Files(), at.at("inputs"), node.get("inputs"))
    findings.raise_problems()
    assert found is not None  # where there is none, that was a problem
    component = found.component
    if found.document is not None and found.parts is not None:
        loaded = sdk.load("pipeline_component_batch_deployment", place, findings)
        findings.raise_problems()
        holder = loaded.job_definition if node else loaded
        component = loaded_component(holder.component, found.parts, found.document)
    given = assemble.job_inputs(build.mapping(node.get("inputs")), document.folder)
    return _deployment(document, component, given, findings)


def _find(
    findings: Findings, at: Place, data: Mapping[str, Any], assets: AssetSource | None
) -> _Found | None:
    """Return the component that a field names, or None and a problem."""
    value, where = data.get("component"), at.at("component")
    if hasattr(value, "jobs"):
        return _Found(built_component(findings, value, assets))
    if isinstance(value, Mapping):
        # PipelineComponentBatchDeploymentSchema of azure.ai.ml has no place for it.
        message = "Azure's client takes no component that is written inline here"
        findings.problem(where, message, _WRITE_A_FILE)
    elif isinstance(value, str) and value.startswith("file:"):
        message = f"Azure's client takes no {value!r} here"
        findings.problem(where, message, f"write component: {value.removeprefix('file:')}")
    elif isinstance(value, str) and value.startswith("azureml:"):
        find = None if assets is None else assets.pipeline_component
        registered = look_up(findings, where, value, find)
        return None if registered is None else _Found(registered[0])
    elif isinstance(value, str):
        return _read(findings, where, value, assets)
    elif build.text(data.get("job_definition")).startswith("azureml:"):
        message = "a deployment of a job that has run cannot be made here"
        findings.unsupported(at.at("job_definition"), message, _WRITE_A_FILE)
    elif "job_definition" in data:
        said = kind_of(data["job_definition"])
        message = f"'job_definition' must name a job or a component, not {said}"
        findings.problem(at.at("job_definition"), message, _WRITE_A_FILE)
    else:
        hint = "add component:, with the path of a file"
        findings.problem(at, "the deployment names no pipeline component", hint)
    return None


def _read(findings: Findings, at: Place, path: str, assets: AssetSource | None) -> _Found | None:
    files = Files()
    document = files.referenced(findings, at, path, "the component file")
    if document is None:
        return None
    findings.add(document.problems)
    component, parts = read_pipeline_component(
        findings, files, document.place, document.data, assets
    )
    return _Found(component, document, parts)


def _check_given(at: Place, given: object, declared: Mapping[str, Input]) -> Iterator[Problem]:
    """Yield what is wrong with the inputs that a deployment gives to its pipeline."""
    for name, value in build.mapping(given).items():
        port, where = declared.get(name), at.at(name)
        if port is None:
            hint = near_miss(name, declared) or "it takes none"
            yield where.problem(f"the pipeline has no input {name!r}", hint)
        elif port.is_literal and build.is_scalar(value):
            yield from check_value(f"input {name!r}", port, value, where)
        elif port.is_literal:
            message = f"input {name!r} takes {article(port.type)}, not data"
            yield where.problem(message, "give it one value")
        elif build.is_scalar(value):
            message = f"input {name!r} takes data ({port.type}), not {value!r}"
            yield where.problem(message, "write path: below it")


def _deployment(
    document: Document,
    component: PipelineComponent,
    given: Mapping[str, JobBinding],
    findings: Findings,
) -> BatchDeployment:
    data = document.data
    settings = assemble.settings(build.mapping(data.get("settings")), None)
    bound = {name: _typed(value, component.inputs[name]) for name, value in given.items()}
    job = with_warnings(
        msgspec.structs.replace(
            component.job,
            inputs={**component.job.inputs, **bound},
            settings=settings,
            experiment_name=build.text(data.get("endpoint_name")).lower(),
        ),
        findings,
    )
    return build_endpoint.pipeline_deployment(
        data, job, component.inputs, source=document.name, warnings=job.warnings
    )


def _typed(value: JobBinding, port: Input) -> JobBinding:
    if not isinstance(value, LiteralValue):
        return value
    found = build.typed(value.value, port.type)
    return value if found is None else LiteralValue(value=found)


def _of_job(job: Job) -> PipelineComponent:
    """Return a pipeline job as a component whose defaults are what the job was given."""
    ports = {}
    for name, value in job.inputs.items():
        port = assemble.input_of(value, {}, {}, {}) or Input()
        default = value.value if isinstance(value, LiteralValue) else value.path
        ports[name] = msgspec.structs.replace(port, default=default)
    return PipelineComponent(job=job, inputs=ports)
