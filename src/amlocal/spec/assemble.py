"""Assembles a job from its mapping and its steps' components: bindings, and outputs settled."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import msgspec

from amlocal.plan import (
    Binding,
    Component,
    DataValue,
    Input,
    Job,
    JobBinding,
    LiteralValue,
    Output,
    OutputSource,
    ParentInput,
    Settings,
    Step,
)
from amlocal.plan.expression import sole_reference
from amlocal.spec import automl, build, parallel, sweeps

#: The output that is a step's own artifacts, which is there without being declared.
ARTIFACTS = "artifacts"

_NAMES = ("name", "version", "display_name", "description", "tags")


def command_job(
    value: Mapping[str, Any],
    folder: Path,
    *,
    source: str,
    declared: Mapping[str, Input] | None = None,
) -> Job:
    """Assemble a command job: one step, whose inputs are the job's.

    Args:
        value: Its fields.
        folder: What its paths are relative to.
        source: The file, or an empty string.
        declared: Inputs that a job built in Python declares; one that it does not give stays so.
    """
    inputs = build.mapping(value.get("inputs"))
    outputs = {n: build.output(o) for n, o in build.mapping(value.get("outputs")).items()}
    given = job_inputs(inputs, folder)
    component = build.component(
        {name: item for name, item in value.items() if name not in _NAMES},
        folder,
        inputs={
            **{name: build.input_of_value(item) for name, item in inputs.items()},
            **{name: port for name, port in (declared or {}).items() if name not in given},
        },
        outputs=outputs,
    )
    step = _step(
        build.text(value.get("display_name")) or "command",
        value,
        component,
        inputs={name: ParentInput(name=name) for name in given},
        outputs=outputs,
        parents=given,
        folder=folder,
    )
    return _job("command", value, (step,), inputs=given, source=source)


def sweep_job(value: Mapping[str, Any], folder: Path, *, source: str) -> Job:
    """Assemble a sweep job: one step, whose inputs are the job's, and whose trials run."""
    inputs = build.mapping(value.get("inputs"))
    outputs = {n: build.output(o) for n, o in build.mapping(value.get("outputs")).items()}
    given = job_inputs(inputs, folder)
    trial = build.mapping(value.get("trial"))
    component = build.component(
        trial,
        folder,
        inputs={name: build.input_of_value(item) for name, item in inputs.items()},
        outputs=outputs,
    )
    own = {"environment_variables": trial.get("environment_variables")}
    step = _step(
        build.text(value.get("display_name")) or "sweep",
        {**value, **own, "type": "sweep"},
        component,
        inputs={name: ParentInput(name=name) for name in given},
        outputs=outputs,
        parents=given,
        folder=folder,
    )
    return _job("sweep", value, (step,), inputs=given, source=source)


def automl_job(value: Mapping[str, Any], folder: Path, *, source: str) -> Job:
    """Assemble an AutoML job: one step, whose data are the job's inputs."""
    given = job_inputs(automl.data(value), folder)
    component = automl.component()
    step = _step(
        build.text(value.get("display_name")) or "automl",
        {**value, "type": "automl"},
        component,
        inputs={name: ParentInput(name=name) for name in given},
        outputs=settle(component, build.mapping(value.get("outputs")), {}),
        parents=given,
        folder=folder,
    )
    return _job("automl", value, (step,), inputs=given, source=source)


def pipeline_job(
    value: Mapping[str, Any],
    folder: Path,
    components: Mapping[str, Component],
    *,
    inline: Collection[str],
    source: str,
    declared: Mapping[str, Input] | None = None,
) -> Job:
    """Assemble a pipeline job.

    Args:
        value: The job's fields.
        folder: What relative paths are relative to.
        components: The component of each step; a step without one is left out.
        inline: The steps that have their command in the job, and so declare no inputs: these have
            the types of what they are given.
        source: The file, as the user named it.
        declared: The inputs that a pipeline component declares; a job declares none.
    """
    given = job_inputs(build.mapping(value.get("inputs")), folder)
    outputs = {n: build.output(o) for n, o in build.mapping(value.get("outputs")).items()}
    promoted: dict[str, OutputSource] = {}
    steps: list[Step] = []
    for name, raw in build.mapping(value.get("jobs")).items():
        if name not in components:
            continue
        promoted.update(build.sources(build.mapping(raw.get("outputs")), name))
        steps.append(_pipeline_step(name, raw, components[name], given, outputs, folder))
    written = {(step.name, own): out for step in steps for own, out in step.outputs.items()}
    promoted = {name: at for name, at in promoted.items() if name in outputs}
    for name, at in promoted.items():
        outputs[name] = written.get((at.step, at.output), outputs[name])
    inferred = [
        _infer(step, given, written, declared or {}) if step.name in inline else step
        for step in steps
    ]
    return _job(
        "pipeline",
        value,
        tuple(_settled(step, given, written, declared or {}) for step in inferred),
        inputs=given,
        outputs=outputs,
        output_sources=promoted,
        source=source,
    )


