"""Traffic, models, and deployments change under load: nothing is lost, and no answer is late."""

from __future__ import annotations

import time

import pytest
from tests.faults.load import load
from tests.faults.site import Site

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def both(site: Site) -> Site:
    """Two deployments of models with other answers."""
    site.deploy("blue", "old")
    site.deploy("green", "new")
    site.route(blue=100)
    return site


def test_traffic_moves_from_0_to_100_percent_and_back(both: Site) -> None:
    with load(both) as asking:
        for _ in range(5):
            for traffic, answering in (({"blue": 0, "green": 100}, "new"), ({"blue": 100}, "old")):
                both.route(**{"green": 0, **traffic})
                moved = time.monotonic()
                asking.wait_for(200)
                assert {outcome.model for outcome in asking.after(moved)} <= {answering}
    assert asking.errors() == set(), asking.count()
    assert asking.models() == {"old", "new"}
    names = {(outcome.deployment, outcome.model) for outcome in asking.outcomes}
    assert names == {("blue", "old"), ("green", "new")}


def test_a_deployment_is_updated(both: Site) -> None:
    both.route(blue=100, green=0)
    try:
        with load(both) as asking:
            asking.wait_for(200)
            for model in ("new", "old", "new"):
                both.deploy("blue", model)
                updated = time.monotonic()
                asking.wait_for(300)
                assert {outcome.model for outcome in asking.after(updated)} == {model}
    finally:
        both.deploy("blue", "old")
    assert asking.errors() == set(), asking.count()
    assert {outcome.deployment for outcome in asking.outcomes} == {"blue"}


def test_instances_are_added_and_taken_away(both: Site) -> None:
    both.route(blue=100, green=0)
    with load(both) as asking:
        for count in (2, 1):
            asking.wait_for(200)
            both.deploy("blue", "old", instances=count)
            both.wait_until_ready("blue", count)
        asking.wait_for(200)
    assert asking.errors() == set(), asking.count()
    assert asking.models() == {"old"}


def test_a_deployment_is_deleted_once_the_traffic_has_moved(both: Site) -> None:
    both.route(blue=100, green=0)
    with load(both) as asking:
        asking.wait_for(200)
        both.route(blue=0, green=100)
        both.delete("blue")
        assert both.instances("blue/") == set()
        asking.wait_for(200)
        both.deploy("blue", "old")
        both.route(blue=100, green=0)
        moved = time.monotonic()
        asking.wait_for(200)
    assert asking.errors() == set(), asking.count()
    assert {outcome.deployment for outcome in asking.after(moved)} == {"blue"}
