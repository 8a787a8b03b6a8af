"""Checks the fields of a job and of its steps, and reads the components that they name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from amlocal.errors import NotFoundError, near_miss
from amlocal.plan import Component
from amlocal.spec import automl, build, parallel
from amlocal.spec.assemble import job_inputs
from amlocal.spec.cache import Registered, digest_of
from amlocal.spec.check import check_component
from amlocal.spec.check_automl import check_automl
from amlocal.spec.check_parallel import check_parallel, check_task
from amlocal.spec.check_sweep import check_sweep
from amlocal.spec.fields import Status, ledger
from amlocal.spec.findings import Findings
from amlocal.spec.locate import Document, Place
from amlocal.spec.paths import Files, check_code, check_environment, check_inputs
from amlocal.spec.shipped import DEFAULT_ENGINE, ENGINE, ENGINES, engine_of, shipped_component
from amlocal.spec.source import AssetSource
from amlocal.spec.structure import check_object

_REGISTERED = re.compile(
    r"azureml:(?P<registry>//registries/[^/]+/components/)?(?P<name>[^:@/]+)"
    r"(?:(?::|/versions/)(?P<version>[^/:@]+)|(?:@|/labels/)(?P<label>[^/:@]+))?"
)


@dataclass
class Parts:
    """What the steps of a job are made of.

    Attributes:
        components: The component of every step that has one.
        places: Where each of them stands.
        inline: The steps that have their command in the job.
        registered: The components that the target gave.
        engine: What answers the components of Azure's registry here.
    """

    components: dict[str, Component] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    inline: set[str] = field(default_factory=set)
    registered: list[Registered] = field(default_factory=list)
    engine: str = DEFAULT_ENGINE


def job_type(findings: Findings, place: Place, value: object) -> str:
    """Return the type of a job or a step; one that does not run here is a problem."""
    schema = "step_type" if place.path else "job_type"
    data = build.mapping(value)
    said = data.get("type", "command")
    kind = said.lower() if isinstance(said, str) and place.path else str(said)
    types = ledger()[schema]
    if not place.path and "component" in build.text(data.get("$schema")).lower():
        hint = f"register it: aml component create -f {place.document.name}"
        findings.problem(place.at("$schema"), "this is a component, not a job", hint)
        return ""
    if not place.path and "jobs" in data and "type" not in data:
        findings.problem(place.at("jobs"), "a job with steps needs its type", "add type: pipeline")
        return "pipeline"
    if kind not in types:
        at = place.at("type")
        findings.problem(at, f"there is no {schema[:-5]} type {said!r}", near_miss(kind, types))
    elif types[kind].status is Status.REFUSED:
        runs = [name for name, row in types.items() if row.status is Status.HONOURED]
        message = types[kind].note.rstrip(".")
        findings.unsupported(place.at("type"), message, f"what runs: {', '.join(runs)}")
    else:
        return kind
    return ""


def check_command_job(findings: Findings, files: Files, place: Place, value: object) -> None:
    """Check the fields of a command job and the files that it names."""
    check_object(findings, place, value, "command_job")
    data = build.mapping(value)
    check_code(findings, files, place, data)
    check_inputs(findings, files, place.at("inputs"), data.get("inputs"))
    check_environment(findings, files, place.at("environment"), data.get("environment"))


def check_sweep_job(findings: Findings, files: Files, place: Place, value: object) -> None:
    """Check the fields of a sweep job and of its trial, and the files that they name."""
    check_object(findings, place, value, "sweep_job")
    data = build.mapping(value)
    check_inputs(findings, files, place.at("inputs"), data.get("inputs"))
    trial, at = build.mapping(data.get("trial")), place.at("trial")
    check_code(findings, files, at, trial)
    check_environment(findings, files, at.at("environment"), trial.get("environment"))
    check_sweep(findings, place, data, None)


def check_automl_job(findings: Findings, files: Files, place: Place, value: object) -> None:
    """Check the fields of an AutoML job and the data that it names."""
    check_automl(findings, files, place, build.mapping(value), "automl_job")


def check_automl_step(
    findings: Findings, files: Files, at: Place, job: Mapping[str, Any], parts: Parts
) -> None:
    """Check an AutoML step of a pipeline job, and put it among the job's parts.

    Args:
        findings: Where problems and warnings go.
        files: Reads the MLTable files that it names.
        at: The step's place.
        job: The pipeline's fields: what its inputs are given stands in the step's fields.
        parts: What the steps of the job are made of.
    """
    given = job_inputs(build.mapping(job.get("inputs")), at.document.folder)
    name = str(at.path[-1])
    value = automl.resolved(build.mapping(job["jobs"][name]), given)
    check_automl(findings, files, at, value, "automl_step")
    parts.components[name], parts.places[name] = automl.component(), at


def read_pipeline(
    findings: Findings, files: Files, place: Place, value: object, assets: AssetSource | None
) -> Parts:
    """Check the fields of a pipeline job, and return what its steps are made of."""
    check_object(findings, place, value, "pipeline_job")
    data = build.mapping(value)
    check_inputs(findings, files, place.at("inputs"), data.get("inputs"))
    return read_steps(findings, files, place, data, assets)


def read_steps(
    findings: Findings,
    files: Files,
    place: Place,
    data: Mapping[str, Any],
    assets: AssetSource | None,
) -> Parts:
    """Check the steps of a pipeline job or component, and return what they are made of."""
    parts = Parts(engine=read_engine(findings, place, data))
    jobs = data.get("jobs")
    if isinstance(jobs, Mapping) and not jobs:
        findings.problem(place.at("jobs"), "the pipeline has no steps", "add one below jobs:")
    for name, step in build.mapping(jobs).items():
        at = place.at("jobs", name)
        if not isinstance(name, str) or step is None or not (kind := job_type(findings, at, step)):
            continue
        if kind == "automl":
            check_automl_step(findings, files, at, data, parts)
        elif kind == "parallel":
            _read_parallel_step(findings, files, at, data, assets, parts)
        else:
            _read_step(findings, files, at, step, assets, parts)
    return parts


def read_engine(findings: Findings, place: Place, data: Mapping[str, Any]) -> str:
    """Return which engine a job asks to answer Azure's components; an unknown one is a problem."""
    said = build.mapping(data.get("properties")).get(ENGINE, DEFAULT_ENGINE)
    if said in ENGINES:
        return str(said)
    at = place.at("properties", ENGINE)
    findings.problem(at, f"there is no engine {said!r}", near_miss(str(said), ENGINES))
    return DEFAULT_ENGINE


