"""Copies of live requests, for a deployment that is to show what it would have answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from amlocal.local.endpoints.router.answers import TOO_MANY, Answer
from amlocal.local.endpoints.router.deployments import Deployment
from amlocal.local.endpoints.router.scoring import Request, ask
from amlocal.plan.agreement import agree

#: Copies that may be on their way, and bytes of their bodies.
MAX_COPIES = 64
MAX_BYTES = 64 << 20
#: Answers larger than this are compared in a thread, so that live requests do not wait for it.
_LARGE = 16384

#: Told of every answer: the deployment, the request, and the answer.
Observer = Callable[[Deployment, Request, Answer], None]


class Mirroring:
    """Sends copies, and compares what they are answered with to the live answer.

    Nobody waits for a copy. One that would be too many is dropped and counted.
    """

    def __init__(self, observe: Observer) -> None:
        self._observe = observe
        # The loop itself holds its tasks only weakly.
        self._tasks: set[asyncio.Task[None]] = set()
        self._bytes = 0

    def send(
        self, deployment: Deployment, request: Request, live: asyncio.Future[Answer | None]
    ) -> None:
        """Send a copy of a live request.

        Args:
            deployment: Who gets it.
            request: The request.
            live: Its live answer, once it is there; None where no instance gave one.
        """
        size = len(request.body)
        if len(self._tasks) >= MAX_COPIES or self._bytes + size > MAX_BYTES:
            deployment.counts.unmirrored += 1
            return
        if not deployment.admit():
            deployment.counts.mirrored.reject(TOO_MANY)
            return
        self._bytes += size
        task = asyncio.get_running_loop().create_task(self._follow(deployment, request, live))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _follow(
        self, deployment: Deployment, request: Request, live: asyncio.Future[Answer | None]
    ) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            answer = await ask(deployment, request, deployment.entry.path)
        finally:
            deployment.leave()
            self._bytes -= len(request.body)
        deployment.counts.mirrored.count(answer.status, loop.time() - began)
        self._observe(deployment, request, answer)
        other = await live
        if other is None:
            return
        if max(len(answer.body), len(other.body)) > _LARGE:
            agreed = await loop.run_in_executor(None, _agree, answer, other)
        else:
            agreed = _agree(answer, other)
        if agreed:
            deployment.counts.agreed += 1
        else:
            deployment.counts.disagreed += 1

    async def finish(self) -> None:
        """Wait until no copy is on its way."""
        while self._tasks:
            await asyncio.wait(self._tasks)


def _agree(answer: Answer, other: Answer) -> bool:
    return agree(_status(answer), answer.body, _status(other), other.body)


def _status(answer: Answer) -> int:
    """Return what the instance answered, where one did: 424 stands for all of its errors."""
    return answer.reply.status if answer.reply is not None else answer.status
