"""A deployed model is monitored: nothing on quiet rows; on shifted ones an event, and its job."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from tests.e2e.driver import Aml
from tests.e2e.test_endpoints import Endpoint, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

#: Rows of a time, and how many of them the truth becomes known of.
ROWS, KNOWN = 600, 120
COLLECTIONS = ("model_inputs", "model_outputs")
DEPLOYMENT = """
name: blue
endpoint_name: watched
model: azureml:adult@latest
instance_type: Standard_DS3_v2
instance_count: 1
data_collector:
  collections:
    model_inputs: {enabled: "True"}
    model_outputs: {enabled: "True"}
tags: {amlocal.redact: sex}
"""
MONITOR = """
$schema: https://azuremlschemas.azureedge.net/latest/monitorSchedule.schema.json
name: adult-monitor
trigger: {type: recurrence, frequency: day, interval: 1, start_time: "2090-01-01T00:00:00"}
create_monitor:
  compute: {instance_type: standard_e4s_v3, runtime_version: "3.4"}
  monitoring_target:
    ml_task: classification
    endpoint_deployment_id: azureml:watched:blue
  monitoring_signals:
    inputs:
      type: data_drift
      reference_data: {data_context: training}
      alert_enabled: true
    quality:
      type: data_quality
      reference_data: {data_context: training}
      alert_enabled: true
    predictions:
      type: prediction_drift
      reference_data: {data_context: training}
      alert_enabled: true
      metric_thresholds: {categorical: {jensen_shannon_distance: 0.1}}
    attributions:
      type: feature_attribution_drift
      reference_data: {data_context: training}
      metric_thresholds: {normalized_discounted_cumulative_gain: 0.5}
    truth:
      type: model_performance
      production_data: {data_context: model_outputs}
      reference_data:
        input_data: {type: uri_file, path: truth.csv}
        data_context: ground_truth
        data_column_names: {target_column: income, correlation_id: order}
      alert_enabled: true
      metric_thresholds: {classification: {accuracy: 0.7}}
"""
TRIGGER = """
name: on-drift
event: {type: drift, monitor: adult-monitor}
conditions: {one_run_at_a_time: true}
create_job:
  job: react.yml
  inputs: {signal: "${{event.signal}}"}
"""
REACTION = """
$schema: https://azuremlschemas.azureedge.net/latest/commandJob.schema.json
command: echo reacts to ${{inputs.signal}}
environment: file:environments/lifecycle/environment.yml
inputs: {signal: none}
"""


@pytest.fixture(scope="module")
def watched(aml: Aml) -> Iterator[Endpoint]:
    """An endpoint with a model that a job of the workspace trained."""
    table = pd.read_parquet(aml.project / "data/adult-train.parquet")
    table.sample(4000, random_state=1).to_parquet(aml.project / "data/adult-train.parquet")
    trained = aml.job("jobs/train.yml", "--set", "inputs.max_iter=30")
    address = f"azureml://jobs/{trained['name']}/outputs/model"
    aml.run("model", "create", "-n", "adult", "--type", "mlflow_model", "--path", address)
    files = {"blue": DEPLOYMENT, "monitor": MONITOR, "on-drift": TRIGGER, "react": REACTION}
    for name, text in files.items():
        (aml.project / f"{name}.yml").write_text(text)
    (aml.project / "truth.csv").write_text("order,income\n")
    aml.run("online-endpoint", "create", "-n", "watched")
    aml.run("online-deployment", "create", "-f", "blue.yml", "--all-traffic")
    yield Endpoint(aml, "watched")
    aml.run("online-endpoint", "delete", "-n", "watched", "-y")


def send(aml: Aml, endpoint: Endpoint, rows: pd.DataFrame, name: str) -> None:
    """Post rows: the first ones alone, with the truth of each written down, the rest together."""
    line = endpoint.connect()
    posted = json.loads(rows.drop(columns="income").to_json(orient="records"))
    with (aml.project / "truth.csv").open("a") as file:
        for place, (features, truth) in enumerate(zip(posted, rows["income"], strict=True)):
            if place == KNOWN:
                break
            status, _, _ = endpoint.post(
                {"input_data": [features]}, connection=line, x_request_id=f"{name}-{place}"
            )
            assert status == 200
            file.write(f"{name}-{place},{truth}\n")
    rest = {"input_data": posted[KNOWN:]}
    assert endpoint.post(rest, connection=line, x_request_id=f"{name}-rest")[0] == 200
    line.close()
    folder = aml.home / "datastores/workspaceblobstore/modelDataCollector/watched/blue"
    wait_for(lambda: all(f'"{name}-rest"' in _text(folder / each) for each in COLLECTIONS))


def _text(folder: Any) -> str:
    return "".join(file.read_text() for file in sorted(folder.rglob("*.jsonl")))


def monitored(aml: Aml) -> dict[str, Any]:
    """Run the monitor to its end, and return its job."""
    name = aml.json("schedule", "run-now", "-n", "adult-monitor")["job_name"]
    job: dict[str, Any] = aml.json("job", "stream", "-n", name)
    assert job["status"] == "Completed", job["error"]
    return job


def fired(aml: Aml) -> list[dict[str, Any]]:
    return [each for each in aml.json("trigger", "log") if each["outcome"] == "fired"]


def test_quiet_rows_are_no_event_and_shifted_ones_start_a_job(aml: Aml, watched: Endpoint) -> None:
    table = pd.read_parquet(aml.project / "data/adult-test.parquet").sample(frac=1, random_state=2)
    made = aml.json("schedule", "create", "-f", "monitor.yml")
    assert made["type"] == "monitor"
    aml.run("trigger", "create", "-f", "on-drift.yml")

    nothing = monitored(aml)["monitor"]
    assert (nothing["verdict"], nothing["breaches"]) == ("insufficient", [])

    send(aml, watched, table[:ROWS], "quiet")
    job = monitored(aml)
    quiet = job["monitor"]
    assert (quiet["verdict"], quiet["breaches"]) == ("ok", []), quiet["note"]
    assert (quiet["model"], job["tags"]["model"]) == ("adult:1", "adult:1")
    # What is redacted is not collected, and what the model does not need is not sent.
    named = {key.split(".")[2] for key in job["metrics"] if key.startswith("inputs.")}
    assert {"age", "education"} <= named
    assert not {"sex", "fnlwgt", "income"} & named
    assert aml.json("trigger", "events") == []

    shifted = table[ROWS : 3 * ROWS].assign(age=lambda rows: rows["age"] + 25, workclass=None)
    send(aml, watched, shifted, "shifted")
    breached = monitored(aml)["monitor"]
    signals = {each["signal"]: each for each in breached["breaches"]}
    assert breached["verdict"] == "breach"
    assert signals["inputs"]["feature"] == "age"
    assert signals["quality"]["feature"] == "workclass"
    events = {event["detail"]["signal"]: event for event in aml.json("trigger", "events")}
    assert events.keys() == {each for each in signals if each != "attributions"}
    assert events["inputs"]["type"] == "drift"
    assert events["inputs"]["detail"]["model"] == "adult:1"
    shown = aml.json("schedule", "show", "-n", "adult-monitor")
    assert [slot["verdict"] for slot in shown["slots"]] == ["breach", "ok", "insufficient"]

    wait_for(lambda: fired(aml), 200)
    # One job for all that one run has found.
    (once,) = fired(aml)
    wait_for(lambda: aml.json("job", "show", "-n", once["job"])["status"] == "Completed", 200)
