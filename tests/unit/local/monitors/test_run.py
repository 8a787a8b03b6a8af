"""Monitors of a workspace, with its scheduler, real jobs, and rows as the collector writes them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from tests.lab import Lab, children, wait_for

import amlocal.spec as compiler
from amlocal.errors import NotFoundError
from amlocal.local.client import LocalClient
from amlocal.plan import (
    Component,
    CreateMonitor,
    CronTrigger,
    DataValue,
    Input,
    JobInfo,
    JobStatus,
    MonitorData,
    MonitorSignal,
    MonitorThreshold,
    MonitorWindow,
    Output,
    Schedule,
)

NEVER = CronTrigger(expression="0 0 * * *", start_time="2090-01-01T00:00:00")
DAY = MonitorWindow(size="P1D", offset="P0D")
MONITOR = """
name: m
trigger: {type: recurrence, frequency: day, interval: 1, start_time: "2090-01-01T00:00:00"}
create_monitor:
  compute: {instance_type: standard_e4s_v3, runtime_version: "3.4"}
  monitoring_signals:
    drift:
      type: data_drift
      production_data:
        input_data: {type: uri_folder, path: prod}
        data_context: model_inputs
      reference_data:
        input_data: {type: uri_file, path: reference.csv}
        data_context: training
"""
SPREAD = """
import argparse
import pandas as pd
parser = argparse.ArgumentParser()
for name in ("rows", "spread_threshold", "out"):
    parser.add_argument(f"--{name}")
