"""Monitors on their way to Azure: files that leave their data to its context, made whole.

azure-ai-ml takes no production or reference data without `input_data`, and fails on the thresholds
of a regression, whose names in its schema are not those of its class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import yaml
from pydash import objects

from amlocal.azure.sdk import load, parse_overrides, quiet
from amlocal.errors import UsageError
from amlocal.plan.monitor import CONTEXTS, REGRESSION_METRICS, deployment_of
from amlocal.plan.source import Source

with quiet():
    from azure.ai.ml.entities import ModelPerformanceRegressionThresholds, MonitorSchedule

__all__ = ["DataByContext", "Found", "MonitorSchedule", "load_schedule", "named_deployment"]

_ACTION = "create_monitor"
#: Stands for data until it is found.
_UNKNOWN = "amlocal_by_context:1"


class DataByContext(Protocol):
    """Finds the data of a deployment; `amlocal.azure.monitor_data.WorkspaceData` is one."""

    def of(self, context: str) -> Any:
        """Return the SDK's input for the data of a context; raises UsageError."""


#: Returns what finds the data of an endpoint's deployment.
Found = Callable[[str, str], DataByContext]


def load_schedule(
    source: Source, overrides: Sequence[str], fields: Mapping[str, Any], found: Found
) -> Any:
    """Return the SDK's schedule, with data found where a monitor leaves it to its context.

    Args:
        source: The path of a file, or an object built with azure-ai-ml.
        overrides: `a.b=c` settings; for files alone.
        fields: Fields that win over the file's; None stands for not given.
        found: Finds the data of a deployment.

    Raises:
        UsageError: It is not known what the data of a context is.
    """
    if not (isinstance(source, str) or hasattr(source, "__fspath__")):
        loaded = load("schedule", source, overrides, fields)
        if isinstance(loaded, MonitorSchedule):
            _find(loaded.create_monitor, found)
        return loaded
    content = yaml.safe_load(Path(source).read_text(encoding="utf-8-sig"))
    if not (isinstance(content, dict) and _ACTION in content):
        return load("schedule", source, overrides, fields)
    given = {key: value for key, value in fields.items() if value is not None}
    for setting in [*parse_overrides(overrides), given]:
        for path, value in setting.items():
            objects.set_(content, path, value)  # as the SDK applies settings
    regressions = _prepare(content[_ACTION])
    loaded = MonitorSchedule._load(data=content, yaml_path=str(source))  # noqa: SLF001
    for name, metrics in regressions.items():
        thresholds = loaded.create_monitor.monitoring_signals[name].metric_thresholds
        thresholds.regression = ModelPerformanceRegressionThresholds(**metrics)
    _find(loaded.create_monitor, found)
    return loaded


def _monitored(monitor: Any) -> tuple[str, str] | None:
    """Return endpoint and deployment that a monitor of the SDK looks at, or None."""
    said = monitor.monitoring_target and monitor.monitoring_target.endpoint_deployment_id
    return named_deployment(said) if said else None


def named_deployment(reference: str) -> tuple[str, str]:
    """Return endpoint and deployment of `azureml:ENDPOINT:DEPLOYMENT` or an ARM id.

    Raises:
        UsageError: It is neither.
    """
    found = deployment_of(reference)
    if found is None:
        hint = "write azureml:ENDPOINT:DEPLOYMENT"
        raise UsageError(f"{reference!r} names no deployment", hint=hint)
    return found


def _prepare(monitor: Any) -> dict[str, dict[str, float]]:
    """Put in what the SDK's loader needs, and take out what it fails on: regression thresholds."""
    taken = {}
    for name, signal in (monitor.get("monitoring_signals") or {}).items():
        for data in _written_data(signal):
            if not data.get("input_data"):
                data["input_data"] = {"type": "uri_folder", "path": f"azureml:{_UNKNOWN}"}
        thresholds = signal.get("metric_thresholds")
        regression = thresholds.pop("regression", None) if isinstance(thresholds, dict) else None
        if regression:
            taken[name] = {
                REGRESSION_METRICS.get(key, key): value for key, value in regression.items()
            }
    return taken


def _written_data(signal: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if str(signal.get("type")).lower() not in {*CONTEXTS, "custom"}:
        return
    yield from _each(signal.get("production_data"))
    yield from _each(signal.get("reference_data"))
    if str(signal.get("type")).lower() == "custom":
        yield from (signal.get("input_data") or {}).values()


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _find(monitor: Any, found: Found) -> None:
    """Find the data that a monitor of the SDK leaves to its context."""
    unknown = [
        (signal, data)
        for signal in (monitor.monitoring_signals or {}).values()
        for data in signal_data(signal)
        if data.input_data is None or data.input_data.path == _UNKNOWN
    ]
    if not unknown:
        return
    deployment = _monitored(monitor)
    if deployment is None:
        hint = "give input_data with a path, or monitoring_target.endpoint_deployment_id"
        raise UsageError("a signal has no data, and no deployment is monitored", hint=hint)
    workspace = found(*deployment)
    for signal, data in unknown:
        context = data.data_context or CONTEXTS[signal.type][0]
        data.data_context = context
        data.input_data = workspace.of(str(getattr(context, "value", context)).lower())


def signal_data(signal: Any) -> Iterator[Any]:
    """Yield production and reference data of a signal of the SDK, but for language models."""
    kind = str(getattr(signal.type, "value", signal.type))
    if kind == "custom":
        yield from (signal.input_data or {}).values()
    elif kind in CONTEXTS:
        yield from _each(signal.production_data)
        yield from _each(signal.reference_data)
