"""Whoever works at the loop is killed: the scheduler, and the engines of the jobs that run.

The loop's links are real: monitors' runs by slots, breaches that become events, triggers on drift,
on new versions of data, and on new versions of a model. Only the jobs are light.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.lab import share, wait_for

import amlocal.spec as compiler
from amlocal.local.client import LocalClient
from amlocal.local.process import find_workers
from amlocal.plan import JobInfo, JobStatus, SlotState

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

SEED = 20261122
KILLS = 10
#: Seconds between two slots, each of a monitor of its own: no trigger is finer than a minute.
APART = 8
TRIGGERS = ("refresh", "retrain", "release")
MONITOR = """\
name: {name}
trigger: {{type: recurrence, frequency: day, interval: 1, start_time: "{start}"}}
create_monitor:
  compute: {{instance_type: standard_e4s_v3, runtime_version: "3.4"}}
  monitoring_target: {{ml_task: classification}}
  monitoring_signals:
    drift:
      type: data_drift
      production_data:
        input_data: {{type: uri_folder, path: now}}
        data_context: model_inputs
      reference_data:
        input_data: {{type: uri_folder, path: then}}
        data_context: training
      metric_thresholds:
        numerical: {{normalized_wasserstein_distance: 0.1}}
      alert_enabled: true
"""
JOB = """\
type: command
inputs: {{event: "0"}}
command: >-
  echo {name} ${{{{inputs.event}}}} >> {ledger} && {command}
environment: {{name: plain, image: none, conda_file: {{dependencies: [python]}}}}
"""
REFRESH = """\
outputs:
  table: {type: uri_folder, name: fresh}
"""
RETRAIN = """\
outputs:
  model: {type: custom_model, name: light}
