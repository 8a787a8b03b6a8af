from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.spec.files import Write

from amlocal.plan import (
    CreateMonitor,
    DataValue,
    MonitorData,
    MonitorSignal,
    MonitorThreshold,
    MonitorWindow,
    Schedule,
)
from amlocal.spec import load_schedule

HEAD = """
name: watch
trigger: {type: recurrence, frequency: week, interval: 2}
create_monitor:
  compute: {instance_type: standard_e4s_v3, runtime_version: "3.4"}
"""
TARGET = "  monitoring_target: {endpoint_deployment_id: 'azureml:adult:blue'}\n"
FORTNIGHT = MonitorWindow(size="P14D", offset="P0D")
BEFORE = MonitorWindow(size="P28D", offset="P14D")
COLLECTED_INPUTS = MonitorData(context="model_inputs", window=FORTNIGHT)
COLLECTED_OUTPUTS = MonitorData(context="model_outputs", window=FORTNIGHT)

DRIFT = """
  monitoring_signals:
    drift:
      type: Data_Drift
      production_data:
        input_data: {type: uri_folder, path: ./rows}
        data_context: model_inputs
        pre_processing_component: azureml:tidy:1
        data_window: {lookback_window_size: P1D, lookback_window_offset: PT6H}
        data_column_names: {timestamp: at, correlation_id: id}
      reference_data:
        input_data: {type: mltable, path: "azureml:train:1"}
        data_context: Training
        data_column_names: {target_column: income}
      features: all_features
      feature_type_override: {zip: categorical}
      metric_thresholds:
        numerical: {population_stability_index: 0.2}
        categorical: {pearsons_chi_squared_test: "0.02"}
      data_segment: {feature_name: sex, feature_values: [Female]}
      alert_enabled: true
      properties: {a: 1}
    quality:
      type: data_quality
      metric_thresholds:
        numerical: {null_value_rate: 0}
        categorical: {out_of_bounds_rate: 0.03}
    predictions:
      type: prediction_drift
      metric_thresholds: {categorical: {jensen_shannon_distance: 0.3}}
  alert_notification: {emails: [a@example.com]}
"""


def monitor_in(schedule: Schedule) -> CreateMonitor:
    assert isinstance(schedule.action, CreateMonitor)
    return schedule.action


def signals_of(write: Write, text: str, head: str = HEAD + TARGET) -> dict[str, MonitorSignal]:
    (write(watch="").parent / "rows").mkdir(exist_ok=True)
    monitor = monitor_in(load_schedule(write(watch=head + text)))
    return {signal.name: signal for signal in monitor.signals}


def threshold(metric: str, value: float, kind: str = "") -> MonitorThreshold:
    return MonitorThreshold(metric=metric, feature_type=kind, threshold=value)


def test_every_field_of_a_monitor_reaches_the_plan(write: Write, tmp_path: Path) -> None:
    (tmp_path / "rows").mkdir()
    schedule = load_schedule(write(watch=HEAD + TARGET + DRIFT))
    monitor = monitor_in(schedule)
    assert (monitor.instance_type, monitor.runtime_version) == ("standard_e4s_v3", "3.4")
    assert (monitor.emails, monitor.azure_monitor) == (("a@example.com",), False)
    assert monitor.signals == (
        MonitorSignal(
            name="drift",
            type="data_drift",
            production=(
                MonitorData(
                    data=DataValue(path=str(tmp_path / "rows"), type="uri_folder"),
                    context="model_inputs",
                    columns={"timestamp": "at", "correlation_id": "id"},
                    window=MonitorWindow(size="P1D", offset="PT6H"),
                    pre_processing="tidy:1",
                ),
            ),
            reference=MonitorData(
                data=DataValue(path="azureml:train:1", type="mltable"),
                context="training",
                columns={"target_column": "income"},
            ),
            feature_types={"zip": "categorical"},
            thresholds=(
                threshold("population_stability_index", 0.2, "numerical"),
                threshold("pearsons_chi_squared_test", 0.02, "categorical"),
            ),
            segment_feature="sex",
            segment_values=("Female",),
            alert_enabled=True,
            properties={"a": "1"},
        ),
        MonitorSignal(
            name="quality",
            type="data_quality",
            production=(COLLECTED_INPUTS,),
            reference=MonitorData(context="model_inputs", window=BEFORE),
            thresholds=(
                threshold("null_value_rate", 0.0, "numerical"),
                threshold("out_of_bounds_rate", 0.03, "categorical"),
            ),
        ),
        MonitorSignal(
            name="predictions",
            type="prediction_drift",
            production=(COLLECTED_OUTPUTS,),
            reference=MonitorData(context="model_outputs", window=BEFORE),
            thresholds=(threshold("jensen_shannon_distance", 0.3, "categorical"),),
        ),
    )
    assert Schedule.from_json(schedule.to_json()) == schedule
    assert [warned.field for warned in schedule.warnings] == ["monitor.alert_notification"]


