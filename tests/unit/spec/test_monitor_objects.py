"""Monitors that are built with azure-ai-ml, or loaded by it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.spec.files import Write
from tests.unit.spec.test_monitors import DRIFT, HEAD, TARGET, monitor_in, threshold

from amlocal.errors import SpecError
from amlocal.plan import DataValue, MonitorData, MonitorSignal, MonitorWindow
from amlocal.spec import load_schedule
from amlocal.spec.sdk import quiet

OTHERS = """
  monitoring_signals:
    performance:
      type: model_performance
      production_data:
        input_data: {type: uri_folder, path: "azureml:said:1"}
        data_context: model_outputs
        data_column_names: {prediction: income}
      reference_data:
        input_data: {type: mltable, path: "azureml:truth:2"}
        data_context: ground_truth
        data_window: {lookback_window_size: P14D, lookback_window_offset: P1D}
      data_segment: {feature_name: sex, feature_values: [Male]}
      metric_thresholds: {classification: {accuracy: 0.8}}
    attributions:
      type: feature_attribution_drift
      production_data:
        - input_data: {type: uri_folder, path: ./rows}
          data_context: model_inputs
        - input_data: {type: uri_folder, path: ./rows}
          data_context: model_outputs
          data_column_names: {prediction: income}
      reference_data:
        input_data: {type: uri_folder, path: ./rows}
        data_context: training
      metric_thresholds: {normalized_discounted_cumulative_gain: 0.9}
    mine:
      type: custom
      component_id: azureml:mine:1
      input_data:
        rows:
          input_data: {type: mltable, path: "azureml:rows:1"}
          data_context: test
          pre_processing_component: azureml:tidy:1
          data_window: {window_start: "2026-01-01", window_end: "2026-02-01"}
      inputs: {more: {type: uri_file, path: "azureml:more:1"}}
      metric_thresholds: [{metric_name: std_dev, threshold: 2}]
      connection: {environment_variables: {A: b}}
    few:
      type: data_quality
      production_data:
        input_data: {type: uri_folder, path: "azureml:rows:1"}
        data_context: model_inputs
      reference_data:
        input_data: {type: uri_folder, path: "azureml:rows:1"}
        data_context: training
      features: {top_n_feature_importance: 3}
  alert_notification: azmonitoring
"""


@pytest.mark.parametrize("signals", [DRIFT, OTHERS, ""], ids=["drift", "others", "default"])
def test_what_the_sdk_has_loaded_is_the_same(write: Write, tmp_path: Path, signals: str) -> None:
    (tmp_path / "rows").mkdir()
    file = write(watch=HEAD + TARGET + signals)
    with quiet():
        from azure.ai.ml.entities._load_functions import load_schedule as theirs

        loaded = theirs(file)
    expected, found = load_schedule(file), load_schedule(loaded)
    assert monitor_in(found).signals == monitor_in(expected).signals
    assert (found.trigger, found.warnings) == (expected.trigger, expected.warnings)
    for name in ("deployment_name", "ml_task", "emails", "azure_monitor", "instance_type"):
        assert getattr(found.action, name) == getattr(expected.action, name)


def definition(**fields: Any) -> Any:
    with quiet():
        from azure.ai.ml.entities import MonitorDefinition, ServerlessSparkCompute

    compute = ServerlessSparkCompute(instance_type="standard_e4s_v3", runtime_version="3.4")
    return MonitorDefinition(compute=compute, **fields)


def built(monitor: Any) -> Any:
    with quiet():
        from azure.ai.ml.entities import CronTrigger, MonitorSchedule

    trigger = CronTrigger(expression="0 6 * * *")
    return MonitorSchedule(name="py", trigger=trigger, create_monitor=monitor)


def test_a_monitor_built_in_python() -> None:
    with quiet():
        from azure.ai.ml import Input
        from azure.ai.ml.constants import MonitorDatasetContext
        from azure.ai.ml.entities import (
            ModelPerformanceMetricThreshold,
            ModelPerformanceRegressionThresholds,
            ModelPerformanceSignal,
            MonitoringTarget,
            ProductionData,
            ReferenceData,
        )

    truth = Input(type="uri_folder", path="azureml://datastores/d/paths/truth")
    signal = ModelPerformanceSignal(
        production_data=ProductionData(
            input_data=Input(type="uri_folder", path="azureml:said:1"),
            data_context=MonitorDatasetContext.MODEL_OUTPUTS,
        ),
        reference_data=ReferenceData(
            input_data=truth, data_context=MonitorDatasetContext.GROUND_TRUTH_DATA
        ),
        metric_thresholds=ModelPerformanceMetricThreshold(
            regression=ModelPerformanceRegressionThresholds(mean_absolute_error=3.0)
        ),
        alert_enabled=True,
    )
    target = MonitoringTarget(ml_task="regression", endpoint_deployment_id="azureml:wage:blue")
    monitor = definition(monitoring_target=target, monitoring_signals={"p": signal})
    assert monitor_in(load_schedule(built(monitor))).signals == (
        MonitorSignal(
            name="p",
            type="model_performance",
            production=(
                MonitorData(
                    data=DataValue(path="azureml:said:1", type="uri_folder"),
                    context="model_outputs",
                    window=MonitorWindow(size="P7D", offset="P0D"),
                ),
            ),
            reference=MonitorData(
                data=DataValue(path="azureml://datastores/d/paths/truth", type="uri_folder"),
                context="ground_truth",
            ),
            thresholds=(threshold("mean_absolute_error", 3.0),),
            alert_enabled=True,
        ),
    )


def test_what_is_wrong_with_an_object_is_told() -> None:
    with quiet():
        from azure.ai.ml.entities import (
            DataDriftSignal,
            GenerationTokenStatisticsSignal,
            MonitorFeatureFilter,
            MonitorSchedule,
        )

    signal = DataDriftSignal(features=MonitorFeatureFilter(top_n_feature_importance=0))
    with pytest.raises(SpecError) as error:
        load_schedule(built(definition(monitoring_signals={"d": signal})))
    assert "needs production_data" in str(error.value)
    assert "must be from 1, not 0" in str(error.value)
    tokens = definition(monitoring_signals={"t": GenerationTokenStatisticsSignal()})
    with pytest.raises(SpecError, match="generation_token_statistics does not run here"):
        load_schedule(built(tokens))
    aimless = MonitorSchedule(name="x", trigger=None, create_monitor=definition())
    with pytest.raises(SpecError, match="lacks the field 'trigger'"):
        load_schedule(aimless)
