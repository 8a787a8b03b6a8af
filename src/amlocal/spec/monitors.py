"""Builds monitors from their YAML fields, which have passed the checks, with Azure's defaults.

The defaults are those of azure-ai-ml 1.35 (`MonitorSchedule._to_rest_object`,
`ScheduleOperations._resolve_monitor_schedule_arm_id`), which fills them in as it sends a monitor.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from amlocal.plan import DataValue
from amlocal.plan.monitor import (
    COLLECTED,
    CONTEXTS,
    REGRESSION_METRICS,
    CreateMonitor,
    MonitorData,
    MonitorSignal,
    MonitorThreshold,
    MonitorWindow,
    deployment_of,
)
from amlocal.plan.schedule import CronTrigger, Frequency, Trigger
from amlocal.spec import build

#: What stands in a window for the monitor's frequency.
DEFAULT = "default"
#: Another name of a role, in Azure's documentation of ground truth.
_ROLES = {"actual": "target_column"}
_NO_OFFSET = "P0D"
_DAYS = {Frequency.DAY: 1, Frequency.WEEK: 7, Frequency.MONTH: 30}
_DRIFT = {
    "numerical": {"normalized_wasserstein_distance": 0.1},
    "categorical": {"jensen_shannon_distance": 0.1},
}
_RATES = {"null_value_rate": 0.0, "data_type_error_rate": 0.0, "out_of_bounds_rate": 0.0}
#: The signals of a monitor that names none.
_DEFAULT_SIGNALS: Mapping[str, Mapping[str, Any]] = {
    "data-drift-signal": {"type": "data_drift", "metric_thresholds": _DRIFT},
    "prediction-drift-signal": {"type": "prediction_drift", "metric_thresholds": _DRIFT},
    "data-quality-signal": {
        "type": "data_quality",
        "metric_thresholds": {"numerical": _RATES, "categorical": _RATES},
    },
}


def default_days(trigger: Trigger) -> int:
    """Return the default size of a production window in days: the monitor's frequency."""
    if isinstance(trigger, CronTrigger):
        return 7
    # Of minutes and hours it is a day, whatever the interval.
    days = _DAYS.get(trigger.frequency)
    return 1 if days is None else days * trigger.interval


def monitor_of(data: Mapping[str, Any], trigger: Trigger, folder: Path) -> CreateMonitor:
    """Return the monitor of `create_monitor:`.

    Args:
        data: Its fields.
        trigger: The schedule's.
        folder: What its paths are relative to.
    """
    target = build.mapping(data.get("monitoring_target"))
    endpoint, deployment = deployment_of(build.text(target.get("endpoint_deployment_id"))) or (
        "",
        "",
    )
    compute = build.mapping(data.get("compute"))
    alerts = data.get("alert_notification")
    signals = data.get("monitoring_signals") or _DEFAULT_SIGNALS
    reader = _Signals(default_days(trigger), folder)
    return CreateMonitor(
        signals=tuple(reader.signal(name, signal) for name, signal in signals.items()),
        ml_task=build.text(target.get("ml_task")).lower(),
        endpoint_name=endpoint,
        deployment_name=deployment,
        model=build.text(target.get("model_id")).removeprefix("azureml:"),
        emails=tuple(build.mapping(alerts).get("emails") or ()),
        azure_monitor=isinstance(alerts, str),
        instance_type=build.text(compute.get("instance_type")),
        runtime_version=build.text(compute.get("runtime_version")),
        definition=located(data, folder),
    )


