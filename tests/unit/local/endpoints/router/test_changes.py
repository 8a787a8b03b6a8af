"""Tables that change, and instances that leave or end, while requests are under way."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections import Counter

import pytest
from tests.unit.local.endpoints.router.load import Client, statuses, under_load
from tests.unit.local.endpoints.router.processes import (
    Got,
    Router,
    Stage,
    deployment,
    table,
    wait_until,
)

MANY = {"max_concurrent_requests_per_instance": 16, "max_queue_wait_ms": 20000}


class Asked:
    """A request that is sent in the background."""

    def __init__(self, router: Router, body: object) -> None:
        self._thread = threading.Thread(target=self._send, args=(router, body))
        self._got: Got | None = None
        self._thread.start()

    def _send(self, router: Router, body: object) -> None:
        self._got = router.ask(body)

    def got(self) -> Got:
        self._thread.join()
        assert self._got is not None
        return self._got


def test_a_traffic_change_under_load_loses_nothing(scene: Stage) -> None:
    both = {name: deployment(scene.instance(f"{name}-0"), **MANY) for name in ("blue", "green")}
    router = scene.router(table(1, traffic={"blue": 100, "green": 0}, deployments=both))
    sent_after: list[tuple[int, str, object]] = []

    async def change() -> None:
        client = Client(router.port)
        for revision, share in enumerate([100, 50, 0, 100, 0], start=2):
            await asyncio.sleep(0.2)
            changed = table(
                revision, traffic={"blue": share, "green": 100 - share}, deployments=both
            )
            await asyncio.to_thread(router.apply, changed)
            if share in (0, 100):
                # Every request that is sent after the table was applied follows it.
                for _ in range(5):
                    answer = await client.ask({})
                    sent_after.append(answer)
                    assert answer[1] == ("blue" if share else "green")
        client.close()

    answers = asyncio.run(under_load(router.port, 8, change))
    assert statuses(answers) == {200: len(answers)}
    # Who answered is who the router says.
    assert all(said["instance"] == f"{name}-0" for _, name, said in answers)
    assert set(Counter(name for _, name, _ in answers)) == {"blue", "green"}
    assert len(sent_after) == 20
    counted = sum(router.counted(name)["200"] for name in both)
    assert counted == len(answers) + len(sent_after)


def test_an_update_of_a_deployment_under_load_loses_nothing(scene: Stage) -> None:
    old, new = scene.instance("old"), scene.instance("new")
    router = scene.router(table(1, deployments={"blue": deployment(old, **MANY)}))

    async def update() -> None:
        await asyncio.sleep(0.3)
        changed = table(2, deployments={"blue": deployment(new, **MANY)})
        await asyncio.to_thread(router.apply, changed)
        await asyncio.to_thread(router.hear, lambda said: said.get("drained") == "old")
        old.end()
        await asyncio.sleep(0.3)

    answers = asyncio.run(under_load(router.port, 8, update))
    assert statuses(answers) == {200: len(answers)}
    assert {said["instance"] for _, _, said in answers} == {"old", "new"}


def test_drained_is_told_once_the_last_request_is_answered(scene: Stage) -> None:
    old, new = scene.instance("old"), scene.instance("new")
    router = scene.router(table(1, deployments={"blue": deployment(old, **MANY)}))
    slow = Asked(router, {"sleep": 0.6})
    wait_until(old.seen)
    router.apply(table(2, deployments={"blue": deployment(new, **MANY)}))
    assert router.ask({}).json["instance"] == "new"
    assert router.hears_nothing(lambda said: "drained" in said, 0.2)
    router.hear(lambda said: said == {"drained": "old"})
    assert slow.got().status == 200
    router.apply(table(3, deployments={}))
    router.hear(lambda said: said == {"drained": "new"})


def test_a_deployment_that_leaves_answers_those_that_wait(scene: Stage) -> None:
    blue = scene.instance("b0")
    router = scene.router(table(1, deployments={"blue": deployment(blue, max_queue_wait_ms=20000)}))
    asked = [Asked(router, {"sleep": 0.4, "answer": "slow"})]
    wait_until(blue.seen)
    asked.append(Asked(router, {"answer": "waited"}))
    wait_until(lambda: router.metrics()['amlocal_queued{deployment="blue"}'] == 1)
    router.apply(table(2, deployments={}))
    assert router.hears_nothing(lambda said: "drained" in said, 0.1)
    router.hear(lambda said: said == {"drained": "b0"})
    assert [request.got().status for request in asked] == [200, 200]
    assert router.ask({}).status == 404


def test_those_that_wait_get_an_instance_that_comes(scene: Stage) -> None:
    router = scene.router(
        table(1, deployments={"blue": {"instances": [], "max_queue_wait_ms": 20000}})
    )
    waiting = [Asked(router, {}), Asked(router, {})]
    wait_until(lambda: router.metrics()['amlocal_queued{deployment="blue"}'] == 2)
    router.apply(table(2, deployments={"blue": deployment(scene.instance("b0"))}))
    assert [request.got().status for request in waiting] == [200, 200]


def test_a_killed_instance_under_load(scene: Stage) -> None:
    first, second = scene.instance("b0"), scene.instance("b1")
    settings = {"max_concurrent_requests_per_instance": 4, "max_queue_wait_ms": 20000}
    router = scene.router(table(1, deployments={"blue": deployment(first, second, **settings)}))

    async def kill() -> None:
        await asyncio.sleep(0.4)
        first.end()
        await asyncio.sleep(0.4)
        again = await asyncio.to_thread(scene.instance_at, "b0", first.address)
        await asyncio.sleep(1.2)
        assert again.seen()

    answers = asyncio.run(under_load(router.port, 8, kill, {"sleep": 0.01}))
    found = statuses(answers)
    # Only those that the instance had been sent are lost: at most as many as it works on.
    assert found.keys() <= {200, 424}
    assert found[424] <= 4
    last = [said["instance"] for status, _, said in answers[-60:] if status == 200]
    assert set(last) == {"b0", "b1"}


def test_a_restarted_instance_gets_what_waits(scene: Stage) -> None:
    blue = scene.instance("b0")
    entry = deployment(blue, max_queue_wait_ms=20000)
    router = scene.router(table(1, deployments={"blue": entry}))
    assert router.ask({}).status == 200
    blue.end()
    waiting = Asked(router, {})
    time.sleep(0.2)
    scene.instance_at("b0", blue.address)
    assert waiting.got().status == 200


@pytest.mark.parametrize("closes", [True, False])
def test_a_connection_that_the_instance_closed_loses_nothing(scene: Stage, closes: bool) -> None:
    blue = scene.instance("b0")
    router = scene.router(table(1, deployments={"blue": deployment(blue)}))
    for pause in (0.0, 0.03, 0.3):
        assert router.ask({"close": closes}).status == 200
        time.sleep(pause)
    assert len(blue.seen()) == 3


def test_the_least_busy_instance_is_asked(scene: Stage) -> None:
    instances = [scene.instance(f"b{place}") for place in range(3)]
    settings = {"max_concurrent_requests_per_instance": 2, "max_queue_wait_ms": 20000}
    router = scene.router(table(1, deployments={"blue": deployment(*instances, **settings)}))
    slow = [Asked(router, {"sleep": 0.8}) for _ in range(2)]
    wait_until(lambda: sum(len(instance.seen()) for instance in instances) == 2)
    free = [instance.identity for instance in instances if not instance.seen()]
    assert len(free) == 1
    assert {router.ask({}).json["instance"] for _ in range(5)} == set(free)
    assert [request.got().status for request in slow] == [200, 200]
    # Among equals, each in its turn.
    turns = Counter(router.ask({}).json["instance"] for _ in range(9))
    assert set(turns.values()) == {3}


@pytest.mark.parametrize("way", ["line", "signal"])
def test_the_router_ends_once_its_requests_are_answered(scene: Stage, way: str) -> None:
    blue = scene.instance("b0")
    router = scene.router(table(1, deployments={"blue": deployment(blue, **MANY)}))
    slow = Asked(router, {"sleep": 0.6})
    wait_until(blue.seen)
    if way == "line":
        router.close_line()
    else:
        router.process.send_signal(signal.SIGTERM)
    assert slow.got().status == 200
    assert router.process.wait(5) == 0
    assert router.log.read_text() == ""


def test_a_killed_router_is_replaced_on_its_socket(scene: Stage) -> None:
    blue = deployment(scene.instance("b0"), **MANY)
    router = scene.router(table(1, deployments={"blue": blue}))
    router.process.kill()
    router.process.wait()
    waiting = Asked(router, {})
    time.sleep(0.1)
    router.start(table(2, deployments={"blue": blue}))
    assert waiting.got().status == 200


def test_a_line_that_is_no_table_changes_nothing(scene: Stage) -> None:
    router = scene.router(table(1))
    router.send(b"{]")
    assert "not a table" in router.hear(lambda said: "error" in said)["error"]
    assert "not a table" in router.log.read_text()
    assert router.ask({}).status == 404
    # A table in pieces, and two at once.
    line = b'{"revision": %d, "endpoint": "adult", "auth": {}}'
    router.send_bytes((line % 3)[:20])
    time.sleep(0.05)
    router.send((line % 3)[20:] + b"\n" + line % 4)
    router.hear(lambda said: said == {"applied": 3})
    router.hear(lambda said: said == {"applied": 4})
