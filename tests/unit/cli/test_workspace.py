from __future__ import annotations

import json

import pytest
from tests.unit.cli.fakes import SERVER, FakeAzureClient, FakeLocalClient, aml


def test_show_tells_what_is_down() -> None:
    out = aml("workspace", "show", tty=True).out
    assert "aml workspace up" in out
    assert "1.5 MB" in out
    assert json.loads(aml("workspace", "show").out)["tracking_uri"] == ""


def test_up_and_down() -> None:
    client = FakeLocalClient()
    assert json.loads(aml("workspace", "up", client=client).out)["tracking_uri"] == SERVER
    assert client.workspace.is_up
    assert aml("workspace", "down", client=client).code == 0
    assert not client.workspace.is_up


def test_ui_starts_the_server_prints_its_address_and_opens_it() -> None:
    client = FakeLocalClient()
    outcome = aml("workspace", "ui", client=client, tty=True)
    assert client.workspace.is_up
    assert outcome.out == f"{SERVER}\n"
    assert outcome.pages == [f"{SERVER}/#/experiments?workflowType=machine_learning"]
    assert aml(*["workspace", "ui", "--query", "tracking_uri", "-o", "tsv"]).out == f"{SERVER}\n"


def test_gc_counts_first_where_it_is_told_to() -> None:
    assert json.loads(aml("workspace", "gc").out) == {"bytes": 3000}
    assert json.loads(aml("workspace", "gc", "--dry-run").out) == {"bytes": 2000}
    assert aml("workspace", "gc", "--dry-run", tty=True).out == "2.0 kB would be freed\n"
    assert aml("workspace", "gc", tty=True).out == "3.0 kB freed\n"


@pytest.mark.parametrize("verb", ["show", "up", "down", "ui", "gc"])
def test_a_workspace_in_azure_is_managed_there(verb: str) -> None:
    outcome = aml("workspace", verb, "--target", "azure", client=FakeAzureClient())
    assert outcome.code == 2
    assert "--target local" in outcome.err
