"""Versions from file to release, and the way back from a bad one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.e2e.driver import Aml

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
  model: {type: custom_model}
environment: ENVIRONMENT
"""
FIT = """\
import argparse, pathlib
parser = argparse.ArgumentParser()
parser.add_argument("--text")
parser.add_argument("--model", type=pathlib.Path)
args = parser.parse_args()
args.model.mkdir(parents=True, exist_ok=True)
(args.model / "text.txt").write_text(args.text)
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
      model: {type: custom_model, name: m}
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
code_configuration: {{code: {name}, scoring_script: score.py}}
environment: {environment}
instance_type: Standard_DS3_v2
"""
SCRIPT = "def init(): pass\ndef run(raw): return '{name}'\n"


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
    source.write_text(FIT.replace('"text.txt"', '"words.txt"'))
    told = release.json("component", "diff", "fit.yml")
    (change,) = told["differences"]
    assert (change["part"], change["what"]) == ("code", "fit.py")
    assert any(line.startswith("+") and "words.txt" in line for line in change["lines"])
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


def test_a_bad_release_is_taken_back_by_one_command_each(release: Aml) -> None:
    folder: Path = release.project
    for name in ("blue", "green"):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "score.py").write_text(SCRIPT.format(name=name))
        written = DEPLOYMENT.format(name=name, environment=ENVIRONMENT)
        (folder / f"{name}.yml").write_text(written)
    (folder / "request.json").write_text("{}")
    release.run("online-endpoint", "create", "-n", "release")
    for name in ("blue", "green"):
        release.run("online-deployment", "create", "-f", f"{name}.yml", "--all-traffic")
    release.run("model", "promote", "-n", "m", "--version", "2", "--force")

    def answer() -> str:
        return release.run(
            "online-endpoint", "invoke", "-n", "release", "-r", "request.json"
        ).stdout

    assert "green" in answer()
    release.run("model", "promote", "-n", "m", "--version", "1")
    release.run("online-deployment", "rollout", "--to", "blue", "-e", "release")
    assert "blue" in answer()
    assert holder(release) == "1"
    found = release.json("model", "show", "-n", "m", "-v", "1")
    assert found["tags"]["promoted.champion.from"] == "2"
