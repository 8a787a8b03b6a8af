from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from amlocal.local.endpoints.supervisor.probes import answers
from amlocal.local.endpoints.supervisor.waiting import within


async def soon(steps: int = 3) -> str:
    for _ in range(steps):
        await asyncio.sleep(0)
    return "done"


def test_what_comes_of_work_and_what_it_raises() -> None:
    async def fail() -> None:
        raise KeyError("x")

    assert asyncio.run(within(5, soon())) == "done"
    assert asyncio.run(within(None, soon())) == "done"
    with pytest.raises(KeyError):
        asyncio.run(within(5, fail()))


def test_work_whose_time_is_up_is_cancelled() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(30)
        finally:
            ended.append("cancelled")

    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(within(0.05, work()))
    assert ended == ["cancelled"]


def test_who_waits_can_be_cancelled_at_any_moment(tmp_path: Path) -> None:
    def probe() -> Coroutine[Any, Any, object]:
        return answers(f"unix:{tmp_path}/nobody", "/", 5)

    async def cancelled_after(steps: int, work: Callable[[], Coroutine[Any, Any, object]]) -> bool:
        """Cancel work after some steps of the loop; False where it had ended by then."""
        task = asyncio.create_task(work())  # type: ignore[arg-type]
        await soon(steps)
        if task.done():
            return False
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return True

    async def wait() -> str:
        return await within(5, soon())

    for work in (probe, wait):
        steps = 0
        while asyncio.run(cancelled_after(steps, work)):
            steps += 1
        assert steps > 1
