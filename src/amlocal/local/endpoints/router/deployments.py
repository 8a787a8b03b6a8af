"""Deployments as the router knows them: their instances, who waits, and who may."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from amlocal.local.endpoints.router.metrics import Counts
from amlocal.local.endpoints.router.table import DeploymentEntry, InstanceEntry
from amlocal.local.endpoints.router.upstream import Connection, connect

#: An instance that refused a connection is left alone for so long, in seconds; doubled each time.
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0


class Instance:
    """A process that scores.

    Attributes:
        id: Its name.
        outstanding: Requests that it was given and has not answered.
        last_given: When it was given one, in ticks of its deployment.
        is_down: Whether it refused a connection a moment ago.
        has_failed: Whether the last connection to it was refused.
    """

    def __init__(self, entry: InstanceEntry, loop: asyncio.AbstractEventLoop) -> None:
        self.id = entry.id
        self.address = entry.address
        self.outstanding = 0
        self.last_given = 0
        self._loop = loop
        self._idle: list[Connection] = []
        self.is_down = False
        self.has_failed = False
        self._pause = _FIRST_PAUSE

    def mark_down(self) -> float | None:
        """Note that it refused a connection; returns for how many seconds to leave it alone.

        None where it is left alone already.
        """
        self.has_failed = True
        if self.is_down:
            return None
        self.is_down = True
        pause, self._pause = self._pause, min(2 * self._pause, _LONGEST_PAUSE)
        return pause

    async def connection(self) -> Connection:
        """Return an idle connection, or open one; OSError where it takes none."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable:
                return connection
            connection.close()
        connection = await connect(self.address, self._loop)
        self.has_failed, self._pause = False, _FIRST_PAUSE
        return connection

    def keep(self, connection: Connection) -> None:
        """Take a connection back."""
        self._idle.append(connection)

    def close(self) -> None:
        """Close its idle connections."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()


class Deployment:
    """A deployment: gives its requests to instances, the least busy first.

    At most `max_concurrent_requests_per_instance` requests are with an instance; as many again may
    wait, in the order that they came. Azure rejects what exceeds twice the concurrent ones.

    Attributes:
        name: Its name.
        counts: What was counted since the router began.
        entry: What the table says of it.
    """

    def __init__(
        self,
        name: str,
        entry: DeploymentEntry,
        loop: asyncio.AbstractEventLoop,
        drained: Callable[[str], None],
    ) -> None:
        self.name = name
        self.counts = Counts()
        self.entry = entry
        self._loop = loop
        self._drained = drained
        self._instances: list[Instance] = []
        self._leaving: list[Instance] = []
        self._waiting: deque[asyncio.Future[Instance | None]] = deque()
        self._held = 0
        self._ticks = 0
        self._is_retired = False
        self.change(entry)

    # What the metrics read.

    @property
    def running(self) -> int:
        """Requests that an instance works on."""
        return sum(instance.outstanding for instance in (*self._instances, *self._leaving))

    @property
    def queued(self) -> int:
        """Requests that wait for an instance."""
        return sum(not future.done() for future in self._waiting)

    @property
    def is_over(self) -> bool:
        """Whether it is in no table any more and nothing of it is under way."""
        return self._is_retired and not self._held and not self._leaving

    # Who may come in.

    def admit(self) -> bool:
        """Count a request in, unless there are too many; who is let in must `leave`."""
        at_once = self.entry.max_concurrent_requests_per_instance
        # Of a deployment whose instances are all being replaced, as many as one of them takes.
        count = len(self._leaving) if self._is_retired else len(self._instances)
        if self._held >= 2 * at_once * max(count, 1):
            return False
        self._held += 1
        return True

    def leave(self) -> None:
        """Count a request out."""
        self._held -= 1
        if self._is_retired:
            self._let_go()

    # Instances for requests.

    async def acquire(self, deadline: float) -> Instance | None:
        """Return an instance that takes one more request, or None where none is free in time.

        Args:
            deadline: When waiting ends, on the loop's clock.
        """
        while self._waiting and self._waiting[0].done():
            self._waiting.popleft()
        if not self._waiting:
            instance = self._pick()
            if instance is not None:
                return instance
        remaining = deadline - self._loop.time()
        if remaining <= 0:
            return None
        waiter: asyncio.Future[Instance | None] = self._loop.create_future()
        self._waiting.append(waiter)
        timer = self._loop.call_later(remaining, _give_up, waiter)
        try:
            return await waiter
        finally:
            timer.cancel()

    def release(self, instance: Instance) -> None:
        """Take an instance back, its request being answered or given up."""
        instance.outstanding -= 1
        if self._waiting:
            self._serve_waiting()
        if self._leaving:
            self._let_go()

    def mark_down(self, instance: Instance) -> None:
        """Leave an instance alone for a while, and then try it again for those who wait."""
        pause = instance.mark_down()
        if pause is not None:
            self._loop.call_later(pause, self._try_again, instance)

    def _try_again(self, instance: Instance) -> None:
        # Not by the clock: a timer may fire a little before its time.
        instance.is_down = False
        self._serve_waiting()

    @property
    def has_instances(self) -> bool:
        """Whether an instance is there that took its last connection."""
        return any(not instance.has_failed for instance in self._instances)

    def _pick(self) -> Instance | None:
        """Give the least busy instance one more; among equals the one that idled the longest."""
        most = self.entry.max_concurrent_requests_per_instance
        best: Instance | None = None
        for instance in self._leaving if self._is_retired else self._instances:
            if instance.outstanding >= most or instance.is_down:
                continue
            if best is None or (instance.outstanding, instance.last_given) < (
                best.outstanding,
                best.last_given,
            ):
                best = instance
        if best is not None:
            self._ticks += 1
            best.last_given = self._ticks
            best.outstanding += 1
        return best

    def _serve_waiting(self) -> None:
        while self._waiting:
            if self._waiting[0].done():
                self._waiting.popleft()
                continue
            instance = self._pick()
            if instance is None:
                return
            self._waiting.popleft().set_result(instance)

    # What the table changes.

    def change(self, entry: DeploymentEntry) -> None:
        """Follow another entry of a table: instances that it does not name take nothing new."""
        self.entry = entry
        self._is_retired = False
        there = {(old.id, old.address): old for old in (*self._instances, *self._leaving)}
        self._instances = [
            there.pop((new.id, new.address))
            if (new.id, new.address) in there
            else Instance(new, self._loop)
            for new in entry.instances
        ]
        self._leaving = list(there.values())
        self._serve_waiting()
        self._let_go()

    def retire(self) -> None:
        """Leave the table: requests that were let in are still answered by its instances."""
        self._is_retired = True
        self._leaving += self._instances
        self._instances = []
        self._let_go()

    def _let_go(self) -> None:
        """Tell of each leaving instance that has nothing to do any more."""
        if self._is_retired and self._held:
            return
        there = {instance.id for instance in self._instances}
        for instance in [leaving for leaving in self._leaving if not leaving.outstanding]:
            self._leaving.remove(instance)
            instance.close()
            # One that came back under its name at another address has not left.
            if instance.id not in there:
                self._drained(instance.id)

    def close(self) -> None:
        """Close all idle connections."""
        for instance in (*self._instances, *self._leaving):
            instance.close()


def _give_up(waiter: asyncio.Future[Instance | None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