def _pipeline_step(
    name: str,
    raw: Mapping[str, Any],
    component: Component,
    given: Mapping[str, JobBinding],
    outputs: Mapping[str, Output],
    folder: Path,
) -> Step:
    """Assemble a step from its fields, and from the pipeline's inputs and outputs."""
    inputs = raw.get("inputs")
    if automl.is_automl(raw):
        raw = automl.resolved(raw, given)
        inputs = automl.data(raw)
    if component.parallel is not None:
        raw = parallel.resolved(raw, given)
        component = parallel.overlaid(component, raw, folder)
    return _step(
        name,
        raw,
        component,
        inputs=_bindings(inputs, folder),
        outputs=settle(component, build.mapping(raw.get("outputs")), outputs),
        parents=given,
        folder=folder,
    )


def settle(
    component: Component, said: Mapping[str, Any], pipeline: Mapping[str, Output]
) -> dict[str, Output]:
    """Return a step's outputs: the declaration, overlaid by the step and by the pipeline."""
    settled = {}
    for name in dict.fromkeys([*component.outputs, *said]):
        own = build.overlay(component.outputs.get(name, Output()), build.output(said.get(name)))
        target = build.promoted(said.get(name))
        above = pipeline.get(target) if target is not None else None
        settled[name] = build.overlay(own, above) if above is not None else own
    return settled


def job_inputs(inputs: Mapping[str, Any], folder: Path) -> dict[str, JobBinding]:
    """Return what a job's inputs are given."""
    return {
        name: binding
        for name, binding in _bindings(inputs, folder).items()
        if isinstance(binding, (LiteralValue, DataValue))
    }


def _bindings(inputs: object, folder: Path) -> dict[str, Binding]:
    bound = {name: build.binding(value, folder) for name, value in build.mapping(inputs).items()}
    return {name: binding for name, binding in bound.items() if binding is not None}


def input_of(
    binding: Binding,
    inputs: Mapping[str, JobBinding],
    outputs: Mapping[tuple[str, str], Output],
    declared: Mapping[str, Input],
) -> Input | None:
    """Return the type and mode of what a step is given, or None where that is not known.

    Args:
        binding: What the step is given.
        inputs: The job's inputs.
        outputs: Every step's outputs.
        declared: The inputs that a pipeline component declares.
    """
    if isinstance(binding, LiteralValue):
        return build.input_of_value(binding.value)
    if isinstance(binding, DataValue):
        return Input(type=binding.type, mode=binding.mode)
    if isinstance(binding, ParentInput):
        above = inputs.get(binding.name)
        port = declared.get(binding.name)
        found = None
        if port is not None:
            found = Input(type=port.type, mode=port.mode)
        elif above is not None:
            found = input_of(above, inputs, outputs, declared)
        return msgspec.structs.replace(found, mode=binding.mode or found.mode) if found else None
    written = outputs.get((binding.step, binding.output))
    if written is None and binding.output != ARTIFACTS:
        return None
    kind = written.type if written is not None else None
    return Input(type=binding.type or kind or build.UNSAID, mode=binding.mode)


def _infer(
    step: Step,
    inputs: Mapping[str, JobBinding],
    outputs: Mapping[tuple[str, str], Output],
    declared: Mapping[str, Input],
) -> Step:
    ports = {
        name: input_of(binding, inputs, outputs, declared) or Input()
        for name, binding in step.inputs.items()
    }
    component = msgspec.structs.replace(step.component, inputs=ports)
    return msgspec.structs.replace(step, component=component)


