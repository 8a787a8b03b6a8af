"""The one door to azure-ai-ml: its imports, its loaders, and its noise kept off our output."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from amlocal.errors import UsageError
from amlocal.plan import AUTOML_INPUTS
from amlocal.plan.source import Source


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the SDK's prints, progress bars, log lines, and warnings off stdout and stderr.

    The SDK prints colour codes after each upload, logs a line for each experimental class that it
    loads, and warns of its own deprecations.
    """
    # The telemetry's logger has a level of its own, so that its parent's does not count.
    loggers = [logging.getLogger(name) for name in ("azure", "azure.ai.ml._telemetry")]
    levels = [logger.level for logger in loggers]
    swallowed = io.StringIO()
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(swallowed),
            contextlib.redirect_stderr(swallowed),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


with quiet():
    from azure.ai.ml import (
        Input,
        MLClient,
        Output,
        load_batch_deployment,
        load_batch_endpoint,
        load_component,
        load_data,
        load_environment,
        load_job,
        load_model,
        load_online_deployment,
        load_online_endpoint,
    )
    from azure.ai.ml._utils import _azureml_polling
    from azure.ai.ml.constants._endpoint import EndpointInvokeFields
    from azure.ai.ml.entities import Data, Environment, Model
    from azure.ai.ml.entities._load_functions import (
        load_model_batch_deployment,
        load_pipeline_component_batch_deployment,
        load_schedule,
    )

__all__ = [
    "Data",
    "Environment",
    "Input",
    "MLClient",
    "Model",
    "Output",
    "load",
    "loads",
    "parse_overrides",
    "quiet",
    "use_headers",
]

LOADERS = {
    "job": load_job,
    "component": load_component,
    "environment": load_environment,
    "data": load_data,
    "model": load_model,
    "online endpoint": load_online_endpoint,
    "online deployment": load_online_deployment,
    "batch endpoint": load_batch_endpoint,
    "batch deployment": load_batch_deployment,
    "model batch deployment": load_model_batch_deployment,
    "pipeline batch deployment": load_pipeline_component_batch_deployment,
    "schedule": load_schedule,
}

# A poller prints a dot at each look, in a thread of its own, where `quiet` does not reach.
_azureml_polling.print = lambda *_, **__: None


def use_headers(deployment_name: str | None) -> None:
    """Set the headers that the SDK's next `invoke` begins with.

    It adds to one dictionary for all invocations, so that the token and the deployment of one would
    go with the next.
    """
    headers = {"Content-Type": "application/json"}
    if deployment_name is not None:
        headers[EndpointInvokeFields.MODEL_DEPLOYMENT] = deployment_name
    EndpointInvokeFields.DEFAULT_HEADER = headers


def parse_overrides(overrides: Sequence[str]) -> list[dict[str, str]]:
    """Return `a.b=c` settings in the form of the SDK's `params_override`.

    Raises:
        UsageError: A setting has no `=`, or nothing before it.
    """
    parsed = []
    for override in overrides:
        key, equals, value = override.partition("=")
        if not equals or not key.strip():
            raise UsageError(
                f"{override!r} is not a setting", hint="write it as path.to.field=value"
            )
        parsed.append({key.strip(): value})
    return parsed


def load(kind: str, source: Source, overrides: Sequence[str], fields: Mapping[str, Any]) -> Any:
    """Return the SDK's object for a file, or the object itself with the fields set.

    Args:
        kind: One of `LOADERS`.
        source: The path of a file, or an object built with azure-ai-ml.
        overrides: `a.b=c` settings; for files alone.
        fields: Fields that win over the file's, such as `name`; None stands for not given.

    Raises:
        UsageError: Settings were given for an object.
    """
    given = {key: value for key, value in fields.items() if value is not None}
    if isinstance(source, str) or hasattr(source, "__fspath__"):
        params = [*parse_overrides(overrides), *({key: value} for key, value in given.items())]
        loaded = LOADERS[kind](source, params_override=params)
        _locate_automl_data(loaded, Path(source).absolute().parent)
        return loaded
    if overrides:
        raise UsageError(
            "settings can change a file, not an object", hint="set the object's attributes instead"
        )
    for key, value in given.items():
        setattr(source, key, value)
    return source


def loads(kind: str, content: Mapping[str, Any], overrides: Sequence[str]) -> Any:
    """Return the SDK's object for what a file would hold.

    Args:
        kind: One of `LOADERS`.
        content: The file's content; its paths are relative to the current folder.
        overrides: `a.b=c` settings.
    """
    text = io.StringIO(yaml.safe_dump(dict(content)))
    return LOADERS[kind](text, params_override=parse_overrides(overrides))


def _locate_automl_data(loaded: Any, folder: Path) -> None:
    """Make the relative data paths of AutoML jobs and steps relative to their file.

    The SDK takes them for relative to the current folder, other than those of every other job.
    """
    for job in (loaded, *getattr(loaded, "jobs", {}).values()):
        if getattr(job, "type", None) != "automl":
            continue
        for name in AUTOML_INPUTS:
            path = getattr(getattr(job, name, None), "path", None)
            # A colon is an address's, or a registered table's version.
            if isinstance(path, str) and not path.startswith("$") and not set(":@") & set(path):
                getattr(job, name).path = os.path.normpath(folder / path)
