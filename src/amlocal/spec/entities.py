"""Reads the SDK's objects: what every kind of job and asset has in common."""

from __future__ import annotations

import enum
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amlocal.spec import build
from amlocal.spec.locate import absolute

_VERSIONED = re.compile(r"[^/:@]+(:[^/:@]+|@[^/:@]+)")
#: What of an output counts.
OUTPUT = ("type", "path", "mode", "name", "version", "description")


def base(entity: Any, default: Path | None = None) -> Path:
    """Return what the relative paths of an object are relative to."""
    found = getattr(entity, "base_path", None)
    return absolute(found, Path.cwd()) if found else default or Path.cwd()


def described(job: Any) -> dict[str, Any]:
    """Return what any job says of itself."""
    return {
        "name": job.name,
        "display_name": job.display_name,
        "description": job.description,
        "tags": dict(job.tags or {}),
        "properties": dict(job.properties or {}),
        "experiment_name": job.experiment_name,
    }


def is_built(job: Any) -> bool:
    """Whether a job is made by the SDK's builders; the class `SweepJob` has plain inputs."""
    return hasattr(job, "_build_inputs")


def outputs(job: Any) -> dict[str, Any]:
    """Return the outputs of a job or a step, those without a value too."""
    built: Mapping[str, Any] = job._build_outputs() if is_built(job) else job.outputs  # noqa: SLF001
    named = {name: picked(value, OUTPUT) for name, value in built.items() if value is not None}
    return {name: named.get(name) for name in dict.fromkeys([*job.outputs, *named])}


def located(path: Any, folder: Path) -> str | None:
    """Return a path as an absolute one, or as the reference that the SDK has cut it from.

    The SDK's loaders drop `azureml:` from `azureml:NAME:VERSION`.
    """
    if path is None:
        return None
    said = os.fspath(path)
    local = build.local_path(said, folder)
    if said.startswith("/subscriptions/"):
        return f"azureml:{said}"
    if _VERSIONED.fullmatch(said) and not Path(local).exists():
        return f"azureml:{said}"
    return local


def picked(entity: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the attributes that an object has, those without a value left out."""
    if entity is None:
        return {}
    found = {name: getattr(entity, name, None) for name in names}
    return {name: plain(value) for name, value in found.items() if value is not None}


def plain(value: Any) -> Any:
    """Return a value without the SDK's own classes, as JSON has it."""
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [plain(item) for item in value]
    if isinstance(value, enum.Enum):
        return value.value
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)
