from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from amlocal.cli.main import main
from amlocal.cli.schedule_views import schedule_view, schedules_view, when
from amlocal.cli.terminal import Terminal
from amlocal.local.endpoints.batch import Done
from amlocal.plan import (
    CronTrigger,
    MonitorThreshold,
    RecurrenceTrigger,
    ScheduleInfo,
    ScheduleTriggerResult,
    SignalInfo,
    SlotInfo,
    SlotState,
)
from amlocal.plan.schedule import Frequency, RecurrencePattern, WeekDay

NIGHTLY = ScheduleInfo(
    name="nightly",
    is_enabled=True,
    trigger=CronTrigger(expression="0 3 * * *", time_zone="Tokyo Standard Time"),
    create_job="job.yml",
    creation_time="2026-03-01T12:00:00+00:00",
    next_run="2026-03-01T18:00:00+00:00",
    slots=(
        SlotInfo(slot="2026-02-28T18:00:00+00:00", state=SlotState.STARTED, job="nightly-1"),
        SlotInfo(slot="2026-02-27T18:00:00+00:00", state=SlotState.MISSED, count=3, reason="late"),
    ),
    warnings=("cron_trigger.expression DAYS: it is read as *",),
)


@dataclass
class Schedules:
    calls: list[tuple[Any, ...]] = field(default_factory=list)

    def begin_create_or_update(
        self, schedule: Any, *, overrides: Sequence[str] = (), name: str | None = None
    ) -> Done[ScheduleInfo]:
        self.calls.append(("create", schedule, list(overrides), name))
        return Done(NIGHTLY)

    def get(self, name: str) -> ScheduleInfo:
        self.calls.append(("get", name))
        return NIGHTLY

    def list(self, *, list_view_type: str = "EnabledOnly") -> Sequence[ScheduleInfo]:
        self.calls.append(("list", list_view_type))
        return [NIGHTLY]

    def begin_enable(self, name: str) -> Done[ScheduleInfo]:
        self.calls.append(("enable", name))
        return Done(NIGHTLY)

    def begin_disable(self, name: str) -> Done[ScheduleInfo]:
        self.calls.append(("disable", name))
        return Done(NIGHTLY)

    def begin_delete(self, name: str) -> Done[None]:
        self.calls.append(("delete", name))
        return Done(None)

    def trigger(self, name: str) -> ScheduleTriggerResult:
        self.calls.append(("trigger", name))
        return ScheduleTriggerResult(job_name="nightly-2")


@dataclass
class Client:
    schedules: Schedules = field(default_factory=Schedules)


def run(*argv: str) -> tuple[int, str, str, list[tuple[Any, ...]]]:
    client, out, err = Client(), io.StringIO(), io.StringIO()
    code = main(
        ["schedule", *argv],
        connect=lambda *_, **__: client,  # type: ignore[arg-type, return-value]
        stdin=io.StringIO(),
        stdout=out,
        stderr=err,
        environ={},
    )
    return code, out.getvalue(), err.getvalue(), client.schedules.calls


@pytest.mark.parametrize(
    ("argv", "call"),
    [
        (["create", "-f", "s.yml", "--set", "a=b"], ("create", "s.yml", ["a=b"], None)),
        (["update", "-n", "n", "--set", "tags.a=b"], ("create", None, ["tags.a=b"], "n")),
        (["show", "-n", "n"], ("get", "n")),
        (["list"], ("list", "EnabledOnly")),
        (["list", "--disabled-only"], ("list", "DisabledOnly")),
        (["list", "--include-disabled"], ("list", "All")),
        (["enable", "-n", "n"], ("enable", "n")),
        (["disable", "-n", "n", "--no-wait"], ("disable", "n")),
        (["delete", "-n", "n", "-y"], ("delete", "n")),
        (["run-now", "-n", "n"], ("trigger", "n")),
        (["trigger", "-n", "n"], ("trigger", "n")),
    ],
)
def test_a_command_is_one_call(argv: list[str], call: tuple[Any, ...]) -> None:
    code, _, err, calls = run(*argv)
    assert code == 0, err
    assert calls[-1] == call


def test_a_schedule_as_data_has_its_triggers_type() -> None:
    _, out, err, _ = run("create", "-f", "s.yml", "-o", "json")
    found = json.loads(out)
    assert found["trigger"]["type"] == "cron"
    assert [slot["state"] for slot in found["slots"]] == ["started", "missed"]
    assert "it is read as *" in err


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    assert run("create")[0] == run("update", "-n", "n")[0] == 2
    code, _, err, _ = run("create", "-n", "n")
    assert (code, "no schedule is given" in err) == (2, True)


@pytest.mark.parametrize(
    ("trigger", "words"),
    [
        (None, ""),
        (CronTrigger(expression="0 3 * * *"), "cron 0 3 * * *"),
        (RecurrenceTrigger(frequency=Frequency.HOUR, interval=6), "every 6 hours"),
        (
            RecurrenceTrigger(
                frequency=Frequency.WEEK,
                interval=1,
                schedule=RecurrencePattern(
                    hours=(4,), minutes=(0, 30), week_days=(WeekDay.MONDAY,)
                ),
                time_zone="Tokyo Standard Time",
            ),
            "every week on monday at 04:00, 04:30, Tokyo Standard Time",
        ),
    ],
)
def test_a_trigger_in_words(trigger: Any, words: str) -> None:
    assert when(trigger) == words


WATCH = ScheduleInfo(
    name="watch",
    is_enabled=True,
    type="monitor",
    trigger=CronTrigger(expression="0 3 * * 1"),
    create_job="watch.yml",
    monitoring_target="adult/blue",
    monitoring_signals=(
        SignalInfo(
            name="drift",
            type="data_drift",
            alert_enabled=True,
            thresholds=(
                MonitorThreshold(metric="a", feature_type="numerical", threshold=0.1),
                MonitorThreshold(metric="b", feature_type="categorical", threshold=0.25),
                MonitorThreshold(metric="c", feature_type="categorical"),
            ),
            reference="training",
            window="P7D",
        ),
        SignalInfo(name="data_quality", type="data_quality"),
    ),
    slots=(
        SlotInfo(
            slot="2026-03-02T03:00:00+00:00",
            state=SlotState.STARTED,
            job="watch-1",
            verdict="breach",
            note="drift: age",
        ),
        SlotInfo(slot="2026-02-23T03:00:00+00:00", state=SlotState.STARTED, job="watch-0"),
    ),
)


def told(view: Any) -> list[str]:
    text: str = view.text(Terminal(io.StringIO(), {}))
    return [line.rstrip() for line in text.splitlines()]


def test_a_monitor_tells_target_signals_thresholds_and_verdicts() -> None:
    lines = told(schedule_view(WATCH))
    assert any(line.split() == ["monitors", "adult/blue"] for line in lines)
    start = lines.index("signals")
    assert lines[start + 1 : start + 5] == [
        "  drift  data_drift  rows of P7D, against training",
        "    numerical: a 0.1; categorical: b 0.25, c",
        "  data_quality  reported only",
        "    default metrics and thresholds",
    ]
    slots = lines[lines.index("last slots") + 1 :]
    assert slots[0].endswith("started  watch-1  breach: drift: age")
    assert slots[1].endswith("started  watch-0")


def test_a_list_tells_monitors_from_jobs() -> None:
    assert "Type" not in "".join(told(schedules_view([NIGHTLY])))
    header, *rows = told(schedules_view([NIGHTLY, WATCH]))
    assert "Type" in header
    assert [row.split()[:2] for row in rows if row.split()[:1] == ["watch"]] == [
        ["watch", "monitor"]
    ]
