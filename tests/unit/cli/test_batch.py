"""`aml batch-endpoint` and `aml batch-deployment`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.fakes import FakeAzureClient, FakeLocalClient, aml

NAMED = ["-n", "main", "-e", "census"]


def invoked(*argv: str) -> dict[str, Any]:
    """What an invocation asks for, without what it does not ask for."""
    client = FakeLocalClient()
    outcome = aml("batch-endpoint", "invoke", "-n", "census", *argv, client=client)
    assert outcome.code == 0, outcome.err
    assert "note: uploading data" in outcome.err
    (given,) = client.batch_endpoints.called("invoke")
    assert given.pop("endpoint_name") == "census"
    return {key: value for key, value in given.items() if value not in (None, [])}


def test_invoke_with_one_input() -> None:
    argv = "--input data --input-type uri_folder -d main --job-name j --experiment-name e"
    given = {"inputs": {"input": "data"}, "input_type": "uri_folder", "deployment_name": "main"}
    assert invoked(*argv.split()) == {**given, "job_name": "j", "experiment_name": "e"}


def test_invoke_with_settings_of_the_job() -> None:
    argv = "--input data --output-path out --set output_file_name=s.csv --mini-batch-size 20 -c 5"
    assert invoked(*argv.split()) == {
        "inputs": {"input": "data"},
        "output_path": "out",
        "overrides": [
            "output_file_name=s.csv",
            "mini_batch_size=20",
            "compute.instance_count=5",
        ],
    }


def test_invoke_with_named_inputs() -> None:
    assert invoked("--inputs", "data=x/y", "mode=a=b") == {"inputs": {"data": "x/y", "mode": "a=b"}}
    assert invoked() == {}


def test_invoke_with_a_file_of_inputs(tmp_path: Path) -> None:
    file = tmp_path / "inputs.yml"
    file.write_text(
        """
inputs:
  near: {type: uri_folder, path: data/unlabeled}
  far: {type: uri_file, path: "azureml:adult@latest"}
  mode: {type: string, default: append}
  number: {value: 3}
  plain: 0.5
  truth: true
