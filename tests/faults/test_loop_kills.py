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
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from tests.lab import share, wait_for

import amlocal.spec as compiler
from amlocal.local.client import LocalClient
from amlocal.local.process import find_workers
from amlocal.plan import JobInfo, JobStatus, SlotState
from amlocal.plan.trigger import EventInfo

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

SEED = 20261122
#: Seconds until a slot is due: its schedule must be made by then.
LATER = 10
#: Seconds in which a breach has gone all the way round, on a busy machine.
SECONDS = 600
TRIGGERS = ("refresh", "retrain", "release")
HEARD = {"refresh": "drift", "retrain": "new_data", "release": "new_model_version"}
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
        data_column_names: {{timestamp: seen}}
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
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            rows = "".join(f"{number % 50 / 10 + shift},{now}\n" for number in range(400))
            (folder / name / "rows.csv").write_text(f"x,seen\n{rows}")
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

    def is_at_rest(self, name: str) -> bool:
        """Tell whether a monitor's slot, and all that it set off, has ended."""
        runs = self.runs_of(name)
        if not runs or not all(run.status.is_terminal for run in runs):
            return False
        triggers = self.client.triggers
        if self.client.jobs.services.records.open() or triggers.records.starting():
            return False
        if not breaches(runs) <= {event.key for event in self.events("drift")}:
            return False
        # What would be decided now, were anybody to look: nothing is waiting.
        return not triggers.evaluate(time.time(), dry_run=True)

    def runs_of(self, name: str) -> list[JobInfo]:
        """Return the runs of a monitor; more than one where the first had done nothing."""
        return [job for job in self.client.jobs.list() if job.tags.get("monitor") == name]

    def events(self, kind: str) -> list[EventInfo]:
        return [each for each in self.client.triggers.events() if each.type == kind]

    def jobs(self, trigger: str) -> list[JobInfo]:
        return [job for job in self.client.jobs.list() if job.tags.get("trigger") == trigger]

    def fired(self, trigger: str) -> Counter[int]:
        told = self.client.triggers.log(trigger)
        return Counter(each.event for each in told if each.outcome == "fired")

    def close(self) -> None:
        self.scheduler.stop()
        self.client.workspace.down()


class Seen:
    """What there was before a slot."""

    def __init__(self, loop: Loop) -> None:
        self.start = time.time() + LATER
        self.jobs = {name: len(loop.jobs(name)) for name in TRIGGERS}
        self.events = {kind: len(loop.events(kind)) for kind in HEARD.values()}


def with_children_left(pid: int) -> None:
    """Kill a process and nothing that it started."""
    with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def loop(tmp_path: Path, shared_folder: Path) -> Iterator[Loop]:
    loop = Loop(tmp_path, shared_folder)
    yield loop
    loop.close()


def made(loop: Loop, trigger: str, before: Seen) -> bool:
    return len(loop.jobs(trigger)) > before.jobs[trigger]


def runs(loop: Loop, trigger: str, before: Seen) -> bool:
    return made(loop, trigger, before) and loop.jobs(trigger)[0].status is JobStatus.RUNNING


def heard(loop: Loop, kind: str, before: Seen) -> bool:
    return len(loop.events(kind)) > before.events[kind]


#: What has just happened when everybody is killed; what is over too soon to be seen is passed by.
MOMENTS: dict[str, Callable[[Loop, str, Seen], bool]] = {
    "the slot is due": lambda loop, name, before: time.time() >= before.start,
    "the monitor's job is made": lambda loop, name, before: bool(loop.runs_of(name)),
    "the monitor runs": lambda loop, name, before: any(
        run.status is JobStatus.RUNNING for run in loop.runs_of(name)
    ),
    "the breach is an event": lambda loop, name, before: heard(loop, "drift", before),
    "the first job is made": lambda loop, name, before: made(loop, "refresh", before),
    "the first job runs": lambda loop, name, before: runs(loop, "refresh", before),
    "data are new": lambda loop, name, before: heard(loop, "new_data", before),
    "the second job runs": lambda loop, name, before: runs(loop, "retrain", before),
    "a version is new": lambda loop, name, before: heard(loop, "new_model_version", before),
    "the last job is made": lambda loop, name, before: made(loop, "release", before),
}


def test_the_loop_is_killed_at_ten_moments(loop: Loop) -> None:
    source = random.Random(SEED)
    for number, moment in enumerate(MOMENTS.values()):
        kill_at(loop, f"monitor-{number}", moment, source.uniform(0, 0.2))
    each_event_was_handled_once(loop)

    # Nothing is stuck: once nobody is killed any more, a breach goes all the way round.
    before = Seen(loop)
    loop.watch("last", before.start)
    wait_for(lambda: made(loop, "release", before) and loop.is_at_rest("last"), seconds=SECONDS)
    for name in TRIGGERS:
        assert loop.jobs(name)[0].status is JobStatus.COMPLETED
    each_event_was_handled_once(loop)


def kill_at(loop: Loop, name: str, moment: Callable[..., bool], pause: float) -> None:
    """Let a monitor find a breach, kill everybody in the midst of it, and wait for the rest."""
    before = Seen(loop)
    loop.watch(name, before.start)
    wait_for(lambda: moment(loop, name, before) or loop.is_at_rest(name), seconds=SECONDS)
    time.sleep(pause)
    loop.kill()
    wait_for(lambda: loop.is_at_rest(name), seconds=SECONDS)
    (slot,) = loop.client.schedules.get(name).slots
    assert (slot.state, slot.count) == (SlotState.STARTED, 1)


def breaches(jobs: Sequence[JobInfo]) -> set[str]:
    """Return what the events of monitors' runs are known by."""
    return {f"{job.name}:drift" for job in jobs if job.monitor and job.monitor.breaches}


def each_event_was_handled_once(loop: Loop) -> None:
    events = loop.client.triggers.events()
    found = breaches(loop.client.jobs.list())
    # Seven of ten moments are after the breach.
    assert len(found) >= 7
    assert Counter(each.key for each in events if each.type == "drift") == Counter(found)
    written = Counter(tuple(line.split()) for line in loop.ledger.read_text().splitlines())
    assert set(written.values()) == {1}
    for trigger, kind in HEARD.items():
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
