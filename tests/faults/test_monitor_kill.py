"""A scheduler that is killed between a monitor's slot and its event: one run, and one event."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from tests.lab import Lab, command, wait_for

from amlocal.plan import (
    CreateMonitor,
    DataValue,
    JobStatus,
    MonitorData,
    MonitorSignal,
    MonitorWindow,
    RecurrenceTrigger,
    Schedule,
    SlotState,
)
from amlocal.plan.schedule import Frequency
from amlocal.plan.slots import told

SEED = 20261122
KILLS = 10
#: Seconds between two slots, each of a monitor of its own: no trigger is finer than a minute.
APART = 4


@pytest.fixture
def lab(lab: Lab) -> Iterator[Lab]:
    yield lab
    lab.client.schedules.scheduler.stop()
    lab.client.workspace.down()


def collect(file: Path, mean: float) -> None:
    """Write rows as the data collector does, an hour ago."""
    source = random.Random(SEED)
    at = (datetime.now(timezone.utc) - timedelta(hours=1)).isoformat()
    rows = [{"a": source.gauss(mean, 1), "b": source.gauss(mean, 1)} for _ in range(300)]
    file.parent.mkdir()
    file.write_text(json.dumps({"id": "e", "time": at, "data": rows}) + "\n")


def monitors_of(lab: Lab, begin: int) -> list[Schedule]:
    """Monitors whose slots are some seconds apart, and whose signals breach, all but one."""
    collect(lab.project / "before" / "a.jsonl", 0)
    collect(lab.project / "now" / "a.jsonl", 3)
    before, now = (DataValue(path=str(lab.project / name)) for name in ("before", "now"))
    day = MonitorWindow(size="P1D", offset="P0D")

    def drift(name: str, production: DataValue, **fields: bool) -> MonitorSignal:
        return MonitorSignal(
            name=name,
            type="data_drift",
            production=(MonitorData(data=production, window=day),),
            reference=MonitorData(data=before),
            **fields,  # type: ignore[arg-type]
        )

    monitor = CreateMonitor(
        signals=(
            drift("one", now, alert_enabled=True),
            drift("two", now, alert_enabled=True),
            drift("silent", now),
            drift("quiet", before, alert_enabled=True),
        )
    )
    return [
        Schedule(
            name=f"m{number}",
            trigger=RecurrenceTrigger(
                frequency=Frequency.HOUR,
                interval=1,
                start_time=told(begin + number * APART),
            ),
            action=monitor,
        )
        for number in range(KILLS)
    ]


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_scheduler_is_killed_at_ten_moments(lab: Lab) -> None:
    source = random.Random(SEED)
    schedules, events = lab.client.schedules, lab.client.triggers.events
    lab.run(command("true"))
    begin = int(time.time()) + 60
    plans = monitors_of(lab, begin)
    for plan in plans:
        schedules.begin_create_or_update(plan)
    for number in range(KILLS):
        # Around a slot, while its job is made, while that runs, or as it ends.
        due = begin + number * APART + source.choice([source.uniform(-0.1, 0.6), APART - 0.5])
        time.sleep(max(0.0, due - time.time()))
        for pid in schedules.scheduler.processes():
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not schedules.scheduler.is_alive())
        schedules.scheduler.ensure()

    def is_over() -> bool:
        slots = [slot for plan in plans for slot in schedules.records.slots(plan.name, 5)]
        return len(slots) == KILLS and not lab.services.records.open()

    wait_for(is_over, seconds=1200)
    wait_for(lambda: len(events()) == 2 * KILLS, seconds=60)
    for plan in plans:
        schedules.begin_disable(plan.name)
        (slot,) = schedules.get(plan.name).slots
        assert (slot.state, slot.verdict) == (SlotState.STARTED, "breach")
    runs = [job for job in lab.client.jobs.list() if job.status is JobStatus.COMPLETED]
    jobs = {job.tags["monitor"]: job.name for job in runs if "monitor" in job.tags}
    assert jobs.keys() == {plan.name for plan in plans}
    assert len(runs) == KILLS + 1
    # Whoever looks again finds nothing that is not recorded.
    assert lab.client.settle() == []
    expected = Counter(f"{job}:{each}" for job in jobs.values() for each in ("one", "two"))
    assert Counter(event.key for event in events()) == expected
