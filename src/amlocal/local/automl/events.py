"""What a search tells: lines of JSON in a file that grows, as `automlkit.events` writes them.

Only the fields that are recorded are read; whatever else a line holds is for others.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from amlocal.errors import TargetError

#: Metrics by name; what is not a number is null in JSON.
Metrics = dict[str, float | None]


class Check(msgspec.Struct, frozen=True):
    """One guardrail."""

    check: str
    state: str
    detail: Any = ""


class Setup(msgspec.Struct, frozen=True, tag_field="event", tag="setup"):
    """The data was read and split."""

    validation: dict[str, Any] = {}
    guardrails: list[Check] = []


class TrialStarted(msgspec.Struct, frozen=True, tag_field="event", tag="trial_started"):
    """A trial began, at so many seconds since 1970."""

    trial: int
    algorithm: str
    time: float
    hyperparameters: dict[str, Any] = {}


class TrialEnded(msgspec.Struct, frozen=True, tag_field="event", tag="trial_ended"):
    """A trial ended; `is_known` where an interrupted search had trained it."""

    trial: int
    status: Literal["Completed", "Failed", "Canceled"]
    time: float
    score: float | None = None
    metrics: Metrics = {}
    message: str | None = None
    is_known: bool = False


class Finished(msgspec.Struct, frozen=True, tag_field="event", tag="finished"):
    """The search ended, and its model is whole."""

    best_trial: int
    stopped_because: str = ""
    reason: str = ""
    metrics: Metrics = {}
    test_metrics: Metrics = {}


Event = Setup | TrialStarted | TrialEnded | Finished


@dataclass
class EventFile:
    """A file of events, read as it grows.

    Attributes:
        path: The file; it need not be there yet.
    """

    path: Path
    _at: int = 0

    def new(self) -> list[Event]:
        """Return the events that were added since the last call.

        Raises:
            TargetError: A line is not an event.
        """
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(self._at)
            whole = file.read().rpartition(b"\n")[0]
        if not whole:
            return []
        self._at += len(whole) + 1
        return [self._event(line) for line in whole.split(b"\n")]

    def _event(self, line: bytes) -> Event:
        try:
            event: Event = msgspec.json.decode(line, type=Event)
        except msgspec.MsgspecError as error:
            raise TargetError(f"{self.path} holds a line that is no event: {error}") from None
        return event
