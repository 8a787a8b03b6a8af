"""What a router counts, and the page that Prometheus reads."""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Protocol

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

#: Upper bounds in seconds: from 1 ms, each a quarter above the last, up to the longest time-out.
BOUNDS = (*(round(0.001 * 1.25**step, 6) for step in range(55)), 180.0)
_BOUND_NAMES = (*(str(bound) for bound in BOUNDS), "+Inf")


class Tally:
    """Counts of one kind of requests to a deployment.

    Plain integers: an observation by the client library costs more than all else that a request
    has counted.
    """

    __slots__ = ("buckets", "seconds", "statuses")

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.buckets = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0

    def count(self, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        self.statuses[status] += 1
        self.buckets[bisect.bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds

    def reject(self, status: int) -> None:
        """Count a request that was turned away at once: its time says nothing of the model."""
        self.statuses[status] += 1

    def cumulative(self) -> list[tuple[str, float]]:
        """Return how many were answered within each bound, the bounds as text."""
        total = 0
        found: list[tuple[str, float]] = []
        for name, number in zip(_BOUND_NAMES, self.buckets, strict=True):
            total += number
            found.append((name, total))
        return found


class Counts:
    """All that is counted of one deployment."""

    __slots__ = ("agreed", "collected", "disagreed", "live", "lost", "mirrored", "unmirrored")

    def __init__(self) -> None:
        self.live = Tally()
        self.mirrored = Tally()
        self.agreed = 0
        self.disagreed = 0
        #: Copies that were not sent, since too many were on their way.
        self.unmirrored = 0
        #: Events of the data collector by collection: written, and not.
        self.collected: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()


class Counted(Protocol):
    """A deployment, as the metrics see it."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def counts(self) -> Counts:
        """What was counted."""

    @property
    def running(self) -> int:
        """Requests that an instance works on."""

    @property
    def queued(self) -> int:
        """Requests that wait for an instance."""


class _Families(Collector):
    """Gives the counts of deployments in the client library's terms."""

    def __init__(self, deployments: Iterable[Counted]) -> None:
        self._deployments = deployments

    def collect(self) -> Iterator[Metric]:
        """Give each family of metrics."""
        yield from _request_families(self._deployments)
        agreement = CounterMetricFamily(
            "amlocal_mirror_agreement",
            "Mirrored answers by whether they were equal to the live ones.",
            labels=["deployment", "agreed"],
        )
        unmirrored = CounterMetricFamily(
            "amlocal_mirror_dropped",
            "Copies that were not sent, since too many were on their way.",
            labels=["deployment"],
        )
        in_flight = GaugeMetricFamily(
            "amlocal_in_flight", "Requests that instances work on.", labels=["deployment"]
        )
        queued = GaugeMetricFamily(
            "amlocal_queued", "Requests that wait for an instance.", labels=["deployment"]
        )
        for deployment in self._deployments:
            counts = deployment.counts
            agreement.add_metric([deployment.name, "yes"], counts.agreed)
            agreement.add_metric([deployment.name, "no"], counts.disagreed)
            unmirrored.add_metric([deployment.name], counts.unmirrored)
            in_flight.add_metric([deployment.name], deployment.running)
            queued.add_metric([deployment.name], deployment.queued)
        yield from (agreement, unmirrored, in_flight, queued)
        yield from _collection_families(self._deployments)


def _request_families(deployments: Iterable[Counted]) -> Iterator[Metric]:
    requests = CounterMetricFamily(
        "amlocal_requests",
        "Requests by the status that they were answered with.",
        labels=["deployment", "status", "mirrored"],
    )
    seconds = HistogramMetricFamily(
        "amlocal_request_seconds",
        "Seconds from a request's last byte to its answer: waiting and scoring.",
        labels=["deployment", "mirrored"],
    )
    for deployment in deployments:
        kinds = (("no", deployment.counts.live), ("yes", deployment.counts.mirrored))
        for mirrored, tally in kinds:
            for status, number in sorted(tally.statuses.items()):
                requests.add_metric([deployment.name, str(status), mirrored], number)
            seconds.add_metric([deployment.name, mirrored], tally.cumulative(), tally.seconds)
    yield from (requests, seconds)


def _collection_families(deployments: Iterable[Counted]) -> Iterator[Metric]:
    collected = CounterMetricFamily(
        "amlocal_collected",
        "Events that the data collector wrote.",
        labels=["deployment", "collection"],
    )
    lost = CounterMetricFamily(
        "amlocal_collect_dropped",
        "Events that the data collector did not write: its queue was full, its disk was, or the "
        "body could not be read as rows or could not be redacted.",
        labels=["deployment", "collection"],
    )
    for deployment in deployments:
        for collection, number in sorted(deployment.counts.collected.items()):
            collected.add_metric([deployment.name, collection], number)
        for collection, number in sorted(deployment.counts.lost.items()):
            lost.add_metric([deployment.name, collection], number)
    yield from (collected, lost)


def render(deployments: Iterable[Counted]) -> bytes:
    """Return the counts in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(tuple(deployments)))
    return generate_latest(registry)
