"""Triggers of an open workspace, with jobs that run."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.faults.evaluate_triggers import open_client
from tests.lab import wait_for

from amlocal.errors import NotFoundError, UsageError
from amlocal.local.tracking.client import TrackingClient
from amlocal.local.tracking.values import JOB_TAG
from amlocal.plan import JobStatus
from amlocal.plan.trigger import Trigger, TriggerConditions, TriggerEvent


def trigger_of(project: Path) -> Trigger:
    return Trigger(
        name="retrain",
        event=TriggerEvent(type="new_data", path=str(project / "incoming")),
        job=str(project / "ledger"),
        conditions=TriggerConditions(settled_for=0),
    )


def test_new_data_start_a_job_whose_run_names_them(
    tmp_path: Path, shared_folder: Path, tracking: TrackingClient
) -> None:
    client = open_client(tmp_path, shared_folder)
    client.triggers.create_or_update(trigger_of(tmp_path))
    (tmp_path / "incoming").mkdir()
    (tmp_path / "incoming" / "a.csv").write_text("x\n1\n")
    (told,) = client.triggers.evaluate(time.time())
    assert (told.outcome, told.job) == ("fired", "retrain_1")
    wait_for(lambda: client.jobs.get(told.job).status.is_terminal, seconds=60)
    job = client.jobs.get(told.job)
    assert job.status is JobStatus.COMPLETED, job.error
    assert (tmp_path / "ledger").read_text() == "1\n"
    (run,) = tracking.search_runs(filter_string=f"tags.`{JOB_TAG}` = '{told.job}'")
    tags = {name: text for name, text in run.tags.items() if name in job.tags}
    assert tags == job.tags
    assert tags["event_source"] == str(tmp_path / "incoming")
    trigger = client.triggers.get("retrain")
    assert (trigger.last_job, trigger.pending) == ("retrain_1", 0)


def test_a_workspace_that_is_not_there_has_no_triggers_and_stays_so(
    tmp_path: Path, shared_folder: Path
) -> None:
    client = open_client(tmp_path, shared_folder)
    assert list(client.triggers.list()) == []
    assert list(client.triggers.evaluate(time.time())) == []
    with pytest.raises(NotFoundError, match="no trigger named 'retrain'"):
        client.triggers.run_now("retrain")


def test_events_from_elsewhere_are_recorded(tmp_path: Path, shared_folder: Path) -> None:
    client = open_client(tmp_path, shared_folder)
    first = client.triggers.record("drift", "weekly", {"value": 0.3}, key="weekly:1")
    assert client.triggers.record("drift", "weekly", key="weekly:1") == first
    others = [client.triggers.record("drift", "weekly") for _ in range(2)]
    assert list(client.triggers.events()) == [*others[::-1], first]
    assert list(client.triggers.events(max_results=1)) == [others[1]]
    with pytest.raises(UsageError, match="no event type 'drit'"):
        client.triggers.record("drit", "weekly")
