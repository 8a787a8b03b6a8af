"""The table in force."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from amlocal.local.endpoints.router.answers import Answer
from amlocal.local.endpoints.router.routes import Chosen, Routes
from amlocal.local.endpoints.router.table import Auth, DeploymentEntry, InstanceEntry, Table

DEPLOYMENTS = {
    name: DeploymentEntry(instances=(InstanceEntry(f"{name}-0", f"unix:/nowhere/{name}"),))
    for name in ("blue", "green")
}


def table(traffic: dict[str, int], *names: str, mirror: dict[str, int] | None = None) -> Table:
    deployments = {name: DEPLOYMENTS[name] for name in names or DEPLOYMENTS}
    return Table(1, "adult", Auth(), traffic, mirror or {}, deployments)


def routed(first: Table, body: Callable[[Routes, list[str]], None]) -> None:
    async def main() -> None:
        drained: list[str] = []
        body(Routes(first, asyncio.get_running_loop(), drained.append), drained)

    asyncio.run(main())


def chosen(routes: Routes, named: bytes | None = None) -> Chosen:
    found = routes.choose(named)
    assert isinstance(found, Chosen)
    return found


def test_traffic_follows_the_table() -> None:
    def body(routes: Routes, drained: list[str]) -> None:
        assert {chosen(routes).deployment.name for _ in range(50)} == {"blue"}
        routes.apply(table({"blue": 0, "green": 100}))
        assert {chosen(routes).deployment.name for _ in range(50)} == {"green"}
        assert drained == []

    routed(table({"blue": 100, "green": 0}), body)


def test_mirrors_and_the_header_that_bypasses_them() -> None:
    def body(routes: Routes, drained: list[str]) -> None:
        assert [mirror.name for mirror in chosen(routes).mirrors] == ["green"]
        assert chosen(routes, b"blue").mirrors == ()
        assert chosen(routes, b" green ").deployment.name == "green"

    routed(table({"blue": 100}, mirror={"green": 100}), body)


@pytest.mark.parametrize("named", [b"red", b"", b"\xff\x00", b"Blue"])
def test_a_name_that_there_is_not(named: bytes) -> None:
    def body(routes: Routes, drained: list[str]) -> None:
        found = routes.choose(named)
        assert isinstance(found, Answer)
        assert found.status == 404

    routed(table({"blue": 100}), body)


def test_a_deployment_that_comes_back_is_the_one_that_left() -> None:
    def body(routes: Routes, drained: list[str]) -> None:
        blue = chosen(routes).deployment
        assert blue.admit()
        routes.apply(table({}, "green"))
        assert drained == []
        routes.apply(table({"blue": 100}))
        assert chosen(routes).deployment is blue
        blue.leave()
        assert drained == []
        routes.apply(table({}, "green"))
        assert drained == ["blue-0"]
        routes.apply(table({"blue": 100}))
        assert chosen(routes).deployment is not blue

    routed(table({"blue": 100}), body)
