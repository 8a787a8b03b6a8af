"""Waits for the supervisor to have done what is wanted: `amlocal.endpoint_operations.Poller`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from amlocal.errors import TargetError
from amlocal.local.endpoints.records import EndpointRecords
from amlocal.local.endpoints.supervision import Supervision
from amlocal.plan.endpoint_info import FAILED, SETTLED, SUCCEEDED

T = TypeVar("T")

IN_PROGRESS = "InProgress"
#: Seconds that what was ready before may take to be so again.
BACK_SECONDS = 60.0
_POLL_SECONDS = 0.02
#: How often it is looked whether the supervisor lives, and how often it is started anew.
_LOOK_SECONDS, _MAX_REVIVALS = 1.0, 3


class Watched(Protocol):
    """What a record tells of the state of what it is of."""

    @property
    def state(self) -> str:
        """One of Azure's states."""

    @property
    def error(self) -> str:
        """Why it Failed."""


@dataclass(frozen=True, slots=True)
class RecordPoller(Generic[T]):
    """Watches a record until it is settled.

    Attributes:
        what: What it is of, for messages.
        look: Gives the record, or None where there is none, which counts as done.
        outcome: Gives the result once it is done.
        supervision: Who works at it.
    """

    what: str
    look: Callable[[], Watched | None]
    outcome: Callable[[], T]
    supervision: Supervision

    def done(self) -> bool:
        """Whether it has ended."""
        return self.status() != IN_PROGRESS

    def status(self) -> str:
        """Return `InProgress`, `Succeeded`, or `Failed`."""
        record = self.look()
        if record is None:
            return SUCCEEDED
        return record.state if record.state in SETTLED else IN_PROGRESS

    def result(self, timeout: float | None = None) -> T:
        """Wait for the end and return what came of it.

        Raises:
            TargetError: It Failed, is not done in time, or nobody works at it.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        revivals, next_look = 0, time.monotonic() + _LOOK_SECONDS
        while not self.done():
            now = time.monotonic()
            if deadline is not None and now > deadline:
                raise TargetError(
                    f"{self.what} is not done within {timeout:g} s",
                    hint="it goes on; look again, or give it more time",
                )
            if now > next_look:
                next_look = now + _LOOK_SECONDS
                revivals += self._revive(revivals)
            time.sleep(_POLL_SECONDS)
        record = self.look()
        if record is not None and record.state == FAILED:
            raise TargetError(f"{self.what} failed: {record.error}")
        return self.outcome()

    def _revive(self, revivals: int) -> int:
        """Start a supervisor that has ended; returns how often that was, 0 or 1."""
        if self.supervision.is_alive():
            return 0
        if self.supervision.was_ended() or revivals == _MAX_REVIVALS:
            raise TargetError(
                f"the supervisor of endpoints has ended before {self.what} was done:\n"
                f"{self.supervision.log_tail()}",
                hint="start it with: aml workspace up",
            )
        self.supervision.ensure()
        return 1


def wait_until_back(records: EndpointRecords, timeout: float, endpoint: str | None = None) -> None:
    """Wait until what was ready before takes requests again, or has trouble to, or time is up.

    Args:
        records: Tell of it.
        timeout: Seconds.
        endpoint: The endpoint that is waited for; None waits for all.
    """
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        served = [record for record in records.deployments(endpoint) if record.is_ready]
        if all(record.ready or record.trouble for record in served):
            return
        time.sleep(_POLL_SECONDS)
