"""Schedules of a workspace with its scheduler process and real jobs."""

from __future__ import annotations

import dataclasses
import os
import signal
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from tests.lab import Lab, command, pipeline, step, wait_for

import amlocal.spec as compiler
from amlocal.errors import NotFoundError, UsageError
from amlocal.local.client import LocalClient
from amlocal.plan import (
    CreateJob,
    CronTrigger,
    Job,
    JobChanges,
    JobStatus,
    LiteralValue,
    Schedule,
    SlotState,
)

NEVER = CronTrigger(expression="0 0 * * *", start_time="2090-01-01T00:00:00")


@pytest.fixture
def lab(lab: Lab) -> Iterator[Lab]:
    """A workspace whose scheduler is ended with the test."""
    yield lab
    lab.client.schedules.scheduler.stop()


def schedule(job: Job, name: str = "s", *, at_once: bool = False) -> Schedule:
    trigger = CronTrigger(expression="0 0 * * *") if at_once else NEVER
    return Schedule(name=name, trigger=trigger, action=CreateJob(job=job))


def test_a_schedule_starts_its_job(lab: Lab) -> None:
    code = lab.write("src/say.sh", "cat word\n")
    lab.write("src/word", "before")
    job = pipeline(
        step(
            "say",
            "sh say.sh; echo ${{inputs.when}}",
            code=code.parent,
            inputs={"when": LiteralValue(value="never")},
        )
    )
    schedules = lab.client.schedules
    made = schedules.begin_create_or_update(schedule(job, at_once=True)).result()
    # As in Azure, what is edited after the schedule was created does not count.
    lab.write("src/word", "after")
    assert (made.is_enabled, made.warnings, made.create_job) == (True, (), "pipeline")
    wait_for(lambda: [slot.state for slot in schedules.get("s").slots] == [SlotState.STARTED])
    (slot,) = schedules.get("s").slots
    wait_for(lambda: lab.client.jobs.get(slot.job).status.is_terminal, seconds=200)
    info = lab.client.jobs.get(slot.job)
    assert info.status is JobStatus.COMPLETED, info.error
    assert info.properties["amlocal.schedule"] == "s"
    assert "before" in lab.log(info.children[0])
    assert schedules.get("s").next_run > slot.slot
    assert "scheduler" in lab.client.workspace.show().processes.values()


def test_a_scheduler_that_is_killed_is_started_anew(lab: Lab) -> None:
    schedules = lab.client.schedules
    schedules.begin_create_or_update(schedule(command("true")))
    (before,) = schedules.scheduler.processes()
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: not schedules.scheduler.is_alive())
    schedules.list()
    (after,) = schedules.scheduler.processes()
    assert after != before


def test_the_workspace_goes_down_and_up_with_its_scheduler(lab: Lab) -> None:
    schedules, workspace = lab.client.schedules, lab.client.workspace
    schedules.begin_create_or_update(schedule(command("true")))
    schedules.scheduler.stop()
    assert schedules.scheduler.processes() == {}
    assert "no scheduler runs" in schedules.get("s").warnings[0]
    assert "scheduler" in workspace.up().processes.values()
    assert schedules.get("s").warnings == ()


def test_a_scheduler_ends_when_no_schedule_is_enabled(lab: Lab) -> None:
    schedules = lab.client.schedules
    schedules.begin_create_or_update(schedule(command("true")))
    assert schedules.scheduler.is_alive()
    disabled = schedules.begin_disable("s").result()
    assert (disabled.is_enabled, disabled.next_run) == (False, "")
    wait_for(lambda: not schedules.scheduler.is_alive(), seconds=100)
    assert [each.name for each in schedules.list()] == []
    assert [each.name for each in schedules.list(list_view_type="DisabledOnly")] == ["s"]
    assert schedules.begin_enable("s").result().next_run.startswith("2090-01-01")
    assert schedules.scheduler.is_alive()


def test_a_schedule_is_deleted_once_it_is_disabled(lab: Lab) -> None:
    schedules = lab.client.schedules
    schedules.begin_create_or_update(schedule(command("true")))
    with pytest.raises(UsageError, match="enabled, and so cannot be deleted"):
        schedules.begin_delete("s")
    schedules.begin_disable("s")
    schedules.begin_delete("s").result()
    with pytest.raises(NotFoundError):
        schedules.get("s")
    with pytest.raises(UsageError, match="no list_view_type"):
        schedules.list(list_view_type="Some")


