"""What evaluates triggers is killed: each event starts its job once all the same."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from tests.faults.evaluate_triggers import open_client
from tests.lab import wait_for

from amlocal.plan import JobStatus
from amlocal.plan.trigger import Trigger, TriggerConditions, TriggerEvent

SEED = 20261122
#: Events that a trigger of each kind hears in a round.
EVENTS = 2
#: Seconds in which an evaluation that finds them starts their jobs, about.
SPAN = (0.0, 0.25)


def evaluator(project: Path, shared: Path) -> subprocess.Popen[str]:
    """Start a process that evaluates, and wait until it does."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.evaluate_triggers", str(project), str(shared)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("rounds", [2, pytest.param(10, marks=pytest.mark.slow)])
def test_each_event_starts_one_job_wherever_the_evaluation_is_killed(
    tmp_path: Path, shared_folder: Path, rounds: int
) -> None:
    source = random.Random(SEED)
    client = open_client(tmp_path, shared_folder)
    ledger = tmp_path / "ledger"
    at_once = TriggerConditions(one_run_at_a_time=False)
    for name in ("first", "second"):
        trigger = Trigger(
            name=name, event=TriggerEvent(type="on_demand"), job=str(ledger), conditions=at_once
        )
        client.triggers.create_or_update(trigger)
    asked = []
    for _ in range(rounds):
        process = evaluator(tmp_path, shared_folder)
        asked += [client.triggers.run_now(name).id for name in ("first", "second") * EVENTS]
        time.sleep(source.uniform(*SPAN))
        process.kill()
        process.communicate()

    def is_settled() -> bool:
        # As the scheduler does, again and again: a job that lost its engine is found lost in time.
        is_open = client.jobs.services.records.open()
        return not client.triggers.evaluate(time.time()) and not is_open

    wait_for(is_settled, seconds=120)
    written = Counter(map(int, ledger.read_text().split()))
    assert written == Counter(asked)
    told = Counter(each.event for each in client.triggers.log() if each.outcome == "fired")
    assert told == Counter(asked)
    jobs = client.jobs.list()
    done = [job.tags["event"] for job in jobs if job.status is JobStatus.COMPLETED]
    assert sorted(map(int, done)) == sorted(asked)
    # Others are those that lost their engine before it began.
    lost = [job for job in jobs if job.status is not JobStatus.COMPLETED]
    assert all(job.start_time == job.end_time for job in lost)
