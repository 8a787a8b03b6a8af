"""Ten times as many requests as can be scored, for half a minute."""

from __future__ import annotations

import asyncio
import statistics
import time

import pytest
from tests.faults.load import Client, Outcome, load
from tests.faults.site import Site

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

AT_ONCE = 2
TIMES, SECONDS = 10, 30
TOO_MANY = (429, "", "too_many_pending_request")
#: MiB that a process may keep of it.
KEPT_MIB = 16


async def send_at(site: Site, rate: float, seconds: float) -> list[Outcome]:
    """Send requests at a rate, whether or not earlier ones were answered; one that is late for its
    time, since the machine is busy, is sent at once."""
    idle: list[Client] = []

    async def ask(x: int) -> Outcome:
        client = idle.pop() if idle else Client(site)
        outcome = await client.ask(x)
        idle.append(client)
        return outcome

    tasks = []
    began = time.monotonic()
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        tasks.append(asyncio.create_task(ask(number)))
    outcomes = await asyncio.gather(*tasks)
    for client in idle:
        client.close()
    return outcomes


def saturation(site: Site, seconds: float = 4.0) -> float:
    """Return the right answers a second to as many clients as are let in."""
    with load(site, clients=2 * AT_ONCE) as asking:
        asking.wait_for(10)
        began, before = time.monotonic(), len(asking.outcomes)
        time.sleep(seconds)
        rate = (len(asking.outcomes) - before) / (time.monotonic() - began)
    assert asking.errors() == set()
    return rate


def test_ten_times_saturation(site: Site) -> None:
    # The model waits rather than works, so that rates do not depend on what else the machine does.
    site.deploy("blue", "slow", at_once=AT_ONCE)
    site.route(blue=100)
    rate = saturation(site)
    latency, memory, pids = site.latency(40), site.memory(), site.pids()
    began = time.monotonic()
    outcomes = asyncio.run(send_at(site, TIMES * rate, SECONDS))
    took = time.monotonic() - began
    right = [outcome for outcome in outcomes if outcome.is_right]
    rejected = [outcome for outcome in outcomes if not outcome.is_right]
    print(
        f"saturation {rate:.0f}/s; {len(outcomes)} sent in {took:.1f} s, {len(right)} right; "
        f"429 within {statistics.median(o.ended - o.began for o in rejected) * 1000:.1f} ms"
    )
    assert len(outcomes) / took > 0.8 * TIMES * rate, "the machine is too busy to send so many"
    assert {outcome.kind for outcome in rejected} == {TOO_MANY}
    # As many as ever are scored meanwhile, and those who are let in wait for one turn at most.
    assert len(right) > 0.6 * rate * took
    assert {outcome.model for outcome in right} == {"old"}
    assert statistics.median(o.ended - o.began for o in right) < 6 * latency
    assert max(outcome.ended for outcome in outcomes) < began + took
    # Then all is as it was.
    assert site.latency(40) < 1.5 * latency + 0.01
    with load(site, clients=2 * AT_ONCE) as asking:
        asking.wait_for(50)
    assert asking.errors() == set()
    assert site.pids() == pids
    after = site.memory()
    print({role: (round(memory[role]), round(after[role])) for role in memory})
    assert all(after[role] < memory[role] + KEPT_MIB for role in memory)
