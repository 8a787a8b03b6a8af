"""What happens in a search, told as lines of JSON in a file that another process follows."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any, Literal

import msgspec


class Setup(msgspec.Struct, frozen=True, tag_field="event", tag="setup"):
    """The data was read and split, and its columns were judged.

    Attributes:
        validation: `{"type": "cross_validation"|"holdout"|"given"|"rolling_origin", "folds": n,
            "rows": n}` and what else tells how models are compared.
        featurization: One row a column: `{"column", "purpose", "transformers", "features"}`.
        guardrails: One row a check: `{"check", "state": "passed"|"fixed"|"done"|"alerted",
            "detail"}`.
    """

    validation: dict[str, Any]
    featurization: list[dict[str, Any]]
    guardrails: list[dict[str, Any]]


class TrialStarted(msgspec.Struct, frozen=True, tag_field="event", tag="trial_started"):
    """A trial began.

    Attributes:
        trial: Its number, from 0.
        algorithm: Azure's name; `VotingEnsemble` or `StackEnsemble` for those.
        hyperparameters: What it is trained with.
        time: Seconds since 1970.
    """

    trial: int
    algorithm: str
    hyperparameters: dict[str, Any]
    time: float


class TrialEnded(msgspec.Struct, frozen=True, tag_field="event", tag="trial_ended"):
    """A trial ended.

    Attributes:
        trial: Its number.
        status: `Completed`, `Failed`, or `Canceled`.
        time: Seconds since 1970.
        score: The primary metric on validation rows, or None.
        metrics: All metrics on validation rows, by Azure's names.
        message: Why it is not Completed.
        is_known: Whether it was taken over from a search that was interrupted.
    """

    trial: int
    status: Literal["Completed", "Failed", "Canceled"]
    time: float
    score: float | None = None
    metrics: dict[str, float] = {}
    message: str | None = None
    is_known: bool = False


class Finished(msgspec.Struct, frozen=True, tag_field="event", tag="finished"):
    """The search ended and `model/` is whole.

    Attributes:
        best_trial: The number of the trial whose model is delivered.
        stopped_because: `max_trials`, `timeout`, `exit_score`, `early_termination`, or
            `exhausted`.
        reason: Why this one and not another, for a reader.
        metrics: On validation rows, by Azure's names.
        test_metrics: On test rows where there are any.
    """

    best_trial: int
    stopped_because: Literal[
        "max_trials", "timeout", "exit_score", "early_termination", "exhausted"
    ]
    reason: str
    metrics: dict[str, float]
    test_metrics: dict[str, float] = {}


Event = Setup | TrialStarted | TrialEnded | Finished


class Events:
    """The file that events are added to; safe for several threads."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        self._stream = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def tell(self, event: Event) -> None:
        """Add one event, as one write: a reader sees whole lines or none."""
        line = msgspec.json.encode(event) + b"\n"
        with self._lock:
            os.write(self._stream, line)

    def close(self) -> None:
        """Close the file."""
        os.close(self._stream)
