"""What a monitor of the SDK looks at, as values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from amlocal.azure.monitors import named_deployment
from amlocal.plan import MonitorThreshold, SignalInfo

_GROUPS = ("numerical", "categorical")
_NDCG = "normalized_discounted_cumulative_gain"


def told_target(monitor: Any) -> str:
    """Return what a monitor looks at: `ENDPOINT/DEPLOYMENT`, or a model."""
    target = monitor.monitoring_target
    if target is None:
        return ""
    if target.endpoint_deployment_id:
        return "/".join(named_deployment(str(target.endpoint_deployment_id)))
    return str(target.model_id or "")


def told_signals(monitor: Any) -> tuple[SignalInfo, ...]:
    """Return what a monitor compares."""
    found = (monitor.monitoring_signals or {}).items()
    return tuple(_signal(name, signal) for name, signal in found if signal is not None)


def _signal(name: str, signal: Any) -> SignalInfo:
    production = getattr(signal, "production_data", None)
    first = production[0] if isinstance(production, list) and production else production
    window = getattr(first, "data_window", None)
    return SignalInfo(
        name=name,
        type=str(getattr(signal.type, "value", signal.type)),
        alert_enabled=bool(signal.alert_enabled),
        thresholds=tuple(_thresholds(signal)),
        reference=_path(getattr(signal, "reference_data", None)),
        window=str(getattr(window, "lookback_window_size", None) or ""),
    )


def _path(data: Any) -> str:
    """Return `NAME:VERSION` of data, or its address."""
    path = str(getattr(getattr(data, "input_data", None), "path", None) or "")
    parts = path.split("/")
    return f"{parts[-3]}:{parts[-1]}" if "versions" in parts[-2:-1] and len(parts) > 3 else path


def _thresholds(signal: Any) -> Iterator[MonitorThreshold]:
    said = signal.metric_thresholds
    if signal.type == "model_performance":
        return  # the SDK reads others back than the service has
    if isinstance(said, list):
        for each in said:
            yield MonitorThreshold(metric=str(each.metric_name), threshold=each.threshold)
        return
    if getattr(said, _NDCG, None) is not None:
        yield MonitorThreshold(metric=_NDCG, threshold=getattr(said, _NDCG))
    for group in _GROUPS:
        metrics = getattr(said, group, None)
        for metric, value in vars(metrics).items() if metrics is not None else ():
            if isinstance(value, (int, float)):
                yield MonitorThreshold(metric=metric, feature_type=group, threshold=value)
