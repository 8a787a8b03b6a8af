"""A scheduler that is killed at any moment: each slot runs once."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.lab import Lab, command, step, wait_for

from amlocal.plan import (
    CreateJob,
    Input,
    Job,
    LiteralValue,
    ParentInput,
    RecurrenceTrigger,
    Schedule,
    SlotState,
)
from amlocal.plan.schedule import Frequency
from amlocal.plan.slots import moment, told, zone_of

SEED = 20261122
KILLS = 10
#: Seconds between two slots, each of a schedule of its own: no trigger is finer than a minute.
APART = 3


@pytest.fixture
def lab(lab: Lab) -> Iterator[Lab]:
    yield lab
    lab.client.schedules.scheduler.stop()
    lab.client.workspace.down()


def schedules_of(ledger: Path, begin: int) -> list[Schedule]:
    """Schedules whose slots are some seconds apart, and whose jobs write their slot down."""
    slot = {"slot": LiteralValue(value="${{creation_context.trigger_time}}")}
    line = step(
        "command",
        f"echo ${{{{inputs.slot}}}} >> {ledger}",
        inputs={"slot": ParentInput(name="slot")},
        declared={"slot": Input(type="string")},
    )
    job = Job(type="command", steps=(line,), experiment_name="tests", inputs=slot)
    return [
        Schedule(
            name=f"s{number}",
            trigger=RecurrenceTrigger(
                frequency=Frequency.HOUR,
                interval=1,
                start_time=told(begin + number * APART),
            ),
            action=CreateJob(job=job),
        )
        for number in range(KILLS)
    ]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_scheduler_is_killed_at_ten_moments(lab: Lab) -> None:
    source = random.Random(SEED)
    schedules, ledger = lab.client.schedules, lab.project / "ledger"
    lab.run(command("true"))
    begin = int(time.time()) + 20
    plans = schedules_of(ledger, begin)
    for plan in plans:
        schedules.begin_create_or_update(plan)
    for number in range(KILLS):
        # Around a slot: before it is claimed, while its job is made, and after.
        due = begin + number * APART + source.uniform(-0.1, 0.6)
        time.sleep(max(0.0, due - time.time()))
        for pid in schedules.scheduler.processes():
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not schedules.scheduler.is_alive())
        schedules.scheduler.ensure()
    expected = {told(begin + n * APART).replace("+00:00", "Z") for n in range(KILLS)}
    wait_for(lambda: len(written(ledger)) == KILLS, seconds=600)
    for plan in plans:
        schedules.begin_disable(plan.name)
    wait_for(lambda: not lab.services.records.open(), seconds=120)
    assert written(ledger) == Counter(expected)
    for plan in plans:
        (slot,) = schedules.get(plan.name).slots
        assert slot.state is SlotState.STARTED
        assert moment(slot.slot, zone_of("UTC")) >= begin


def written(ledger: Path) -> Counter[str]:
    return Counter(ledger.read_text().split() if ledger.exists() else [])
