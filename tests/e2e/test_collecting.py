"""What deployments collect, with and without a script, up to a job that reads it."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow.sklearn
import pandas as pd
import pytest
from mlflow.models import infer_signature
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from tests.e2e.driver import Aml
from tests.e2e.test_endpoints import Endpoint, wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    # What MLflow says of types that it was not given.
    pytest.mark.filterwarnings("ignore:::mlflow"),
]

SECRET = "QXZQXZ"
#: As public examples have it; and the id of the request, which ground truth can be joined by.
SCRIPT = """
import json
import pandas as pd
from azureml.ai.monitoring import Collector
from azureml.ai.monitoring.context import BasicCorrelationContext
from azureml_inference_server_http.api.aml_request import rawhttp
from azureml_inference_server_http.api.aml_response import AMLResponse

def init():
    global inputs, outputs, both
    inputs = Collector(name="model_inputs")
    outputs = Collector(name="model_outputs", on_error=lambda error: print(error))
    both = Collector(name="model_inputs_outputs")

@rawhttp
def run(request):
    rows = pd.DataFrame(json.loads(request.get_data(False))["data"])
    own = BasicCorrelationContext(id=request.headers["x-request-id"])
    context = inputs.collect(rows, own if request.args.get("own") else None)
    scores = pd.DataFrame({"score": rows["age"] * 2})
    context = outputs.collect(scores, context)
    both.collect(rows.join(scores), context)
    return AMLResponse(scores["score"].tolist(), 200, json_str=True)
"""
DEPLOYMENT = """
name: blue
endpoint_name: watched
code_configuration: {code: watched, scoring_script: score.py}
environment: file:environments/scoring/environment.yml
instance_type: Standard_DS3_v2
instance_count: 1
data_collector:
  collections:
    model_inputs: {enabled: "True"}
    model_outputs: {enabled: "True", data: {name: predictions, version: "7"}}
    model_inputs_outputs: {enabled: "True"}
    request: {enabled: "True"}
    response: {enabled: "True"}
tags: {amlocal.redact: "sex, name"}
"""
WITHOUT_SCRIPT = """
name: plain
endpoint_name: watched
model: {name: small, version: 1, type: mlflow_model, path: small}
instance_type: Standard_DS3_v2
instance_count: 1
data_collector:
  collections:
    model_inputs: {enabled: "True"}
    model_outputs: {enabled: "True"}
tags: {amlocal.redact: sex}
"""
READER = """
import sys
from pathlib import Path
from stepkit.collected import joined, read_collected
rows = joined(read_collected(Path(sys.argv[1])), read_collected(Path(sys.argv[2])))
rows.reset_index().to_json(sys.argv[3], orient="records")
"""
JOB = """
$schema: https://azuremlschemas.azureedge.net/latest/commandJob.schema.json
code: reader
command: python read.py ${{inputs.rows}} ${{inputs.predictions}} ${{outputs.table}}
environment: file:environments/lifecycle/environment.yml
inputs:
  rows: {type: uri_folder, path: "azureml:watched-blue-model_inputs:1"}
  predictions: {type: uri_folder, path: "azureml:predictions:7"}
outputs:
  table: {type: uri_file}
