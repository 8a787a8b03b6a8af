"""A monitor's run, as a step of a job."""

from __future__ import annotations

from amlocal.plan.base import Value
from amlocal.plan.monitor import CreateMonitor


class Monitoring(Value, frozen=True):
    """One run of a monitor.

    What it compares is bound when it runs, but for what other steps of its job make of data.

    Attributes:
        name: The monitor's.
        now: The slot that it is of, from which windows are seen, ISO 8601 in UTC.
        monitor: What is asked.
        prepared: Inputs of the step that stand for data, by `SIGNAL/ROLE`.
    """

    name: str
    now: str
    monitor: CreateMonitor
    prepared: dict[str, str] = {}
