"""The trials of a search as a table: number, state, time, metric, parameters; draws nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from amlocal.cli import text
from amlocal.plan import AutoMLInfo, JobInfo, Scalar, SearchInfo, TrialInfo, best_trial

#: Columns that the parameters of an AutoML trial may take.
_LONGEST = 100


def parameters(given: Mapping[str, Scalar]) -> str:
    """Return parameters on one line."""
    return ", ".join(f"{name} {value(found)}" for name, found in sorted(given.items()))


def value(found: Scalar) -> str:
    """Return a parameter's value, a number with six significant digits."""
    is_fraction = isinstance(found, float) and not isinstance(found, bool)
    return text.number(float(found)) if is_fraction else text.clean(str(found))


def tried(trial: TrialInfo) -> str:
    """Return what a trial tries on one line: its algorithm, if it has one, and parameters."""
    return with_algorithm(trial.algorithm, trial.parameters)


def with_algorithm(algorithm: str, given: Mapping[str, Scalar]) -> str:
    """Return an algorithm, or an empty string, and parameters on one line."""
    if not algorithm:
        return parameters(given)
    return ", ".join(filter(None, (algorithm, _clipped(given))))


def brief(trial: TrialInfo) -> str:
    """Return a trial's parameters on one line, whose length is bounded where AutoML chose them."""
    return _clipped(trial.parameters) if trial.algorithm else parameters(trial.parameters)


def _clipped(given: Mapping[str, Scalar]) -> str:
    # An ensemble's members, which are parameters too, may be many.
    return text.clip(parameters(given), _LONGEST, "...")


def rows(
    search: SearchInfo, trials: Sequence[JobInfo], best: JobInfo | None, mark: str
) -> list[dict[str, str]]:
    """Return a table's rows, cells by header."""
    return [
        {
            "trial": str(info.trial.number),
            **({"algorithm": info.trial.algorithm} if info.trial.algorithm else {}),
            "status": "reused" if info.reused_from else info.status.value,
            "time": text.duration(info.duration) if info.duration else "",
            text.clean(search.metric): _metric(info, best, mark),
            **_columns(info.trial),
        }
        for info in trials
        if info.trial is not None
    ]


def _columns(trial: TrialInfo) -> dict[str, str]:
    if trial.algorithm:  # each algorithm has parameters of its own: a column for all
        return {"hyperparameters": brief(trial)}
    return {name: value(found) for name, found in sorted(trial.parameters.items())}


def _metric(info: JobInfo, best: JobInfo | None, mark: str) -> str:
    if info.trial is None or info.trial.value is None:
        return ""
    is_best = best is not None and info.name == best.name
    return f"{text.number(info.trial.value)} {mark}" if is_best else text.number(info.trial.value)


def progress(search: SearchInfo, trials: Sequence[JobInfo]) -> str:
    """Return how far a search has come, in a few words."""
    ended = sum(info.status.is_terminal for info in trials)
    said = f"{ended} of {text.plural(max(search.max_total_trials, len(trials)), 'trial')}"
    if isinstance(search, AutoMLInfo):  # which ends when its time is over rather than its trials
        said = text.plural(ended, "trial")
    best = best_trial(search.goal, trials)
    if best is None or best.trial is None or best.trial.value is None:
        return said
    return f"{said}, best {search.metric} {text.number(best.trial.value)} ({best.label})"


@dataclass
class Board:
    """Follows a search; may be read from another thread than it is told from.

    Attributes:
        job: The search's job.
        now: The clock.
    """

    job: JobInfo
    now: Callable[[], float] = time.monotonic
    _trials: dict[str, JobInfo] = field(default_factory=dict)
    _since: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._began = self.now() - self.job.duration
        for trial in self.job.children:
            self.change(trial)

    def change(self, info: JobInfo) -> None:
        """Take the new state of a trial, or of the search itself."""
        with self._lock:
            if info.trial is None:
                self.job = info
                return
            self._trials[info.name] = info
            if info.start_time and info.name not in self._since:
                self._since[info.name] = self.now() - info.duration

    @property
    def search(self) -> SearchInfo:
        """What the search is about."""
        return self.job.search or SearchInfo(metric="metric", goal="minimize")

    @property
    def seconds(self) -> float:
        """How long the search has run."""
        return self.job.duration if self.job.status.is_terminal else self.now() - self._began

    def trials(self) -> list[JobInfo]:
        """Return the trials so far, by number."""
        with self._lock:
            return list(self._trials.values())

    def shown(self, room: int) -> list[JobInfo]:
        """Return the trials for which there is room: the best, those that run, the latest."""
        trials = self.trials()
        if len(trials) <= room:
            return trials
        best = best_trial(self.search.goal, trials)
        first = [info for info in trials if info is best]
        first += [info for info in trials if not info.status.is_terminal]
        first += [info for info in reversed(trials) if info not in first]
        chosen = {info.name for info in first[: max(room, 0)]}
        return [info for info in trials if info.name in chosen]

    def running_time(self, info: JobInfo) -> float:
        """Return how long a trial ran, or has run so far."""
        if info.status.is_terminal or info.name not in self._since:
            return info.duration
        return self.now() - self._since[info.name]
