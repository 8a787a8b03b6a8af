"""What follows from the trigger of a monitor, and what settings change of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.spec.files import Write
from tests.unit.spec.test_monitors import (
    DRIFT,
    FORTNIGHT,
    HEAD,
    TARGET,
    monitor_in,
    signals_of,
)

from amlocal.plan import MonitorWindow
from amlocal.spec import load_schedule


@pytest.mark.parametrize(
    ("trigger", "size", "reference"),
    [
        ('{type: cron, expression: "0 6 * * *"}', "P7D", "P14D"),
        ("{type: recurrence, frequency: minute, interval: 30}", "P1D", "P2D"),
        ("{type: recurrence, frequency: hour, interval: 48}", "P1D", "P2D"),
        ("{type: recurrence, frequency: day, interval: 3}", "P3D", "P6D"),
        ("{type: recurrence, frequency: Week, interval: 1}", "P7D", "P14D"),
        ("{type: recurrence, frequency: month, interval: 2}", "P60D", "P120D"),
    ],
)
def test_windows_follow_the_frequency(
    write: Write, trigger: str, size: str, reference: str
) -> None:
    head = HEAD.replace("{type: recurrence, frequency: week, interval: 2}", trigger) + TARGET
    signal = signals_of(write, "", head)["data-drift-signal"]
    assert signal.production[0].window == MonitorWindow(size=size, offset="P0D")
    assert signal.reference is not None
    assert signal.reference.window == MonitorWindow(size=reference, offset=size)


def test_settings_change_a_monitor(write: Write, tmp_path: Path) -> None:
    (tmp_path / "rows").mkdir()
    file = write(watch=HEAD + TARGET + DRIFT)
    green = "create_monitor.monitoring_target.endpoint_deployment_id=azureml:adult:green"
    rows = "create_monitor.monitoring_signals.drift.production_data.data_window=null"
    monitor = monitor_in(load_schedule(file, overrides=[green, rows]))
    assert monitor.deployment_name == "green"
    assert monitor.signals[0].production[0].window == FORTNIGHT


def test_a_definition_is_read_back(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is kept of a monitor makes the same one wherever it is read."""
    (tmp_path / "rows").mkdir()
    monitor = monitor_in(load_schedule(write(watch=HEAD + TARGET + DRIFT)))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    said = json.dumps(monitor.definition, ensure_ascii=False)
    trigger = "trigger={type: recurrence, frequency: week, interval: 2}"
    again = load_schedule(None, overrides=[trigger, f"create_monitor={said}"], name="watch")
    assert monitor_in(again) == monitor
