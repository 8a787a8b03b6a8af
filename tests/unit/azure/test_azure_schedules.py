"""Schedules in Azure: the real SDK in a dry run, and its objects as values."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from amlocal.azure.client import AzureClient
from amlocal.azure.schedule_info import schedule_info
from amlocal.azure.sdk import load, quiet
from amlocal.client import connect
from amlocal.errors import SpecError, TargetError, UsageError
from amlocal.plan import CronTrigger, RecurrenceTrigger
from amlocal.plan.schedule import Frequency, RecurrencePattern, WeekDay
from amlocal.schedule_operations import ScheduleOperations

pytestmark = pytest.mark.usefixtures("no_network")

SCHEDULE = """
name: nightly
description: Trains.
tags: {a: b}
trigger:
  type: recurrence
  frequency: week
  interval: 2
  schedule: {hours: [4, 5], minutes: 30, week_days: [monday]}
  start_time: "2026-07-10T10:00:00"
  time_zone: "Pacific Standard Time"
create_job: {type: pipeline, job: ./pipeline.yml, experiment_name: nights}
"""


@pytest.fixture
def nightly(project: Path) -> Path:
    file = project / "nightly.yml"
    file.write_text(SCHEDULE)
    return file


def test_the_protocol_is_kept(client: AzureClient) -> None:
    operations: ScheduleOperations = client.schedules
    assert operations.begin_delete("nightly").result() is None
    assert operations.trigger("nightly").schedule_action_type == "CreateJob"
    assert [request.method for request in client.requests] == ["DELETE", "POST"]


def test_a_schedule_as_the_sdk_sends_it_comes_back_as_it_was(
    client: AzureClient, nightly: Path
) -> None:
    poller = client.schedules.begin_create_or_update("nightly.yml", name="other")
    info = poller.result()
    assert (info.name, info.is_enabled, info.tags) == ("other", True, {"a": "b"})
    assert info.trigger == RecurrenceTrigger(
        frequency=Frequency.WEEK,
        interval=2,
        schedule=RecurrencePattern(hours=(4, 5), minutes=(30,), week_days=(WeekDay.MONDAY,)),
        start_time="2026-07-10T10:00:00",
        time_zone="Pacific Standard Time",
    )
    assert info.next_run
    request = client.requests[-1]
    assert (request.method, request.path.split("?")[0].endswith("/schedules/other")) == (
        "PUT",
        True,
    )
    sent = request.body["properties"]
    with quiet():
        theirs = load("schedule", "nightly.yml", (), {})
    rest = theirs.trigger._to_rest_object()
    assert sent["trigger"] == json.loads(json.dumps(rest.as_dict()))
    assert sent["trigger"]["startTime"] == "2026-07-10 10:00:00"
    assert sent["action"]["jobDefinition"]["jobType"] == "Pipeline"
    assert sent["action"]["jobDefinition"]["experimentName"] == "nights"


def test_settings_reach_the_request(client: AzureClient, nightly: Path) -> None:
    info = client.schedules.begin_create_or_update(
        "nightly.yml", overrides=["trigger.interval=3", "tags.c=d"]
    ).result()
    assert isinstance(info.trigger, RecurrenceTrigger)
    assert (info.trigger.interval, info.tags) == (3, {"a": "b", "c": "d"})


def test_what_is_wrong_is_told_before_anything_is_sent(nightly: Path) -> None:
    nightly.write_text(SCHEDULE.replace("Pacific", "Pacifc"))
    checked = connect("azure", dry_run=True, environ={})
    with pytest.raises(SpecError, match="did you mean 'Pacific Standard Time'"):
        checked.schedules.begin_create_or_update("nightly.yml")
    assert checked.requests == ()  # type: ignore[attr-defined]


def test_a_dry_run_has_no_workspace_to_ask(client: AzureClient) -> None:
    for ask in (client.schedules.get, client.schedules.begin_enable):
        with pytest.raises(TargetError, match="no workspace to ask"):
            ask("nightly")
    with pytest.raises(TargetError, match="no workspace to ask"):
        client.schedules.list()
    with pytest.raises(UsageError, match="no list_view_type"):
        client.schedules.list(list_view_type="Some")


def test_what_azure_tells_of_a_schedule() -> None:
    from azure.ai.ml.entities import CronTrigger as Cron
    from azure.ai.ml.entities import JobSchedule

    found: Any = JobSchedule(
        name="s",
        trigger=Cron(
            expression="0 6 * * *",
            start_time="2026-07-10 10:00:00",
            end_time=datetime(2099, 1, 1, tzinfo=timezone.utc),
        ),
        create_job="azureml:/subscriptions/x/jobs/old",
        is_enabled=False,
        provisioning_state="Succeeded",
    )
    info = schedule_info(found)
    assert info.trigger == CronTrigger(
        expression="0 6 * * *",
        start_time="2026-07-10T10:00:00",
        end_time="2099-01-01T00:00:00+00:00",
    )
    assert (info.is_enabled, info.next_run, info.create_job) == (False, "", "azureml:old")
    found._is_enabled = True
    assert schedule_info(found).next_run.endswith("06:00:00+00:00")
