"""Checks monitors: what Azure finds late, or never, and what its client drops or fails on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from amlocal.errors import near_miss
from amlocal.plan.durations import duration_seconds
from amlocal.plan.monitor import COLLECTED, CONTEXTS, TRAINED_ON, deployment_of
from amlocal.spec import build
from amlocal.spec.fields import ledger
from amlocal.spec.findings import Findings
from amlocal.spec.locate import Place
from amlocal.spec.monitors import DEFAULT, signal_data
from amlocal.spec.paths import Files, check_inputs

#: Roles of columns that count; a component may know others.
_ROLES = (
    "target_column",
    "actual",
    "prediction",
    "prediction_probability",
    "correlation_id",
    "timestamp",
)
#: ISO 8601 durations that have no fixed length.
_CALENDAR = re.compile(r"P(?=.)(?:\d+Y)?(?:\d+M)?(?:\d+W)?(?:\d+D)?(?:T.+)?")
_DAY = "%Y-%m-%d"
_DAYS = ("window_start", "window_end")
_AZURE_MONITOR = "azmonitoring"
_NO_DATA_HINT = "add input_data: with a path"


def check_monitor(findings: Findings, files: Files, place: Place, data: Mapping[str, Any]) -> None:
    """Check the fields of `create_monitor:`, whose structure is checked elsewhere."""
    target = build.mapping(data.get("monitoring_target"))
    has_deployment = _check_target(findings, place.at("monitoring_target"), target)
    alerts = data.get("alert_notification")
    if isinstance(alerts, str) and alerts.lower() != _AZURE_MONITOR:
        message = f"'create_monitor.alert_notification' cannot be {alerts!r}"
        hint = f"write {_AZURE_MONITOR}, or emails: below it"
        findings.problem(place.at("alert_notification"), message, hint)
    signals = build.mapping(data.get("monitoring_signals"))
    if not signals:
        _check_defaults(findings, place, target, has_deployment=has_deployment)
    for name, said in signals.items():
        signal = build.mapping(said)
        at = place.at("monitoring_signals", name)
        kind = build.text(signal.get("type")).lower()
        if kind not in CONTEXTS and kind != "custom":
            continue  # told already
        if not has_deployment:
            _check_given(findings, at, signal, kind)
        _check_features(findings, at.at("features"), signal.get("features"))
        _check_thresholds(
            findings, at.at("metric_thresholds"), signal.get("metric_thresholds"), kind
        )
        for path, each in signal_data(signal):
            is_production = path[0] == "production_data"
            _check_data(findings, files, at.at(*path), each, kind, is_production=is_production)
        check_inputs(findings, files, at.at("inputs"), signal.get("inputs"))


def _check_target(findings: Findings, place: Place, target: Mapping[str, Any]) -> bool:
    """Check what is monitored, and return whether it is a deployment."""
    said = target.get("endpoint_deployment_id")
    if isinstance(said, str) and deployment_of(said) is None:
        message = f"'create_monitor.monitoring_target.endpoint_deployment_id' {said!r} names none"
        hint = "write azureml:ENDPOINT:DEPLOYMENT"
        findings.problem(place.at("endpoint_deployment_id"), message, hint)
    if said is not None and "model_id" in target:
        message = "the monitoring target is a deployment and a model"
        findings.problem(place.at("model_id"), message, "keep one; a deployment has its model")
    return said is not None


def _check_defaults(
    findings: Findings, place: Place, target: Mapping[str, Any], *, has_deployment: bool
) -> None:
    if not has_deployment:
        message = "the monitor has neither signals nor a deployment whose rows it could look at"
        hint = "add monitoring_target.endpoint_deployment_id:, or monitoring_signals:"
        findings.problem(place, message, hint)
    if build.text(target.get("ml_task")).lower() == "questionanswering":
        message = "the default signal of question answering judges language models in Azure alone"
        findings.unsupported(place, message, "add monitoring_signals:")


def _check_given(findings: Findings, at: Place, signal: Mapping[str, Any], kind: str) -> None:
    """Check that data is given where there is no deployment that could have collected it."""
    message = f"signal {at.path[-1]!r} needs {{}}, since no deployment is monitored"
    hint = f"{_NO_DATA_HINT}, or monitoring_target.endpoint_deployment_id:"
    for name in ("production_data", "reference_data"):
        if kind != "custom" and not signal.get(name):
            findings.problem(at, message.format(name), hint)
    for path, data in signal_data(signal):
        context = build.text(data.get("data_context")).lower()
        if "input_data" not in data and context != "ground_truth":
            findings.problem(at.at(*path), message.format("its input_data"), hint)


def _check_features(findings: Findings, at: Place, features: object) -> None:
    if isinstance(features, str) and features.lower() != "all_features":
        message = f"'features' cannot be {features!r}"
        findings.problem(at, message, f"write all_features, or a list: [{features}]")
    wanted = build.mapping(features).get("top_n_feature_importance")
    if build.integer(wanted, 1) < 1:
        message = f"'top_n_feature_importance' must be from 1, not {wanted}"
        findings.problem(at.at("top_n_feature_importance"), message, "write 10, or all_features")


def _check_thresholds(findings: Findings, at: Place, data: object, kind: str) -> None:
    """Check that Azure's client sends the thresholds: of drift it takes one a group, and no 0."""
    for group in ("numerical", "categorical", "classification", "regression"):
        said = build.mapping(data).get(group)
        if not isinstance(said, Mapping):
            continue
        if not said:
            hint = "name a metric with its threshold below it, or remove it"
            findings.problem(at.at(group), f"{group!r} names no metric", hint)
        if kind not in {"data_drift", "prediction_drift"}:
            continue
        for metric, value in said.items():
            if build.number(value) == 0:
                message = f"Azure's client drops a threshold of 0, as that of {metric!r}"
                findings.problem(at.at(group, metric), message, "write a small one, such as 0.001")
        sent = [metric for metric in ledger()[f"{group}_drift_metrics"] if metric in said]
        if len(sent) > 1:
            message = f"Azure's client sends one metric of a group alone: {sent[0]}."
            findings.warn(f"metric_thresholds.{group}", message)


