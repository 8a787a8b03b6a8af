"""Compiles files and SDK objects: checks first, then the SDK's loaders, then the plan."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from amlocal.errors import UsageError, near_miss
from amlocal.plan import Component, Input, Job
from amlocal.spec import assemble, build, convert, overrides, parallel, sdk
from amlocal.spec.bindings import Places, check_job
from amlocal.spec.cache import Entry
from amlocal.spec.check import check_component
from amlocal.spec.check_parallel import check_parallel
from amlocal.spec.check_sweep import check_sweep
from amlocal.spec.convert_automl import automl_mapping
from amlocal.spec.entities import base
from amlocal.spec.fields import Status, ledger
from amlocal.spec.findings import Findings
from amlocal.spec.locate import Document, Place, shown
from amlocal.spec.paths import Files, check_code, check_environment, check_inputs
from amlocal.spec.source import AssetSource
from amlocal.spec.steps import (
    Parts,
    check_automl_job,
    check_automl_step,
    check_command_job,
    check_sweep_job,
    inline_component,
    job_type,
    read_engine,
    read_pipeline,
    registered_component,
)


def compile_file(file: Path, settings: Sequence[str], assets: AssetSource | None) -> Entry:
    """Compile a job file, and say what the plan was made of.

    Raises:
        SpecError: The file, or one that it names, is wrong; holds every problem.
        UsageError: A setting is wrong.
    """
    files = Files()
    written = files.document(file)
    document = overrides.apply(written, settings)
    findings = Findings(first=document.name)
    findings.add(document.problems)
    require_mapping(findings, document)
    _warn_of_new_inputs(findings, written.data, document.data)
    job, parts = compile_document(findings, files, document, assets)
    return Entry(
        job=job,
        read={str(path): state for path, state in files.read.items()},
        present=tuple(str(path) for path in files.present),
        registered=tuple(parts.registered),
    )


def compile_document(
    findings: Findings, files: Files, document: Document, assets: AssetSource | None
) -> tuple[Job, Parts]:
    """Compile a job file that was read, and say what its steps are made of.

    Raises:
        SpecError: The file, or one that it names, is wrong; holds every problem.
    """
    parts = _check(findings, files, document, assets)
    findings.raise_problems()
    loaded = sdk.load("job", document.place, findings)
    findings.raise_problems()
    return with_warnings(_convert(loaded, document, parts), findings), parts


def compile_object(source: Any, settings: Sequence[str], assets: AssetSource | None) -> Job:
    """Compile a job that was built with `azure.ai.ml`.

    Raises:
        SpecError: The job is wrong; holds every problem, without lines.
        UsageError: The object is no job, or a setting is wrong.
    """
    findings = Findings()
    kind = getattr(source, "type", None)
    if isinstance(kind, str) and kind in ledger()["job_type"]:
        job_type(findings, Document(name="", data={}, folder=Path()).place, {"type": kind})
        findings.raise_problems()
    if (
        not isinstance(kind, str)
        or kind not in _MAPPINGS
        or not (kind == "sweep" or hasattr(source, "_build_inputs"))
    ):
        hint = "give a path, a command(...), or the job that a @pipeline function returns"
        raise UsageError(f"no job can be made of this {type(source).__name__}", hint=hint)
    folder = base(source)
    with sdk.quiet():
        data = _MAPPINGS[kind](source)
    document = overrides.apply(Document(name="", data=data, folder=folder), settings)
    if kind == "command":
        _check_object_fields(findings, document.place, document.data, "command_job")
        job = _object_command(findings, source.component, document)
        places = Places(document.place)
    elif kind == "sweep":
        _check_object_fields(findings, document.place, document.data, "sweep_job")
        trial = build.mapping(document.data.get("trial"))
        _check_object_fields(findings, document.place.at("trial"), trial, "sweep_trial")
        check_sweep(findings, document.place, document.data, None)
        job = assemble.sweep_job(document.data, folder, source="")
        places = Places(document.place)
    elif kind == "automl":
        check_automl_job(findings, Files(), document.place, document.data)
        job = assemble.automl_job(document.data, folder, source="")
        places = Places(document.place)
    else:
        parts = object_steps(findings, source, document, assets)
        job = _pipeline(document, parts)
        places = _places(document, parts)
    findings.add(check_job(job, places))
    findings.raise_problems()
    return with_warnings(job, findings)


def _object_command(findings: Findings, component: Any, document: Document) -> Job:
    """Assemble what `command(...)` built: it declares inputs, and need not give all of them."""
    declared: Mapping[str, Input] = {}
    if not isinstance(component, str):
        fields = convert.component_mapping(component)
        declared = build.declared_component(fields, document.folder).inputs
    job = assemble.command_job(document.data, document.folder, source="", declared=declared)
    for name, port in declared.items():
        if name not in job.inputs and not port.optional and port.default is None:
            message = f"the input {name!r} ({port.type}) has no value"
            hint = "give it one, a default, or declare it optional"
            findings.problem(document.place.at("inputs", name), message, hint)
    return job


_MAPPINGS: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "command": convert.command_mapping,
    "pipeline": convert.pipeline_mapping,
    "sweep": convert.sweep_mapping,
    "automl": lambda job: automl_mapping(job, base(job)),
}


def require_mapping(findings: Findings, document: Document) -> None:
    """Raise where a file holds no fields at all.

    Raises:
        SpecError: It is empty, a list, or a text.
    """
    if isinstance(document.data, Mapping):
        return
    what = "is empty" if document.data is None else "holds no fields"
    findings.problem(document.place, f"the file {what}", "write fields, as in `type: command`")
    findings.raise_problems()


def _warn_of_new_inputs(
    findings: Findings, written: Mapping[str, Any], data: Mapping[str, Any]
) -> None:
    """Warn of inputs that only a setting names and nothing refers to: likely misspelt."""
    known = build.mapping(written.get("inputs"))
    rest = str({name: value for name, value in data.items() if name != "inputs"})
    for name in map(str, build.mapping(data.get("inputs"))):
        if name not in known and not re.search(rf"\binputs\.{re.escape(name)}\b", rest):
            hint = near_miss(name, map(str, known))
            findings.warn(f"inputs.{name}", "nothing uses it" + (f"; {hint}" if hint else ""))


def _check(
    findings: Findings, files: Files, document: Document, assets: AssetSource | None
) -> Parts:
    """Check a job file as far as it goes, so that all of its problems come at once."""
    kind = job_type(findings, document.place, document.data)
    parts = Parts()
    if kind == "pipeline":
        parts = read_pipeline(findings, files, document.place, document.data, assets)
        draft = _pipeline(document, parts)
    elif kind == "command":
        check_command_job(findings, files, document.place, document.data)
        draft = assemble.command_job(document.data, document.folder, source=document.name)
    elif kind == "sweep":
        check_sweep_job(findings, files, document.place, document.data)
        draft = assemble.sweep_job(document.data, document.folder, source=document.name)
    elif kind == "automl":
        check_automl_job(findings, files, document.place, document.data)
        draft = assemble.automl_job(document.data, document.folder, source=document.name)
    else:
        return parts
    findings.add(check_job(draft, _places(document, parts)))
    return parts


def _places(document: Document, parts: Parts) -> Places:
    steps = build.mapping(document.data.get("jobs"))
    left_out = {name for name in steps if name not in parts.components}
    return Places(document.place, parts.places, left_out)


def _pipeline(document: Document, parts: Parts) -> Job:
    return assemble.pipeline_job(
        document.data,
        document.folder,
        parts.components,
        inline=parts.inline,
        source=document.name,
    )


def _convert(loaded: Any, document: Document, parts: Parts) -> Job:
    """Return the plan of what the SDK loaded."""
    if loaded.type == "command":
        data = convert.command_mapping(loaded)
        return assemble.command_job(data, document.folder, source=document.name)
    if loaded.type == "sweep":
        data = convert.sweep_mapping(loaded)
        return assemble.sweep_job(data, document.folder, source=document.name)
    if loaded.type == "automl":
        data = automl_mapping(loaded, document.folder)
        return assemble.automl_job(data, document.folder, source=document.name)
    data = convert.pipeline_mapping(loaded)
    components = step_components(loaded.jobs, data["jobs"], parts, document)
    return assemble.pipeline_job(
        data,
        document.folder,
        components,
        inline=parts.inline,
        source=document.name,
    )


def step_components(
    steps: Mapping[str, Any], data: Mapping[str, Any], parts: Parts, document: Document
) -> dict[str, Component]:
    """Return what the steps of a pipeline run, of the components that the SDK loaded.

    Args:
        steps: The SDK's steps.
        data: The same as YAML fields.
        parts: What the steps are made of, as the checks read it.
        document: The file that they stand in.
    """
    components = {}
    for name, step in steps.items():
        draft = parts.components[name]
        # Of a parallel step the SDK has put all that its component says into the step itself.
        is_whole = step.type in {"automl", "parallel"}
        component = "" if is_whole else convert.component_of(step)
        if isinstance(component, str):
            components[name] = draft
        elif name in parts.inline:
            fields = convert.component_mapping(component)
            fields["outputs"] = data[name].get("outputs")
            components[name] = inline_component(fields, document)
        else:
            fields = convert.component_mapping(component)
            found = build.declared_component(fields, document.folder, source=draft.source)
            # The SDK drops the name of a component that a job refers to by its file.
            components[name] = msgspec.structs.replace(
                found, name=draft.name, version=draft.version
            )
    return components


def object_steps(
    findings: Findings,
    job: Any,
    document: Document,
    assets: AssetSource | None,
    schema: str = "pipeline_job",
) -> Parts:
    """Check a pipeline job or component that was built in Python; return what its steps run."""
    parts = Parts(engine=read_engine(findings, document.place, document.data))
    _check_object_fields(findings, document.place, document.data, schema)
    for name, step in job.jobs.items():
        at = document.place.at("jobs", name)
        if not job_type(findings, at, {"type": step.type}):
            continue
        if step.type == "automl":
            check_automl_step(findings, Files(), at, document.data, parts)
            continue
        is_sweep, is_parallel = step.type == "sweep", step.type == "parallel"
        data = document.data["jobs"][name]
        step_schema = {"sweep": "sweep_step", "parallel": "parallel_component_step"}.get(
            step.type, "component_step"
        )
        _check_object_fields(findings, at, data, step_schema)
        if is_parallel:
            check_parallel(findings, Files(), at, data)
        component = convert.component_of(step)
        if isinstance(component, str):
            reference = f"azureml:{component.removeprefix('azureml:')}"
            found = registered_component(findings, Files(), at, reference, assets, parts)
            if found is None:
                continue
            parts.components[name] = found
        else:
            fields = convert.component_mapping(component)
            folder = base(component)
            own = Document(name="", data=fields, folder=folder).place
            own_schema = "parallel_component" if is_parallel else "command_component"
            _check_object_fields(findings, own, fields, own_schema)
            file = getattr(component, "_source_path", None)
            source = shown(Path(file)) if file else ""
            declared = parallel if is_parallel else build
            parts.components[name] = declared.declared_component(fields, folder, source=source)
            findings.add(check_component(parts.components[name], own))
        parts.places[name] = Document(name="", data={}, folder=document.folder).place
        if is_sweep:
            check_sweep(findings, at, data, parts.components[name])
    return parts


def _check_object_fields(
    findings: Findings, place: Place, value: Mapping[str, Any], schema: str
) -> None:
    """Check the files that an object names, and warn of its fields as of a file's."""
    files = Files()
    check_code(findings, files, place, value)
    check_environment(findings, files, place.at("environment"), value.get("environment"))
    if not schema.endswith("_component"):
        check_inputs(findings, files, place.at("inputs"), value.get("inputs"))
    for name in value:
        field = ledger()[schema].get(name)
        if field is not None and field.status is Status.WARNED:
            findings.warn_field(field)


def with_warnings(job: Job, findings: Findings) -> Job:
    """Return a job with what was warned of, and with outputs that nothing writes."""
    written = {source.step for source in job.output_sources.values()}
    for name in job.outputs if job.type == "pipeline" else ():
        if name not in job.output_sources:
            known = ", ".join(sorted(written)) or "none"
            message = f"no step writes it (steps that write an output of the pipeline: {known})"
            findings.warn(f"outputs.{name}", message)
    return msgspec.structs.replace(job, warnings=findings.warnings)
