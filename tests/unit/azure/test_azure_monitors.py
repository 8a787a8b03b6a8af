"""Monitors in Azure at the wire: the real SDK in a dry run, and over a scripted service."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.unit.azure.service import WORKSPACE, Service, Told, connected, online_deployment

from amlocal.azure.client import AzureClient
from amlocal.azure.dry_run import DryRun
from amlocal.azure.monitor_data import WorkspaceData
from amlocal.azure.sdk import load, quiet
from amlocal.azure.workspace import WorkspaceId
from amlocal.client import connect
from amlocal.errors import SpecError, UsageError
from amlocal.plan import MonitorThreshold

pytestmark = pytest.mark.usefixtures("no_network")

HEAD = """
name: watch
tags: {a: b}
trigger: {type: recurrence, frequency: week, interval: 2}
create_monitor:
  compute: {instance_type: standard_e4s_v3, runtime_version: "3.4"}
  monitoring_target: {ml_task: classification, endpoint_deployment_id: "azureml:adult:blue"}
"""
#: Every type of signal, as Azure's own client takes them.
SIGNALS = """
  monitoring_signals:
    drift:
      type: data_drift
      production_data:
        input_data: {type: uri_folder, path: ./data}
        data_context: model_inputs
        pre_processing_component: azureml:tidy:1
        data_window: {lookback_window_size: P1D}
        data_column_names: {correlation_id: id}
      reference_data:
        input_data: {type: mltable, path: "azureml:train:1"}
        data_context: training
        data_window: {lookback_window_size: P9D, lookback_window_offset: P1D}
      features: {top_n_feature_importance: 4}
      feature_type_override: {zip: categorical}
      metric_thresholds:
        numerical: {population_stability_index: 0.2}
        categorical: {pearsons_chi_squared_test: 0.02}
      data_segment: {feature_name: sex, feature_values: [Female]}
      alert_enabled: true
    by_default: {type: data_drift, features: [a, b]}
    predictions:
      type: prediction_drift
      metric_thresholds: {categorical: {jensen_shannon_distance: 0.3}}
    quality:
      type: data_quality
      features: all_features
      metric_thresholds: {numerical: {null_value_rate: 0.1}, categorical: {out_of_bounds_rate: 0}}
      reference_data:
        input_data: {type: mltable, path: "azureml:train:1"}
        data_context: training
        data_window: {window_start: "2026-01-01", window_end: "2026-02-01"}
    attributions:
      type: feature_attribution_drift
      reference_data:
        input_data: {type: mltable, path: "azureml:train:1"}
        data_context: training
        data_column_names: {target_column: y}
      metric_thresholds: {normalized_discounted_cumulative_gain: 0.9}
    performance:
      type: model_performance
      production_data:
        input_data: {type: uri_folder, path: "azureml:said:1"}
        data_context: model_outputs
        data_column_names: {prediction: y}
      reference_data:
        input_data: {type: mltable, path: "azureml:truth:1"}
        data_context: ground_truth
      metric_thresholds: {classification: {accuracy: 0.9}}
      properties: {c: d}
    mine:
      type: custom
      component_id: azureml:mine:1
      input_data:
        rows:
          input_data: {type: mltable, path: "azureml:rows:1"}
          data_context: test
      metric_thresholds: [{metric_name: std_dev, threshold: 2}]
      connection: {environment_variables: {A: b}, secret_config: {s: "https://vault/s"}}
    safety:
      type: generation_safety_quality
      production_data:
        - input_data: {type: mltable, path: "azureml:chats:1"}
      connection_id: c
      metric_thresholds: {fluency: {aggregated_fluency_pass_rate: 0.7}}
      sampling_rate: 0.5
    tokens:
      type: generation_token_statistics
      production_data:
        input_data: {type: mltable, path: "azureml:chats:1"}
      metric_thresholds: {totaltoken: {total_token_count: 9, total_token_count_per_group: 9}}
  alert_notification: {emails: [a@example.com]}
