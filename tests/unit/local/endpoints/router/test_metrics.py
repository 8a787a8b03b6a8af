"""The metrics page."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pytest
from prometheus_client.parser import text_string_to_metric_families

from amlocal.local.endpoints.router.metrics import BOUNDS, Counts, Tally, render


@dataclass
class FakeDeployment:
    name: str
    counts: Counts = field(default_factory=Counts)
    running: int = 0
    queued: int = 0


def samples(*deployments: FakeDeployment) -> dict[tuple[str, ...], float]:
    page = render(deployments).decode()
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def test_bounds_are_fine_and_reach_the_longest_time_out() -> None:
    assert (BOUNDS[0], BOUNDS[-1]) == (0.001, 180.0)
    assert all(1 < above / below <= 1.251 for below, above in itertools.pairwise(BOUNDS))


def test_a_tally_is_cumulative() -> None:
    tally = Tally()
    for seconds in (0.0005, 0.001, 0.0011, 5.0, 1000.0):
        tally.count(200, seconds)
    found = dict(tally.cumulative())
    assert (found["0.001"], found["0.00125"], found["180.0"], found["+Inf"]) == (2, 3, 4, 5)
    assert tally.seconds == pytest.approx(1005.0026)


def test_what_is_rejected_counts_without_a_time() -> None:
    tally = Tally()
    tally.reject(429)
    assert tally.statuses == {429: 1}
    assert tally.cumulative()[-1] == ("+Inf", 0)


def test_the_page() -> None:
    blue = FakeDeployment("blue", running=2, queued=1)
    blue.counts.live.count(200, 0.02)
    blue.counts.live.count(424, 0.5)
    blue.counts.mirrored.count(200, 0.03)
    blue.counts.agreed, blue.counts.disagreed, blue.counts.unmirrored = 3, 1, 2
    blue.counts.lost["request"] += 1
    blue.counts.collected["request"] += 4
    found = samples(blue, FakeDeployment("green"))
    assert found["amlocal_requests_total", "blue", "no", "200"] == 1
    assert found["amlocal_requests_total", "blue", "no", "424"] == 1
    assert found["amlocal_requests_total", "blue", "yes", "200"] == 1
    assert found["amlocal_request_seconds_bucket", "blue", "+Inf", "no"] == 2
    assert found["amlocal_request_seconds_count", "blue", "no"] == 2
    assert found["amlocal_request_seconds_sum", "blue", "no"] == pytest.approx(0.52)
    assert found["amlocal_request_seconds_count", "green", "yes"] == 0
    # Labels in the order of their names: agreed, deployment.
    assert found["amlocal_mirror_agreement_total", "yes", "blue"] == 3
    assert found["amlocal_mirror_agreement_total", "no", "blue"] == 1
    assert found["amlocal_mirror_dropped_total", "blue"] == 2
    assert found["amlocal_in_flight", "blue"] == 2
    assert found["amlocal_queued", "blue"] == 1
    assert found["amlocal_collect_dropped_total", "request", "blue"] == 1
    assert found["amlocal_collected_total", "request", "blue"] == 4
