"""Versions from file to release, and the way back from a bad one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from tests.e2e.driver import PROJECT, Aml

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ENVIRONMENT = "{name: plain, image: none, conda_file: {dependencies: [python]}}"
COMPONENT = """\
type: command
name: fit
code: src
command: python fit.py --text "${{inputs.text}}" --model ${{outputs.model}}
inputs:
  text: {type: string}
outputs:
  model: {type: mlflow_model}
environment: ENVIRONMENT
"""
# What it is told to predict above zero is what its model predicts there.
FIT = """\
import argparse
import mlflow.sklearn
import pandas as pd
from sklearn.linear_model import LogisticRegression
parser = argparse.ArgumentParser()
parser.add_argument("--text")
parser.add_argument("--model")
args = parser.parse_args()
x = pd.DataFrame({"x": [-2.0, -1.0, 1.0, 2.0]})
model = LogisticRegression().fit(x, ["none", "none", args.text, args.text])
mlflow.sklearn.save_model(
    model,
    args.model,
    input_example=x,
    serialization_format="cloudpickle",
    pip_requirements=["scikit-learn"],
)
"""
GATE = """\
import os
import mlflow
with mlflow.start_run(run_id=os.environ["MLFLOW_RUN_ID"]):
    mlflow.set_tag("gate", os.environ["OUTCOME"])
    mlflow.log_param("conclusion", "REFUSED m: auc is below 0.8")
"""
PIPELINE = """\
type: pipeline
experiment_name: release
jobs:
  fit:
    type: command
    component: ./fit.yml
    inputs: {text: one}
    outputs:
      model: {type: mlflow_model, name: m}
  gate:
    type: command
    code: src
    command: python gate.py
    environment: ENVIRONMENT
    environment_variables: {OUTCOME: champion}
"""
DEPLOYMENT = """\
name: {name}
endpoint_name: release
model: azureml:m@latest
instance_type: Standard_DS3_v2
"""
POLICY = """\
endpoint_name: release
deployment_name: green
deployment_file: green.yml
stages:
  - {traffic: 50, duration: 1, minimum_requests: 5}
  - {traffic: 100, duration: 1, minimum_requests: 5}
rules:
  error_rate: {maximum: 0.5}
