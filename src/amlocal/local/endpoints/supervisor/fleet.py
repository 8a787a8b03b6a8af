"""The instances of one version of a deployment: as many as are wanted, replaced when they end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from amlocal.local.endpoints.supervisor.instance import Instance, InstanceFailedError
from amlocal.local.endpoints.supervisor.waiting import cancelled
from amlocal.local.endpoints.versions import DeploymentVersion
from amlocal.plan import ProbeSettings

# Seconds before an instance that ended is replaced: doubled each time up to the longest, and
# the first again once one has served for so long.
_FIRST_DELAY, _LONGEST_DELAY, _WELL_SECONDS = 0.1, 30.0, 60.0


class Fleet:
    """The instances of a version.

    Args:
        version: The version.
        make: Makes an instance, which has a new id each time; raises InstanceFailedError.
        changed: Called when an instance begins or ceases to take requests.
        trouble: Told why an instance is replaced.

    Attributes:
        version: The version.
        ready: The instances that take requests, by id.
    """

    def __init__(
        self,
        version: DeploymentVersion,
        *,
        make: Callable[[], Instance],
        changed: Callable[[], None],
        trouble: Callable[[str], None],
    ) -> None:
        self.version = version
        self.ready: dict[str, Instance] = {}
        self._make = make
        self._changed = changed
        self._trouble = trouble
        self._slots: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start every instance and return when all are ready; else end them all.

        Raises:
            InstanceFailedError: One did not become ready.
        """
        loop = asyncio.get_running_loop()
        firsts: list[asyncio.Future[None]] = [
            loop.create_future() for _ in range(self.version.plan.instance_count)
        ]
        self._slots = [asyncio.create_task(self._keep(first)) for first in firsts]
        try:
            done, _ = await asyncio.wait(firsts, return_when=asyncio.FIRST_EXCEPTION)
            for first in done:
                first.result()
        except BaseException:
            await self.stop()
            for first in firsts:
                if first.done() and not first.cancelled():
                    first.exception()  # so that a second failure is not reported as unseen
            raise

    def resume(self) -> None:
        """Start every instance of a version that was ready before, and try until they are again."""
        count = self.version.plan.instance_count
        self._slots = [asyncio.create_task(self._keep(None)) for _ in range(count)]

    async def stop(self) -> None:
        """End every instance."""
        self.ready.clear()
        await cancelled(*self._slots)

    async def _keep(self, first: asyncio.Future[None] | None) -> None:
        """Keep one instance: start it, watch it, replace it.

        Args:
            first: Told how the first start went; where that fails nothing is tried again. None
                tries again and again from the start.
        """
        delay = _FIRST_DELAY
        loop = asyncio.get_running_loop()
        while True:
            begun, instance = loop.time(), None
            try:
                instance = await self._begin()
                if first is not None and not first.done():
                    first.set_result(None)
                begun = loop.time()
                self._trouble(await self._serve(instance))
            except InstanceFailedError as error:
                if first is not None and not first.done():
                    first.set_exception(error)
                    return
                self._trouble(str(error))
            finally:
                if instance is not None:
                    await instance.end()
            if loop.time() - begun > _WELL_SECONDS:
                delay = _FIRST_DELAY
            await asyncio.sleep(delay)
            delay = min(2 * delay, _LONGEST_DELAY)

    async def _begin(self) -> Instance:
        """Return a new instance that is ready; raises InstanceFailedError."""
        instance, plan = self._make(), self.version.plan
        try:
            await instance.start()
            await instance.become_ready(plan.readiness_probe, plan.liveness_probe)
        except BaseException:
            await instance.end()
            raise
        return instance

    async def _serve(self, instance: Instance) -> str:
        """Let an instance take requests until it ends or is dead; says why it is to be replaced."""
        plan = self.version.plan
        self._admit(instance, is_ready=True)
        ended = asyncio.create_task(instance.ended())
        dead = asyncio.create_task(self._until_dead(instance, plan.liveness_probe))
        follow = asyncio.create_task(self._follow(instance, plan.readiness_probe))
        try:
            await asyncio.wait({ended, dead}, return_when=asyncio.FIRST_COMPLETED)
            return ended.result() if ended.done() else dead.result()
        finally:
            await cancelled(ended, dead, follow)
            self._admit(instance, is_ready=False)

    def _admit(self, instance: Instance, *, is_ready: bool) -> None:
        if is_ready == (instance.identity in self.ready):
            return
        if is_ready:
            self.ready[instance.identity] = instance
        else:
            del self.ready[instance.identity]
        self._changed()

    async def _until_dead(self, instance: Instance, probe: ProbeSettings) -> str:
        """Return when the instance has failed its liveness probe as often as it may."""
        failures = 0
        while failures < probe.failure_threshold:
            await asyncio.sleep(probe.period)
            failures = 0 if await instance.is_alive(probe.timeout) else failures + 1
        return f"instance {instance.identity} did not answer its liveness probe {failures} times"

    async def _follow(self, instance: Instance, probe: ProbeSettings) -> None:
        """Keep an instance from requests as long as it fails its readiness probe."""
        failures = successes = 0
        while True:
            await asyncio.sleep(probe.period)
            if await instance.is_ready(probe.timeout):
                failures, successes = 0, successes + 1
                if successes >= probe.success_threshold:
                    self._admit(instance, is_ready=True)
            else:
                failures, successes = failures + 1, 0
                if failures >= probe.failure_threshold:
                    self._admit(instance, is_ready=False)
