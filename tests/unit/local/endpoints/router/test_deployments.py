"""Which instance gets a request, and who waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from amlocal.local.endpoints.router.deployments import Deployment, Instance
from amlocal.local.endpoints.router.table import DeploymentEntry, InstanceEntry


def entry(*ids: str, concurrent: int = 1) -> DeploymentEntry:
    return DeploymentEntry(
        instances=tuple(InstanceEntry(name, f"unix:/nowhere/{name}") for name in ids),
        max_concurrent_requests_per_instance=concurrent,
    )


class Lab:
    """A deployment, and what it told."""

    def __init__(self, given: DeploymentEntry) -> None:
        self.drained: list[str] = []
        self.loop = asyncio.get_running_loop()
        self.deployment = Deployment("blue", given, self.loop, self.drained.append)

    async def take(self, seconds: float = 5.0) -> Instance:
        instance = await self.deployment.acquire(self.loop.time() + seconds)
        assert instance is not None
        return instance


def run(given: DeploymentEntry, body: Callable[[Lab], Awaitable[None]]) -> None:
    async def main() -> None:
        await body(Lab(given))

    asyncio.run(main())


def test_twice_the_concurrent_ones_come_in() -> None:
    async def body(lab: Lab) -> None:
        assert [lab.deployment.admit() for _ in range(9)] == [True] * 8 + [False]
        lab.deployment.leave()
        assert lab.deployment.admit()

    run(entry("b0", "b1", concurrent=2), body)


def test_a_deployment_without_instances_lets_as_many_wait_as_one_takes() -> None:
    async def body(lab: Lab) -> None:
        assert [lab.deployment.admit() for _ in range(3)] == [True, True, False]
        assert await lab.deployment.acquire(lab.loop.time() + 0.01) is None
        assert not lab.deployment.has_instances

    run(entry(), body)


def test_the_least_busy_one_and_each_in_its_turn() -> None:
    async def body(lab: Lab) -> None:
        taken = [await lab.take() for _ in range(5)]
        assert [instance.id for instance in taken] == ["b0", "b1", "b2", "b0", "b1"]
        lab.deployment.release(taken[1])
        lab.deployment.release(taken[4])
        assert (await lab.take()).id == "b1"
        # b1 and b2 have one each; b2 was asked longer ago.
        assert [(await lab.take()).id for _ in range(3)] == ["b2", "b1", "b0"]

    run(entry("b0", "b1", "b2", concurrent=3), body)


def test_those_that_wait_are_served_in_their_order() -> None:
    async def body(lab: Lab) -> None:
        first = await lab.take()
        order: list[int] = []

        async def wait(number: int) -> None:
            instance = await lab.take()
            order.append(number)
            lab.deployment.release(instance)

        waiting = [asyncio.create_task(wait(number)) for number in range(3)]
        await asyncio.sleep(0)
        assert (lab.deployment.running, lab.deployment.queued) == (1, 3)
        lab.deployment.release(first)
        await asyncio.gather(*waiting)
        assert order == [0, 1, 2]
        assert (lab.deployment.running, lab.deployment.queued) == (0, 0)

    run(entry("b0"), body)


def test_one_that_gave_up_takes_nobodys_turn() -> None:
    async def body(lab: Lab) -> None:
        first = await lab.take()
        assert await lab.deployment.acquire(lab.loop.time() + 0.01) is None
        waiting = asyncio.create_task(lab.take())
        await asyncio.sleep(0)
        lab.deployment.release(first)
        assert await waiting is first
        assert first.outstanding == 1

    run(entry("b0"), body)


def test_an_instance_that_is_down_is_left_alone_and_tried_again() -> None:
    async def body(lab: Lab) -> None:
        first = await lab.take()
        lab.deployment.mark_down(first)
        lab.deployment.release(first)
        assert not lab.deployment.has_instances
        began = lab.loop.time()
        assert await lab.take() is first
        assert lab.loop.time() - began > 0.03

    run(entry("b0"), body)


def test_a_table_keeps_the_instances_that_it_names() -> None:
    async def body(lab: Lab) -> None:
        kept, left = await lab.take(), await lab.take()
        lab.deployment.change(entry("b0", "b2"))
        assert lab.drained == []
        assert (await lab.take()).id == "b2"
        lab.deployment.release(left)
        assert lab.drained == ["b1"]
        lab.deployment.release(kept)
        assert await lab.take() is kept

    run(entry("b0", "b1"), body)


def test_an_instance_at_another_address_is_another_one_and_is_not_told_drained() -> None:
    async def body(lab: Lab) -> None:
        old = await lab.take()
        moved = DeploymentEntry(instances=(InstanceEntry("b0", "tcp:127.0.0.1:1"),))
        lab.deployment.change(moved)
        assert await lab.take() is not old
        lab.deployment.release(old)
        assert lab.drained == []

    run(entry("b0"), body)


def test_an_instance_may_come_back_before_it_is_drained() -> None:
    async def body(lab: Lab) -> None:
        busy = await lab.take()
        lab.deployment.change(entry())
        lab.deployment.change(entry("b0"))
        lab.deployment.release(busy)
        assert lab.drained == []
        assert await lab.take() is busy

    run(entry("b0"), body)


def test_a_retired_deployment_serves_those_that_it_let_in() -> None:
    async def body(lab: Lab) -> None:
        assert lab.deployment.admit()
        assert lab.deployment.admit()
        first = await lab.take()
        waiting = asyncio.create_task(lab.take())
        await asyncio.sleep(0)
        lab.deployment.retire()
        lab.deployment.release(first)
        second = await waiting
        lab.deployment.leave()
        assert lab.drained == []
        assert not lab.deployment.is_over
        lab.deployment.release(second)
        lab.deployment.leave()
        assert lab.drained == ["b0"]
        assert lab.deployment.is_over

    run(entry("b0"), body)


@pytest.mark.parametrize("count", [1, 3])
def test_an_idle_deployment_is_over_at_once(count: int) -> None:
    async def body(lab: Lab) -> None:
        lab.deployment.retire()
        assert lab.drained == [f"b{place}" for place in range(count)]
        assert lab.deployment.is_over

    run(entry(*(f"b{place}" for place in range(count))), body)
