"""The SDK's jobs and assets as `JobInfo` and `AssetInfo`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from amlocal.azure.history import RunDetails
from amlocal.plan import (
    AUTOML_INPUTS,
    MODEL_TYPES,
    AssetInfo,
    InputInfo,
    JobInfo,
    JobStatus,
    OutputInfo,
    Scalar,
    Tracking,
)

# Properties of a run that took over another one's results.
_REUSED_FROM = "azureml.reusedrunid"
# Type and path where the SDK gives a job's or a step's input or output no type.
_UNTYPED = "uri_folder"


def job_info(
    job: Any,
    *,
    details: RunDetails | None = None,
    runs: Sequence[Any] = (),
    run_details: Mapping[str, RunDetails] | None = None,
    source: str = "",
) -> JobInfo:
    """Return a job of the SDK as a value.

    Args:
        job: A command job, a pipeline job, or what the SDK makes of a child run.
        details: What run history knows of it.
        runs: A pipeline's child runs that there are so far.
        run_details: What run history knows of those, by name.
        source: The file that the job was read from.
    """
    inputs = {name: _input(value) for name, value in (*_ports(job, "inputs"), *_tables(job))}
    outputs = {name: _output(value) for name, value in _ports(job, "outputs")}
    properties = strings(getattr(job, "properties", None))
    known = details or RunDetails()
    return JobInfo(
        name=str(job.name or ""),
        type=_type(job),
        status=job_status(getattr(job, "status", None)),
        display_name=job.display_name or "",
        experiment_name=job.experiment_name or "",
        description=getattr(job, "description", None) or "",
        compute=_compute(getattr(job, "compute", None)),
        tags=strings(getattr(job, "tags", None)),
        properties=properties,
        inputs=inputs,
        outputs=outputs,
        children=_children(job, runs, run_details or {}),
        tracking=_tracking(job, inputs, outputs),
        creation_time=time_text(
            getattr(getattr(job, "creation_context", None), "created_at", None)
        ),
        start_time=time_text(known.start_time),
        end_time=time_text(known.end_time),
        duration=_seconds(known),
        reused_from=properties.get(_REUSED_FROM),
        error=known.error,
        page=str(getattr(job, "studio_url", None) or ""),
        source=source,
    )


def asset_info(kind: str, asset: Any) -> AssetInfo:
    """Return an asset of the SDK as a value.

    Args:
        kind: `component`, `environment`, `data`, or `model`.
        asset: The SDK's object; one of a list without a version has a `latest_version`.
    """
    definition = None
    if kind in {"component", "environment"} and asset.version:
        definition = asset._to_dict()  # noqa: SLF001 - its public `dump` writes a file
    return AssetInfo(
        kind=kind,
        name=str(asset.name),
        version=str(asset.version or getattr(asset, "latest_version", None) or ""),
        type=str(getattr(asset, "type", None) or ""),
        path=str(getattr(asset, "path", None) or ""),
        description=asset.description or "",
        tags=strings(asset.tags),
        properties=strings(getattr(asset, "properties", None)),
        creation_time=time_text(
            getattr(getattr(asset, "creation_context", None), "created_at", None)
        ),
        definition=definition,
    )


def job_status(name: str | None) -> JobStatus:
    """Return the state by Azure's name; a job not sent yet has none and is NotStarted."""
    if not name:
        return JobStatus.NOT_STARTED
    try:
        return JobStatus(name)
    except ValueError:
        return JobStatus.UNKNOWN


def _children(
    job: Any, runs: Sequence[Any], run_details: Mapping[str, RunDetails]
) -> tuple[JobInfo, ...]:
    """Return a pipeline's steps in the file's order: their runs, or that they have none yet.

    Azure names a child run's step only in its display name, which is the node's own name unless
    the node or its component has a display name.
    """
    nodes = getattr(job, "jobs", None) or {}
    left = list(runs)
    children = []
    for step, node in nodes.items():
        names = {step, getattr(node, "display_name", None) or step}
        run = next((run for run in left if run.display_name in names), None)
        if run is not None:
            left.remove(run)
        children.append(_child(job, step, node if run is None else run, run_details))
    # Azure may add runs of its own, and a component's display name may hide which step it is.
    children += [_child(job, run.display_name or run.name, run, run_details) for run in left]
    return tuple(children)