"""
BY_CONTEXT = """
  monitoring_signals:
    drift: {type: data_drift, reference_data: {data_context: training}}
    predictions:
      type: prediction_drift
      production_data: {data_window: {lookback_window_size: P3D}}
      reference_data: {data_context: Validation}
      metric_thresholds: {}
    performance:
      type: model_performance
      production_data: {data_column_names: {prediction: y}}
      reference_data: {data_context: test}
      metric_thresholds: {regression: {mae: 3, rmse: 4.5}}
"""


@pytest.fixture
def monitor(project: Path) -> Path:
    file = project / "watch.yml"
    file.write_text(HEAD + SIGNALS)
    return file


def sent(client: AzureClient) -> Any:
    return client.requests[-1].body["properties"]


def signals_sent(client: AzureClient) -> Any:
    return sent(client)["action"]["monitorDefinition"]["signals"]


@pytest.mark.parametrize("signals", [SIGNALS, ""], ids=["all", "default"])
def test_a_monitor_is_sent_as_the_sdk_sends_it(monitor: Path, signals: str) -> None:
    monitor.write_text(HEAD + signals)
    checked: Any = connect(
        "azure",
        dry_run=True,
        environ={},
        subscription_id="sub",
        resource_group="rg",
        workspace_name="ws",
    )
    checked.schedules.begin_create_or_update("watch.yml")
    theirs = DryRun(WorkspaceId("sub", "rg", "ws"), {})
    with theirs.calls("compare"):
        theirs.ml_client.schedules.begin_create_or_update(load("schedule", "watch.yml", (), {}))
    assert checked.requests[-1] == theirs.requests[-1]
    assert checked.requests == theirs.requests
    found = signals_sent(checked)
    assert {each["signalType"] for each in found.values()} == (
        {"DataDrift", "PredictionDrift", "DataQuality"}
        if not signals
        else {
            *("DataDrift", "PredictionDrift", "DataQuality", "FeatureAttributionDrift"),
            *("ModelPerformance", "Custom", "GenerationSafetyQuality", "GenerationTokenStatistics"),
        }
    )


@pytest.mark.slow
def test_what_is_told_of_a_monitor(client: AzureClient, monitor: Path) -> None:
    info = client.schedules.begin_create_or_update("watch.yml").result()
    assert (info.type, info.monitoring_target) == ("monitor", "adult/blue")
    drift = next(each for each in info.monitoring_signals if each.name == "drift")
    assert (drift.type, drift.alert_enabled, drift.window) == ("data_drift", True, "P1D")
    assert drift.reference == "train:1"
    assert drift.thresholds == (
        MonitorThreshold(
            metric="population_stability_index", feature_type="numerical", threshold=0.2
        ),
        MonitorThreshold(
            metric="pearsons_chi_squared_test", feature_type="categorical", threshold=0.02
        ),
    )
    kinds = {each.name: each.type for each in info.monitoring_signals}
    assert kinds["tokens"] == "generation_token_statistics"
    assert len(kinds) == 9


def test_data_is_found_by_its_context(client: AzureClient, monitor: Path) -> None:
    monitor.write_text(HEAD + BY_CONTEXT)
    client.schedules.begin_create_or_update("watch.yml")
    found = signals_sent(client)
    assert found["drift"]["referenceData"]["uri"].endswith("/adult-blue-training/versions/latest")
    predictions = found["predictions"]["productionData"]
    assert predictions["uri"].endswith("/data/adult-blue-model_outputs/versions/latest")
    assert (predictions["dataContext"], predictions["windowSize"]) == ("model_outputs", "P3D")
    assert found["predictions"]["referenceData"]["dataContext"] == "validation"
    performance = found["performance"]
    assert performance["productionData"][0]["uri"] == predictions["uri"]
    told = performance["properties"]["azureml.modelmonitor.model_performance_thresholds"]
    assert [(each["metric"], each["threshold"]["value"]) for each in json.loads(told)] == [
        ("MeanAbsoluteError", 3),
        ("RootMeanSquaredError", 4.5),
    ]


def test_settings_count_before_data_is_looked_for(client: AzureClient, monitor: Path) -> None:
    monitor.write_text(HEAD + BY_CONTEXT)
    path = "create_monitor.monitoring_signals.drift.reference_data.input_data"
    client.schedules.begin_create_or_update(
        "watch.yml",
        overrides=[
            f"{path}.path=azureml:mine:1",
            f"{path}.type=mltable",
            "create_monitor.monitoring_target.endpoint_deployment_id=azureml:adult:green",
        ],
        name="other",
    )
    reference = signals_sent(client)["drift"]["referenceData"]
    assert reference["uri"].endswith("/data/mine/versions/1")
    assert reference["jobInputType"] == "mltable"
    target = sent(client)["action"]["monitorDefinition"]["monitoringTarget"]
    assert target["deploymentId"].endswith("/onlineEndpoints/adult/deployments/green")
    assert client.requests[-1].path.partition("?")[0].endswith("/schedules/other")


def test_an_object_that_leaves_data_to_its_context(client: AzureClient) -> None:
    with quiet():
        from azure.ai.ml.entities import (
            CronTrigger,
            DataDriftSignal,
            MonitorDefinition,
            MonitoringTarget,
            MonitorSchedule,
            ReferenceData,
            ServerlessSparkCompute,
        )

    compute = ServerlessSparkCompute(instance_type="standard_e4s_v3", runtime_version="3.4")
    reference: Any = ReferenceData(input_data=None, data_context="training")
    monitor = MonitorDefinition(
        compute=compute,
        monitoring_target=MonitoringTarget(endpoint_deployment_id="azureml:adult:blue"),
        monitoring_signals={"d": DataDriftSignal(reference_data=reference)},
    )
    schedule = MonitorSchedule(
        name="py", trigger=CronTrigger(expression="0 6 * * *"), create_monitor=monitor
    )
    client.schedules.begin_create_or_update(schedule)
    drift = signals_sent(client)["d"]
    assert drift["referenceData"]["uri"].endswith("/adult-blue-training/versions/latest")
    assert drift["productionData"]["windowSize"] == "P7D"
    monitor.monitoring_target = None
    monitor.monitoring_signals = {
        "d": DataDriftSignal(reference_data=ReferenceData(input_data=None, data_context="training"))
    }  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no deployment is monitored"):
        client.schedules.begin_create_or_update(schedule)


def test_what_is_wrong_is_told_before_anything_is_sent(monitor: Path) -> None:
    monitor.write_text((HEAD + SIGNALS).replace("alert_enabled", "alert_enable"))
    checked: Any = connect("azure", dry_run=True, environ={})
    with pytest.raises(SpecError, match="did you mean 'alert_enabled'"):
        checked.schedules.begin_create_or_update("watch.yml")
    assert checked.requests == ()


WATCH = f"{WORKSPACE}/schedules/watch"
MODEL = f"{WORKSPACE}/models/adult/versions/3"
GONE = Told({"error": {"code": "NotFound", "message": "gone"}}, 404)


def collecting(name: str, *contexts: str) -> Told:
    collections = {
        context: {
            "dataCollectionMode": "Enabled",
            "dataId": f"{WORKSPACE}/data/adult-{name}-{context}/versions/1",
        }
        for context in contexts
    }
    return Told(online_deployment(name, dataCollector={"collections": collections}))


def data_version(name: str, kind: str = "uri_folder") -> Told:
    properties = {"dataType": kind, "dataUri": "azureml://datastores/d/paths/p", "tags": {}}
    path = f"{WORKSPACE}/data/{name}/versions/1"
    return Told({"id": path, "name": "1", "properties": properties})


@pytest.fixture
def service() -> Service:
    made = Service()
    made.on("GET", MODEL, GONE)
    for name in ("blue", "green"):
        deployment = f"{WORKSPACE}/onlineEndpoints/adult/deployments/{name}"
        made.on("GET", deployment, collecting(name, "model_inputs", "model_outputs"))
        for context in ("model_inputs", "model_outputs"):
            asset = f"adult-{name}-{context}"
            made.on("GET", f"{WORKSPACE}/data/{asset}/versions/1", data_version(asset))
    return made


@pytest.fixture
def stored(service: Service, client: AzureClient, monitor: Path) -> dict[str, Any]:
    """What the service tells of a monitor that was sent to it."""
    client.schedules.begin_create_or_update("watch.yml")
    said = json.dumps(sent(client)).replace("versions/latest", "versions/1")
    said = said.replace("/subscriptions/sub/resourceGroups/rg", "/subscriptions/s/resourceGroups/g")
    said = said.replace("/workspaces/ws/", "/workspaces/w/")
    properties = {"isEnabled": True, "provisioningState": "Succeeded", **json.loads(said)}
    for signal in properties["action"]["monitorDefinition"]["signals"].values():
        signal["metricThresholds"] = signal.get("metricThresholds") or []
    told = {"id": WATCH, "name": "watch", "properties": properties}
    service.on("GET", WATCH, Told(told))
    service.on("PUT", WATCH, Told(told))
    return copy.deepcopy(properties)


def put(service: Service) -> Any:
    (request,) = [each for each in service.changes() if each.method == "PUT"]
    return request.body["properties"]


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.slow
def test_enabling_changes_nothing_else(
    service: Service, stored: dict[str, Any], enabled: bool
) -> None:
    azure: AzureClient = connected(service, AzureClient)
    begin = azure.schedules.begin_enable if enabled else azure.schedules.begin_disable
    assert begin("watch").result().monitoring_target == "adult/blue"
    expected = {**stored, "isEnabled": enabled}
    del expected["provisioningState"]
    assert put(service) == expected


@pytest.mark.slow
def test_another_deployment_is_looked_at_with_its_data(
    service: Service, stored: dict[str, Any]
) -> None:
    azure: AzureClient = connected(service, AzureClient)
    setting = "create_monitor.monitoring_target.endpoint_deployment_id=azureml:adult:green"
    azure.schedules.begin_create_or_update(
        None, overrides=[setting, "tags.c=d", "trigger.interval=3"], name="watch"
    )
    body = put(service)
    definition = body["action"]["monitorDefinition"]
    address = f"{WORKSPACE}/onlineEndpoints/adult/deployments/green"
    assert definition["monitoringTarget"]["deploymentId"] == address
    assert (body["tags"], body["trigger"]["interval"]) == ({"a": "b", "c": "d"}, 3)
    uris = {
        name: definition["signals"][name]["productionData"]
        for name in ("by_default", "predictions", "quality", "drift", "performance")
    }
    moved = f"{WORKSPACE}/data/adult-green-model_inputs/versions/1"
    assert uris["by_default"]["uri"] == uris["quality"]["uri"] == moved
    assert uris["predictions"]["uri"].endswith("/adult-green-model_outputs/versions/1")
    # What the file names itself stays.
    before = stored["action"]["monitorDefinition"]["signals"]
    assert uris["drift"] == before["drift"]["productionData"]
    assert definition["signals"]["performance"] == before["performance"]
    first, second = definition["signals"]["attributions"]["productionData"]
    assert ("green-model_inputs" in first["uri"], "green-model_outputs" in second["uri"]) == (
        True,
        True,
    )


@pytest.mark.slow
def test_a_deployment_that_is_gone_is_left_behind(service: Service, stored: dict[str, Any]) -> None:
    service.on("GET", f"{WORKSPACE}/onlineEndpoints/adult/deployments/blue", GONE)
    azure: AzureClient = connected(service, AzureClient)
    setting = "create_monitor.monitoring_target.endpoint_deployment_id=azureml:adult:green"
    azure.schedules.begin_create_or_update(None, overrides=[setting], name="watch")
    assert "adult-blue" not in json.dumps(put(service))
    with pytest.raises(UsageError, match="is not changed by settings alone"):
        azure.schedules.begin_create_or_update(
            None, overrides=["create_monitor.compute.runtime_version=3.5"], name="watch"
        )


JOB_INPUTS = {
    "data": {"jobInputType": "uri_folder", "uri": "azureml://datastores/d/paths/train/"},
    "test_data": {"jobInputType": "uri_file", "uri": "azureml:test:2"},
    "target": {"jobInputType": "literal", "value": "income"},
}


def found_in(
    service: Service, run: Any, *, tags: dict[str, str], runs: Any = None
) -> WorkspaceData:
    """Return what finds data where a model's version and its job are such."""
    version = {"modelUri": "azureml://x", "tags": tags, "jobName": "registered", "flavors": {}}
    service.on("GET", MODEL, Told({"id": MODEL, "name": "3", "properties": version}))
    for name in ("trained", "registered"):
        path = f"{WORKSPACE}/jobs/{name}"
        properties = {"jobType": "Command", "command": "x", "status": "Completed", **run}
        body = {"id": path, "name": name, "properties": {**properties, "experimentName": name}}
        service.on("GET", path, Told(body))
    made: WorkspaceData = connected(
        service, lambda client: WorkspaceData(client, "adult", "blue", lambda _: runs)
    )
    return made


