"""Turns the SDK's parallel steps and components into the mappings that a YAML file holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from amlocal.spec.entities import base, described, located, outputs, picked

_SETTINGS = (
    "input_data",
    "mini_batch_size",
    "partition_keys",
    "max_concurrency_per_instance",
    "mini_batch_error_threshold",
    "error_threshold",
    "logging_level",
)
_RETRIES = ("timeout", "max_retries")
_TASK = ("type", "entry_script", "program_arguments", "append_row_to")

#: Turns an environment, relative to a folder, into its fields or its reference.
Environments = Callable[[Any, Path], Any]


def settings(entity: Any, folder: Path, environments: Environments) -> dict[str, Any]:
    """Return what makes a step or a component parallel, as its YAML fields."""
    fields = picked(entity, _SETTINGS)
    fields["retry_settings"] = _values(entity.retry_settings, _RETRIES)
    fields["resources"] = picked(entity.resources, ("instance_count",))
    task = entity.task
    if task is not None:
        said = _values(task, ("code", "environment"))
        fields["task"] = {
            **_values(task, _TASK),
            "code": located(said.get("code"), folder),
            "environment": environments(said.get("environment"), folder),
        }
        fields["task"] = {name: item for name, item in fields["task"].items() if item is not None}
    return {name: item for name, item in fields.items() if item not in (None, {}, [])}


def _values(entity: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """Return attributes, or items where a mapping was given, those without a value left out."""
    if entity is None:
        return {}
    given = entity if isinstance(entity, dict) else {n: getattr(entity, n, None) for n in names}
    return {name: given[name] for name in names if given.get(name) is not None}


def parallel_mapping(
    step: Any, inputs: dict[str, Any], environments: Environments
) -> dict[str, Any]:
    """Return a parallel step (`azure.ai.ml.entities.Parallel`) as its YAML fields.

    Args:
        step: The step.
        inputs: Its inputs, already turned.
        environments: Turns environments.
    """
    fields = {
        **described(step),
        "type": "parallel",
        **settings(step, base(step), environments),
        "inputs": inputs,
        "outputs": outputs(step),
        "environment_variables": dict(step.environment_variables or {}),
        "identity": picked(step.identity, ("type",)),
        "compute": step.compute,
    }
    return {name: item for name, item in fields.items() if item not in (None, {})}
