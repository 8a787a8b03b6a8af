"""Processes of an endpoint are killed under load: what is lost is what the documentation says."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable

import psutil
import pytest
from tests.faults.documented import ERRORS
from tests.faults.load import CUT, REFUSED, load
from tests.faults.site import Site
from tests.lab import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

BROKEN, NOT_READY = (424, "502", "model_error"), (424, "503", "model_not_ready")
CLIENTS = 8


@pytest.fixture(scope="module")
def served(site: Site) -> Site:
    """Two instances with all the traffic."""
    site.deploy("blue", "old", instances=2)
    site.route(blue=100)
    return site


def kill(pids: Iterable[int]) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def test_an_instance_is_killed_again_and_again(served: Site) -> None:
    kills = 3
    with load(served, clients=CLIENTS) as asking:
        for _ in range(kills):
            asking.wait_for(200)
            before = served.instances()
            assert len(before) == 2
            victim = min(before)
            kill([victim])
            wait_for(lambda b=before, v=victim: served.instances() - b and not psutil.pid_exists(v))
            served.wait_until_ready("blue", 2)
        asking.wait_for(200)
    counts = asking.count()
    assert asking.errors() <= {BROKEN}, counts
    # What the killed one was scoring, and no more.
    assert counts[BROKEN] <= kills * CLIENTS
    assert asking.models() == {"old"}


def test_all_instances_are_killed_at_once(served: Site) -> None:
    with load(served, clients=CLIENTS) as asking:
        asking.wait_for(200)
        before = served.instances()
        kill(before)
        wait_for(lambda: len(served.instances() - before) == 2)
        served.wait_until_ready("blue", 2)
        back = time.monotonic()
        asking.wait_for(500)
    assert asking.errors() <= {BROKEN, NOT_READY}, asking.count()
    assert all(outcome.is_right for outcome in asking.after(back))
    assert asking.models() == {"old"}


def test_the_router_is_killed_again_and_again(served: Site) -> None:
    kills = 3
    with load(served, clients=CLIENTS) as asking:
        for _ in range(kills):
            asking.wait_for(200)
            before = served.router()
            kill([before])
            killed = time.monotonic()
            wait_for(lambda b=before: served.processes("router").keys() - {b})
            asking.wait_for(500)
            first = min(outcome.ended for outcome in asking.after(killed) if outcome.is_right)
            print(f"answers again after {first - killed:.2f} s")
    counts = asking.count()
    # What is connected is cut; new connections wait for the next router.
    assert asking.errors() == {CUT}, counts
    assert counts[CUT] <= kills * CLIENTS
    assert asking.models() == {"old"}


def test_an_update_is_done_where_router_and_instances_are_killed_meanwhile(served: Site) -> None:
    with load(served, clients=CLIENTS) as asking:
        for model in ("new", "old"):
            asking.wait_for(100)
            before = served.instances()
            change = served.begin_deploy("blue", model, instances=2)
            wait_for(lambda b=before: served.instances() - b)
            kill([served.router(), *before])
            assert change.result(120).provisioning_state == "Succeeded"
            updated = time.monotonic()
            asking.wait_for(200)
            assert {outcome.model for outcome in asking.after(updated)} == {model}
    assert asking.errors() <= {CUT, BROKEN, NOT_READY}, asking.count()
    assert not served.instances() & before


def test_the_supervisor_is_killed(served: Site) -> None:
    before = served.pids()
    with load(served, clients=CLIENTS) as asking:
        asking.wait_for(200)
        kill([served.supervisor()])
        # Router and instances end with it.
        wait_for(lambda: not any(map(psutil.pid_exists, before)))
        wait_for(lambda: asking.outcomes[-1].kind == REFUSED)
        (shown,) = served.stage.client.online_endpoints.list()
        assert shown.scoring_uri == f"http://127.0.0.1:{served.port}/score"
        served.wait_until_ready("blue", 2)
        back = time.monotonic()
        asking.wait_for(500)
    assert asking.errors() <= {CUT, REFUSED, BROKEN, NOT_READY}, asking.count()
    assert all(outcome.is_right for outcome in asking.after(back))
    assert asking.models() == {"old"}


def test_every_error_that_was_met_is_documented() -> None:
    assert {BROKEN, NOT_READY} <= ERRORS
