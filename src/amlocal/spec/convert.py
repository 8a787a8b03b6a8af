"""Turns the SDK's objects into the mappings that a YAML file holds, their paths absolute.

It serves what the SDK's loaders return, and what was built in Python: `command(...)`,
`@dsl.pipeline`, the functions of `load_component(...)`.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amlocal.spec import build
from amlocal.spec.convert_automl import automl_mapping
from amlocal.spec.convert_parallel import parallel_mapping, settings
from amlocal.spec.entities import OUTPUT, base, described, is_built, located, outputs, picked

_LIMITS = ("timeout",)
_DISTRIBUTION = ("type", "process_count_per_instance", "parameter_server_count", "worker_count")
_ANONYMOUS = frozenset(
    {"azureml_anonymous", "CliV2AnonymousEnvironment", "CliV2AnonymousComponent"}
)
_INPUT = ("type", "path", "mode")
_PORT = ("type", "optional", "default", "min", "max", "enum", "mode", "description")
_SETTINGS = ("default_compute", "default_datastore", "continue_on_step_failure", "force_rerun")


def command_mapping(job: Any) -> dict[str, Any]:
    """Return a command job or step (`azure.ai.ml.entities.Command`) as its YAML fields."""
    folder = base(job)
    component = job.component
    own = {} if isinstance(component, str) else component_mapping(component)
    fields = {
        **described(job),
        "command": own.get("command"),
        "code": own.get("code"),
        "environment": environment_mapping(job.environment, folder) or own.get("environment"),
        "inputs": _inputs(job, folder),
        "outputs": outputs(job),
        "resources": picked(job.resources, ("instance_count",)),
        "distribution": picked(job.distribution, _DISTRIBUTION),
        "limits": picked(job.limits, _LIMITS),
        "environment_variables": dict(job.environment_variables or {}),
        "services": {
            name: {"type": service.type} for name, service in (job.services or {}).items()
        },
        "identity": picked(job.identity, ("type",)),
        "compute": job.compute,
    }
    return {name: value for name, value in fields.items() if value not in (None, {})}


def step_mapping(step: Any) -> dict[str, Any]:
    """Return a step as its YAML fields without those that are its component's.

    Of a step that is no command, the type alone: it is refused by that.
    """
    if step.type != "command":
        return {"type": step.type}
    fields = command_mapping(step)
    fields["environment"] = environment_mapping(step.environment, base(step))
    return {name: fields[name] for name in fields if name not in {"command", "code"}}


def pipeline_steps(steps: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return the steps of a pipeline job or component as their YAML fields."""
    return {name: _step_mapping(step, folder) for name, step in steps.items()}


def _step_mapping(step: Any, folder: Path) -> dict[str, Any]:
    if step.type == "automl":
        return automl_mapping(step, folder)
    if step.type == "parallel":
        return parallel_mapping(step, _inputs(step, base(step)), environment_mapping)
    return sweep_step_mapping(step) if step.type == "sweep" else step_mapping(step)


def pipeline_mapping(job: Any) -> dict[str, Any]:
    """Return a pipeline job (`azure.ai.ml.entities.PipelineJob`) as its YAML fields."""
    folder = base(job)
    settings = picked(job.settings, _SETTINGS)
    fields = {
        **described(job),
        "inputs": _inputs(job, folder),
        "outputs": outputs(job),
        "settings": settings,
        "compute": job.compute,
        "jobs": pipeline_steps(job.jobs, folder),
    }
    return {name: value for name, value in fields.items() if value not in (None, {})}


def sweep_mapping(job: Any) -> dict[str, Any]:
    """Return a sweep job as its YAML fields: a `SweepJob`, or what `command(...).sweep()` gives."""
    folder = base(job)
    trial = _trial(job.trial, folder)
    if is_built(job):
        # As the SDK does when it makes a job of such a step.
        for name in job.search_space or {}:
            said, meant = f"${{{{inputs.{name}}}}}", f"${{{{search_space.{name}}}}}"
            trial["command"] = trial["command"].replace(said, meant)
    else:
        job = copy.copy(job)
        job._override_missing_properties_from_trial()  # noqa: SLF001 - as it is sent to Azure
    fields = {
        **described(job),
        "trial": {name: value for name, value in trial.items() if value not in (None, {})},
        "inputs": _inputs(job, folder),
        "outputs": outputs(job),
        "resources": picked(job.resources, ("instance_count",)) or trial["resources"],
        "identity": picked(job.identity, ("type",)),
        "compute": job.compute,
        **_sweep_fields(job),
    }
    return {name: value for name, value in fields.items() if value not in (None, {})}


def _trial(trial: Any, folder: Path) -> dict[str, Any]:
    """Return what the trials of a sweep job run: a command's fields, a command job, a component."""
    own = base(trial, folder)
    return {
        "command": trial.command,
        "code": located(trial.code, own),
        "environment": environment_mapping(trial.environment, own),
        "environment_variables": dict(getattr(trial, "environment_variables", None) or {}),
        "distribution": picked(trial.distribution, _DISTRIBUTION),
        "resources": picked(trial.resources, ("instance_count",)),
    }