args = parser.parse_args()
value = pd.read_csv(args.rows)["a"].std()
pd.DataFrame({"metric_name": ["spread"], "metric_value": [value], "group": ["a"]}).to_csv(
    f"{args.out}/metrics.csv", index=False
)
"""


@pytest.fixture
def lab(lab: Lab) -> Iterator[Lab]:
    yield lab
    lab.client.schedules.scheduler.stop()


def collect(folder: Path, mean: float, rows: int, *, hours: float = 1) -> None:
    """Write rows as the data collector does, so many hours ago."""
    time = (datetime.now(timezone.utc) - timedelta(hours=hours)).isoformat()
    values = np.random.default_rng(rows).normal(mean, 1, rows)
    data = [{"a": float(value)} for value in values]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "a.jsonl").open("a") as file:
        file.write(json.dumps({"id": time, "time": time, "data": data}) + "\n")


def monitor_of(lab: Lab, *more: MonitorSignal, **fields: object) -> CreateMonitor:
    """A monitor of `prod` against a table, and the component that it may name."""
    reference = lab.project / "reference.csv"
    values = np.random.default_rng(7).normal(0, 1, 1000)
    pd.DataFrame({"a": values}).to_csv(reference, index=False)
    production = lab.project / "prod"
    production.mkdir(exist_ok=True)
    drift = MonitorSignal(
        name="drift",
        type="data_drift",
        production=(MonitorData(data=DataValue(path=str(production)), window=DAY),),
        reference=MonitorData(data=DataValue(path=str(reference), type="uri_file")),
        alert_enabled=True,
    )
    return CreateMonitor(signals=(drift, *more), **fields)  # type: ignore[arg-type]


def created(lab: Lab, monitor: CreateMonitor) -> None:
    plan = Schedule(name="m", trigger=NEVER, action=monitor)
    made = lab.client.schedules.begin_create_or_update(plan).result()
    assert made.type == "monitor"


def ran(lab: Lab) -> JobInfo:
    result = lab.client.schedules.trigger("m")
    assert result.schedule_action_type == "CreateMonitor"
    jobs = lab.client.jobs
    wait_for(lambda: jobs.get(result.job_name).status.is_terminal, seconds=250)
    return jobs.get(result.job_name)


@pytest.mark.slow
def test_rows_that_shift_are_an_event_and_quiet_ones_are_none(lab: Lab) -> None:
    created(lab, monitor_of(lab))
    schedules, events = lab.client.schedules, lab.client.triggers.events
    few = ran(lab)
    assert few.status is JobStatus.COMPLETED, few.error
    collect(lab.project / "prod", 0, 400)
    quiet = ran(lab)
    assert quiet.monitor is not None
    assert (quiet.monitor.verdict, quiet.metrics["breaches"], events()) == ("ok", 0, [])
    assert quiet.inputs["production"].digest
    collect(lab.project / "prod", 2, 800)
    collect(lab.project / "prod", -50, 800, hours=30)  # before the window
    shifted = ran(lab)
    found = shifted.monitor
    assert found is not None
    assert [breach.feature for breach in found.breaches] == ["a"]
    assert Path(found.report).read_text().startswith("# m")
    (event,) = events()
    assert (event.type, event.source, event.key) == ("drift", "m", f"{shifted.name}:drift")
    assert event.detail["value"] == found.breaches[0].value
    assert event.detail["rows"] == 1200
    assert lab.client.settle() == []
    shown = [(slot.verdict, slot.note) for slot in schedules.get("m").slots]
    assert [verdict for verdict, _ in shown] == ["breach", "ok", "insufficient"]
    assert shown[2][1].startswith("not enough rows: 0 rows")


@pytest.mark.slow
def test_a_custom_signal_runs_its_component(lab: Lab) -> None:
    code = lab.write("src/spread.py", SPREAD).parent
    component = Component(
        name="spread",
        version="1",
        command="python spread.py --rows ${{inputs.rows}}"
        " --spread_threshold ${{inputs.spread_threshold}} --out ${{outputs.signal_metrics}}",
        code=str(code),
        inputs={"rows": Input(type="uri_file"), "spread_threshold": Input(type="number")},
        outputs={"signal_metrics": Output(type="uri_folder")},
    )
    lab.client.components.create_or_update(component)
    monitor = monitor_of(lab)
    given = MonitorData(data=DataValue(path=str(lab.project / "reference.csv"), type="uri_file"))
    own = MonitorSignal(
        name="own",
        type="custom",
        component="spread:1",
        input_data={"rows": given},
        thresholds=(MonitorThreshold(metric="spread", threshold=0.5),),
        alert_enabled=True,
    )
    created(lab, CreateMonitor(signals=(own, *monitor.signals)))
    # As the schedule's component was; what is edited afterwards does not count.
    lab.write("src/spread.py", "raise SystemExit('edited')")
    job = ran(lab)
    assert job.status is JobStatus.COMPLETED, job.error
    assert set(children(job)) == {"compute_own", "monitor"}
    assert lab.client.schedules.get("m").slots[0].verdict == "breach"
    (event,) = lab.client.triggers.events()
    assert event.key == f"{job.name}:own"
    assert (event.detail["metric"], event.detail["feature"]) == ("spread", "a")


def test_a_run_that_cannot_be_asked_fails_with_the_reason(lab: Lab) -> None:
    created(lab, monitor_of(lab))
    (lab.project / "reference.csv").unlink()
    job = ran(lab)
    assert job.status is JobStatus.FAILED
    assert "there is no data at" in job.error
    assert lab.client.schedules.get("m").slots[0].verdict == ""
    lab.write("reference.csv", "b\n" + "1\n" * 200)
    collect(lab.project / "prod", 0, 200)
    (lab.project / "prod" / "a.jsonl").write_text("no event\n")
    broken = ran(lab)
    assert broken.error.startswith(f"signal 'drift': {lab.project / 'prod'}")
    assert "is no collected event" in broken.error
    lab.client.settle()
    assert lab.client.triggers.events() == []


@pytest.mark.slow
def test_a_signal_that_fails_takes_no_other_with_it(lab: Lab) -> None:
    """The job fails with the reason, and what the others found is an event all the same."""
    monitor = monitor_of(lab)
    wrong = msgspec.structs.replace(monitor.signals[0], name="wrong", features=("nowhere",))
    created(lab, CreateMonitor(signals=(wrong, *monitor.signals)))
    collect(lab.project / "prod", 2, 800)
    job = ran(lab)
    assert job.status is JobStatus.FAILED
    assert job.error.startswith("signal 'wrong': ")
    assert job.monitor is not None
    assert (job.monitor.verdict, job.metrics["failed"]) == ("breach", 1)
    assert "signal 'wrong': " in Path(job.monitor.report).read_text()
    (event,) = lab.client.triggers.events()
    assert event.key == f"{job.name}:drift"
    assert lab.client.settle() == []
    (slot,) = lab.client.schedules.get("m").slots
    assert slot.verdict == "breach"
    assert slot.note.startswith("drift: ")
    assert slot.note.endswith("; signal 'wrong': no feature 'nowhere' in the reference")


@pytest.mark.slow
def test_the_truth_may_come_later(lab: Lab) -> None:
    folder = lab.workspace / "datastores/workspaceblobstore/truth"
    address = "azureml://datastores/workspaceblobstore/paths/truth"
    given = MonitorData(
        data=DataValue(path=str(lab.project / "prod")),
        window=DAY,
        context="model_outputs",
        columns={"prediction": "a"},
    )
    truth = MonitorData(
        data=DataValue(path=address), context="ground_truth", columns={"target_column": "a"}
    )
    signal = MonitorSignal(
        name="truth",
        type="model_performance",
        production=(given,),
        reference=truth,
        thresholds=(MonitorThreshold(metric="mean_absolute_error", threshold=0.5),),
    )
    (lab.project / "prod").mkdir()
    collect(lab.project / "prod", 0, 200)
    created(lab, CreateMonitor(signals=(signal,)))
    first = ran(lab)
    assert first.monitor is not None, first.error
    assert first.monitor.verdict == "insufficient"
    assert folder.is_dir()


def test_settings_change_a_monitor(lab: Lab) -> None:
    schedules = LocalClient.open(lab.workspace, dict(os.environ), compiler).schedules
    monitor_of(lab)
    file = lab.write("m.yml", MONITOR)
    made = schedules.begin_create_or_update(str(file)).result()
    assert (made.type, made.is_enabled) == ("monitor", True)
    schedules.begin_create_or_update(None, name="m", overrides=["description=said"]).result()
    window = "create_monitor.monitoring_signals.drift.production_data.data_window"
    overrides = [f"{window}.lookback_window_size=PT10M", "trigger.interval=2"]
    changed = schedules.begin_create_or_update(None, name="m", overrides=overrides).result()
    assert changed.description == "said"
    action = schedules.records.get("m").plan.action
    assert isinstance(action, CreateMonitor)
    (drift,) = action.signals
    assert drift.production[0].window.size == "PT10M"
    assert drift.reference is not None
    assert drift.reference.data == DataValue(
        path=str(lab.project / "reference.csv"), type="uri_file"
    )
    target = "create_monitor.monitoring_target.endpoint_deployment_id=azureml:adult:blue"
    with pytest.raises(NotFoundError, match="no endpoint named 'adult'"):
        schedules.begin_create_or_update(None, name="m", overrides=[target])


def test_what_a_monitor_needs_is_looked_for_when_it_is_created(lab: Lab) -> None:
    schedules = lab.client.schedules
    of_nobody = monitor_of(lab, endpoint_name="adult", deployment_name="blue")
    unknown = MonitorSignal(name="own", type="custom", component="spread:1")
    for monitor, message in (
        (of_nobody, "no endpoint named 'adult'"),
        (monitor_of(lab, unknown), "names the component spread:1: no component"),
    ):
        with pytest.raises(NotFoundError, match=message):
            schedules.begin_create_or_update(Schedule(name="m", trigger=NEVER, action=monitor))
    assert not schedules.records.has("m")