def test_without_signals_those_of_azure(write: Write) -> None:
    found = signals_of(write, "")
    assert {name: signal.type for name, signal in found.items()} == {
        "data-drift-signal": "data_drift",
        "prediction-drift-signal": "prediction_drift",
        "data-quality-signal": "data_quality",
    }
    drift = found["data-drift-signal"]
    assert (drift.production, drift.alert_enabled) == ((COLLECTED_INPUTS,), False)
    assert drift.reference == MonitorData(context="model_inputs", window=BEFORE)
    assert drift.thresholds == (
        threshold("normalized_wasserstein_distance", 0.1, "numerical"),
        threshold("jensen_shannon_distance", 0.1, "categorical"),
    )
    assert found["prediction-drift-signal"].thresholds == drift.thresholds
    assert {each.threshold for each in found["data-quality-signal"].thresholds} == {0.0}
    assert len(found["data-quality-signal"].thresholds) == 6


def test_performance_and_attributions_reach_the_plan(write: Write) -> None:
    found = signals_of(
        write,
        """
  monitoring_signals:
    performance:
      type: model_performance
      production_data: {data_column_names: {prediction: income, correlation_id: id}}
      reference_data:
        input_data: {type: uri_folder, path: ./rows}
        data_context: ground_truth
        data_column_names: {actual: income, correlation_id: correlationid}
      metric_thresholds: {classification: {accuracy: 0.8, precision: 0.7, recall: 0.6}}
      data_segment: {feature_name: sex, feature_values: [Male]}
      alert_enabled: yes
      properties: {b: c}
    attributions:
      type: feature_attribution_drift
      reference_data: {data_context: training}
      metric_thresholds: {normalized_discounted_cumulative_gain: 0.9}
      alert_enabled: true
""",
    )
    performance, attributions = found["performance"], found["attributions"]
    assert performance.production == (
        MonitorData(
            context="model_outputs",
            columns={"prediction": "income", "correlation_id": "id"},
            window=FORTNIGHT,
        ),
    )
    assert performance.reference is not None
    assert (performance.reference.context, performance.reference.window) == (
        "ground_truth",
        MonitorWindow(),
    )
    # As Azure's documentation calls it.
    assert performance.reference.columns["target_column"] == "income"
    assert performance.thresholds == (
        threshold("accuracy", 0.8),
        threshold("precision", 0.7),
        threshold("recall", 0.6),
    )
    assert (performance.segment_values, performance.properties) == (("Male",), {"b": "c"})
    assert attributions.production == (COLLECTED_INPUTS, COLLECTED_OUTPUTS)
    assert attributions.reference == MonitorData(context="training")
    assert attributions.thresholds == (threshold("normalized_discounted_cumulative_gain", 0.9),)
    assert performance.alert_enabled
    assert attributions.alert_enabled


def test_a_custom_signal_reaches_the_plan(write: Write, tmp_path: Path) -> None:
    found = signals_of(
        write,
        """
  monitoring_signals:
    mine:
      type: custom
      component_id: azureml:mine:1.0.0
      input_data:
        rows:
          input_data: {type: uri_folder, path: ./rows}
          data_context: test
          pre_processing_component: azureml:tidy:1
        collected: {data_context: model_inputs, data_window: {lookback_window_size: P3D}}
      inputs: {more: {type: uri_file, path: "azureml:more:1"}}
      metric_thresholds: [{metric_name: std_dev, threshold: 2}, {metric_name: skew}]
      connection: {environment_variables: {A: b}}
      alert_enabled: true
""",
    )
    assert found["mine"] == MonitorSignal(
        name="mine",
        type="custom",
        component="mine:1.0.0",
        input_data={
            "rows": MonitorData(
                data=DataValue(path=str(tmp_path / "rows"), type="uri_folder"), context="test"
            ),
            "collected": MonitorData(
                context="model_inputs", window=MonitorWindow(size="P3D", offset="P0D")
            ),
        },
        inputs={"more": DataValue(path="azureml:more:1", type="uri_file")},
        thresholds=(threshold("std_dev", 2.0), MonitorThreshold(metric="skew")),
        environment_variables={"A": "b"},
        alert_enabled=True,
    )


@pytest.mark.parametrize(
    ("said", "names", "top"),
    [
        ("all_features", None, None),
        ("[age, sex]", ("age", "sex"), None),
        ("{top_n_feature_importance: 4}", None, 4),
        ("{}", None, 10),
    ],
)
def test_features(write: Write, said: str, names: Any, top: Any) -> None:
    text = f"  monitoring_signals: {{d: {{type: data_drift, features: {said}}}}}\n"
    signal = signals_of(write, text)["d"]
    assert (signal.features, signal.top_n_feature_importance) == (names, top)


