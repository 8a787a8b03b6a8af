from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.cli.fakes import FakeAzureClient, FakeLocalClient, aml, version

NOUNS = {
    "component": "components",
    "environment": "environments",
    "data": "data",
    "model": "models",
}


def calls(client: FakeLocalClient, noun: str) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = getattr(client, NOUNS[noun]).calls
    return found


@pytest.mark.parametrize("noun", NOUNS)
def test_create_from_a_file(noun: str) -> None:
    client = FakeLocalClient()
    argv = "create -f a.yml -n adult -v 4 --set description=x --tags a=b c=d"
    outcome = aml(noun, *argv.split(), client=client)
    assert json.loads(outcome.out)["kind"] == noun
    overrides = ["description=x", "tags.a=b", "tags.c=d"]
    given = {"asset": "a.yml", "overrides": overrides, "name": "adult", "version": "4"}
    assert calls(client, noun) == [("create_or_update", given)]


@pytest.mark.parametrize(
    ("argv", "given"),
    [
        ("data --path d.csv --type uri_file", {"path": "d.csv", "type": "uri_file"}),
        (
            "model -p runs:/r/model -t mlflow_model",
            {"path": "runs:/r/model", "type": "mlflow_model"},
        ),
        ("environment --image i -c c.yml", {"image": "i", "conda_file": "c.yml"}),
        ("environment --os-type linux", {"os_type": "linux"}),
    ],
)
def test_create_from_flags_alone(argv: str, given: dict[str, str]) -> None:
    client = FakeLocalClient()
    noun, *flags = argv.split()
    assert aml(noun, "create", "-n", "adult", *flags, client=client).code == 0
    wanted = {"asset": None, "overrides": [], "name": "adult", **given}
    assert calls(client, noun) == [("create_or_update", wanted)]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ("data create", "no data asset to create"),
        ("data create -n adult --tags a=b", "--set and --tags change what a file says"),
        ("component create -n adult", "required: --file/-f"),
        ("component create -f a.yml --path x", "no flag '--path'"),
        ("model create -f a.yml --tags a", "not KEY=VALUE"),
        ("model show -n a -v 1 -l latest", "not allowed with"),
    ],
)
def test_what_create_cannot_do_without(argv: str, message: str) -> None:
    outcome = aml(*argv.split())
    assert outcome.code == 2
    assert message in outcome.err


@pytest.mark.parametrize("noun", NOUNS)
def test_list_and_its_limit(noun: str) -> None:
    client = FakeLocalClient()
    getattr(client, NOUNS[noun]).assets = [version(noun, version=str(i)) for i in range(5)]
    out = aml(noun, *["list", "-n", "adult", "--include-archived", "-r", "2"], client=client).out
    assert [each["version"] for each in json.loads(out)] == ["0", "1"]
    assert calls(client, noun) == [("list", {"name": "adult", "list_view_type": "All"})]
    assert len(json.loads(aml(noun, "list", client=client).out)) == 5


def test_list_for_people() -> None:
    assert "champion" in aml("model", "list", tty=True).out
    client = FakeLocalClient()
    client.data.assets = []
    assert "aml data create" in aml("data", "list", client=client, tty=True).out


@pytest.mark.parametrize(
    ("argv", "named"),
    [
        ("-v 3", {"version": "3", "label": None}),
        ("--label latest", {"version": None, "label": "latest"}),
        ("", {"version": None, "label": None}),
    ],
)
def test_show_names_a_version_a_label_or_neither(argv: str, named: dict[str, str | None]) -> None:
    client = FakeLocalClient()
    outcome = aml(*f"model show -n adult {argv} --query version -o tsv".split(), client=client)
    assert outcome.out == "3\n"
    assert client.models.calls == [("get", {"name": "adult", **named})]


def test_show_for_people() -> None:
    client = FakeLocalClient()
    client.models.assets = [
        version("model", tags={"stage": "test"}, properties={"job": "j"}, archived=True)
    ]
    out = aml("model", "show", "-n", "adult", client=client, tty=True).out
    assert out.startswith("model adult:3\n")
    assert "  stage  test" in out
    assert "  job  j" in out
    assert "  archived  yes" in out


@pytest.mark.parametrize("verb", ["archive", "restore"])
@pytest.mark.parametrize(("argv", "named"), [("", None), ("-v 2", "2"), ("-l latest", "3")])
def test_archive_and_restore(verb: str, argv: str, named: str | None) -> None:
    client = FakeLocalClient()
    outcome = aml("data", verb, "-n", "adult", *argv.split(), client=client)
    assert (outcome.code, outcome.out) == (0, "")
    assert client.data.calls[-1] == (verb, {"name": "adult", "version": named})


def test_a_dry_run_of_an_archive_prints_the_requests() -> None:
    argv = ["model", "archive", "-n", "adult", "--target", "azure", "--dry-run"]
    outcome = aml(*argv, client=FakeAzureClient())
    assert json.loads(outcome.out)[0]["method"] == "PUT"


@pytest.mark.parametrize(("argv", "named"), [("-v 2", "2"), ("", "3"), ("-l latest", "3")])
def test_download_of_a_model(argv: str, named: str) -> None:
    client = FakeLocalClient()
    outcome = aml(*f"model download -n adult {argv} -p /tmp/x".split(), client=client)
    assert json.loads(outcome.out) == {"download_path": "/tmp/x/adult"}
    assert client.models.calls[-1] == ("download", {"name": "adult", "version": named})


def test_download_where_the_target_cannot() -> None:
    argv = ["model", "download", "-n", "adult", "-v", "1", "--target", "azure"]
    outcome = aml(*argv, client=FakeAzureClient())
    assert outcome.code == 2
    assert "aml model show -n adult" in outcome.err