def _read_step(
    findings: Findings,
    files: Files,
    at: Place,
    value: object,
    assets: AssetSource | None,
    parts: Parts,
) -> None:
    data = build.mapping(value)
    is_sweep = build.text(data.get("type")).lower() == "sweep"
    is_inline = not is_sweep and "component" not in data
    schema = "sweep_step" if is_sweep else "command_step" if is_inline else "component_step"
    check_object(findings, at, value, schema)
    if not isinstance(value, Mapping):
        return
    check_inputs(findings, files, at.at("inputs"), data.get("inputs"))
    if not is_sweep:  # its environment is the trial's
        check_environment(findings, files, at.at("environment"), data.get("environment"))
    if is_inline:
        _read_inline_step(findings, files, at, data, parts)
        return
    field = "trial" if is_sweep else "component"
    found = _find_component(findings, files, at.at(field), data.get(field), assets, parts)
    if found is not None and found[0].parallel is not None:
        message = f"the component of {at.path[-1]!r} is parallel"
        findings.problem(at.at(field), message, "write type: parallel beside it")
    if found is not None:
        name = str(at.path[-1])
        parts.components[name], parts.places[name] = found
    if is_sweep:
        check_sweep(findings, at, data, found[0] if found is not None else None)


def _read_parallel_step(
    findings: Findings,
    files: Files,
    at: Place,
    job: Mapping[str, Any],
    assets: AssetSource | None,
    parts: Parts,
) -> None:
    name = str(at.path[-1])
    value = job["jobs"][name]
    given = job_inputs(build.mapping(job.get("inputs")), at.document.folder)
    data = parallel.resolved(build.mapping(value), given)
    is_inline = "component" not in data
    schema = "parallel_step" if is_inline else "parallel_component_step"
    check_object(findings, at, data, schema)
    check_inputs(findings, files, at.at("inputs"), data.get("inputs"))
    check_parallel(findings, files, at, data)
    if is_inline:
        parts.inline.add(name)
        found = parallel.inline_component(data, at.document.folder)
        parts.components[name], parts.places[name] = found, at
        return
    there = _find_component(
        findings, files, at.at("component"), data.get("component"), assets, parts
    )
    if there is not None and there[0].parallel is None:
        message = f"the component of {name!r} is not parallel"
        findings.problem(at.at("component"), message, "remove type: parallel")
    elif there is not None:
        parts.components[name], parts.places[name] = there


def _read_inline_step(
    findings: Findings, files: Files, at: Place, data: Mapping[str, Any], parts: Parts
) -> None:
    name = str(at.path[-1])
    check_code(findings, files, at, data)
    parts.inline.add(name)
    parts.places[name] = at
    parts.components[name] = inline_component(data, at.document)
    if "environment" not in data:
        message = f"step {name!r} lacks an environment"
        findings.problem(at, message, "add environment:, such as azureml:NAME:VERSION")


def inline_component(data: Mapping[str, Any], document: Document) -> Component:
    """Return the component of a step that has its command in the job; its inputs are inferred."""
    said = build.mapping(data.get("outputs"))
    own = {name: item for name, item in data.items() if name in _COMPONENT_FIELDS}
    outputs = {name: build.output(item) for name, item in said.items()}
    inputs = {
        name: build.input_of_value(item) for name, item in build.mapping(data.get("inputs")).items()
    }
    return build.component(own, document.folder, inputs=inputs, outputs=outputs)


