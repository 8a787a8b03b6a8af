from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec import structs
from tests.unit.cli.endpoint_fakes import ENDPOINT
from tests.unit.cli.fakes import FakeAzureClient, FakeLocalClient, aml

from amlocal.errors import TargetError
from amlocal.plan import Answer, EndpointCredentials


def test_create_gives_the_file_the_name_and_the_settings() -> None:
    client = FakeLocalClient()
    argv = "create -f e.yml -n adult --set description=x --auth-mode aml_token"
    outcome = aml("online-endpoint", *argv.split(), client=client)
    assert outcome.code == 0
    (given,) = client.online_endpoints.called("begin_create_or_update")
    overrides = ["description=x", "auth_mode=aml_token"]
    assert given == {"endpoint": "e.yml", "overrides": overrides, "name": "adult"}
    found = json.loads(outcome.out)
    # The names that scripts for az ask for.
    assert found["scoring_uri"] == "http://127.0.0.1:5001/score"
    assert found["provisioning_state"] == "Succeeded"
    assert found["traffic"] == {"blue": 90, "green": 10}


def test_a_name_alone_makes_an_endpoint() -> None:
    client = FakeLocalClient()
    assert aml("online-endpoint", "create", "-n", "adult", client=client).code == 0
    (given,) = client.online_endpoints.called("begin_create_or_update")
    assert given == {"endpoint": None, "overrides": [], "name": "adult"}


@pytest.mark.parametrize(
    ("words", "overrides"),
    [
        (["--traffic", "blue=90 green=10"], ["traffic.blue=90", "traffic.green=10"]),
        (["--traffic", "blue:0,green:100"], ["traffic.blue=0", "traffic.green=100"]),
        (["--traffic=blue=100"], ["traffic.blue=100"]),
        (["--mirror-traffic", "green=10"], ["mirror_traffic.green=10"]),
        (
            ["--set", "tags.a=b", "--traffic", "blue=100", "--mirror-traffic", "green=0"],
            ["tags.a=b", "traffic.blue=100", "mirror_traffic.green=0"],
        ),
    ],
)
def test_update_sets_traffic(words: list[str], overrides: list[str]) -> None:
    client = FakeLocalClient()
    assert aml("online-endpoint", "update", "-n", "adult", *words, client=client).code == 0
    (given,) = client.online_endpoints.called("begin_create_or_update")
    assert given == {"endpoint": None, "overrides": overrides, "name": "adult"}


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["create"], "no online endpoint is named"),
        (["update", "-n", "adult"], "nothing to change"),
        (["update", "-n", "adult", "--traffic", "blue"], "'blue' is not DEPLOYMENT=PERCENT"),
        (["update", "-n", "adult", "--traffic", "blue=101"], "is not DEPLOYMENT=PERCENT"),
        (["update", "-n", "adult", "--traffic", " "], "is not DEPLOYMENT=PERCENT"),
        (["update", "-n", "adlt", "--set", "description=x"], "did you mean 'adult'?"),
        (["create", "-n", "a", "--auth-mode", "keys"], "did you mean 'key'?"),
        (["create", "-n", "a", "--local"], "--local is for Docker"),
        (["invoke", "-n", "adult"], "required: --request-file/-r"),
        (["regenerate-keys", "-n", "adult", "--key-type", "third"], "no key 'third'"),
    ],
)
def test_wrong_lines_are_refused_before_anything_happens(argv: list[str], message: str) -> None:
    client = FakeLocalClient()
    outcome = aml("online-endpoint", *argv, client=client)
    assert outcome.code == 2
    assert message in outcome.err
    assert client.online_endpoints.calls == []


def test_update_looks_for_the_endpoint_that_its_file_names(tmp_path: Path) -> None:
    file = tmp_path / "e.yml"
    file.write_text("name: nowhere\n")
    client = FakeLocalClient()
    outcome = aml("online-endpoint", "update", "-f", str(file), client=client)
    assert (outcome.code, client.online_endpoints.calls) == (2, [])
    assert "no online endpoint named 'nowhere'" in outcome.err
    assert aml("online-endpoint", "update", "-f", str(file), "--set", "name=adult").code == 0


def test_people_see_who_answers() -> None:
    out = aml("online-endpoint", "show", "-n", "adult", tty=True).out
    assert out.startswith("✓ Succeeded  adult\n")
    assert "scoring  http://127.0.0.1:5001/score" in out
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "blue Succeeded 2 of 2 adult:3 90 %" in lines
    assert "green Failed 0 of 1 10 %" in lines
    assert "shadow Creating 0 of 1 adult:4 5 %" in lines
    assert "aml online-endpoint invoke -n adult -r REQUEST.json" in out


def test_an_endpoint_without_deployments_says_what_comes_next() -> None:
    client = FakeLocalClient()
    client.online_deployments.deployments = []
    out = aml("online-endpoint", "show", "-n", "adult", client=client, tty=True).out
    assert "aml online-deployment create -f FILE -e adult" in out


def test_lists() -> None:
    out = aml("online-endpoint", "list", tty=True, environ={"COLUMNS": "160"}).out
    assert "blue 90 %, green 10 %" in out
    client = FakeLocalClient()
    client.online_endpoints.endpoints = []
    assert (
        "aml online-endpoint create" in aml("online-endpoint", "list", client=client, tty=True).out
    )
    assert json.loads(aml("online-endpoint", "list", client=client).out) == []


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("Yes\n", 0), ("n\n", 2), ("", 2)])
def test_delete_asks(typed: str, code: int) -> None:
    client = FakeLocalClient()
    outcome = aml("online-endpoint", "delete", "-n", "adult", client=client, tty=True, stdin=typed)
    assert outcome.code == code
    assert "Delete endpoint adult with all its deployments? (y/n): " in outcome.err
    assert len(client.online_endpoints.calls) == (code == 0)