"""
    )
    assert invoked("-f", str(file))["inputs"] == {
        "near": str(tmp_path / "data/unlabeled"),
        "far": "azureml:adult@latest",
        "mode": "append",
        "number": "3",
        "plain": "0.5",
        "truth": "true",
    }


def test_invoke_with_outputs(tmp_path: Path) -> None:
    given = invoked("--input", "data", "--outputs", "score=here", "other=azureml:there")
    assert given["overrides"] == ["outputs.score.path=here", "outputs.other.path=azureml:there"]
    file = tmp_path / "inputs.yml"
    file.write_text(
        "inputs: {a: x}\noutputs: {score: {type: uri_file, path: s.csv}, far: {path: azureml:d}}\n"
    )
    assert invoked("-f", str(file))["overrides"] == [
        f"outputs.score.path={tmp_path / 's.csv'}",
        "outputs.score.type=uri_file",
        "outputs.far.path=azureml:d",
    ]


def test_a_file_of_inputs_that_is_not_there() -> None:
    outcome = aml("batch-endpoint", "invoke", "-n", "census", "-f", "no.yml")
    assert outcome.code == 2
    assert "no.yml: No such file or directory\nhint: check the path" in outcome.err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("inputs: {a: {type: uri_file}}", "input 'a' has neither a path nor a value"),
        ("inputs: {a: [1]}", "input 'a' has neither a path nor a value"),
        ("outputs: {}", "has no inputs"),
        ("a: [", "is not YAML"),
        ("{inputs: {a: x}, output: {}}", "'output' is not read\nhint: did you mean 'outputs'?"),
        ("{inputs: {a: x}, outputs: [b]}", "outputs are not by name"),
        ("{inputs: {a: x}, outputs: {b: {mode: upload}}}", "output 'b' has neither a path"),
    ],
)
def test_a_wrong_file_of_inputs(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "inputs.yml"
    file.write_text(content)
    client = FakeLocalClient()
    outcome = aml("batch-endpoint", "invoke", "-n", "census", "-f", str(file), client=client)
    assert (outcome.code, client.batch_endpoints.calls) == (2, [])
    assert message in outcome.err


def test_the_job_is_told() -> None:
    argv = ["batch-endpoint", "invoke", "-n", "census", "--input", "data"]
    assert aml(*argv, "--query", "name", "-o", "tsv").out == "batchjob-1\n"
    assert "aml job stream -n batchjob-1" in aml(*argv, tty=True).out


@pytest.mark.parametrize(
    ("argv", "overrides"),
    [
        (["--set", "defaults.deployment_name=other"], ["defaults.deployment_name=other"]),
        (["--defaults", "deployment_name=other"], ["defaults.deployment_name=other"]),
    ],
)
def test_update_of_the_default(argv: list[str], overrides: list[str]) -> None:
    client = FakeLocalClient()
    assert aml("batch-endpoint", "update", "-n", "census", *argv, client=client).code == 0
    (given,) = client.batch_endpoints.called("begin_create_or_update")
    assert given == {"endpoint": None, "overrides": overrides, "name": "census"}


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ("batch-endpoint create", "no batch endpoint is named"),
        ("batch-endpoint update -n census", "nothing to change"),
        ("batch-endpoint update -n censu --set a=b", "did you mean 'census'?"),
        ("batch-endpoint invoke -n census --input-type uri_file", "--input-type is of --input"),
        ("batch-endpoint invoke -n census --input a --inputs b=c", "not allowed with"),
        ("batch-endpoint show -n census --web", "--web opens no page"),
        ("batch-deployment create -f d.yml --skip-script-validation", "is always checked"),
        ("batch-endpoint invoke -n census --inputs b", "'b' is not NAME=VALUE"),
        ("batch-endpoint invoke -n census --outputs a=b --output-path c", "not allowed with"),
        ("batch-endpoint delete -n census", "add --yes"),
        ("batch-deployment create -f d.yml --set-default --no-wait", "leave --no-wait away"),
        ("batch-deployment update -n mian -e census --set a=b", "did you mean 'main'?"),
    ],
)
def test_wrong_lines_are_refused_before_anything_happens(argv: str, message: str) -> None:
    client = FakeLocalClient()
    outcome = aml(*argv.split(), client=client)
    assert outcome.code == 2
    assert message in outcome.err
    assert client.batch_endpoints.calls == client.batch_deployments.calls == []


def test_azures_shape_of_the_default() -> None:
    found = json.loads(aml("batch-endpoint", "show", "-n", "census").out)
    assert found["defaults"] == {"deployment_name": "main"}
    assert "default_deployment" not in found
    listed = json.loads(aml("batch-endpoint", "list").out)
    assert [each["defaults"]["deployment_name"] for each in listed] == ["main"]


def test_a_batch_endpoint_for_people() -> None:
    out = aml("batch-endpoint", "show", "-n", "census", tty=True).out
    assert "deployments  main (default), other" in out
    assert "aml batch-endpoint invoke -n census --input DATA" in out
    assert "main, other" in aml("batch-endpoint", "list", tty=True).out
    client = FakeLocalClient()
    client.batch_endpoints.endpoints = []
    assert "aml batch-endpoint create" in aml("batch-endpoint", "list", client=client, tty=True).out


def test_create_and_make_default() -> None:
    client = FakeLocalClient()
    argv = ["batch-deployment", "create", "-f", "d.yml", *NAMED, "--set-default"]
    assert json.loads(aml(*argv, client=client).out)["model"] == "adult:3"
    sent = {"deployment": "d.yml", "overrides": [], "name": "main", "endpoint_name": "census"}
    assert client.batch_deployments.called("begin_create_or_update") == [sent]
    (given,) = client.batch_endpoints.called("begin_create_or_update")
    overrides = ["defaults.deployment_name=main"]
    assert given == {"endpoint": None, "overrides": overrides, "name": "census"}


def test_a_batch_deployment_for_people() -> None:
    out = aml("batch-deployment", "show", *NAMED, tty=True).out
    assert "endpoint  census" in out
    assert "aml batch-deployment list-jobs -n main -e census" in out
    assert "adult:3" in aml("batch-deployment", "list", "-e", "census", tty=True).out
    client = FakeLocalClient()
    client.batch_deployments.deployments = []
    out = aml("batch-deployment", "list", "-e", "census", client=client, tty=True).out
    assert "aml batch-deployment create -f FILE -e census" in out


@pytest.mark.parametrize(
    "argv", [["batch-endpoint", "list-jobs", "-n", "census"], ["batch-deployment", "list-jobs"]]
)
def test_jobs(argv: list[str]) -> None:
    words = argv if "-n" in argv else [*argv, *NAMED]
    assert json.loads(aml(*words, "--query", "[].name").out) == ["batchjob-1"]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ("batch-endpoint delete -n census -y", "deleted endpoint census\n"),
        ("batch-deployment delete -n main -e census -y --no-wait", "deleting deployment census/"),
    ],
)
def test_delete(argv: str, message: str) -> None:
    assert message in aml(*argv.split(), tty=True).out


def test_a_dry_run_prints_requests() -> None:
    for argv in ("batch-endpoint invoke -n x --input d", "batch-deployment create -f d.yml"):
        outcome = aml(*argv.split(), "--target", "azure", "--dry-run", client=FakeAzureClient())
        assert outcome.code == 0, outcome.err
        assert json.loads(outcome.out)[0]["path"] == "/jobs/x"
