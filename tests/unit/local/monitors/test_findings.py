"""What a run has found becomes events, each once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from amlocal.local.database import Database
from amlocal.local.monitors.findings import Findings, breaches_of, note_of
from amlocal.local.records import JobRecords, timestamp
from amlocal.local.triggers.events import events_after
from amlocal.plan import JobInfo, JobStatus, MonitorBreach, MonitorInfo


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "records.db", on_full=lambda: None)


def metric(feature: str, value: float | None, p_value: float | None, **fields: Any) -> Any:
    verdict = "breach" if p_value is None or p_value < 0.005 else "ok"
    return {
        "metric": "distance",
        "feature": feature,
        "value": value,
        "threshold": 0.1,
        "adjusted_p_value": p_value,
        "rows": 500,
        "verdict": verdict,
        "note": "",
        **fields,
    }


def document(*metrics: Any, verdict: str = "breach", notes: tuple[str, ...] = ()) -> Any:
    signal = {"name": "drift", "type": "data_drift", "metrics": metrics, "notes": notes}
    return {"verdict": verdict, "signals": [signal], "failed": []}


def test_the_worst_metric_stands_for_a_signal() -> None:
    found = document(
        metric("a", 0.3, 1e-9), metric("b", 0.5, 1e-9), metric("c", 0.9, 1e-4), metric("d", 0.1, 1)
    )
    (breach,) = breaches_of(found, {"drift": True})
    assert (breach.feature, breach.value, breach.features) == ("b", 0.5, 3)
    assert breach.alert_enabled
    assert note_of(found, [breach]) == (
        "drift: distance of b 0.5, threshold 0.1 and 2 more features"
    )


def test_a_metric_whose_noise_is_not_known_counts_by_its_threshold() -> None:
    (breach,) = breaches_of(document(metric("", 0.3, None), metric("", 0.2, None)), {})
    assert (breach.value, breach.features, breach.alert_enabled) == (0.3, 0, False)


def test_a_note_says_why_there_is_nothing() -> None:
    failed = {"name": "own", "type": "custom", "error": "signal 'own': no metrics\n  -> make some"}
    quiet = document(metric("a", 0.05, 1.0), verdict="failed") | {"failed": [failed]}
    assert note_of(quiet, []) == "1 metrics, no breach; signal 'own': no metrics"
    assert note_of({**quiet, "signals": []}, []) == "signal 'own': no metrics"
    few = document(metric("a", None, 1.0, note="3 rows, 100 are needed"), verdict="insufficient")
    assert note_of(few, []) == "not enough rows: 3 rows, 100 are needed"
    empty = document(verdict="insufficient", notes=("the reference has no rows",))
    assert note_of(empty, []) == "not enough rows: the reference has no rows"
    assert note_of(document(metric("a", 0.0, 1.0), verdict="ok"), []) == "1 metrics, no breach"


def ended(name: str, *breaches: MonitorBreach, status: JobStatus = JobStatus.COMPLETED) -> JobInfo:
    found = MonitorInfo(monitor="watch", slot="now", verdict="breach", breaches=breaches)
    return JobInfo(
        name=name,
        type="command",
        status=status,
        creation_time=timestamp(),
        monitor=found if status is JobStatus.COMPLETED else None,
    )


def breach(signal: str, kind: str = "data_drift", *, alert: bool = True) -> MonitorBreach:
    return MonitorBreach(
        signal=signal,
        type=kind,
        metric="m",
        value=0.5,
        threshold=0.1,
        alert_enabled=alert,
    )


def test_each_breach_becomes_one_event(database: Database) -> None:
    records, findings = JobRecords(database), Findings(database)
    kinds = ("data_drift", "model_performance", "custom", "feature_attribution_drift")
    breaches = [breach(kind, kind) for kind in kinds]
    records.add(ended("j", *breaches, breach("silent", alert=False)))
    findings.expect("j")
    findings.expect("j")
    told = findings.settle(records)
    assert [(event.type, event.source) for event in told] == [
        ("drift", "watch"),
        ("performance_decay", "watch"),
        ("drift", "watch"),
        ("drift", "watch"),
    ]
    assert told[0].key == "j:data_drift"
    assert told[0].detail["value"] == 0.5
    assert findings.settle(records) == []
    # As after a kill between the events and the end of the note.
    findings.expect("j")
    findings.settle(records)
    assert len(events_after(database, 0)) == len(kinds)


def test_a_run_is_waited_for_until_it_has_ended(database: Database) -> None:
    records, findings = JobRecords(database), Findings(database)
    findings.expect("unknown")
    running = ended("j", status=JobStatus.RUNNING)
    records.add(running)
    findings.expect("j")
    assert findings.settle(records) == []
    records.save(ended("j", breach("drift")))
    assert [event.key for event in findings.settle(records)] == ["j:drift"]


def test_a_run_that_failed_has_found_nothing(database: Database) -> None:
    records, findings = JobRecords(database), Findings(database)
    records.add(ended("j", status=JobStatus.FAILED))
    findings.expect("j")
    assert findings.settle(records) == []
    assert database.all("SELECT job FROM waiting_findings") == []