"""
COMMANDS = {
    "refresh": "echo ${{inputs.event}} > ${{outputs.table}}/table.csv",
    "retrain": "echo ${{inputs.event}} > ${{outputs.model}}/model.txt",
    "release": "true",
}
OUTPUTS = {"refresh": REFRESH, "retrain": RETRAIN, "release": ""}
EVENTS = {
    "refresh": "{type: drift}",
    "retrain": "{type: new_data, path: 'azureml:fresh'}",
    "release": "{type: new_model_version, model: light}",
}


class Loop:
    """A workspace with a loop of light jobs."""

    def __init__(self, folder: Path, shared: Path) -> None:
        self.folder, self.ledger = folder, folder / "ledger"
        share(folder / ".amlocal", shared)
        self.client = LocalClient.open(folder / ".amlocal", dict(os.environ), compiler)
        self.scheduler = self.client.schedules.scheduler
        for name, shift in (("now", 3), ("then", 0)):
            (folder / name).mkdir()
            rows = "".join(f"{number % 50 / 10 + shift}\n" for number in range(400))
            (folder / name / "rows.csv").write_text(f"x\n{rows}")
        for name in TRIGGERS:
            text = JOB.format(name=name, ledger=self.ledger, command=COMMANDS[name])
            (folder / f"{name}-job.yml").write_text(text + OUTPUTS[name])
            (folder / f"{name}.yml").write_text(
                f"name: {name}\nevent: {EVENTS[name]}\n"
                f"create_job: {{job: {name}-job.yml, inputs: {{event: '${{{{event.id}}}}'}}}}\n"
            )
            self.client.triggers.create_or_update(folder / f"{name}.yml")

    def watch(self, name: str, start: float) -> None:
        """Have a monitor run at a moment."""
        told = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(start))
        (self.folder / f"{name}.yml").write_text(MONITOR.format(name=name, start=told))
        self.client.schedules.begin_create_or_update(self.folder / f"{name}.yml").result(60)

    def kill(self) -> None:
        """Kill the scheduler and all engines at once, and bring the scheduler back."""
        workers = find_workers(self.client.jobs.services.workspace.path)
        for pid in (*self.scheduler.processes(), *workers):
            with_children_left(pid)
        wait_for(lambda: not self.scheduler.is_alive())
        self.scheduler.ensure()

    def is_at_rest(self) -> bool:
        records = self.client.triggers.evaluator.records
        waiting = [each for state in records.all() for each in records.pending(state)]
        return not (self.client.jobs.services.records.open() or records.starting() or waiting)

    def jobs(self, trigger: str) -> list[JobInfo]:
        return [job for job in self.client.jobs.list() if job.tags.get("trigger") == trigger]

    def fired(self, trigger: str) -> Counter[int]:
        told = self.client.triggers.log(trigger)
        return Counter(each.event for each in told if each.outcome == "fired")

    def close(self) -> None:
        self.scheduler.stop()
        self.client.workspace.down()


def with_children_left(pid: int) -> None:
    """Kill a process and nothing that it started."""
    with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def loop(tmp_path: Path, shared_folder: Path) -> Iterator[Loop]:
    loop = Loop(tmp_path, shared_folder)
    yield loop
    loop.close()


def test_the_loop_is_killed_at_ten_moments(loop: Loop) -> None:
    source = random.Random(SEED)
    begin = int(time.time()) + 60
    for number in range(KILLS):
        loop.watch(f"monitor-{number}", begin + number * APART)
    for number in range(KILLS):
        # Somewhere in what a slot sets off: its monitor's run, and three jobs one after another.
        time.sleep(max(0.0, begin + number * APART + source.uniform(0, 2 * APART) - time.time()))
        loop.kill()
    wait_for(lambda: len(slots(loop)) == KILLS and loop.is_at_rest(), seconds=900)
    each_slot_ran_once(loop)
    each_event_was_handled_once(loop)

    # Nothing is stuck: once nobody is killed any more, a breach goes all the way round.
    before = {name: len(loop.jobs(name)) for name in TRIGGERS}
    loop.watch("last", time.time() + 10)
    wait_for(lambda: len(slots(loop)) == KILLS + 1 and loop.is_at_rest(), seconds=300)
    wait_for(lambda: len(loop.jobs("release")) > before["release"], seconds=60)
    wait_for(loop.is_at_rest, seconds=120)
    for name in TRIGGERS:
        assert loop.jobs(name)[0].status is JobStatus.COMPLETED
    each_event_was_handled_once(loop)


def slots(loop: Loop) -> list[str]:
    """Return the jobs of the slots that have one which has ended."""
    found = []
    for schedule in loop.client.schedules.list():
        for slot in schedule.slots:
            job = loop.client.jobs.get(slot.job) if slot.job else None
            if job is not None and job.status.is_terminal:
                found.append(slot.job)
    return found


def each_slot_ran_once(loop: Loop) -> None:
    for number in range(KILLS):
        (slot,) = loop.client.schedules.get(f"monitor-{number}").slots
        assert slot.state is SlotState.STARTED
        assert slot.count == 1


def each_event_was_handled_once(loop: Loop) -> None:
    events = loop.client.triggers.events()
    runs = [job for job in loop.client.jobs.list() if job.monitor is not None]
    breaches = Counter(f"{job.name}:drift" for job in runs if job.monitor.breaches)
    assert breaches
    # A breach is one event, and each version of data, and of the model, at most one.
    assert Counter(each.key for each in events if each.type == "drift") == breaches
    written = Counter(tuple(line.split()) for line in loop.ledger.read_text().splitlines())
    assert set(written.values()) == {1}
    heard = {"refresh": "drift", "retrain": "new_data", "release": "new_model_version"}
    for trigger, kind in heard.items():
        of_kind = {each.id for each in events if each.type == kind}
        told = loop.client.triggers.log(trigger)
        handled = {each.event for each in told if each.outcome in {"fired", "superseded"}}
        assert handled == of_kind
        assert set(loop.fired(trigger).values()) == {1}
        completed = Counter(
            (trigger, job.tags["event"])
            for job in loop.jobs(trigger)
            if job.status is JobStatus.COMPLETED
        )
        assert set(completed.values()) == {1}
        assert completed.keys() <= written.keys()
        # Others lost their engine, and say so; none is left half done.
        for job in loop.jobs(trigger):
            assert job.status is JobStatus.COMPLETED or job.error