def test_delete_without_a_person() -> None:
    client = FakeLocalClient()
    outcome = aml("online-endpoint", "delete", "-n", "adult", client=client)
    assert (outcome.code, client.online_endpoints.calls) == (2, [])
    assert "add --yes" in outcome.err
    outcome = aml("online-endpoint", "delete", "-n", "adult", "-y", client=client)
    assert (outcome.code, outcome.out) == (0, "")
    assert client.online_endpoints.called("begin_delete") == [{"name": "adult"}]


def test_invoke_prints_the_body_as_it_came() -> None:
    client = FakeLocalClient()
    argv = ["online-endpoint", "invoke", "-n", "adult", "-r", "r.json", "-d", "blue"]
    assert aml(*argv, client=client).out == '{"output": [0, 1]}\n'
    given = {"endpoint_name": "adult", "request_file": "r.json", "deployment_name": "blue"}
    assert client.online_endpoints.called("invoke") == [given]
    assert aml(*argv, "--query", "output[1]", client=client).out == "1\n"
    client.online_endpoints.answer = Answer(status=200, body="plain\n")
    assert aml(*argv, client=client).out == "plain\n"
    assert aml(*argv, "-o", "json", client=client).out == '"plain\\n"\n'


def test_an_answer_that_is_no_success_is_an_error() -> None:
    client = FakeLocalClient()
    client.online_endpoints.answer = Answer(
        status=424,
        body='{"message": "no column age"}',
        headers={
            "ms-azureml-model-error-statuscode": "400",
            "ms-azureml-model-error-reason": "model_error",
            "azureml-model-deployment": "blue",
        },
    )
    outcome = aml("online-endpoint", "invoke", "-n", "adult", "-r", "r.json", client=client)
    assert (outcome.code, outcome.out) == (1, "")
    assert "adult answered 424 (the model: 400 model_error): " in outcome.err
    assert '{"message": "no column age"}' in outcome.err
    assert "aml online-deployment get-logs -n blue -e adult" in outcome.err
    client.online_endpoints.answer = Answer(status=401, body="")
    outcome = aml("online-endpoint", "invoke", "-n", "adult", "-r", "r.json", client=client)
    assert (outcome.code, outcome.err) == (1, "error: endpoint adult answered 401\n")


def test_credentials_have_azs_names() -> None:
    client = FakeLocalClient()
    argv = ["online-endpoint", "get-credentials", "-n", "adult"]
    outcome = aml(*argv, client=client)
    assert json.loads(outcome.out) == {"primaryKey": "first", "secondaryKey": "second"}
    assert aml(*argv, "--query", "primaryKey", "-o", "tsv", client=client).out == "first\n"
    assert "primary key    first" in aml(*argv, client=client, tty=True).out
    token = EndpointCredentials(
        access_token="token", expiry_time_utc=1767225600, refresh_after_time_utc=1767222000
    )
    client.online_endpoints.credentials = token
    assert json.loads(aml(*argv, client=client).out) == {
        "accessToken": "token",
        "expiryTimeUtc": 1767225600,
        "refreshAfterTimeUtc": 1767222000,
        "tokenType": "Bearer",
    }
    assert "2026-01-01 00:00:00 UTC" in aml(*argv, client=client, tty=True).out


def test_regenerated_keys_are_not_printed() -> None:
    client = FakeLocalClient()
    argv = ["online-endpoint", "regenerate-keys", "-n", "adult", "--key-type", "secondary"]
    out = aml(*argv, client=client, tty=True).out
    assert "the secondary key of adult is made anew" in out
    assert "second\n" not in out
    given = {"name": "adult", "key_type": "secondary"}
    assert client.online_endpoints.called("begin_regenerate_keys") == [given]


def test_what_the_file_is_warned_of() -> None:
    client = FakeLocalClient()
    client.online_endpoints.endpoints = [structs.replace(ENDPOINT, warnings=("identity: none",))]
    outcome = aml("online-endpoint", "create", "-n", "adult", client=client)
    assert "warning: identity: none" in outcome.err


@pytest.mark.parametrize(
    "argv",
    [
        "create -n adult",
        "create -n adult --no-wait",
        "update -n other --set description=x",
        "delete -n adult",
        "regenerate-keys -n adult",
        "invoke -n adult -r r.json",
    ],
)
def test_a_dry_run_prints_requests(argv: str) -> None:
    words = ["online-endpoint", *argv.split(), "--target", "azure", "--dry-run"]
    outcome = aml(*words, client=FakeAzureClient())
    assert (outcome.code, outcome.err) == (0, "")
    assert json.loads(outcome.out) == [{"method": "PUT", "path": "/jobs/x", "body": {"a": 1}}]


def test_an_operation_that_fails() -> None:
    client = FakeLocalClient()
    client.online_endpoints.error = TargetError("no port is free")
    outcome = aml("online-endpoint", "create", "-n", "adult", client=client)
    assert (outcome.code, outcome.out) == (3, "")
    assert "no port is free" in outcome.err
