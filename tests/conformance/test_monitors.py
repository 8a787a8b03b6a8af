"""Every monitor of the public examples compiles and is sent, or it is said why not.

Needs a checkout of Azure/azureml-examples, named by AZUREML_EXAMPLES; nothing of it is kept here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import amlocal
from amlocal.errors import AmlocalError
from amlocal.spec import load_schedule

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(600)]

#: Why a file is not taken on this machine.
LOCALLY = r"a signal of the type generation_safety_quality does not run here"
#: Why one is not sent: what its author is to fill in.
PLACEHOLDERS = r"endpoint_deployment_id' 'fake_endpoint_id' names none"


def monitors(examples: Path) -> list[Path]:
    found = sorted((examples.parent / "monitoring").glob("*.y*ml"))
    files = [file for file in found if "create_monitor:" in file.read_text(encoding="utf-8")]
    assert len(files) >= 5, "the checkout has fewer monitors than is known"
    return files


def refusal(take: Callable[[Path], Any], file: Path) -> str:
    """Return why a file is not taken, or an empty string."""
    try:
        take(file)
    except AmlocalError as error:
        return str(error)
    return ""


def test_every_monitor_compiles_or_is_refused_for_a_reason(examples: Path) -> None:
    said = {file.name: refusal(load_schedule, file) for file in monitors(examples)}
    refused = {name: why for name, why in said.items() if why}
    assert list(refused) == ["generation-safety-quality-monitoring.yaml"]
    assert re.search(LOCALLY, *refused.values())


def test_every_monitor_is_sent_to_azure(examples: Path) -> None:
    client: Any = amlocal.connect("azure", environ={}, dry_run=True)
    said = {
        file.name: refusal(client.schedules.begin_create_or_update, file)
        for file in monitors(examples)
    }
    refused = [why for why in said.values() if why]
    assert len(refused) == 1
    assert re.search(PLACEHOLDERS, refused[0])
    actions = [request.body["properties"]["action"] for request in client.requests]
    assert [action["actionType"] for action in actions] == ["CreateMonitor"] * (len(said) - 1)
