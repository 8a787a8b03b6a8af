"""What MLflow and the records hold of a job."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.lab import PYTHON, Lab, children, command, pipeline, processes_of, step

from amlocal.local.tracking.client import TrackingClient
from amlocal.local.tracking.values import RunData
from amlocal.plan import (
    DataValue,
    JobInfo,
    JobStatus,
    LiteralValue,
    Output,
    ParentInput,
    StepOutput,
)

#: Logs through MLflow's REST API, as `mlflow` does, without its seconds of import.
LOGGING = """
import json, os, sys, time, urllib.request
uri, run = os.environ["MLFLOW_TRACKING_URI"], os.environ["MLFLOW_RUN_ID"]
body = {"run_id": run, "metrics": [{"key": "auc", "value": float(sys.argv[1]), "timestamp": 1}],
        "params": [{"key": "depth", "value": "3"}]}
request = urllib.request.Request(
    uri + "/api/2.0/mlflow/runs/log-batch", json.dumps(body).encode(),
    {"Content-Type": "application/json"})
urllib.request.urlopen(request).close()
"""
PLAIN = """
import mlflow
mlflow.log_metric("auc", 0.75)
mlflow.log_param("depth", 3)
mlflow.set_tag("who", "script")
"""


@pytest.fixture
def mlflow(tracking: TrackingClient) -> TrackingClient:
    return tracking


def completed(job: JobInfo) -> JobInfo:
    assert job.status is JobStatus.COMPLETED, job.error
    assert job.warnings == ()
    return job


def run_of(client: TrackingClient, job: JobInfo) -> RunData:
    return client.get_run(job.tracking.run_id)


def artifacts(client: TrackingClient, job: JobInfo, folder: str = "") -> set[str]:
    uri = run_of(client, job).run.artifact_uri
    return {entry.path for entry in client.list_artifacts(uri, folder)}


def test_a_jobs_and_its_steps_runs_are_nested(lab: Lab, mlflow: TrackingClient) -> None:
    rows = lab.write("rows.csv", "a,b\n1,x\n2,y\n")
    inner = step(
        "inner",
        "head -1 ${{inputs.data}}; echo m > outputs/m",
        inputs={"data": ParentInput(name="data", type="uri_file"), "n": LiteralValue(value=3)},
    )
    given = {"data": DataValue(path=str(rows), type="uri_file"), "seed": LiteralValue(value=7)}
    job = completed(
        lab.run(pipeline(inner, inputs=given, display_name="Both", tags={"team": "blue"}))
    )
    root, child = run_of(mlflow, job), run_of(mlflow, job.children[0])
    names = [data.tags["mlflow.runName"] for data in (root, child)]
    assert names == ["Both", "inner"]
    assert (root.status, child.status) == ("FINISHED", "FINISHED")
    assert root.params == {"data": str(rows), "seed": "7"}
    assert child.params == {"data": str(rows), "n": "3"}
    assert root.tags["team"] == "blue"
    assert root.tags["amlocal.job"] == job.name
    assert child.tags["mlflow.parentRunId"] == job.tracking.run_id
    assert child.tags["amlocal.job"] == job.children[0].name
    data = (job.children[0].tracking.data or {})["data"]
    assert data["digest"] == job.children[0].inputs["data"].digest
    assert "mlflow_colspec" in data["schema"]
    assert artifacts(mlflow, job.children[0]) == {"outputs", "user_logs"}
    assert artifacts(mlflow, job.children[0], "outputs") == {"outputs/m"}


def test_datasets_are_inputs_of_the_run(lab: Lab, mlflow: TrackingClient) -> None:
    rows = lab.write("rows.csv", "a,b\n1,x\n2,y\n")
    given = {"data": DataValue(path=str(rows), type="uri_file")}
    job = completed(lab.run(command("true", inputs=given)))
    (logged,) = run_of(mlflow, job).inputs
    assert logged.context == "data"
    assert logged.dataset.digest == job.inputs["data"].digest[:36]
    assert logged.dataset.schema


def test_the_environments_packages_are_kept(
    lab: Lab, mlflow: TrackingClient, tmp_path: Path
) -> None:
    job = completed(lab.run(pipeline(step("a", "true"), step("b", "true # b"))))
    environment = children(job)["a"].tracking.environment or {}
    assert environment["hash"]
    address = environment["packages"]
    assert address == (children(job)["b"].tracking.environment or {})["packages"]
    prefix = f"runs:/{job.tracking.run_id}/"
    assert address.startswith(prefix)
    uri = run_of(mlflow, job).run.artifact_uri
    file = mlflow.download(uri, address.removeprefix(prefix), tmp_path)
    assert "pytest==" in file.read_text()


def test_the_commit_is_noted(lab: Lab, mlflow: TrackingClient) -> None:
    identity = ("git", "-c", "user.name=t", "-c", "user.email=t@example.net")
    lab.write("src/x.sh", "true\n")
    for arguments in (("init", "-q"), ("add", "src"), ("commit", "-q", "-m", "first")):
        subprocess.run([*identity, *arguments], cwd=lab.project, check=True)
    code = lab.project / "src"
    clean = completed(lab.run(command("sh x.sh", code=code)))
    commit = (clean.tracking.code or {})["git_commit"]
    assert len(commit) == 40
    tags = run_of(mlflow, clean).tags
    assert tags["mlflow.source.git.commit"] == commit
    assert tags["amlocal.git.dirty"] == "false"
    lab.write("src/x.sh", "true; true\n")
    dirty = completed(lab.run(command("sh x.sh", code=code)))
    assert run_of(mlflow, dirty).tags["amlocal.git.dirty"] == "true"
    assert (dirty.tracking.code or {})["hash"] != (clean.tracking.code or {})["hash"]


def test_what_a_script_logs_is_its_steps(lab: Lab, mlflow: TrackingClient) -> None:
    code = lab.write("src/log.py", LOGGING).parent
    steps = [step(f"s{n}", f"{PYTHON} log.py 0.{n}", code=code) for n in (1, 2)]
    job = completed(lab.run(pipeline(*steps)))
    assert children(job)["s1"].metrics == {"auc": 0.1}
    assert children(job)["s2"].params == {"depth": "3"}
    assert job.metrics == {"s1.auc": 0.1, "s2.auc": 0.2}
    assert run_of(mlflow, job).metrics == job.metrics


def test_a_reused_step_has_a_run_with_its_metrics(lab: Lab, mlflow: TrackingClient) -> None:
    code = lab.write("src/log.py", LOGGING).parent
    job = pipeline(step("s", f"{PYTHON} log.py 0.5", code=code))
    first, again = completed(lab.run(job)), completed(lab.run(job))
    again = lab.client.jobs.get(again.name)  # once its runs are written
    (before,), (after,) = first.children, again.children
    assert after.reused_from == before.name
    assert (after.metrics, after.params) == ({"auc": 0.5}, {"depth": "3"})
    assert again.metrics == {"s.auc": 0.5}
    run = run_of(mlflow, after)
    assert run.run.run_id != before.tracking.run_id
    assert (run.metrics, run.status) == ({"auc": 0.5}, "FINISHED")
    assert run.tags["amlocal.reused_from"] == before.name
    assert run.tags["mlflow.parentRunId"] == again.tracking.run_id


@pytest.mark.slow
def test_plain_mlflow_lands_in_its_steps_run(lab: Lab, mlflow: TrackingClient) -> None:
    code = lab.write("src/plain.py", PLAIN).parent
    job = completed(lab.run(pipeline(step("s", f"{PYTHON} plain.py", code=code))))
    run = run_of(mlflow, job.children[0])
    assert run.metrics == {"auc": 0.75}
    assert run.params["depth"] == "3"
    assert run.tags["who"] == "script"
    assert run.status == "FINISHED"
    assert job.children[0].metrics == {"auc": 0.75}


@pytest.mark.parametrize(
    ("line", "status", "logged"),
    [("exit 3", JobStatus.FAILED, "FAILED"), ("sleep 60", JobStatus.CANCELED, "KILLED")],
)
def test_a_run_ends_as_its_job(
    lab: Lab, mlflow: TrackingClient, line: str, status: JobStatus, logged: str
) -> None:
    job = lab.run(pipeline(step("s", f"echo partial > outputs/p; {line}", timeout=0.7)))
    assert job.children[0].status is status
    run = run_of(mlflow, job.children[0])
    assert run.status == logged
    assert run.tags["amlocal.error"] == job.children[0].error
    assert run_of(mlflow, job).status == "FAILED"
    assert artifacts(mlflow, job.children[0], "outputs") == {"outputs/p"}


def test_a_model_is_noted_with_its_step_and_its_job(lab: Lab, mlflow: TrackingClient) -> None:
    outputs = {"model": Output(type="mlflow_model")}
    line = "echo flavors: {} > ${{outputs.model}}/MLmodel"
    job = completed(lab.run(pipeline(step("train", line, outputs=outputs))))
    child = job.children[0]
    (written,) = (child.tracking.model or {})["outputs"].values()
    assert written["uri"] == f"runs:/{child.tracking.run_id}/model"
    assert written["digest"] == child.outputs["model"].digest
    assert "model" not in child.tracking.absent
    assert (job.tracking.model or {})["train"] == child.tracking.model
    assert artifacts(mlflow, child, "model") == {"model/MLmodel"}


def test_what_is_absent_is_said(lab: Lab) -> None:
    job = completed(lab.run(pipeline(step("s", "true"))))
    assert set(job.tracking.absent) == {"data", "model", "serving"}
    assert set(job.children[0].tracking.absent) == {"data", "code", "model", "serving"}


def test_a_named_output_becomes_a_data_asset(lab: Lab) -> None:
    outputs = {"rows": Output(type="uri_file", name="clean-rows")}
    job = completed(lab.run(command("echo 1 > ${{outputs.rows}}", outputs=outputs)))
    assert job.outputs["rows"].asset == "clean-rows:1"
    given = {"rows": DataValue(path="azureml:clean-rows@latest", type="uri_file")}
    reader = completed(lab.run(command("cat ${{inputs.rows}}", inputs=given)))
    assert lab.log(reader) == "1\n"
    asset = lab.client.data.get("clean-rows")
    assert (asset.version, asset.digest) == ("1", job.outputs["rows"].digest)


def test_secrets_are_nowhere(lab: Lab, mlflow: TrackingClient, shared_folder: Path) -> None:
    secret = "hunter2-is-not-to-be-seen"
    use = step("use", "test -n $TOKEN", variables={"TOKEN": secret}, outputs={"o": Output()})
    address = f"https://user:{secret}@example.net/x.csv?sig={secret}"
    given = {
        "o": StepOutput(step="use", output="o"),
        "d": DataValue(path=address, type="uri_file", mode="direct"),
    }
    direct = step("direct", "test -n ${{inputs.d}}", inputs=given)
    completed(lab.run(pipeline(use, direct)))
    completed(lab.run(pipeline(use, direct)))
    for folder in (lab.workspace, shared_folder / "mlflow"):
        for file in folder.rglob("*"):
            if file.is_file():
                assert secret.encode() not in file.read_bytes(), file


def test_a_broken_record_of_data_is_a_warning_and_no_failure(lab: Lab) -> None:
    odd = lab.write("odd.parquet", "this is no parquet")
    given = {"d": DataValue(path=str(odd), type="uri_file")}
    job = lab.run(command("true", inputs=given))
    assert job.status is JobStatus.COMPLETED
    assert processes_of(lab) == []


def test_a_script_may_log_a_parameter_of_an_inputs_name(lab: Lab) -> None:
    # In Azure nothing has logged it before the script does, so here nothing may have either.
    script = (
        "import json, os, urllib.request as u;"
        "b = json.dumps({'run_id': os.environ['MLFLOW_RUN_ID'],"
        " 'key': 'rate', 'value': 'its own'}).encode();"
        "u.urlopen(u.Request(os.environ['MLFLOW_TRACKING_URI'] +"
        " '/api/2.0/mlflow/runs/log-parameter', b, {'Content-Type': 'application/json'}))"
    )
    inputs = {"rate": LiteralValue(value=0.1), "other": LiteralValue(value=2)}
    job = completed(lab.run(pipeline(step("s", f'python -c "{script}"', inputs=inputs))))
    assert children(job)["s"].params == {"rate": "its own", "other": "2"}
