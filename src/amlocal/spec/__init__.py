"""Azure ML's files and the SDK's objects, checked and compiled to plan values.

Importing this imports neither yaml nor the SDK (seconds): what needs them loads them, and a job
that is in the plan cache does not.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlocal.errors import SpecError
from amlocal.plan import (
    BatchDeployment,
    BatchEndpoint,
    Component,
    DataAsset,
    Environment,
    Job,
    ModelAsset,
    OnlineDeployment,
    OnlineEndpoint,
    PipelineComponent,
    Schedule,
)
from amlocal.plan.source import Source
from amlocal.plan.trigger import Trigger
from amlocal.spec import cache as plans
from amlocal.spec.source import AssetSource

if TYPE_CHECKING:
    from amlocal.content import Content

__all__ = [
    "AssetSource",
    "check_endpoint_for_azure",
    "check_for_azure",
    "check_schedule_for_azure",
    "compile_job",
    "content_of",
    "load_batch_deployment",
    "load_batch_endpoint",
    "load_component",
    "load_data",
    "load_environment",
    "load_model",
    "load_online_deployment",
    "load_online_endpoint",
    "load_schedule",
    "load_trigger",
]


def compile_job(
    source: Source,
    *,
    overrides: Sequence[str] = (),
    cache: Path | None = None,
    assets: AssetSource | None = None,
    base: Path | None = None,
) -> Job:
    """Compile a job.

    Args:
        source: The path of a job file, or a job built with azure-ai-ml.
        overrides: `a.b=c` settings as `az ml job create --set` takes them.
        cache: The folder of the plan cache; None compiles anew. Only files are cached.
        assets: The target's registered components; without it, a reference to one is a problem.
        base: What a relative `source` is relative to; None is the current folder.

    Raises:
        SpecError: The job is wrong; holds every problem, each with its file and line.
        UsageError: A setting is wrong, or the object is no job.
    """
    if not isinstance(source, (str, os.PathLike)):
        from amlocal.spec.compiler import compile_object  # yaml, which a cached job does without

        return compile_object(source, overrides, assets)
    file = _file(source, base)
    if cache is None:
        return _compile(file, overrides, assets).job
    path = plans.entry_file(cache, file, overrides)
    found = plans.read_entry(path, assets.component if assets is not None else None)
    if found is not None:
        return found
    compiled = _compile(file, overrides, assets)
    plans.write_entry(path, compiled)
    return compiled.job


def check_for_azure(source: Source, overrides: Sequence[str]) -> None:
    """Check a job before it is sent to Azure, where the checks made here hold there too.

    A file that uses what only Azure has (Spark, registered components) is left to its client.

    Raises:
        SpecError: The file is wrong anywhere; holds every problem.
    """
    try:
        compile_job(source, overrides=overrides)
    except SpecError as error:
        if not any(problem.target for problem in error.problems):
            raise


def check_endpoint_for_azure(
    kind: str,
    source: Source,
    overrides: Sequence[str] = (),
    *,
    name: str | None = None,
    endpoint_name: str | None = None,
) -> None:
    """Check an endpoint or a deployment before it is sent to Azure.

    What only the local target cannot do (Kubernetes, Triton, registered pipeline components) is no
    problem there, and left to Azure's client.

    Args:
        kind: `online endpoint`, `online deployment`, `batch endpoint`, or `batch deployment`.
        source: The path of its file, an object built with azure-ai-ml, or None where the
            overrides say all of it.
        overrides: `a.b=c` settings.
        name: Stands for the name in the file.
        endpoint_name: Stands for the endpoint's name in a deployment's file.

    Raises:
        SpecError: The file is wrong anywhere; holds every such problem.
        UsageError: A setting is wrong, or the object is of another kind.
    """
    from amlocal.spec import endpoints  # yaml and the SDK

    flags = {"name": name}
    if kind.endswith("deployment"):
        flags["endpoint_name"] = endpoint_name
    try:
        endpoints.LOADERS[kind](_file_or_object(source), overrides, flags)
    except SpecError as error:
        anywhere = [problem for problem in error.problems if not problem.target]
        if anywhere:
            raise SpecError(anywhere) from None


def load_component(
    source: Source, *, overrides: Sequence[str] = (), assets: AssetSource | None = None
) -> Component | PipelineComponent:
    """Load a command component or a pipeline component to register it.

    Args:
        source: The path of its file, an object built with azure-ai-ml, or None where the
            overrides say all of it.
        overrides: `a.b=c` settings.
        assets: The target's registered components, of which a pipeline may be made.

    Raises:
        SpecError: The file is wrong; holds every problem.
        UsageError: A setting is wrong.
    """
    from amlocal.spec import assets as loaders  # yaml and the SDK

    return loaders.component(_file_or_object(source), overrides, assets)


def load_environment(source: Source, *, overrides: Sequence[str] = ()) -> Environment:
    """Load an environment to register it; raises as `load_component` does."""
    from amlocal.spec import assets  # yaml and the SDK

    return assets.environment(_file_or_object(source), overrides)


def content_of(kind: str, source: Source, *, overrides: Sequence[str] = ()) -> Content:
    """Return what the file or object of a component or an environment consists of.

    Args:
        kind: `component` or `environment`.
        source: The path of its file, or an object built with azure-ai-ml.
        overrides: `a.b=c` settings.

    Raises:
        SpecError: The file is wrong, or its code is not there.
    """
    from amlocal import content  # other commands need no comparison of texts

    load = load_component if kind == "component" else load_environment
    return content.content_of(load(source, overrides=overrides), origin=str(source))


def load_data(source: Source, *, overrides: Sequence[str] = ()) -> DataAsset:
    """Load a data asset to register it; raises as `load_component` does."""
    from amlocal.spec import assets  # yaml and the SDK

    return assets.data(_file_or_object(source), overrides)


def load_model(source: Source, *, overrides: Sequence[str] = ()) -> ModelAsset:
    """Load a model to register it; raises as `load_component` does."""
    from amlocal.spec import assets  # yaml and the SDK

    return assets.model(_file_or_object(source), overrides)


def load_online_endpoint(
    source: Source, *, overrides: Sequence[str] = (), name: str | None = None
) -> OnlineEndpoint:
    """Load an online endpoint.

    Args:
        source: The path of its file, an object built with azure-ai-ml, or None where the
            overrides say all of it.
        overrides: `a.b=c` settings.
        name: Stands for the name in the file.

    Raises:
        SpecError: The file is wrong; holds every problem.
        UsageError: A setting is wrong, or the object is no online endpoint.
    """
    from amlocal.spec import endpoints  # yaml and the SDK

    return endpoints.online_endpoint(_file_or_object(source), overrides, {"name": name})


def load_online_deployment(
    source: Source,
    *,
    overrides: Sequence[str] = (),
    name: str | None = None,
    endpoint_name: str | None = None,
) -> OnlineDeployment:
    """Load an online deployment; as `load_online_endpoint`.

    A file for Azure alone (Kubernetes, Triton) raises SpecError with problems whose `target` is
    `local`.
    """
    from amlocal.spec import endpoints  # yaml and the SDK

    flags = {"name": name, "endpoint_name": endpoint_name}
    return endpoints.online_deployment(_file_or_object(source), overrides, flags)


def load_batch_endpoint(
    source: Source, *, overrides: Sequence[str] = (), name: str | None = None
) -> BatchEndpoint:
    """Load a batch endpoint; as `load_online_endpoint`."""
    from amlocal.spec import endpoints  # yaml and the SDK

    return endpoints.batch_endpoint(_file_or_object(source), overrides, {"name": name})


def load_batch_deployment(
    source: Source,
    *,
    overrides: Sequence[str] = (),
    name: str | None = None,
    endpoint_name: str | None = None,
    assets: AssetSource | None = None,
) -> BatchDeployment:
    """Load a batch deployment; as `load_online_deployment`.

    `assets` are the target's registered components, of which a pipeline may be made.
    """
    from amlocal.spec import endpoints  # yaml and the SDK

    flags = {"name": name, "endpoint_name": endpoint_name}
    return endpoints.batch_deployment(_file_or_object(source), overrides, flags, assets)


def load_trigger(
    source: Source, *, overrides: Sequence[str] = (), name: str | None = None
) -> Trigger:
    """Load a trigger.

    Args:
        source: The path of its file.
        overrides: `a.b=c` settings.
        name: Stands for the name in the file.

    Raises:
        SpecError: The file is wrong; holds every problem.
        UsageError: A setting is wrong.
    """
    from amlocal.spec import trigger  # yaml

    return trigger.load(_file(source), overrides, name=name)


def load_schedule(
    source: Source,
    *,
    overrides: Sequence[str] = (),
    name: str | None = None,
    assets: AssetSource | None = None,
) -> Schedule:
    """Load a schedule with the job or the monitor that it starts.

    Args:
        source: The path of its file, or a `JobSchedule` or `MonitorSchedule` of azure-ai-ml; None
            is one that settings make.
        overrides: `a.b=c` settings.
        name: Stands for the name in the file.
        assets: The target's registered components.

    Raises:
        SpecError: A file is wrong; holds every problem.
        UsageError: A setting is wrong, or the object is no schedule.
    """
    from amlocal.spec import schedules  # yaml and the SDK

    return schedules.schedule(_file_or_object(source), overrides, name, assets)


def check_schedule_for_azure(source: Source, overrides: Sequence[str], name: str | None) -> None:
    """Check a schedule before it is sent to Azure, where what only it has is no problem.

    Where the job uses what only Azure has, its own file is left to Azure's client.

    Raises:
        SpecError: The file is wrong anywhere; holds every such problem.
    """
    try:
        load_schedule(source, overrides=overrides, name=name)
    except SpecError as error:
        anywhere = [problem for problem in error.problems if not problem.target]
        if len(anywhere) < len(error.problems) and isinstance(source, (str, os.PathLike)):
            from amlocal.spec.locate import shown  # yaml, which is loaded already

            own = shown(_file(source))
            anywhere = [problem for problem in anywhere if problem.file == own]
        if anywhere:
            raise SpecError(anywhere) from None


def _compile(file: Path, overrides: Sequence[str], assets: AssetSource | None) -> plans.Entry:
    from amlocal.spec.compiler import compile_file  # yaml and the SDK

    return compile_file(file, overrides, assets)


def _file(source: str | os.PathLike[str], base: Path | None = None) -> Path:
    return Path(os.path.normpath((base or Path()).absolute() / source))


def _file_or_object(source: Source) -> Any:
    return _file(source) if isinstance(source, (str, os.PathLike)) else source
