"""Turns monitors of the SDK into their YAML fields."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amlocal.plan.monitor import REGRESSION_METRICS
from amlocal.spec.entities import located, picked, plain

_INPUT = ("path", "type", "mode")
_WINDOW = ("window_start", "window_end", "lookback_window_size", "lookback_window_offset")
_SIGNAL = ("type", "alert_enabled", "properties", "feature_type_override")
#: Metrics by group of thresholds; their attributes where those have other names.
_METRICS: Mapping[str, tuple[str, ...]] = {
    "numerical": (
        "jensen_shannon_distance",
        "normalized_wasserstein_distance",
        "population_stability_index",
        "two_sample_kolmogorov_smirnov_test",
        "null_value_rate",
        "data_type_error_rate",
        "out_of_bounds_rate",
    ),
    "categorical": (
        "jensen_shannon_distance",
        "population_stability_index",
        "pearsons_chi_squared_test",
        "null_value_rate",
        "data_type_error_rate",
        "out_of_bounds_rate",
    ),
    "classification": ("accuracy", "precision", "recall"),
}


def monitor_mapping(definition: Any, folder: Path) -> dict[str, Any]:
    """Return the YAML fields of a `MonitorDefinition`.

    Args:
        definition: The object.
        folder: What its paths are relative to.
    """
    said: dict[str, Any] = {
        "compute": picked(definition.compute, ("instance_type", "runtime_version")),
    }
    target = picked(definition.monitoring_target, ("ml_task", "endpoint_deployment_id", "model_id"))
    if target:
        said["monitoring_target"] = _referring(target, "model_id")
    if definition.monitoring_signals:
        said["monitoring_signals"] = {
            name: _signal(signal, folder) for name, signal in definition.monitoring_signals.items()
        }
    alerts = definition.alert_notification
    if alerts is not None:
        said["alert_notification"] = (
            alerts if isinstance(alerts, str) else picked(alerts, ("emails",))
        )
    return said


def _referring(said: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return fields with `azureml:` before references, which the SDK's loaders drop."""
    return {
        name: f"azureml:{str(value).removeprefix('azureml:')}" if name in names else value
        for name, value in said.items()
    }


def _signal(signal: Any, folder: Path) -> dict[str, Any]:
    said = picked(signal, _SIGNAL)
    if said["type"].startswith("generation_"):
        return {"type": said["type"]}  # not looked into
    production = getattr(signal, "production_data", None)
    if isinstance(production, list):
        said["production_data"] = [_data(each, folder) for each in production]
    elif production is not None:
        said["production_data"] = _data(production, folder)
    if getattr(signal, "reference_data", None) is not None:
        said["reference_data"] = _data(signal.reference_data, folder)
    features = getattr(signal, "features", None)
    if features is not None:
        is_filter = hasattr(features, "top_n_feature_importance")
        said["features"] = (
            picked(features, ("top_n_feature_importance",)) if is_filter else plain(features)
        )
    if getattr(signal, "data_segment", None) is not None:
        said["data_segment"] = picked(signal.data_segment, ("feature_name", "feature_values"))
    if signal.metric_thresholds is not None:
        said["metric_thresholds"] = _thresholds(signal.metric_thresholds)
    if said["type"] == "custom":
        said |= _custom(signal, folder)
    return said


def _custom(signal: Any, folder: Path) -> dict[str, Any]:
    said = _referring(picked(signal, ("component_id",)), "component_id")
    for name, read in (("input_data", _data), ("inputs", _input)):
        given = getattr(signal, name)
        if given:
            said[name] = {key: read(each, folder) for key, each in given.items()}
    connection = picked(signal.connection, ("environment_variables", "secret_config"))
    return {**said, "connection": connection} if connection else said


def _data(data: Any, folder: Path) -> dict[str, Any]:
    said = picked(data, ("data_context", "pre_processing_component", "data_column_names"))
    said = _referring(said, "pre_processing_component")
    if data.input_data is not None:
        said["input_data"] = _input(data.input_data, folder)
    if data.data_window is not None:
        said["data_window"] = picked(data.data_window, _WINDOW)
    return said


def _input(given: Any, folder: Path) -> dict[str, Any]:
    said = picked(given, _INPUT)
    return {**said, "path": located(given.path, folder)}


def _thresholds(thresholds: Any) -> Any:
    if isinstance(thresholds, list):
        return [picked(each, ("metric_name", "threshold")) for each in thresholds]
    said: dict[str, Any] = picked(thresholds, ("normalized_discounted_cumulative_gain",))
    for group, metrics in _METRICS.items():
        if getattr(thresholds, group, None) is not None:
            said[group] = picked(getattr(thresholds, group), metrics)
    regression = picked(getattr(thresholds, "regression", None), tuple(REGRESSION_METRICS.values()))
    if regression:
        said["regression"] = {
            name: regression[metric]
            for name, metric in REGRESSION_METRICS.items()
            if metric in regression
        }
    return said