def test_a_model_was_made_of_its_training_jobs_inputs(service: Service) -> None:
    environment = f"{WORKSPACE}/environments/e/versions/1"
    job = {"inputs": JOB_INPUTS, "environmentId": environment}
    data = found_in(service, job, tags={"training_run_id": "trained"})
    training, test = data.of("training"), data.of("test")
    assert (training.type, training.path) == ("uri_folder", JOB_INPUTS["data"]["uri"])
    assert (test.type, test.path) == ("uri_file", "azureml:test:2")
    asked = [each.path.rsplit("/", 1)[-1] for each in service.seen if "/jobs/" in each.path]
    assert set(asked) == {"trained"}


def run_with(*datasets: tuple[str, str]) -> Any:
    """An MLflow client of which every run has logged data sets: contexts and sources."""
    logged = [
        SimpleNamespace(
            tags=[SimpleNamespace(key="mlflow.data.context", value=context)],
            dataset=SimpleNamespace(source=source),
        )
        for context, source in datasets
    ]
    run = SimpleNamespace(inputs=SimpleNamespace(dataset_inputs=logged))
    return SimpleNamespace(get_run=lambda _: run)


def test_or_of_the_data_sets_that_its_run_logged(service: Service) -> None:
    environment = f"{WORKSPACE}/environments/e/versions/1"
    address = "azureml://datastores/d/paths/valid.parquet"
    runs = run_with(
        ("validation", json.dumps({"uri": "/mnt/somewhere"})),
        ("training", json.dumps({"uri": "azureml://datastores/d/paths/train.parquet"})),
        ("valid", json.dumps({"uri": address})),
    )
    data = found_in(service, {"environmentId": environment}, tags={}, runs=runs)
    assert (data.of("validation").type, data.of("validation").path) == ("uri_file", address)
    with pytest.raises(UsageError, match="tells no test data") as error:
        data.of("test")
    assert "reference_data.input_data" in error.value.hint


def test_what_is_not_collected_is_told(service: Service) -> None:
    deployment = f"{WORKSPACE}/onlineEndpoints/adult/deployments/blue"
    service.on("GET", deployment, collecting("blue", "model_inputs"))
    data: WorkspaceData = connected(
        service, lambda client: WorkspaceData(client, "adult", "blue", None)
    )
    assert data.of("model_inputs").path == "adult-blue-model_inputs:1"
    with pytest.raises(UsageError, match="adult/blue collects no model_outputs"):
        data.of("model_outputs")
