"""Builds parallel components and steps from the mappings that a YAML file holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from amlocal.plan import Component, Input, Output, Parallel, Step
from amlocal.plan.expression import sole_reference
from amlocal.spec import automl, build

#: A size as Azure's client takes it, and what its units are.
SIZE = re.compile(r"(?P<number>\d+)(?P<unit>[kmg]b)?", re.IGNORECASE)
_UNITS = {"": 1, "kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30}

#: Fields whose expressions are the script's, or are bound as those of every step.
_UNRESOLVED = frozenset({"inputs", "outputs", "task", "component", "input_data"})


def is_parallel(value: Mapping[str, Any]) -> bool:
    """Return whether a step or a component is parallel."""
    return build.text(value.get("type")).lower() == "parallel"


def resolved(value: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a step's fields with those that are bound to a pipeline's value replaced by it."""
    found = {
        name: item if name in _UNRESOLVED else automl.resolved(item, given)
        for name, item in value.items()
    }
    if found.get("mini_batch_size") != value.get("mini_batch_size"):
        found["mini_batch_size"] = str(found["mini_batch_size"])  # a text, of a whole number too
    return found


def divided(value: Any) -> str:
    """Return the input that `${{inputs.NAME}}` divides, or an empty text."""
    reference = sole_reference(value) if isinstance(value, str) else None
    if reference is None or reference.path[:1] != ("inputs",):
        return ""
    return ".".join(reference.path[1:])


def size(value: Any) -> int | None:
    """Return a size of mini-batches in files or bytes; None where nothing, or no size, is said."""
    found = SIZE.fullmatch(str(value).strip()) if value is not None else None
    if found is None:
        return None
    # The client's objects have 0 where partition keys divide.
    return int(found["number"]) * _UNITS[(found["unit"] or "").lower()] or None


def parallel(value: Mapping[str, Any], below: Parallel | None = None) -> Parallel:
    """Build what makes a component or a step parallel.

    Args:
        value: Its fields.
        below: Of a step, what its component says; the step is the stronger.
    """
    default = below or Parallel(input_data="")
    task = build.mapping(value.get("task"))
    retries = build.mapping(value.get("retry_settings"))
    timeout = build.number(retries.get("timeout"))
    keys = value.get("partition_keys")
    each = value.get("max_concurrency_per_instance")

    def number(name: str, otherwise: int) -> int:
        return build.integer(value.get(name), otherwise)

    return Parallel(
        input_data=divided(value.get("input_data")) or default.input_data,
        entry_script=build.text(task.get("entry_script")) or default.entry_script,
        program_arguments=build.text(task.get("program_arguments")) or default.program_arguments,
        append_row_to=build.text(task.get("append_row_to")) or default.append_row_to,
        mini_batch_size=size(value.get("mini_batch_size")) or default.mini_batch_size,
        partition_keys=tuple(automl.strings(keys)) if keys else default.partition_keys,
        max_concurrency_per_instance=default.max_concurrency_per_instance
        if each is None
        else build.integer(each, 1),
        mini_batch_error_threshold=number(
            "mini_batch_error_threshold", default.mini_batch_error_threshold
        ),
        error_threshold=number("error_threshold", default.error_threshold),
        max_retries=build.integer(retries.get("max_retries"), default.max_retries),
        timeout=default.timeout if timeout is None else timeout,
        logging_level=build.text(value.get("logging_level")).upper() or default.logging_level,
    )


def component(
    value: Mapping[str, Any],
    folder: Path,
    *,
    inputs: Mapping[str, Input],
    outputs: Mapping[str, Output],
    source: str = "",
) -> Component:
    """Build a parallel component, its inputs and outputs already built."""
    task = build.mapping(value.get("task"))
    own = {name: value[name] for name in value if name not in {"command", "code", "environment"}}
    found = build.component(
        {**own, "code": task.get("code"), "environment": task.get("environment")},
        folder,
        inputs=inputs,
        outputs=outputs,
        source=source,
    )
    return msgspec.structs.replace(found, parallel=parallel(value))


def declared_component(value: Mapping[str, Any], folder: Path, *, source: str = "") -> Component:
    """Build a parallel component that declares its inputs and outputs."""
    return component(
        value,
        folder,
        inputs={
            name: build.component_input(item, folder)
            for name, item in build.mapping(value.get("inputs")).items()
        },
        outputs={n: build.output(o) for n, o in build.mapping(value.get("outputs")).items()},
        source=source,
    )


def inline_component(value: Mapping[str, Any], folder: Path) -> Component:
    """Build the component of a step that has its task in the job; its inputs are inferred."""
    names = ("task", "resources", "is_deterministic")
    own = {name: value[name] for name in names if name in value}
    return component(
        own,
        folder,
        inputs={
            name: build.input_of_value(item)
            for name, item in build.mapping(value.get("inputs")).items()
        },
        outputs={n: build.output(o) for n, o in build.mapping(value.get("outputs")).items()},
    )


def overlaid(component: Component, value: Mapping[str, Any], folder: Path) -> Component:
    """Return a step's component with what the step says of it."""
    task = build.mapping(value.get("task"))
    code = build.text(task.get("code"))
    environment = build.environment(task.get("environment"), folder)
    return msgspec.structs.replace(
        component,
        code=build.local_path(code, folder) if code else component.code,
        environment=environment or component.environment,
        parallel=parallel(value, component.parallel),
    )


def settled(step: Step, given: Input | None) -> Step:
    """Return a parallel step that knows whether it divides rows.

    As in Azure, an `mltable` that arrives with mode `direct` is rows, and all else is files. Here
    it is read from where it is, so the mode serves to tell that alone.

    Args:
        step: The step, its inputs bound.
        given: The type and mode of what the divided input is given, as far as that is known.
    """
    found = step.component.parallel
    assert found is not None
    declared = step.component.inputs.get(found.input_data)
    types = [port.type for port in (given, declared) if port is not None]
    modes = [port.mode for port in (given, declared) if port is not None and port.mode]
    is_tabular = "mltable" in types and modes[:1] == ["direct"]
    component = msgspec.structs.replace(
        step.component, parallel=msgspec.structs.replace(found, is_tabular=is_tabular)
    )
    inputs = dict(step.inputs)
    binding = inputs.get(found.input_data)
    if modes[:1] == ["direct"] and binding is not None and hasattr(binding, "mode"):
        inputs[found.input_data] = msgspec.structs.replace(binding, mode="ro_mount")
    return msgspec.structs.replace(step, component=component, inputs=inputs)
