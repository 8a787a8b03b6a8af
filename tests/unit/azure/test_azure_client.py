"""The client as a whole."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from tests.unit.azure.fakes import FakeHistory, FakeJobs, FakeMLClient, sdk_job

from amlocal.azure.client import AzureClient
from amlocal.client import Client, connect
from amlocal.errors import UsageError
from amlocal.plan import JobStatus


def test_the_protocol_is_kept() -> None:
    jobs = FakeJobs({"n": [sdk_job("n", "Running")]})
    client: Client = AzureClient(FakeMLClient(jobs), history=FakeHistory())
    assert client.jobs.get("n").status is JobStatus.RUNNING
    for assets in (client.components, client.environments, client.data, client.models):
        assert list(assets.list()) == []


def test_without_a_dry_run_nothing_is_kept() -> None:
    assert AzureClient(FakeMLClient(), history=FakeHistory()).requests == ()


def test_opening_sends_nothing_and_says_nothing(
    tmp_path: Path, capfd: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # whatever is sent fails
    client = AzureClient.open(
        tmp_path, {}, subscription_id="s", resource_group="g", workspace_name="w"
    )
    assert client.requests == ()
    assert capfd.readouterr() == ("", "")
    # The SDK logs each call for its telemetry; without it that logger leads nowhere.
    handlers = logging.getLogger("azure.ai.ml._telemetry").handlers
    # pytest listens where a logger was there before the test.
    others = [found for found in handlers if not type(found).__module__.startswith("_pytest")]
    assert all(isinstance(handler, logging.NullHandler) for handler in others)


def test_without_a_workspace_the_target_cannot_be_had(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no workspace to send to"):
        connect("azure", path=tmp_path, environ={})