def test_a_schedule_is_started_out_of_turn(lab: Lab) -> None:
    schedules = lab.client.schedules
    schedules.begin_create_or_update(schedule(command("true")))
    names = {schedules.trigger("s").job_name for _ in range(2)}
    assert len(names) == 2
    for name in names:
        wait_for(lambda name=name: lab.client.jobs.get(name).status.is_terminal, seconds=200)
    slots = schedules.get("s").slots
    assert {slot.job for slot in slots} == names
    assert all(slot.on_demand for slot in slots)


def test_what_is_started_out_of_turn_sees_all_that_was_before(lab: Lab) -> None:
    began = 1_790_000_000.25
    schedules = dataclasses.replace(lab.client.schedules, clock=lambda: began)
    schedules.begin_create_or_update(schedule(command("true")))
    name = schedules.trigger("s").job_name
    wait_for(lambda: lab.client.jobs.get(name).status.is_terminal, seconds=200)
    (slot,) = schedules.get("s").slots
    # Windows end before their slot's moment.
    moment = datetime.fromisoformat(slot.slot.replace("Z", "+00:00")).timestamp()
    assert began < moment < began + 1


def test_a_job_of_the_workspace_is_scheduled_with_changes(lab: Lab) -> None:
    say = step("say", "echo ${{inputs.word}}", inputs={"word": LiteralValue(value="one")})
    job = lab.start(pipeline(say, tags={"a": "b"}))
    wait_for(lambda: lab.client.jobs.get(job.name).status.is_terminal)
    changes = JobChanges(tags={"c": "d"})
    named = Schedule(name="s", trigger=NEVER, action=CreateJob(reference=job.name, changes=changes))
    info = lab.client.schedules.begin_create_or_update(named).result()
    assert info.create_job == f"azureml:{job.name}"
    kept = lab.client.schedules.records.get("s").plan.action.job
    assert kept is not None
    assert (kept.tags, kept.experiment_name) == ({"a": "b", "c": "d"}, "s")
    missing = Schedule(name="t", trigger=NEVER, action=CreateJob(reference="nobody"))
    with pytest.raises(NotFoundError, match="no job named 'nobody'"):
        lab.client.schedules.begin_create_or_update(missing)
    step_of_it = Schedule(name="t", trigger=NEVER, action=CreateJob(reference=f"{job.name}_say"))
    # What ran in the command itself may hold secrets, which are kept nowhere.
    streamed = lab.run(pipeline(say)).name
    of_streamed = Schedule(name="t", trigger=NEVER, action=CreateJob(reference=streamed))
    for nothing in (step_of_it, of_streamed):
        with pytest.raises(UsageError, match="nothing is kept"):
            lab.client.schedules.begin_create_or_update(nothing)
    assert not lab.client.schedules.records.has("t")


def test_settings_alone_change_a_schedule(lab: Lab) -> None:
    schedules = LocalClient.open(lab.workspace, dict(os.environ), compiler).schedules
    lab.client.schedules.begin_create_or_update(
        Schedule(
            name="s",
            trigger=NEVER,
            action=CreateJob(job=command("true")),
            tags={"a": "1", "b": "2"},
            description="said: so",
        )
    )
    schedules.begin_disable("s")
    found = schedules.begin_create_or_update(
        None, name="s", overrides=["trigger.expression=5 4 * * *", "tags.a=null"]
    ).result()
    assert found.trigger == CronTrigger(expression="5 4 * * *", start_time="2090-01-01T00:00:00")
    assert (found.tags, found.description, found.is_enabled) == ({"b": "2"}, "said: so", False)
    kept = schedules.records.get("s").plan.action.job
    assert kept is not None
    assert kept.steps[0].component.command == "true"
    with pytest.raises(UsageError, match="not changed by settings alone"):
        schedules.begin_create_or_update(None, name="s", overrides=["create_job=x.yml"])
    with pytest.raises(NotFoundError):
        schedules.begin_create_or_update(None, name="t", overrides=["tags.a=1"])


def test_code_of_schedules_that_are_gone_is_removed(lab: Lab) -> None:
    code = lab.write("src/a.sh", "true\n").parent
    schedules = lab.client.schedules
    schedules.begin_create_or_update(schedule(command("sh a.sh", code=code)))
    (kept,) = (lab.workspace / "schedules" / "code").iterdir()
    os.utime(kept, (0, 0))
    lab.client.workspace.collect_garbage()
    assert kept.is_dir()
    schedules.begin_disable("s")
    schedules.begin_delete("s")
    lab.client.workspace.collect_garbage()
    assert not kept.exists()
    assert Path(code).exists()
