"""Copies of live requests: sent, compared, limited, and never in the way."""

from __future__ import annotations

import time

import pytest
from tests.unit.local.endpoints.router.processes import Router, Stage, deployment, table, wait_until


def mirrored(scene: Stage, percent: int = 100, **settings: object) -> Router:
    deployments = {
        "blue": deployment(scene.instance("b0"), max_concurrent_requests_per_instance=8),
        "green": deployment(scene.instance("g0"), **settings),
    }
    return scene.router(
        table(traffic={"blue": 100}, mirror={"green": percent}, deployments=deployments)
    )


def agreement(router: Router) -> tuple[float, float]:
    found = router.metrics()
    name = 'amlocal_mirror_agreement_total{agreed="%s",deployment="green"}'
    return found[name % "yes"], found[name % "no"]


def test_copies_are_compared_with_the_live_answers(scene: Stage) -> None:
    router = mirrored(scene)
    got = router.ask({"answer": [0.25], "headers": {"x-a": "1"}}, headers={"x-request-id": "id-1"})
    assert (got.json, got.headers["azureml-model-deployment"]) == ([0.25], "blue")
    wait_until(lambda: agreement(router) == (1, 0))
    copy = scene.instances[1].seen()[0]
    assert copy["headers"]["x-request-id"] == "id-1"
    # Each instance answers its own name, so these do not agree.
    router.ask({})
    wait_until(lambda: agreement(router) == (1, 1))
    # Equal errors agree, and large answers do.
    router.ask({"status": 500, "text": "no"})
    router.ask({"bytes": 100_000})
    wait_until(lambda: agreement(router) == (3, 1))
    assert router.counted("blue") == {"200": 3, "424": 1}
    assert router.counted("green", mirrored="yes") == {"200": 3, "424": 1}
    assert router.counted("green") == {}


def test_the_header_bypasses_mirroring(scene: Stage) -> None:
    router = mirrored(scene)
    for name in ("blue", "green"):
        got = router.ask({}, headers={"azureml-model-deployment": name})
        assert got.headers["azureml-model-deployment"] == name
    assert [len(instance.seen()) for instance in scene.instances] == [1, 1]
    assert router.counted("green", mirrored="yes") == {}


def test_a_slow_or_dead_mirror_does_not_delay_live_requests(scene: Stage) -> None:
    router = mirrored(scene, request_timeout_ms=400, max_queue_wait_ms=100)
    green = scene.instances[1]
    # The copy of the first is the only one that green works on; the others wait or are rejected.
    router.ask({"answer": 1, "sleep": 0.3})
    began = time.monotonic()
    assert [router.ask({"answer": 1}).status for _ in range(10)] == [200] * 10
    assert time.monotonic() - began < 1.5
    green.end()
    assert [router.ask({"answer": 1}).status for _ in range(5)] == [200] * 5
    wait_until(lambda: router.counted("green", mirrored="yes").get("424"))
    assert router.counted("blue") == {"200": 16}
    assert router.metrics()['amlocal_in_flight{deployment="blue"}'] == 0


def test_copies_are_limited_in_number(scene: Stage) -> None:
    router = mirrored(scene, request_timeout_ms=5000, max_queue_wait_ms=3000)
    for _ in range(6):
        router.ask({"answer": 1, "sleep": 0.01})
    name = 'amlocal_mirror_dropped_total{deployment="green"}'
    found = wait_until(
        lambda: (
            (counts := router.counted("green", mirrored="yes"))
            and sum(counts.values()) + router.metrics()[name] == 6
            and counts
        )
    )
    assert found.keys() <= {"200", "429"}


@pytest.mark.parametrize("percent", [0, 40])
def test_the_share_of_copies(scene: Stage, percent: int) -> None:
    router = mirrored(scene, percent, max_concurrent_requests_per_instance=8)
    for _ in range(150):
        router.ask({"answer": 1})
    share = len(scene.instances[1].seen()) / 150
    assert share == pytest.approx(percent / 100, abs=0.16)
    assert (share == 0) == (percent == 0)


def test_drained_waits_for_copies(scene: Stage) -> None:
    router = mirrored(scene, request_timeout_ms=5000)
    green = scene.instances[1]
    router.ask({"answer": 1, "sleep": 0.3})
    router.ask({"answer": 1})
    router.apply(table(2, traffic={}, deployments={"blue": deployment(scene.instances[0])}))
    router.hear(lambda said: said == {"drained": "g0"})
    assert all("was_closed" not in seen or not seen["was_closed"] for seen in green.seen())