_COMPONENT_FIELDS = frozenset({"command", "code", "environment", "resources", "distribution"})


def _find_component(
    findings: Findings,
    files: Files,
    at: Place,
    value: object,
    assets: AssetSource | None,
    parts: Parts,
) -> tuple[Component, Place] | None:
    if isinstance(value, Mapping):
        return read_component(findings, files, at, value), at
    if not isinstance(value, str):
        return None
    if value.startswith("azureml:"):
        found = registered_component(findings, files, at, value, assets, parts)
        return None if found is None else (found, at)
    document = files.referenced(findings, at, value, "the component file")
    if document is None:
        return None
    findings.add(document.problems)
    return read_component(findings, files, document.place, document.data), document.place


def registered_component(
    findings: Findings,
    files: Files,
    at: Place,
    reference: str,
    assets: AssetSource | None,
    parts: Parts,
) -> Component | None:
    """Return a registered component, or None and a problem where it cannot be had.

    Of Azure's registry, those are had that this package answers, where jobs run on this machine.
    """
    shipped = shipped_component(reference) if assets is not None else None
    if shipped is not None:
        return _read_shipped(findings, files, files.document(shipped), parts.engine)
    found = look_up(findings, at, reference, None if assets is None else assets.component)
    if found is None:
        return None
    component, (name, version, label) = found
    parts.registered.append(
        Registered(name=name, version=version, label=label, digest=digest_of(component))
    )
    return component


def _read_shipped(findings: Findings, files: Files, document: Document, name: str) -> Component:
    """Return a component of this package, its conda file read, which the SDK does of others."""
    engine = engine_of(document.data["name"], name)
    component = engine.answers(read_component(findings, files, document.place, document.data))
    assert component.environment is not None
    conda = files.document(engine.conda)
    return msgspec.structs.replace(
        component,
        environment=msgspec.structs.replace(component.environment, conda=conda.data),
    )


_T = TypeVar("_T")


def look_up(
    findings: Findings,
    at: Place,
    reference: str,
    find: Callable[[str, str | None, str | None], _T] | None,
) -> tuple[_T, tuple[str, str | None, str | None]] | None:
    """Return what a reference to a component names, and its name, version, and label.

    Args:
        findings: Where the problem goes, where there is none; None is returned then.
        at: The reference's place.
        reference: As the file has it.
        find: Looks it up, as `AssetSource.component`; None where nothing can be looked up.
    """
    parsed = _REGISTERED.fullmatch(reference)
    if parsed is None:
        hint = "write azureml:NAME:VERSION, azureml:NAME@latest, or ./FILE.yml"
        findings.problem(at, f"{reference!r} is not a reference to a component", hint)
        return None
    if find is None:
        hint = "name the component's file instead: component: ./FILE.yml"
        findings.unsupported(at, f"registered component {reference!r} cannot be looked up", hint)
        return None
    name = f"azureml:{parsed['registry']}{parsed['name']}" if parsed["registry"] else parsed["name"]
    version, label = parsed["version"], parsed["label"]
    try:
        return find(name, version, label), (name, version, label)
    except NotFoundError as error:
        hint = error.hint or f"register it: aml component create -f {parsed['name']}.yml"
        if parsed["registry"]:
            hint = "a registry is Azure's; name a file of the component: component: ./FILE.yml"
        findings.problem(at, str(error), hint)
        return None


def read_component(findings: Findings, files: Files, place: Place, value: object) -> Component:
    """Check a component, and return what of it is right."""
    data = build.mapping(value)
    kind = data.get("type", "command")
    if isinstance(value, Mapping) and str(kind).lower() == "parallel":
        return _read_parallel_component(findings, files, place, data)
    if isinstance(value, Mapping) and str(kind).lower() != "command":
        message = f"a component of type {kind!r} does not run here yet"
        findings.unsupported(place.at("type"), message, "what runs: command, parallel")
        return Component(command="")
    check_object(findings, place, value, "command_component")
    check_code(findings, files, place, data)
    check_environment(findings, files, place.at("environment"), data.get("environment"))
    document = place.document
    source = document.name if not place.path else ""
    component = build.declared_component(data, document.folder, source=source)
    findings.add(check_component(component, place))
    return component


def _read_parallel_component(
    findings: Findings, files: Files, place: Place, data: Mapping[str, Any]
) -> Component:
    check_object(findings, place, data, "parallel_component")
    check_parallel(findings, files, place, data)
    document = place.document
    source = document.name if not place.path else ""
    component = parallel.declared_component(data, document.folder, source=source)
    findings.add(check_component(component, place))
    findings.add(check_task(component, place))
    return component
