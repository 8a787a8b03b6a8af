"""What a job's script does with plain `mlflow`, and what MLflow makes of what we logged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from amlocal.local.tracking.client import TrackingClient
from amlocal.local.tracking.datasets import describe
from amlocal.local.tracking.values import DatasetInput

SCRIPT = """
import json, mlflow
from mlflow.types import Schema
with mlflow.start_run() as run:
    mlflow.log_param("rate", 0.1)
    for step in range(3):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.log_text("hello", "notes/a b.txt")
    mlflow.set_tag("from", "script")
client = mlflow.MlflowClient()
(item,) = client.get_run(run.info.run_id).inputs.dataset_inputs
schema = Schema.from_json(json.dumps(json.loads(item.dataset.schema)["mlflow_colspec"]))
source = mlflow.data.get_source(client.get_run(run.info.run_id).inputs.dataset_inputs[0])
client.create_registered_model("from a script")
version = client.create_model_version(
    "from a script", f"runs:/{run.info.run_id}/notes", run_id=run.info.run_id
)
print(json.dumps({
    "run": run.info.run_id, "source": source.load(), "version": version.version,
    "schema": [(spec.name, spec.type.name, spec.required) for spec in schema.inputs],
}))
"""


def test_a_script_logs_to_its_steps_run(tracking: TrackingClient, tmp_path: Path) -> None:
    run = tracking.create_run(tracking.experiment("scripts"), "step", start_time=time.time())
    data = tmp_path / "data.parquet"
    table = {"age": [1, None], "name": ["a", "b"], "at": pa.array([0, 1], pa.timestamp("ns"))}
    pq.write_table(pa.table(table), data)
    dataset = describe(data, name="d", digest="5" * 64, kind="uri_file", cache=tmp_path)
    tracking.log_inputs(run.run_id, [DatasetInput(dataset=dataset, context="train")])
    environ = {
        **os.environ,
        "MLFLOW_TRACKING_URI": tracking.uri,
        "MLFLOW_RUN_ID": run.run_id,
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT],
        env=environ,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        check=True,
    )
    seen = json.loads(done.stdout.decode().splitlines()[-1])
    assert seen["run"] == run.run_id
    assert seen["source"] == str(data)
    expected = [["age", "long", False], ["name", "string", True], ["at", "datetime", True]]
    assert seen["schema"] == expected

    found = tracking.get_run(run.run_id)
    assert found.params == {"rate": "0.1"}
    assert found.tags["from"] == "script"
    assert [metric.step for metric in tracking.metric_history(run.run_id, "loss")] == [0, 1, 2]
    place = tracking.download(run.artifact_uri, "notes/a b.txt", tmp_path)
    assert place.read_text() == "hello"
    (version,) = tracking.registry.versions("from a script")
    assert (version.version, version.run_id) == (str(seen["version"]), run.run_id)


UPLOADING = """
import json, sys, tempfile, mlflow
from pathlib import Path
client = mlflow.MlflowClient()
client.create_registered_model("uploaded")
with tempfile.TemporaryDirectory() as folder:
    (Path(folder) / "MLmodel").write_text("flavors: {}")
    version = client.create_model_version("uploaded", f"file://{folder}")
client.set_registered_model_alias("uploaded", "best", version.version)
place = mlflow.artifacts.download_artifacts("models:/uploaded@best", dst_path=sys.argv[1])
try:
    client.create_model_version("uploaded", "file:///etc")
except mlflow.MlflowException as error:
    refused = error.message
print(json.dumps({"text": (Path(place) / "MLmodel").read_text(), "refused": refused}))
"""


def test_a_script_registers_a_folder_that_it_removes(
    tracking: TrackingClient, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", UPLOADING, str(tmp_path)],
        env={
            **{name: value for name, value in os.environ.items() if name[:7] != "MLFLOW_"},
            "MLFLOW_TRACKING_URI": tracking.uri,
            "MLFLOW_DISABLE_TELEMETRY": "true",
        },
        stdout=subprocess.PIPE,
        check=True,
    )
    seen = json.loads(done.stdout.decode().splitlines()[-1])
    assert seen["text"] == "flavors: {}"
    assert "no folder of an MLflow model" in seen["refused"]
    (version,) = tracking.registry.versions("uploaded")
    assert version.source.startswith("mlflow-artifacts:/uploaded-models/")
