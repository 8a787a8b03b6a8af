"""`a.b=c` settings of a batch deployment that is there, and of one invocation of it: pure.

Azure's client takes the fields of a deployment's `settings` at an invocation too, with or without
`settings.` before them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from amlocal.errors import UsageError, near_miss
from amlocal.local.parallel.settings import boolean
from amlocal.plan import BatchDeployment, Job

#: Fields of the settings: the plan's field, and what reads the text.
_SETTINGS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "mini_batch_size": ("mini_batch_size", int),
    "max_concurrency_per_instance": ("max_concurrency_per_instance", int),
    "error_threshold": ("error_threshold", int),
    "output_action": ("output_action", str.lower),
    "output_file_name": ("output_file_name", str),
    "logging_level": ("logging_level", str.upper),
    "retry_settings.max_retries": ("max_retries", int),
    "retry_settings.timeout": ("timeout", float),
}
_INSTANCES = ("resources.instance_count", "compute.instance_count", "instance_count")
_VARIABLES = "environment_variables."
_TEXTS = ("description", "compute")
_MAPPINGS = ("tags", "properties")
#: Settings of a pipeline's job.
_PIPELINE: Mapping[str, Callable[[str], Any]] = {
    "continue_on_step_failure": boolean,
    "force_rerun": boolean,
    "default_compute": str,
    "default_datastore": str,
}
_ACTIONS = ("append_row", "summary_only")
_FILE_NAME = re.compile(r"[^/\\]+")
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_BOUND = re.compile(r"(inputs|outputs)\.([^.]+)\.(path|type)")


@dataclass(frozen=True, slots=True)
class Bound:
    """What settings say of the data of an invocation, by the name of an input or an output.

    Attributes:
        inputs: Paths and addresses.
        input_types: Types of inputs.
        outputs: Paths and addresses.
        output_types: Types of outputs.
    """

    inputs: Mapping[str, str]
    input_types: Mapping[str, str]
    outputs: Mapping[str, str]
    output_types: Mapping[str, str]


def split_bound(overrides: Sequence[str]) -> tuple[list[str], Bound]:
    """Return the settings of a deployment, and what the others say of data.

    Azure's client takes `inputs.NAME.path`, `outputs.NAME.path`, and their types among settings.
    """
    settings: list[str] = []
    said: dict[tuple[str, str], dict[str, str]] = {}
    for override in overrides:
        key, _, value = override.partition("=")
        found = _BOUND.fullmatch(key.strip())
        if found is None:
            settings.append(override)
        else:
            said.setdefault((found[1], found[3]), {})[found[2]] = value
    fields = [(port, field) for port in ("inputs", "outputs") for field in ("path", "type")]
    return settings, Bound(*(said.get(field, {}) for field in fields))


def with_settings(deployment: BatchDeployment, overrides: Sequence[str]) -> BatchDeployment:
    """Return a deployment with settings changed.

    Raises:
        UsageError: One is unknown, or has a value that it cannot have.
    """
    for override in overrides:
        name, equals, text = override.partition("=")
        if not equals:
            raise UsageError(f"{override!r} is no setting", hint="write NAME=VALUE")
        deployment = _changed(deployment, name, text)
    _check(deployment)
    return deployment


def _check(deployment: BatchDeployment) -> None:
    """Check what a file's check has checked before the settings were changed."""
    settings = deployment.settings
    for field, said, known in (
        ("output_action", settings.output_action, _ACTIONS),
        ("logging_level", settings.logging_level, _LEVELS),
    ):
        if said not in known:
            raise UsageError(f"no {field} {said!r}", hint=near_miss(said, known))
    if settings.output_file_name in {".", ".."} or not _FILE_NAME.fullmatch(
        settings.output_file_name
    ):
        raise UsageError(
            f"{settings.output_file_name!r} cannot be the name of a file",
            hint="give a name without a folder",
        )
    is_lost = settings.output_action == "summary_only" and deployment.scoring_script is None
    if is_lost and deployment.pipeline is None:
        raise UsageError(
            "without a scoring script, the predictions of 'summary_only' would be lost",
            hint="give append_row",
        )


def _changed(deployment: BatchDeployment, name: str, text: str) -> BatchDeployment:
    short = name.removeprefix("settings.")
    group, _, key = name.partition(".")
    if name in _TEXTS:
        return msgspec.structs.replace(deployment, **{name: text})
    if group in _MAPPINGS and key:
        return msgspec.structs.replace(
            deployment, **{group: {**getattr(deployment, group), key: text}}
        )
    if deployment.pipeline is not None:
        pipeline = _pipeline_changed(deployment.pipeline, name, short, text)
        return msgspec.structs.replace(deployment, pipeline=pipeline)
    if name in _INSTANCES:
        return msgspec.structs.replace(deployment, instance_count=_read(name, int, text))
    settings = deployment.settings
    if short.startswith(_VARIABLES):
        variable = short.removeprefix(_VARIABLES)
        variables = {**settings.environment_variables, variable: text}
        settings = msgspec.structs.replace(settings, environment_variables=variables)
    elif short in _SETTINGS:
        field, read = _SETTINGS[short]
        settings = msgspec.structs.replace(settings, **{field: _read(name, read, text)})
    else:
        raise _unknown(name, [*_SETTINGS, *_INSTANCES[:1], *_TEXTS])
    return msgspec.structs.replace(deployment, settings=settings)


def _pipeline_changed(pipeline: Job, name: str, short: str, text: str) -> Job:
    if short not in _PIPELINE:
        raise _unknown(name, [*(f"settings.{field}" for field in _PIPELINE), *_TEXTS])
    value = _read(name, _PIPELINE[short], text)
    settings = msgspec.structs.replace(pipeline.settings, **{short: value})
    return msgspec.structs.replace(pipeline, settings=settings)


def _read(name: str, read: Callable[[str], Any], text: str) -> Any:
    try:
        value = read(text)
    except (ValueError, KeyError):
        raise UsageError(f"{name} cannot be {text!r}", hint="give another value") from None
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if is_number and not _least(name) <= value < math.inf:
        raise UsageError(f"{name} cannot be {text}", hint=f"give {_least(name)} or more")
    return value


def _least(name: str) -> int:
    if name.endswith("error_threshold"):
        return -1
    return 0 if name.endswith("max_retries") else 1


def _unknown(name: str, known: Sequence[str]) -> UsageError:
    return UsageError(f"a batch deployment has no setting {name!r}", hint=near_miss(name, known))
