"""Waiting for something for a limited time, so that who waits can be cancelled at any moment."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def within(seconds: float | None, work: Coroutine[Any, Any, T]) -> T:
    """Return what work gives, which is cancelled when its time is up; None: never.

    `asyncio.wait_for` of Python before 3.12 loses a cancellation that comes as the work ends; who
    was to end would then go on.

    Raises:
        asyncio.TimeoutError: The time was up.
    """
    task = asyncio.ensure_future(work)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
        if not done:
            raise asyncio.TimeoutError
        return task.result()
    finally:
        await cancelled(task)


async def cancelled(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks, and return when they have ended, however that was."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
