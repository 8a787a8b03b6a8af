"""What deployments did within a time, from counts that only grow, and start anew with a process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from amlocal.plan import DeploymentMetrics

Counts = Mapping[str, DeploymentMetrics]

_NOTHING = DeploymentMetrics()


def increase(before: DeploymentMetrics, after: DeploymentMetrics) -> DeploymentMetrics:
    """Return what was counted between two readings.

    Counts that have fallen began anew in between (the process that counts was replaced), so all of
    the later reading is new, as Prometheus' `increase` has it.
    """
    if _events(after) < _events(before):
        return after
    return DeploymentMetrics(
        requests=_minus(after.requests, before.requests),
        mirrored=_minus(after.mirrored, before.mirrored),
        latency=_minus(after.latency, before.latency),
        mirrored_latency=_minus(after.mirrored_latency, before.mirrored_latency),
        agreed=max(0, after.agreed - before.agreed),
        disagreed=max(0, after.disagreed - before.disagreed),
    )


def total(parts: Iterable[DeploymentMetrics]) -> DeploymentMetrics:
    """Return the sum of counts, of several deployments or of several times."""
    found = _NOTHING
    for part in parts:
        found = DeploymentMetrics(
            requests=plus(found.requests, part.requests),
            mirrored=plus(found.mirrored, part.mirrored),
            latency=plus(found.latency, part.latency),
            mirrored_latency=plus(found.mirrored_latency, part.mirrored_latency),
            agreed=found.agreed + part.agreed,
            disagreed=found.disagreed + part.disagreed,
        )
    return found


class Window:
    """Adds up what deployments do from one reading to the next."""

    def __init__(self) -> None:
        self._last: dict[str, DeploymentMetrics] | None = None
        self._sums: dict[str, DeploymentMetrics] = {}

    def add(self, reading: Counts) -> None:
        """Take a reading; the first one is where the time begins."""
        for name, counts in reading.items():
            if self._last is not None:
                step = increase(self._last.get(name, _NOTHING), counts)
                self._sums[name] = total([self.of(name), step])
        self._last = {**(self._last or {}), **reading}

    def of(self, name: str) -> DeploymentMetrics:
        """Return what a deployment did since the first reading."""
        return self._sums.get(name, _NOTHING)

    def last(self, name: str) -> DeploymentMetrics:
        """Return the counts of a deployment's last reading."""
        return (self._last or {}).get(name, _NOTHING)

    def all_of(self, names: Iterable[str]) -> DeploymentMetrics:
        """Return what several deployments did since the first reading."""
        return total(self.of(name) for name in names)


def _events(counts: DeploymentMetrics) -> int:
    return sum(counts.requests.values()) + sum(counts.mirrored.values())


def _minus(after: Mapping[str, int], before: Mapping[str, int]) -> dict[str, int]:
    return {key: max(0, count - before.get(key, 0)) for key, count in after.items()}


def plus(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    """Return the sum of two counts, key by key."""
    return {
        key: one.get(key, 0) + other.get(key, 0) for key in [*one, *(other.keys() - one.keys())]
    }