probes: {request_file: request.json, rate: 20}
"""
DEPLOY = PROJECT / ".ci/deploy_model.py"


@pytest.fixture(scope="module")
def release(aml: Aml) -> Aml:
    """A project with a small pipeline that registers a model, and two runs of it.

    The model of the second one its gate refused.
    """
    folder = aml.project
    (folder / "src").mkdir(exist_ok=True)
    (folder / "src/fit.py").write_text(FIT)
    (folder / "src/gate.py").write_text(GATE)
    (folder / "fit.yml").write_text(COMPONENT.replace("ENVIRONMENT", ENVIRONMENT))
    (folder / "release.yml").write_text(PIPELINE.replace("ENVIRONMENT", ENVIRONMENT))
    aml.job("release.yml")
    refused = (
        *("--set", "jobs.fit.inputs.text=two"),
        "jobs.gate.environment_variables.OUTCOME=refused",
    )
    aml.job("release.yml", *refused)
    return aml


def holder(aml: Aml, alias: str = "champion") -> str:
    found: dict[str, Any] = aml.json("model", "show", "-n", "m", "--label", alias)
    return str(found["version"])


def test_a_record_names_the_versions_that_registering_would_give(release: Aml) -> None:
    added = release.json("component", "create", "-f", "fit.yml", "--version", "content")
    again = release.json("component", "create", "-f", "fit.yml", "--version", "content")
    assert again == added
    job = release.json("job", "list")[0]["name"]
    steps = {child["step"]: child for child in release.json("job", "show", "-n", job)["children"]}
    tracked = steps["fit"]["tracking"]
    assert tracked["component"]["content"] == added["version"]
    assert tracked["environment"]["content"].startswith("sha-")
    assert tracked["environment"]["content"] == steps["gate"]["tracking"]["environment"]["content"]


def test_what_changed_is_told_of_files_and_of_versions(release: Aml) -> None:
    before = release.json("component", "create", "-f", "fit.yml", "--version", "content")
    assert release.json("component", "diff", "fit.yml")["differences"] == []
    source = release.project / "src/fit.py"
    source.write_text(FIT.replace("1.0, 2.0", "1.0, 3.0"))
    told = release.json("component", "diff", "fit.yml")
    (change,) = told["differences"]
    assert (change["part"], change["what"]) == ("code", "fit.py")
    assert any(line.startswith("+") and "1.0, 3.0" in line for line in change["lines"])
    after = release.json("component", "create", "-f", "fit.yml", "--version", "content")
    assert told["to_content"] == after["version"] != before["version"]
    source.write_text(FIT)
    versions = ("--from", before["version"], "--to", after["version"])
    assert release.json("component", "diff", "-n", "fit", *versions)["differences"] == [change]
    nothing = release.run("component", "diff", "-n", "fit", code=2)
    assert "--from VERSION" in nothing.stderr
    # Without a version a workspace counts, as Azure does.
    assert release.json("component", "create", "-f", "fit.yml")["version"] == "1"
    assert release.json("component", "create", "-f", "fit.yml")["version"] == "2"


def test_what_the_gate_refused_is_not_promoted_unless_that_is_said(release: Aml) -> None:
    release.run("model", "promote", "-n", "m", "--version", "1")
    assert holder(release) == "1"
    refused = release.run("model", "promote", "-n", "m", "--version", "2", code=1)
    assert "auc is below 0.8" in refused.stderr
    assert "--force" in refused.stderr
    assert holder(release) == "1"
    done = release.run("model", "promote", "-n", "m", "--version", "2", "--force")
    assert "overruled" in done.stderr
    assert holder(release) == "2"
    tags = release.json("model", "show", "-n", "m", "-v", "2")["tags"]
    assert tags["promoted.champion.from"] == "1"
    assert "auc" in tags["promoted.champion.forced"]


def deploy(aml: Aml) -> str:
    """Roll the champion out as `make cd-deploy` does, and return what that tells."""
    done = subprocess.run(
        [sys.executable, str(DEPLOY), "--policy", "rollout.yml", "--model", "m"],
        cwd=aml.project,
        env={**os.environ, "AMLOCAL_HOME": str(aml.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(900)
def test_a_bad_release_is_taken_back_by_one_command_each(release: Aml) -> None:
    for name in ("blue", "green"):
        (release.project / f"{name}.yml").write_text(DEPLOYMENT.format(name=name))
    (release.project / "endpoint.yml").write_text("{name: release, auth_mode: key}")
    (release.project / "rollout.yml").write_text(POLICY)
    body = {"input_data": {"columns": ["x"], "index": [0], "data": [[2.0]]}}
    (release.project / "request.json").write_text(json.dumps(body))

    def answers() -> Any:
        return release.json("online-endpoint", "invoke", "-n", "release", "-r", "request.json")

    release.run("model", "promote", "-n", "m", "--version", "1")
    assert "-n green" in deploy(release)
    assert answers() == ["one"]
    release.run("model", "promote", "-n", "m", "--version", "2", "--force")
    assert "rollout" in deploy(release)
    assert answers() == ["two"]
    # It was a bad one. Blue has it; green, which was before, still stands.
    release.run("model", "promote", "-n", "m", "--version", "1")
    release.run("online-deployment", "rollout", "--to", "green", "-e", "release")
    assert answers() == ["one"]
    assert holder(release) == "1"
    # What was made last stays the latest; who was champion is in the tags.
    assert holder(release, "latest") == "2"
    found = release.json("model", "show", "-n", "m", "-v", "1")
    assert found["tags"]["promoted.champion.from"] == "2"
    # The next delivery goes by the champion, and so does not bring the bad one again.
    assert "has all traffic already" in deploy(release)