def _child(job: Any, step: str, run: Any, run_details: Mapping[str, RunDetails]) -> JobInfo:
    """Return one step; the SDK's node where it has no run yet."""
    details = run_details.get(run.name, RunDetails())
    properties = strings(getattr(run, "properties", None))
    return JobInfo(
        name=str(run.name or step),
        type="command",
        status=job_status(getattr(run, "status", None)),
        display_name=run.display_name or step,
        experiment_name=job.experiment_name or "",
        parent=job.name,
        step=step,
        compute=_compute(getattr(run, "compute", None)),
        properties=properties,
        creation_time=time_text(
            getattr(getattr(run, "creation_context", None), "created_at", None)
        ),
        start_time=time_text(details.start_time),
        end_time=time_text(details.end_time),
        duration=_seconds(details),
        reused_from=properties.get(_REUSED_FROM),
        error=details.error,
    )


def _type(job: Any) -> str:
    """Return the job's type; child runs come from run history as `base` and are commands."""
    return "command" if job.type in {None, "base"} else str(job.type)


def _compute(compute: Any) -> str:
    """Return the name of a compute, from a name, a reference, or a path in Azure."""
    return str(compute or "").removeprefix("azureml:").rsplit("/", 1)[-1]


def _ports(job: Any, kind: str) -> list[tuple[str, Any]]:
    """Return names and values of a job's inputs or outputs, out of the SDK's wrappers."""
    ports = getattr(job, kind, None) or {}
    return [(name, getattr(value, "_data", value)) for name, value in ports.items()]


def _tables(job: Any) -> list[tuple[str, Any]]:
    """Return the data of an AutoML job, which the SDK does not count as its inputs."""
    if job.type != "automl":
        return []
    found = [(name, getattr(job, name, None)) for name in AUTOML_INPUTS]
    return [(name, value) for name, value in found if value is not None]


def _input(value: Any) -> InputInfo:
    if value is None or isinstance(value, (bool, int, float, str)):
        return InputInfo(type=_literal_type(value), value=value)
    return InputInfo(type=str(value.type or _UNTYPED), path=str(value.path or "") or None)


def _literal_type(value: Scalar | None) -> str:
    types = {bool: "boolean", int: "integer", float: "number"}
    return types.get(type(value), "string")


def _output(value: Any) -> OutputInfo:
    path = str(getattr(value, "path", None) or "")
    name, version = getattr(value, "name", None), getattr(value, "version", None)
    return OutputInfo(
        type=str(getattr(value, "type", None) or _UNTYPED),
        path=path,
        uri=path if path.startswith("azureml:") else "",
        asset=f"{name}:{version}" if name and version else name,
    )


def _tracking(
    job: Any, inputs: Mapping[str, InputInfo], outputs: Mapping[str, OutputInfo]
) -> Tracking:
    """Return what the job itself tells of the five things tracked."""
    data = {name: {"path": value.path} for name, value in inputs.items() if value.path}
    models = {name: {"path": o.path} for name, o in outputs.items() if o.type in MODEL_TYPES}
    code, environment = getattr(job, "code", None), getattr(job, "environment", None)
    found = {
        "data": data,
        "code": {"id": str(code)} if code else None,
        "environment": {"name": str(environment)} if environment else None,
        "model": models,
    }
    studio = getattr(job, "studio_url", None) or "Azure ML studio"
    absent = {name: f"see {studio}" for name, value in found.items() if not value}
    absent["serving"] = f"deployments are not looked up; see {studio}"
    return Tracking(
        run_id=str(job.name or ""),
        data=data or None,
        code=found["code"],
        environment=found["environment"],
        model=models or None,
        absent=absent,
    )


def strings(values: Mapping[str, Any] | None) -> dict[str, str]:
    """Return tags or properties as texts."""
    return {str(key): str(value) for key, value in (values or {}).items()}


def time_text(time: datetime | str | None) -> str:
    """Return a time as ISO 8601 in UTC; the SDK gives some as text."""
    if isinstance(time, datetime):
        aware = time if time.tzinfo else time.replace(tzinfo=timezone.utc)
        return aware.astimezone(timezone.utc).isoformat(timespec="milliseconds")
    return time or ""


def _seconds(details: RunDetails) -> float:
    """Return the seconds from start to end, or to now."""
    if details.start_time is None:
        return 0.0
    end = details.end_time or datetime.now(timezone.utc)
    return max(0.0, (end - details.start_time).total_seconds())