TWICE = MonitorWindow(size="P28D", offset="P14D")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("{}", MonitorWindow()),
        ('{window_start: "2026-01-01", window_end: "2026-02-01"}', None),
        ("{lookback_window_size: default, lookback_window_offset: default}", TWICE),
        ("{lookback_window_size: P3DT4H}", MonitorWindow(size="P3DT4H", offset="P0D")),
        (
            "{lookback_window_size: P1W, lookback_window_offset: P2D}",
            MonitorWindow(size="P1W", offset="P2D"),
        ),
    ],
)
def test_windows(write: Write, said: str, expected: MonitorWindow | None) -> None:
    text = f"""
  monitoring_signals:
    d:
      type: data_drift
      production_data:
        data_window: {{lookback_window_size: default}}
        pre_processing_component: azureml:tidy:2
      reference_data:
        input_data: {{type: uri_folder, path: "azureml:a:1"}}
        pre_processing_component: azureml:tidy:1
        data_window: {said}
"""
    signal = signals_of(write, text)["d"]
    assert [(data.window, data.pre_processing) for data in signal.production] == [
        (FORTNIGHT, "tidy:2")
    ]
    assert signal.reference is not None
    static = MonitorWindow(start="2026-01-01", end="2026-02-01")
    assert signal.reference.window == (expected or static)
    # Azure's client drops it where the reference is fixed.
    assert signal.reference.pre_processing == ("" if said == "{}" else "tidy:1")


def test_data_that_is_found_by_its_context(write: Write) -> None:
    text = """
  monitoring_signals:
    trained:
      type: data_drift
      reference_data: {data_context: validation, data_column_names: {target_column: y}}
    collected:
      type: prediction_drift
      reference_data: {data_context: model_outputs}
      metric_thresholds: {}
    both:
      type: feature_attribution_drift
      production_data: [{data_context: model_inputs}, {data_context: model_outputs}]
      reference_data: {data_context: test}
      metric_thresholds: {}
"""
    found = signals_of(write, text)
    assert found["trained"].reference == MonitorData(
        context="validation", columns={"target_column": "y"}
    )
    assert found["collected"].reference == MonitorData(context="model_outputs", window=BEFORE)
    assert found["both"].production == (COLLECTED_INPUTS, COLLECTED_OUTPUTS)


METRICS = {
    "data_drift": {
        "numerical": (
            "jensen_shannon_distance",
            "normalized_wasserstein_distance",
            "population_stability_index",
            "two_sample_kolmogorov_smirnov_test",
        ),
        "categorical": (
            "jensen_shannon_distance",
            "population_stability_index",
            "pearsons_chi_squared_test",
        ),
    },
    "data_quality": dict.fromkeys(
        ("numerical", "categorical"),
        ("null_value_rate", "data_type_error_rate", "out_of_bounds_rate"),
    ),
}


@pytest.mark.parametrize("kind", METRICS)
def test_every_metric_of_azure(write: Write, kind: str) -> None:
    named = {group: dict.fromkeys(metrics, 0.5) for group, metrics in METRICS[kind].items()}
    text = f"  monitoring_signals: {{s: {{type: {kind}, metric_thresholds: {named}}}}}\n"
    found = signals_of(write, text)["s"].thresholds
    assert set(found) == {
        threshold(metric, 0.5, group)
        for group, metrics in METRICS[kind].items()
        for metric in metrics
    }


def test_metrics_of_regression_have_their_long_names(write: Write) -> None:
    text = """
  monitoring_signals:
    p:
      type: model_performance
      production_data: {data_context: model_outputs}
      reference_data: {data_context: test}
      metric_thresholds: {regression: {mae: 1, mse: 2, rmse: 3.5}}
"""
    assert signals_of(write, text)["p"].thresholds == (
        threshold("mean_absolute_error", 1.0),
        threshold("mean_squared_error", 2.0),
        threshold("root_mean_squared_error", 3.5),
    )


LONG = (
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
    "/onlineEndpoints/adult/deployments/blue"
)


@pytest.mark.parametrize("said", ["azureml:adult:blue", "adult:blue", LONG, f"azureml:{LONG}"])
def test_what_a_monitor_looks_at(write: Write, said: str) -> None:
    target = f"{{endpoint_deployment_id: '{said}', ml_task: Regression}}"
    monitor = monitor_in(load_schedule(write(w=f"{HEAD}  monitoring_target: {target}\n")))
    assert (monitor.endpoint_name, monitor.deployment_name) == ("adult", "blue")
    assert (monitor.ml_task, monitor.model) == ("regression", "")


def test_a_model_may_be_looked_at(write: Write) -> None:
    target = "  monitoring_target: {model_id: 'azureml:income:3'}\n"
    data = "{input_data: {type: uri_folder, path: 'azureml:rows:1'}}"
    said = f"{{type: data_drift, production_data: {data}, reference_data: {data}}}"
    signals = f"  monitoring_signals: {{d: {said}}}\n  alert_notification: AzMonitoring\n"
    monitor = monitor_in(load_schedule(write(w=HEAD + target + signals)))
    assert (monitor.model, monitor.endpoint_name, monitor.azure_monitor) == ("income:3", "", True)