def located(data: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return the fields of a monitor with absolute paths."""
    found = copy.deepcopy(dict(data))
    for given in data_inputs(found):
        if isinstance(given.get("path"), str):
            given["path"] = build.local_path(given["path"], folder)
    return found


def whole_monitor(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a monitor as the SDK's loader takes them.

    It fails without `input_data`, which follows from the context here, and on the metrics of
    `regression`, whose names are others in its own class.
    """
    found = copy.deepcopy(dict(data))
    for signal in build.mapping(found.get("monitoring_signals")).values():
        for _, each in signal_data(build.mapping(signal)):
            each.setdefault("input_data", {"type": "uri_folder", "path": "azureml:collected:1"})
        build.mapping(signal.get("metric_thresholds")).get("regression", {}).clear()
    return found


def data_inputs(monitor: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every `input_data` of a monitor, and what else a component of its is given."""
    for signal in build.mapping(monitor.get("monitoring_signals")).values():
        for _, data in signal_data(build.mapping(signal)):
            if isinstance(data.get("input_data"), dict):
                yield data["input_data"]
        inputs = build.mapping(build.mapping(signal).get("inputs"))
        yield from (given for given in inputs.values() if isinstance(given, dict))


def signal_data(
    signal: Mapping[str, Any],
) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
    """Yield the production and reference data of a signal, each with where it stands."""
    for name in ("production_data", "reference_data"):
        said = signal.get(name)
        if isinstance(said, list):
            yield from (((name, i), each) for i, each in enumerate(said) if isinstance(each, dict))
        elif isinstance(said, dict):
            yield (name,), said
    if build.text(signal.get("type")).lower() == "custom":
        for name, said in build.mapping(signal.get("input_data")).items():
            if isinstance(said, dict):
                yield ("input_data", name), said


class _Signals:
    """Reads the signals of a monitor.

    Args:
        days: The default size of a production window.
        folder: What paths are relative to.
    """

    def __init__(self, days: int, folder: Path) -> None:
        self._size, self._reference_size = f"P{days}D", f"P{2 * days}D"
        self._folder = folder

    def signal(self, name: str, data: Mapping[str, Any]) -> MonitorSignal:
        """Return a signal."""
        kind = build.text(data.get("type")).lower()
        segment = build.mapping(data.get("data_segment"))
        features = data.get("features")
        wanted = build.mapping(features)
        return MonitorSignal(
            name=name,
            type=kind,
            production=() if kind == "custom" else self._production(kind, data),
            reference=None if kind == "custom" else self._reference(kind, data),
            features=tuple(features) if isinstance(features, list) and features else None,
            top_n_feature_importance=build.integer(wanted.get("top_n_feature_importance"), 10)
            if isinstance(features, Mapping)
            else None,
            feature_types={
                feature: str(each).lower()
                for feature, each in build.mapping(data.get("feature_type_override")).items()
            },
            thresholds=thresholds(kind, data.get("metric_thresholds")),
            alert_enabled=build.typed(data.get("alert_enabled"), "boolean") is True,
            segment_feature=build.text(segment.get("feature_name")),
            segment_values=tuple(segment.get("feature_values") or ()),
            component=build.text(data.get("component_id")).removeprefix("azureml:"),
            input_data={
                key: self._given_reference("", given)
                for key, given in build.mapping(data.get("input_data")).items()
            },
            inputs={
                key: found
                for key, given in build.mapping(data.get("inputs")).items()
                if (found := self._value(given)) is not None
            },
            environment_variables=build.texts(
                build.mapping(data.get("connection")).get("environment_variables")
            ),
            properties=build.texts(data.get("properties")),
        )

    def _production(self, kind: str, data: Mapping[str, Any]) -> tuple[MonitorData, ...]:
        said = data.get("production_data")
        if not said:
            said = [{"data_context": context} for context in CONTEXTS[kind]]
        several = said if isinstance(said, list) else [said]
        return tuple(self._data(kind, each, self._trailing(each)) for each in several)

    def _trailing(self, data: Mapping[str, Any]) -> MonitorWindow:
        window = build.mapping(data.get("data_window"))
        size = build.text(window.get("lookback_window_size"))
        return MonitorWindow(
            size=self._size if size in {"", DEFAULT} else size,
            offset=build.text(window.get("lookback_window_offset")) or _NO_OFFSET,
        )

    def _reference(self, kind: str, data: Mapping[str, Any]) -> MonitorData:
        said = build.mapping(data.get("reference_data"))
        if not said:
            window = MonitorWindow(size=self._reference_size, offset=self._size)
            return MonitorData(context=CONTEXTS[kind][0], window=window)
        return self._given_reference(kind, said)

    def _given_reference(self, kind: str, data: Mapping[str, Any]) -> MonitorData:
        found = self._data(kind, data, self._window(data))
        if found.window != MonitorWindow():
            return found
        if found.data is None and found.context in COLLECTED:
            # Collected rows are those of production, too, so some of them are meant.
            window = MonitorWindow(size=self._reference_size, offset=self._size)
            return MonitorData(context=found.context, columns=found.columns, window=window)
        return MonitorData(data=found.data, context=found.context, columns=found.columns)

    def _window(self, data: Mapping[str, Any]) -> MonitorWindow:
        window = build.mapping(data.get("data_window"))
        size = window.get("lookback_window_size")
        if size is None:
            start, end = window.get("window_start"), window.get("window_end")
            return MonitorWindow(start=start, end=end)
        offset = window.get("lookback_window_offset") or _NO_OFFSET
        return MonitorWindow(
            size=self._reference_size if size == DEFAULT else size,
            offset=self._size if offset == DEFAULT else offset,
        )

    def _data(self, kind: str, data: Mapping[str, Any], window: MonitorWindow) -> MonitorData:
        value = self._value(data.get("input_data"))
        context = build.text(data.get("data_context")).lower()
        return MonitorData(
            data=value,
            context=context or ("" if value is not None else CONTEXTS.get(kind, ("",))[0]),
            columns={
                _ROLES.get(role, role): column
                for role, column in build.texts(data.get("data_column_names")).items()
            },
            window=window,
            pre_processing=build.text(data.get("pre_processing_component")).removeprefix(
                "azureml:"
            ),
        )

    def _value(self, given: Any) -> DataValue | None:
        found = build.binding(given, self._folder) if isinstance(given, Mapping) else None
        return found if isinstance(found, DataValue) else None


def thresholds(kind: str, data: Any) -> tuple[MonitorThreshold, ...]:
    """Return the thresholds of a signal of a type, by `monitorkit`'s names of metrics."""
    if isinstance(data, list):
        return tuple(
            MonitorThreshold(
                metric=build.text(each.get("metric_name")),
                threshold=build.number(each.get("threshold")),
            )
            for each in data
        )
    fields = build.mapping(data)
    if kind == "feature_attribution_drift":
        metric = "normalized_discounted_cumulative_gain"
        value = build.number(fields.get(metric))
        return () if value is None else (MonitorThreshold(metric=metric, threshold=value),)
    of_features = kind != "model_performance"
    return tuple(
        MonitorThreshold(
            metric=REGRESSION_METRICS.get(metric, metric),
            feature_type=group if of_features else "",
            threshold=build.number(value),
        )
        for group in ("numerical", "categorical", "classification", "regression")
        for metric, value in build.mapping(fields.get(group)).items()
    )
