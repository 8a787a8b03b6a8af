from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.unit.local.endpoints.stage import FAKES

from amlocal.local.endpoints.supervisor.router import Router

TABLE = {"revision": 3, "traffic": {}, "deployments": {}}
#: Says what no router says the first time, and is one the next time.
BABBLES = """
import os, runpy, sys
from pathlib import Path
if not Path("babbled").exists():
    Path("babbled").touch()
    os.write(int(sys.argv[4]), sys.argv[0].encode() * 10_000 + b"\\n")
    sys.stdin.read()
    sys.exit()
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def conduct(
    folder: Path, log: Path, follow: Callable[[Router, list[str]], Awaitable[None]], *program: str
) -> None:
    """Have a router kept, and follow it."""

    async def run() -> None:
        troubles: list[str] = []
        with socket.create_server(("127.0.0.1", 0)) as listener:
            router = Router(
                listener,
                [sys.executable, *(program or FAKES.router)],
                dict(os.environ),
                folder,
                log,
                failed=troubles.append,
            )
            try:
                router.send(TABLE)
                await asyncio.wait_for(follow(router, troubles), 60)
            finally:
                await router.stop()

    asyncio.run(run())


def test_a_router_that_cannot_be_started_is_tried_until_it_can(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "router.log"

    async def follow(router: Router, troubles: list[str]) -> None:
        while not troubles:
            await asyncio.sleep(0.05)
        log.parent.mkdir()
        await router.applied(3)
        assert troubles == ["the router does not start:\n"]

    conduct(tmp_path, log, follow)


def test_a_router_that_makes_no_sense_is_replaced(tmp_path: Path) -> None:
    program = tmp_path / "babbles.py"
    program.write_text(BABBLES.replace("sys.argv[0]", repr(FAKES.router[0])))

    async def follow(router: Router, troubles: list[str]) -> None:
        await router.applied(3)
        assert troubles == []

    conduct(tmp_path, tmp_path / "router.log", follow, str(program))
    assert (tmp_path / "babbled").exists()