"""


@pytest.fixture(scope="module")
def watched(aml: Aml) -> Iterator[Endpoint]:
    (aml.project / "watched").mkdir()
    (aml.project / "watched/score.py").write_text(SCRIPT)
    (aml.project / "blue.yml").write_text(DEPLOYMENT)
    (aml.project / "plain.yml").write_text(WITHOUT_SCRIPT)
    aml.run("online-endpoint", "create", "-n", "watched")
    yield Endpoint(aml, "watched")
    aml.run("online-endpoint", "delete", "-n", "watched", "-y")


def collected(aml: Aml, deployment: str, collection: str) -> list[dict[str, Any]]:
    folder = aml.home / "datastores/workspaceblobstore/modelDataCollector/watched" / deployment
    files = sorted((folder / collection).rglob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def nowhere(aml: Aml, secret: str) -> bool:
    """Tell whether no file of the workspace holds a text, logs and databases among them."""
    files = [file for file in aml.home.rglob("*") if file.is_file() and not file.is_symlink()]
    assert any(file.name.endswith(".log") for file in files)
    return not any(secret.encode() in file.read_bytes() for file in files)


def test_without_a_script_the_rows_of_requests_are_collected(aml: Aml, watched: Endpoint) -> None:
    rows = pd.DataFrame({"age": [20.0, 50.0], "sex": ["Male", "Female"]})
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["sex"]), remainder="passthrough"
    )
    model = make_pipeline(columns, LogisticRegression()).fit(rows, ["low", "high"])
    mlflow.sklearn.save_model(
        model,
        aml.project / "small",
        signature=infer_signature(rows, model.predict(rows)),
        serialization_format="cloudpickle",
        pip_requirements=["scikit-learn"],
    )
    aml.run("online-deployment", "create", "-f", "plain.yml", "--all-traffic")
    body = {"input_data": [{"age": 20.0, "sex": SECRET}, {"age": 50.0, "sex": SECRET}]}
    status, answer, _ = watched.post(body, **{"x-request-id": "order-1"})
    assert status == 200
    wait_for(lambda: collected(aml, "plain", "model_outputs"))
    (inputs,) = collected(aml, "plain", "model_inputs")
    (outputs,) = collected(aml, "plain", "model_outputs")
    assert inputs["data"] == [{"age": 20.0, "sex": None}, {"age": 50.0, "sex": None}]
    assert [row["0"] for row in outputs["data"]] == answer
    assert inputs["correlationid"] == outputs["correlationid"] == "order-1"
    # A request that fails, whose message may quote what it was sent.
    assert watched.post({"input_data": [{"age": SECRET, "sex": SECRET}]})[0] == 424
    names = {asset["name"] for asset in aml.json("data", "list")}
    assert names == {"watched-plain-model_inputs", "watched-plain-model_outputs"}


@pytest.mark.skipif(
    importlib.util.find_spec("azureml.ai") is None, reason="azureml-ai-monitoring is missing"
)
def test_a_script_collects_as_in_azure_and_a_job_reads_it(aml: Aml, watched: Endpoint) -> None:
    aml.run("online-deployment", "create", "-f", "blue.yml", "--all-traffic")
    body = {"data": [{"age": 1, "sex": SECRET}, {"age": 2, "name": SECRET}]}
    assert watched.post(body)[:2] == (200, [2, 4])
    watched.path += "?own=1"
    status, answer, _ = watched.post({"data": [{"age": 5, "sex": SECRET}]}, x_request_id="order-2")
    assert (status, answer) == (200, [10])
    wait_for(lambda: len(collected(aml, "blue", "model_inputs_outputs")) == 2)
    wait_for(lambda: len(collected(aml, "blue", "response")) == 2)
    inputs, outputs = (
        collected(aml, "blue", "model_inputs"),
        collected(aml, "blue", "model_outputs"),
    )
    both = collected(aml, "blue", "model_inputs_outputs")
    ids = [event["correlationid"] for event in inputs]
    assert ids[1] == "order-2"
    assert ids == [event["correlationid"] for event in (*outputs,)]
    assert ids == [event["correlationid"] for event in (*both,)]
    assert both[1]["data"] == [{"age": 5, "sex": None, "score": 10}]
    assert inputs[0]["agent"].startswith("azureml-ai-monitoring/")
    # Bodies are collected beside them, by the id of the request.
    assert collected(aml, "blue", "request")[1]["xrequestid"] == "order-2"
    assert [event["data"] for event in collected(aml, "blue", "response")] == [[2, 4], [10]]
    reader = aml.project / "reader"
    shutil.copytree(aml.project / "src/stepkit", reader / "stepkit")
    (reader / "read.py").write_text(READER)
    (aml.project / "read.yml").write_text(JOB)
    job = aml.job("read.yml")
    table = json.loads(Path(job["outputs"]["table"]["path"]).read_text())
    assert [(row["row"], row["age"], row["score"]) for row in table] == [
        (0, 1, 2),
        (1, 2, 4),
        (0, 5, 10),
    ]
    assert table[2]["correlationid"] == "order-2"


def test_nothing_of_a_redacted_column_is_in_the_workspace(aml: Aml, watched: Endpoint) -> None:
    assert nowhere(aml, SECRET)
    # Where it is asked to end, what waits in memory is written first.
    aml.run("workspace", "down")
    assert nowhere(aml, SECRET)
    assert not nowhere(aml, "order-1")
    aml.run("workspace", "up")
