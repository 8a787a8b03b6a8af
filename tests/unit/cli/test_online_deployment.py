from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.cli.fakes import FakeAzureClient, FakeLocalClient, aml

from amlocal.errors import TargetError

NAMED = ["-n", "blue", "-e", "adult"]


def sent(**given: Any) -> dict[str, Any]:
    defaults = {"overrides": [], "name": "blue", "endpoint_name": "adult", "environment": "auto"}
    return {"deployment": None, **defaults, **given}


def test_create() -> None:
    client = FakeLocalClient()
    argv = ["-f", "b.yml", *NAMED, "--set", "instance_count=2", "--environment", "current"]
    outcome = aml("online-deployment", "create", *argv, client=client)
    assert json.loads(outcome.out)["endpoint_name"] == "adult"
    given = sent(deployment="b.yml", overrides=["instance_count=2"], environment="current")
    assert client.online_deployments.called("begin_create_or_update") == [given]
    assert client.online_endpoints.calls == []


def test_all_traffic_goes_to_it_once_it_is_ready() -> None:
    client = FakeLocalClient()
    argv = ["online-deployment", "create", "-f", "b.yml", "--all-traffic"]
    assert aml(*argv, client=client).code == 0
    (given,) = client.online_endpoints.called("begin_create_or_update")
    assert given == {"endpoint": None, "overrides": ["traffic.blue=100"], "name": "adult"}


def test_a_deployment_that_fails_gets_no_traffic() -> None:
    client = FakeLocalClient()
    client.online_deployments.error = TargetError("init() failed")
    outcome = aml("online-deployment", "create", "-f", "b.yml", "--all-traffic", client=client)
    assert outcome.code == 3
    assert client.online_endpoints.calls == []


def test_update_changes_what_is_there() -> None:
    client = FakeLocalClient()
    argv = ["online-deployment", "update", *NAMED, "--set", "instance_count=2"]
    assert aml(*argv, client=client).code == 0
    wanted = [sent(overrides=["instance_count=2"])]
    assert client.online_deployments.called("begin_create_or_update") == wanted


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["create"], "no online deployment is named"),
        (["create", "-f", "b.yml", "--all-traffic", "--no-wait"], "leave --no-wait away"),
        (["create", "-f", "b.yml", "--vscode-debug"], "--vscode-debug is for Docker"),
        (["create", "-f", "b.yml", "--package-model"], "--package-model is for Docker"),
        (["create", "-f", "b.yml", "--skip-script-validation"], "is always checked"),
        (["update", *NAMED, "--add", "tags.a=b"], "--set PATH=VALUE, such as --set tags.team"),
        (["update", *NAMED, "--remove", "tags.a"], "--set PATH=null, such as --set tags.team"),
        (["update", *NAMED, "--set", "tags.a=1", "--force-string"], "is a text"),
        (["show", *NAMED, "--web"], "`aml workspace ui` opens MLflow's pages"),
        (["create", "-f", "b.yml", "--environment", "docker"], "no kind of environment 'docker'"),
        (["update", *NAMED], "nothing to change"),
        (["update", "-n", "bleu", "-e", "adult", "--set", "a=b"], "did you mean 'blue'?"),
        (["show", "-n", "blue"], "required: --endpoint-name/-e"),
        (["get-logs", *NAMED, "-l", "0"], "not a whole number from 1"),
        (["get-logs", *NAMED, "-c", "server"], "no container 'server'"),
    ],
)
def test_wrong_lines_are_refused_before_anything_happens(argv: list[str], message: str) -> None:
    client = FakeLocalClient()
    outcome = aml("online-deployment", *argv, client=client)
    assert outcome.code == 2
    assert message in outcome.err
    assert client.online_deployments.calls == []


def test_a_deployment_for_people() -> None:
    out = aml("online-deployment", "show", *NAMED, tty=True).out
    assert out.startswith("✓ Succeeded  blue\n")
    assert "ready        2 of 2 instances" in out
    assert "aml online-deployment get-logs -n blue -e adult" in out


def test_a_failed_deployment_shows_the_log_without_its_colours() -> None:
    out = aml("online-deployment", "show", "-n", "green", "-e", "adult", tty=True).out
    assert "✗ Failed  green" in out
    assert "init() failed\n  ValueError: no model\n" in out


def test_lists() -> None:
    found = json.loads(aml("online-deployment", "list", "-e", "adult").out)
    assert [each["name"] for each in found] == ["blue", "green", "shadow"]
    client = FakeLocalClient()
    client.online_deployments.deployments = []
    out = aml("online-deployment", "list", "-e", "adult", client=client, tty=True).out
    assert "aml online-deployment create -f FILE -e adult" in out


def test_delete() -> None:
    client = FakeLocalClient()
    outcome = aml("online-deployment", "delete", *NAMED, "-y", client=client, tty=True)
    assert outcome.out == "deleted deployment adult/blue\n"
    given = {"name": "blue", "endpoint_name": "adult"}
    assert client.online_deployments.called("begin_delete") == [given]


def test_logs_come_as_they_are() -> None:
    client = FakeLocalClient()
    argv = ["online-deployment", "get-logs", *NAMED, "-l", "7", "-c", "storage-initializer"]
    outcome = aml(*argv, client=client)
    assert outcome.out == "starting\nloaded \x1b[31madult:3\n"
    given = {"lines": 7, "container_type": "storage-initializer"}
    assert client.online_deployments.called("get_logs") == [given]
    client.online_deployments.logs = ""
    assert aml(*argv, client=client).out == ""
    assert aml(*argv, "-o", "json", client=client).out == '""\n'


@pytest.mark.parametrize(
    "argv", [["create", "-f", "b.yml", "--all-traffic"], ["delete", *NAMED], ["get-logs", *NAMED]]
)
def test_a_dry_run_prints_requests(argv: list[str]) -> None:
    words = ["online-deployment", *argv, "--target", "azure", "--dry-run"]
    outcome = aml(*words, client=FakeAzureClient())
    assert (outcome.code, outcome.err) == (0, "")
    assert json.loads(outcome.out)[0]["path"] == "/jobs/x"
