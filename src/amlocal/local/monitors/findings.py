"""What a monitor's run has found, and the events that it becomes: each breach once.

A run is noted before it begins. Its engine writes what was found together with the step's end, then
records the events, and then forgets the note. Where it is killed in between, the note is left, and
whoever looks next (the scheduler, an evaluation of triggers) records them. An event's key is made
of the job and the signal, so it is there once, however many record it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from amlocal.local.database import Database
from amlocal.local.records import JobRecords
from amlocal.local.triggers.events import NewEvent, record_together
from amlocal.plan import MonitorBreach, MonitorInfo, Scalar
from amlocal.plan.trigger import EventInfo

#: The event of a signal's breach, where it is no drift.
_KINDS = {"model_performance": "performance_decay"}


def breaches_of(
    document: Mapping[str, Any], alerts: Mapping[str, bool]
) -> tuple[MonitorBreach, ...]:
    """Return the signals that breach, each with its worst metric.

    Args:
        document: What `monitorkit` wrote to `monitor.json`.
        alerts: Whether a breach is an event, by signal.
    """
    found = []
    for signal in document["signals"]:
        metrics = [each for each in signal["metrics"] if each["verdict"] == "breach"]
        if not metrics:
            continue
        worst = min(metrics, key=_rank)
        found.append(
            MonitorBreach(
                signal=signal["name"],
                type=signal["type"],
                metric=worst["metric"],
                value=worst["value"],
                threshold=worst["threshold"],
                feature=worst["feature"],
                rows=worst["rows"],
                features=len({each["feature"] for each in metrics if each["feature"]}),
                alert_enabled=alerts.get(signal["name"], False),
            )
        )
    return tuple(found)


def _rank(metric: Mapping[str, Any]) -> tuple[float, float]:
    """Return what the worst metric is least in: its p-value, then how near the threshold it is."""
    value, threshold = float(metric["value"]), float(metric["threshold"])
    p_value = metric["adjusted_p_value"]
    distance = abs(value - threshold) / (abs(threshold) or 1.0)
    return (0.0 if p_value is None else float(p_value)), -distance


def note_of(document: Mapping[str, Any], breaches: Sequence[MonitorBreach]) -> str:
    """Return in a line what came of a run."""
    metrics = [each for signal in document["signals"] for each in signal["metrics"]]
    said = _note_of_computed(document, metrics, breaches)
    failed = [signal["error"].splitlines()[0] for signal in document["failed"]]
    return "; ".join([*([said] if metrics else []), *failed]) if failed else said


def _note_of_computed(
    document: Mapping[str, Any],
    metrics: Sequence[Mapping[str, Any]],
    breaches: Sequence[MonitorBreach],
) -> str:
    if document["verdict"] == "insufficient":
        notes = [note for signal in document["signals"] for note in signal["notes"]]
        why = next(
            filter(None, (*(each["note"] for each in metrics), *notes)), "nothing to compare"
        )
        return f"not enough rows: {why}"
    if not breaches:
        return f"{len(metrics)} metrics, no breach"
    return "; ".join(_said(breach) for breach in breaches)


def _said(breach: MonitorBreach) -> str:
    where = f" of {breach.feature}" if breach.feature else ""
    more = f" and {breach.features - 1} more features" if breach.features > 1 else ""
    limit = f"{breach.value:.3g}, threshold {breach.threshold:.3g}"
    return f"{breach.signal}: {breach.metric}{where} {limit}{more}"


class Findings:
    """What was found and is not yet recorded as events, in a workspace's database."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def expect(self, job: str) -> None:
        """Note that a run begins whose findings are to be recorded."""
        with self._db.writing():
            self._db.execute("INSERT OR IGNORE INTO waiting_findings (job) VALUES (?)", (job,))

    def settle(self, records: JobRecords) -> list[EventInfo]:
        """Record what runs have found that have ended; returns the events.

        Args:
            records: The workspace's jobs.
        """
        found = []
        for (job,) in self._db.all("SELECT job FROM waiting_findings ORDER BY rowid"):
            status = records.status(job)
            if status is None or not status.is_terminal:
                continue
            info = records.get(job)
            if info.monitor is not None:
                found += self._record(info.monitor, records.root_of(job))
            with self._db.writing():
                self._db.execute("DELETE FROM waiting_findings WHERE job = ?", (job,))
        return found

    def _record(self, found: MonitorInfo, root: str) -> list[EventInfo]:
        events = [
            NewEvent(
                kind=_KINDS.get(breach.type, "drift"),
                source=found.monitor,
                detail=_detail(breach, found, root),
                key=f"{root}:{breach.signal}",
            )
            for breach in found.breaches
            if breach.alert_enabled
        ]
        return record_together(self._db, events)


def _detail(breach: MonitorBreach, found: MonitorInfo, job: str) -> dict[str, Scalar]:
    return {
        "monitor": found.monitor,
        "job": job,
        "signal": breach.signal,
        "metric": breach.metric,
        "feature": breach.feature,
        "features": breach.features,
        "value": breach.value,
        "threshold": breach.threshold,
        "rows": breach.rows,
        "report": found.report,
        "endpoint": found.endpoint,
        "deployment": found.deployment,
        "model": found.model,
    }
