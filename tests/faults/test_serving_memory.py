"""An hour's requests: memory stays where it is."""

from __future__ import annotations

import statistics

import pytest
from tests.faults.load import load
from tests.faults.site import Site

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]

#: An hour of 55 requests a second; three minutes on a core that has nothing else to do.
REQUESTS = 200_000
#: The first tenth is not looked at: pools fill, and code is compiled and cached.
WARM = 20_000
SAMPLES = 20
#: MiB that a process may grow by in the hour, by the line through its samples.
GROWN_MIB = 2.0


def test_memory_does_not_grow(site: Site) -> None:
    site.deploy("blue", "old", instances=1)
    site.route(blue=100)
    pids = site.pids()
    samples: list[dict[str, float]] = []
    step = (REQUESTS - WARM) // SAMPLES
    with load(site, clients=16) as asking:
        asking.wait_for(WARM, seconds=900)
        for _ in range(SAMPLES):
            samples.append(site.memory())
            asking.wait_for(step, seconds=300)
        samples.append(site.memory())
    assert asking.errors() == set(), asking.count()
    assert site.pids() == pids
    for role in samples[0]:
        values = [sample[role] for sample in samples]
        slope = statistics.linear_regression(range(len(values)), values).slope
        grown = slope * REQUESTS / step
        print(f"{role}: {values[0]:.1f} to {values[-1]:.1f} MiB, {grown:+.2f} MiB an hour")
        assert grown < GROWN_MIB
