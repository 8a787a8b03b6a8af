"""Builds plan values from the mappings that a YAML file holds.

Both the file itself, for the checks, and the SDK's objects, which `amlocal.spec.convert` turns
into the same mappings, pass through here. Nothing is judged: a value of the wrong kind is left
out, since the checks have spoken of it.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

from amlocal.plan import (
    DATA_TYPES,
    LITERAL_TYPES,
    Binding,
    BuildContext,
    Component,
    DataValue,
    Distribution,
    Environment,
    Input,
    LiteralValue,
    Output,
    OutputSource,
    ParentInput,
    Scalar,
    StepOutput,
)
from amlocal.plan.expression import sole_reference
from amlocal.spec.locate import absolute

#: The type of data that says nothing of its type; the SDK's objects cannot tell it from none.
UNSAID = "uri_folder"

_ADDRESS = re.compile(r"azureml:|runs:|models:|git\+|\$\{\{|(?!file:)[A-Za-z][A-Za-z0-9+.-]+://")


def is_address(path: str) -> bool:
    """Whether a path is an address (`azureml:...`, `https://...`) and not a local one."""
    return _ADDRESS.match(path) is not None


def local_path(path: str, folder: Path) -> str:
    """Return a path as an absolute one; an address stays as it is."""
    if is_address(path):
        return path
    return str(absolute(path.removeprefix("file:").removeprefix("//") or ".", folder))


def mapping(value: Any) -> Mapping[str, Any]:
    """Return the fields of a mapping whose names are text; of anything else none."""
    if not isinstance(value, Mapping):
        return {}
    return {name: item for name, item in value.items() if isinstance(name, str)}


def text(value: Any) -> str:
    """Return the value if it is text, else an empty one."""
    return value if isinstance(value, str) else ""


def text_or_none(value: Any) -> str | None:
    """Return one value as text, or None."""
    return str(value) if isinstance(value, (str, int, float)) else None


def texts(value: Any) -> dict[str, str]:
    """Return a mapping of texts; nothing is an empty text, as Azure has it."""
    return {
        str(name): "" if item is None else item if isinstance(item, str) else spelled(item)
        for name, item in mapping(value).items()
    }


def spelled(value: Any) -> str:
    """Return a value as the SDK writes it into a command or a variable: Python's own spelling."""
    return str(value)


def number(value: Any) -> float | None:
    """Return a number, also one that is written as text, or None."""
    try:
        return None if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def integer(value: Any, default: int) -> int:
    """Return a whole number, also one that is written as text, or the default."""
    found = number(value)
    return default if found is None or not math.isfinite(found) else int(found)


def is_scalar(value: object) -> TypeGuard[Scalar]:
    """Whether a value is one value: text, a number, true or false."""
    return isinstance(value, (bool, int, float, str))


def typed(value: Any, kind: str) -> Scalar | None:
    """Return a literal as its declared type has it, or None where it is not of that type.

    Text that reads as the type is of the type, as in Azure: `"5"` is an integer, `"true"` a
    boolean.
    """
    if not is_scalar(value):
        return None
    if kind == "string":
        return value if isinstance(value, str) else spelled(value)
    if kind == "boolean":
        known = {"true": True, "false": False}
        return value if isinstance(value, bool) else known.get(str(value).lower())
    if isinstance(value, bool):
        return None
    found = number(value)
    if found is None or kind == "number":
        return found if isinstance(value, str) or found is None else value
    return int(found) if found.is_integer() else None


def component_input(value: Any, folder: Path) -> Input:
    """Build an input as a component declares it."""
    data = mapping(value)
    kind = text(data.get("type"))
    kind = UNSAID if kind not in DATA_TYPES | LITERAL_TYPES else kind
    default = data.get("default")
    if kind in LITERAL_TYPES:
        # One that is not of the type stays, for the check to speak of.
        fitting = typed(default, kind)
        default = fitting if fitting is not None else default if is_scalar(default) else None
    else:
        default = local_path(default, folder) if isinstance(default, str) else None
    choices = data.get("enum")
    return Input(
        type=kind,
        optional=typed(data.get("optional"), "boolean") is True,
        default=default,
        min=number(data.get("min")),
        max=number(data.get("max")),
        enum=tuple(
            found
            for choice in (choices if isinstance(choices, list) else ())
            if (found := typed(choice, kind)) is not None
        ),
        mode=text_or_none(data.get("mode")),
        description=text(data.get("description")),
    )


def input_of_value(value: Any) -> Input:
    """Build the input that a command without a component has, from what it is given."""
    if isinstance(value, Mapping) and "value" in value:
        value = value["value"]
    if isinstance(value, Mapping):
        kind = text(value.get("type")).lower()
        return Input(type=kind if kind in DATA_TYPES else UNSAID, mode=_lower(value.get("mode")))
    for kind, python in (("boolean", bool), ("integer", int), ("number", float)):
        if isinstance(value, python):
            return Input(type=kind)
    return Input(type="string")


def output(value: Any) -> Output:
    """Build an output from a declaration, a step's, or a pipeline's; None says nothing."""
    if not isinstance(value, Mapping):
        path = value if isinstance(value, str) and promoted(value) is None else None
        return Output(path=path)
    path = text_or_none(value.get("path"))
    kind = text(value.get("type")).lower()
    return Output(
        type=UNSAID if kind == "path" else kind if kind in DATA_TYPES else None,
        mode={"mount": "rw_mount"}.get(mode := _lower(value.get("mode")) or "", mode) or None,
        path=None if path and promoted(path) else path,
        name=text_or_none(value.get("name")),
        version=text_or_none(value.get("version")),
        description=text(value.get("description")),
    )