def _check_data(
    findings: Findings,
    files: Files,
    at: Place,
    data: Mapping[str, Any],
    kind: str,
    *,
    is_production: bool,
) -> None:
    """Check production or reference data."""
    context = build.text(data.get("data_context")).lower()
    if "input_data" in data:
        check_inputs(findings, files, at, {"input_data": data["input_data"]})
    elif context == "ground_truth":
        findings.problem(at, "the truth is nowhere collected", _NO_DATA_HINT)
    elif not context and not (is_production and len(CONTEXTS.get(kind, ())) == 1):
        message = f"{at.path[-1]!r} says neither its data nor what it is of"
        hint = f"{_NO_DATA_HINT}, or data_context: {', '.join((*COLLECTED, *TRAINED_ON))}"
        findings.problem(at, message, hint)
    for role in build.mapping(data.get("data_column_names")):
        if role not in _ROLES and kind != "custom":
            near = near_miss(role, _ROLES)
            findings.warn(f"data_column_names.{role}", f"It is no role that counts here; {near}.")
    window = build.mapping(data.get("data_window"))
    _check_window(findings, at.at("data_window"), window, is_production=is_production)
    if not is_production and not window and data.get("pre_processing_component"):
        message = "Azure's client drops it of a reference without a window, and so does this."
        findings.warn("reference_data.pre_processing_component", message)


def _check_window(
    findings: Findings, at: Place, window: Mapping[str, Any], *, is_production: bool
) -> None:
    days = {name: window[name] for name in _DAYS if name in window}
    if days and is_production:
        # ProductionData._validate of azure.ai.ml.
        message = "a window of production is lookback_window_size and lookback_window_offset"
        findings.problem(at, message, f"remove {' and '.join(days)}")
    elif days and "lookback_window_size" in window:
        message = "a window has either a size or a start and an end"
        findings.problem(at, message, "keep one; Azure's client takes the size")
    elif len(days) == 1:
        message = "a static window has a start and an end; Azure's client drops one alone"
        findings.problem(at, message, "give both")
    elif days:
        _check_days(findings, at, days)
    size, offset = window.get("lookback_window_size"), window.get("lookback_window_offset")
    if size is None and offset is not None and not is_production:
        message = "an offset without a size is dropped by Azure's client"
        findings.problem(at.at("lookback_window_offset"), message, "add lookback_window_size:")
    _check_duration(findings, at.at("lookback_window_size"), size, is_size=True)
    if not (offset == DEFAULT and is_production):
        _check_duration(findings, at.at("lookback_window_offset"), offset, is_size=False)
    else:
        message = "the offset of production cannot be 'default'"
        findings.problem(at.at("lookback_window_offset"), message, "write P0D, or remove it")


def _check_days(findings: Findings, at: Place, days: Mapping[str, Any]) -> None:
    found = [_day(findings, at.at(name), said) for name, said in days.items()]
    start, end = found
    if start is not None and end is not None and start >= end:
        findings.problem(at.at("window_end"), "the window ends before it starts", "")


def _day(findings: Findings, at: Place, said: object) -> datetime | None:
    try:
        return datetime.strptime(str(said), _DAY)  # noqa: DTZ007 - as azure.ai.ml does
    except ValueError:
        message = f"{at.path[-1]!r} {said!r} is no day"
        findings.problem(at, message, 'write it as "2026-07-10", in quotes')
        return None


def _check_duration(findings: Findings, at: Place, said: object, *, is_size: bool) -> None:
    if not isinstance(said, str) or said == DEFAULT:
        return
    seconds = duration_seconds(said)
    if seconds is None:
        message = f"{at.path[-1]!r} {said!r} is no duration of weeks, days, and times"
        if _CALENDAR.fullmatch(said):
            # Azure may take it; what a month is depends on the day.
            findings.unsupported(at, message, "write days, such as P30D")
        else:
            findings.problem(at, message, "write it as P7D, or PT12H")
    elif is_size and not seconds:
        findings.problem(at, f"a window of the size {said!r} is empty", "write it as P7D")