def _settled(
    step: Step,
    inputs: Mapping[str, JobBinding],
    outputs: Mapping[tuple[str, str], Output],
    declared: Mapping[str, Input],
) -> Step:
    if step.component.parallel is None:
        return step
    binding = step.inputs.get(step.component.parallel.input_data)
    found = input_of(binding, inputs, outputs, declared) if binding is not None else None
    return parallel.settled(step, found)


def _step(
    name: str,
    value: Mapping[str, Any],
    component: Component,
    *,
    inputs: Mapping[str, Binding],
    outputs: Mapping[str, Output],
    parents: Mapping[str, JobBinding],
    folder: Path,
) -> Step:
    own = build.environment(value.get("environment"), folder)
    searches = automl.is_automl(value)
    resources = build.mapping(None if searches else value.get("resources"))
    count = build.integer(resources.get("instance_count"), component.instance_count)
    component = msgspec.structs.replace(
        component,
        environment=component.environment if own is None else own,
        distribution=build.distribution(value.get("distribution")) or component.distribution,
        instance_count=count,
    )
    services = build.mapping(value.get("services"))
    return Step(
        name=name,
        component=component,
        inputs=dict(inputs),
        outputs=dict(outputs),
        display_name=build.text(value.get("display_name")),
        description=build.text(value.get("description")),
        tags=build.texts(value.get("tags")),
        properties=build.texts(value.get("properties")),
        environment_variables=build.texts(value.get("environment_variables")),
        compute=_compute(value.get("compute"), parents),
        timeout=build.number(build.mapping(value.get("limits")).get("timeout")),
        services={key: build.text(build.mapping(s).get("type")) for key, s in services.items()},
        identity=build.text_or_none(build.mapping(value.get("identity")).get("type")),
        sweep=sweeps.sweep(value) if build.text(value.get("type")).lower() == "sweep" else None,
        automl=automl.automl(value) if searches else None,
    )


def _compute(value: Any, parents: Mapping[str, JobBinding]) -> str | None:
    """Return a compute's name, also one that the pipeline's input gives."""
    reference = sole_reference(value) if isinstance(value, str) else None
    if reference is not None and reference.path[:2] == ("parent", "inputs"):
        given = parents.get(".".join(reference.path[2:]))
        value = given.value if isinstance(given, LiteralValue) else None
    return str(value).removeprefix("azureml:") if value is not None else None


def settings(value: Mapping[str, Any], compute: str | None) -> Settings:
    """Return the settings of a pipeline; `compute` is the default where they name none."""
    default = Settings()
    goes_on = build.typed(value.get("continue_on_step_failure"), "boolean")
    datastore = build.text(value.get("default_datastore")).removeprefix("azureml:")
    own = build.text(value.get("default_compute")).removeprefix("azureml:")
    return Settings(
        default_compute=own or compute,
        default_datastore=datastore or default.default_datastore,
        continue_on_step_failure=goes_on is not False,
        force_rerun=build.typed(value.get("force_rerun"), "boolean") is True,
    )


def _job(
    kind: str,
    value: Mapping[str, Any],
    steps: tuple[Step, ...],
    *,
    inputs: Mapping[str, JobBinding],
    source: str,
    outputs: Mapping[str, Output] | None = None,
    output_sources: Mapping[str, OutputSource] | None = None,
) -> Job:
    compute = build.text(value.get("compute")).removeprefix("azureml:") or None
    is_pipeline = kind == "pipeline"
    return Job(
        type=kind,
        steps=steps,
        experiment_name=build.text(value.get("experiment_name")) or default_experiment(),
        name=build.text_or_none(value.get("name")),
        display_name=build.text(value.get("display_name")),
        description=build.text(value.get("description")),
        tags=build.texts(value.get("tags")),
        properties=build.texts(value.get("properties")),
        inputs=dict(inputs),
        outputs=dict(outputs or {}),
        output_sources=dict(output_sources or {}),
        settings=settings(build.mapping(value.get("settings")), compute)
        if is_pipeline
        else Settings(default_compute=compute),
        source=source,
    )


def default_experiment() -> str:
    """Return the experiment of a job that names none: the current folder's name.

    As `azure.ai.ml.entities._job.to_rest_functions.generate_defaults` has it.
    """
    return Path.cwd().stem.replace(" ", "") or "Default"