def overlay(below: Output, above: Output) -> Output:
    """Return an output as settled by two that speak of it, of which the second is the stronger."""
    kind = above.type if above.type not in {None, UNSAID} else below.type or above.type
    return Output(
        type=kind,
        mode=above.mode or below.mode,
        path=above.path or below.path,
        name=above.name or below.name,
        version=above.version or below.version,
        description=above.description or below.description,
    )


def promoted(value: Any) -> str | None:
    """Return the pipeline's output that `${{parent.outputs.NAME}}` promotes to, or None."""
    said = value.get("path") if isinstance(value, Mapping) else value
    reference = sole_reference(said) if isinstance(said, str) else None
    if reference is None or reference.path[:2] != ("parent", "outputs"):
        return None
    return ".".join(reference.path[2:])


def binding(value: Any, folder: Path) -> Binding | None:
    """Build what an input is given; None where the value is of no use."""
    mode = None
    kind = None
    if isinstance(value, Mapping):
        if "value" in value:
            return binding(value["value"], folder)
        mode = _lower(value.get("mode"))
        kind = text(value.get("type")).lower()
        value = value.get("path")
        if not isinstance(value, str):
            return None
        if sole_reference(value) is None:
            return DataValue(
                path=local_path(value, folder),
                type=kind if kind in DATA_TYPES else UNSAID,
                mode=mode,
            )
    if not is_scalar(value):
        return None
    reference = sole_reference(value) if isinstance(value, str) else None
    path = reference.path if reference is not None else ()
    said = kind if kind in DATA_TYPES - {UNSAID} else None
    if path[:2] == ("parent", "inputs") and len(path) > 2:
        return ParentInput(name=".".join(path[2:]), type=said, mode=mode)
    if path[:2] == ("parent", "jobs") and len(path) == 5 and path[3] == "outputs":
        return StepOutput(step=path[2], output=path[4], type=said, mode=mode)
    return LiteralValue(value=value)


def environment(value: Any, folder: Path) -> Environment | None:
    """Build an environment from a reference or from its fields, the conda file already read."""
    if isinstance(value, str):
        return Environment(reference=value)
    if not isinstance(value, Mapping):
        return None
    context = mapping(value.get("build"))
    conda = value.get("conda_file")
    return Environment(
        name=text(value.get("name")),
        version=text_or_none(value.get("version")),
        image=text_or_none(value.get("image")),
        conda=dict(conda) if isinstance(conda, Mapping) else None,
        build=BuildContext(
            path=local_path(text(context.get("path")), folder),
            dockerfile_path=text(context.get("dockerfile_path")) or "Dockerfile",
        )
        if context
        else None,
        description=text(value.get("description")),
        tags=texts(value.get("tags")),
        properties=texts(value.get("properties")),
        os_type=_lower(value.get("os_type")),
        inference_config=value.get("inference_config"),
    )


def distribution(value: Any) -> Distribution | None:
    """Build how a step spreads over processes."""
    data = mapping(value)
    if not data:
        return None
    workers = data.get("worker_count")
    return Distribution(
        type=text(data.get("type")).lower(),
        process_count_per_instance=integer(data.get("process_count_per_instance"), 1),
        parameter_server_count=integer(data.get("parameter_server_count"), 0),
        worker_count=None if workers is None else integer(workers, 1),
    )


def component(
    value: Mapping[str, Any],
    folder: Path,
    *,
    inputs: Mapping[str, Input],
    outputs: Mapping[str, Output],
    source: str = "",
) -> Component:
    """Build a component from its fields, its inputs and outputs already built."""
    code = value.get("code")
    includes = value.get("additional_includes")
    return Component(
        command=text(value.get("command")),
        name=text(value.get("name")),
        version=text_or_none(value.get("version")),
        display_name=text(value.get("display_name")),
        description=text(value.get("description")),
        code=local_path(os.fspath(code), folder) if isinstance(code, (str, Path)) else None,
        additional_includes=tuple(
            local_path(item, folder)
            for item in (includes if isinstance(includes, list) else ())
            if isinstance(item, str)
        ),
        environment=environment(value.get("environment"), folder),
        inputs=dict(inputs),
        outputs=dict(outputs),
        is_deterministic=typed(value.get("is_deterministic"), "boolean") is not False,
        distribution=distribution(value.get("distribution")),
        instance_count=integer(mapping(value.get("resources")).get("instance_count"), 1),
        tags=texts(value.get("tags")),
        source=source,
    )


def declared_component(value: Mapping[str, Any], folder: Path, *, source: str = "") -> Component:
    """Build a component that declares its inputs and outputs."""
    return component(
        value,
        folder,
        inputs={n: component_input(i, folder) for n, i in mapping(value.get("inputs")).items()},
        outputs={n: output(o) for n, o in mapping(value.get("outputs")).items()},
        source=source,
    )


def sources(outputs: Mapping[str, Any], step: str) -> dict[str, OutputSource]:
    """Return which pipeline outputs a step's outputs are promoted to."""
    return {
        name: OutputSource(step=step, output=own)
        for own, said in outputs.items()
        if (name := promoted(said)) is not None
    }


def _lower(value: Any) -> str | None:
    return value.lower() if isinstance(value, str) else None