def sweep_step_mapping(step: Any) -> dict[str, Any]:
    """Return a sweep step (`azure.ai.ml.entities.Sweep`) as its YAML fields, without its trial."""
    folder = base(step)
    fields = {
        **described(step),
        "type": "sweep",
        "inputs": _inputs(step, folder),
        "outputs": outputs(step),
        "resources": picked(step.resources, ("instance_count",)),
        "identity": picked(step.identity, ("type",)),
        "compute": step.compute,
        **_sweep_fields(step),
    }
    return {name: value for name, value in fields.items() if value not in (None, {})}


def _sweep_fields(job: Any) -> dict[str, Any]:
    algorithm = job.sampling_algorithm
    names = ("max_total_trials", "max_concurrent_trials", "timeout", "trial_timeout")
    return {
        "search_space": {n: _attributes(found) for n, found in (job.search_space or {}).items()},
        "sampling_algorithm": algorithm.lower()
        if isinstance(algorithm, str)
        else _attributes(algorithm),
        "objective": _attributes(job.objective),
        "early_termination": _attributes(job.early_termination),
        "limits": picked(job.limits, names),
    }


def _attributes(entity: Any) -> dict[str, Any]:
    """Return every attribute that an object has, those without a value left out."""
    return {} if entity is None else picked(entity, tuple(vars(entity)))


def component_of(step: Any) -> Any:
    """Return what a step runs: a component, or the reference to one."""
    return step.trial if step.type == "sweep" else step.component


def component_mapping(component: Any) -> dict[str, Any]:
    """Return a command or parallel component as its YAML fields."""
    folder = base(component)
    if component.type == "parallel":
        own = {"type": "parallel", **settings(component, folder, environment_mapping)}
    else:
        own = _command_fields(component, folder)
    fields = {
        "name": asset_name(component.name),
        "version": component.version if asset_name(component.name) else None,
        "display_name": component.display_name,
        "description": component.description,
        "tags": dict(component.tags or {}),
        **own,
        "inputs": {name: port(found) for name, found in component.inputs.items()},
        "outputs": {name: picked(port, OUTPUT) for name, port in component.outputs.items()},
        "is_deterministic": component.is_deterministic,
    }
    return {name: value for name, value in fields.items() if value not in (None, {}, [])}


def _command_fields(component: Any, folder: Path) -> dict[str, Any]:
    return {
        "command": component.command,
        "code": located(component.code, folder),
        "additional_includes": [
            build.local_path(item, folder) for item in component.additional_includes or ()
        ],
        "environment": environment_mapping(component.environment, folder),
        "distribution": picked(component.distribution, _DISTRIBUTION),
        "resources": picked(component.resources, ("instance_count",)),
    }


def environment_mapping(environment: Any, folder: Path) -> Any:
    """Return an environment as its YAML fields, or as the reference that it is."""
    if environment is None:
        return None
    if isinstance(environment, str):
        return _reference(environment)
    own = base(environment, folder)
    named = asset_name(environment.name)
    context = environment.build
    fields = {
        "name": named,
        "version": environment.version if named else None,
        "image": environment.image,
        "conda_file": dict(environment.conda_file) if environment.conda_file else None,
        "build": picked(context, ("path", "dockerfile_path")) if context else None,
        "description": environment.description,
        "tags": dict(environment.tags or {}),
        "properties": dict(environment.properties or {}),
        "os_type": environment.os_type,
        "inference_config": _routes(environment.inference_config),
    }
    if context is not None and context.path:
        fields["build"]["path"] = build.local_path(os.fspath(context.path), own)
    return {name: value for name, value in fields.items() if value not in (None, {})}


def asset_mapping(asset: Any) -> dict[str, Any]:
    """Return a data asset or a model as its YAML fields."""
    folder = base(asset)
    fields = picked(asset, ("name", "version", "type", "description", "stage"))
    fields["tags"] = dict(asset.tags or {})
    fields["properties"] = dict(asset.properties or {})
    if asset.path is not None:
        fields["path"] = build.local_path(os.fspath(asset.path), folder)
    return fields


def _inputs(job: Any, folder: Path) -> dict[str, Any]:
    # The only view in which bindings, data and literals of YAML and of Python look the same.
    built: Mapping[str, Any] = job._build_inputs() if is_built(job) else job.inputs  # noqa: SLF001
    inputs = {}
    for name, value in built.items():
        if value is None:
            continue
        if hasattr(value, "path"):
            data = picked(value, _INPUT)
            inputs[name] = {**data, "path": located(value.path, folder)}
        else:
            inputs[name] = value
    return inputs


def port(declared: Any) -> dict[str, Any]:
    """Return an input as a component declares it."""
    fields = picked(declared, _PORT)
    if isinstance(fields.get("enum"), (tuple, list)):
        fields["enum"] = [getattr(choice, "value", choice) for choice in fields["enum"]]
    return fields


def _reference(said: str) -> str:
    return said if said.startswith("azureml:") else f"azureml:{said}"


def asset_name(name: str | None) -> str | None:
    """Return the name of an asset; None of one that the SDK has named."""
    return None if name in _ANONYMOUS else name


def _routes(config: Any) -> dict[str, Any]:
    names = ("liveness_route", "readiness_route", "scoring_route")
    routes = {} if config is None else {name: getattr(config, name, None) for name in names}
    return {name: picked(route, ("port", "path")) for name, route in routes.items() if route}
