"""What a target is given to work with."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from amlocal.errors import UsageError, near_miss

#: A job or an asset: the path of its YAML file, or an object built with azure-ai-ml.
Source = str | os.PathLike[str] | Any


class JobFields(TypedDict, total=False):
    """What `MLClient.jobs.create_or_update` takes to stand for what the job itself says.

    Attributes:
        description: What it is for.
        compute: Where Azure runs it.
        tags: Its labels.
        experiment_name: The MLflow experiment.
    """

    description: str | None
    compute: str | None
    tags: Mapping[str, str] | None
    experiment_name: str | None


def given_fields(fields: JobFields) -> dict[str, str | Mapping[str, str]]:
    """Return the fields that were given; None stands for not given.

    Raises:
        UsageError: There is no such field, which Python itself cannot see in keyword arguments.
    """
    known = JobFields.__annotations__
    given: dict[str, str | Mapping[str, str]] = {}
    for name, value in fields.items():
        if name not in known:
            raise UsageError(f"a job is not submitted with {name!r}", hint=near_miss(name, known))
        if isinstance(value, (str, Mapping)):
            given[name] = value
    return given


def port_settings(ports: str, given: Mapping[str, Any] | None) -> list[str]:
    """Return inputs or outputs as `ports.NAME.path=VALUE` and `ports.NAME.type=TYPE` settings.

    Args:
        ports: `inputs` or `outputs`.
        given: By name a text, or an `Input` or `Output` of the SDK, which this module must not
            import: what has a path, or as a literal a default.
    """
    settings = []
    for name, said in (given or {}).items():
        if isinstance(said, str):
            settings.append(f"{ports}.{name}.path={said}")
            continue
        path = getattr(said, "path", None)
        value = getattr(said, "default", None) if path is None else path
        kind = getattr(said, "type", None)
        settings += [f"{ports}.{name}.path={said if value is None else value}"]
        settings += [f"{ports}.{name}.type={kind}"] if kind else []
    return settings


def kept(
    field: str, old: Mapping[str, str], new: Mapping[str, str], overrides: Sequence[str]
) -> dict[str, str]:
    """Return tags or properties of what is changed: the new ones win, and null takes one away.

    Args:
        field: `tags` or `properties`.
        old: What there is.
        new: What somebody says.
        overrides: Settings, of which `FIELD.NAME=null` takes NAME away.
    """
    gone = {override.removesuffix("=null") for override in overrides if override.endswith("=null")}
    merged = {**old, **new}
    return {name: value for name, value in merged.items() if f"{field}.{name}" not in gone}
