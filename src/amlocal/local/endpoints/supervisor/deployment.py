"""One deployment: its versions brought up beside each other, switched, drained, and ended."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from amlocal.errors import AmlocalError
from amlocal.local.endpoints.layout import instance_number
from amlocal.local.endpoints.records import DeploymentRecord
from amlocal.local.endpoints.supervisor.collecting import collects_by_script
from amlocal.local.endpoints.supervisor.fleet import Fleet
from amlocal.local.endpoints.supervisor.instance import Instance, InstanceFailedError
from amlocal.local.endpoints.supervisor.log import say
from amlocal.local.endpoints.supervisor.shared import Shared
from amlocal.local.endpoints.versions import DeploymentVersion
from amlocal.local.environments import ResolvedEnvironment
from amlocal.plan.endpoint_info import DELETING, FAILED, SETTLED, SUCCEEDED

#: Logs of instances that have ended that are kept.
_LOGS_KEPT = 10
#: Seconds that a script's sender has for the rows of its last requests.
_SEND_SECONDS = 1.0
#: Seconds beyond the timeout of requests after which an instance counts as drained.
_DRAIN_SLACK_SECONDS = 2.0


class Switchboard(Protocol):
    """What a deployment needs of its endpoint."""

    @property
    def port(self) -> int:
        """The port that its requests come to."""

    def changed(self) -> int:
        """Have the router told what serves now; gives the number of the change."""

    async def applied(self, change: int) -> None:
        """Return when every request follows a change; raises TargetError where no router does."""

    async def drained(self, identities: frozenset[str], timeout: float) -> None:
        """Return when instances that have left have no request, or after so many seconds."""

    def serving_changed(self, record: DeploymentRecord, served: DeploymentVersion | None) -> None:
        """Have it recorded which model the deployment serves; None where it serves no more."""


class DeploymentRun:
    """A deployment, as far as this process sees to it.

    Args:
        shared: What all deployments share.
        board: Its endpoint.
        endpoint: Its endpoint's name.
        name: Its name.
    """

    def __init__(self, shared: Shared, board: Switchboard, endpoint: str, name: str) -> None:
        self._shared = shared
        self._board = board
        self._endpoint = endpoint
        self._name = name
        self._fleet: Fleet | None = None
        #: What served under this process's predecessor, until it serves again.
        self._returning: DeploymentVersion | None = None
        self._revision = -1
        self._is_troubled = False
        self._work: asyncio.Task[None] | None = None
        self._retiring: set[asyncio.Task[None]] = set()
        logs = shared.layout.instance_logs(endpoint, name)
        self._next_number = instance_number(logs[-1].stem) + 1 if logs else 0

    def serving(self) -> tuple[DeploymentVersion, dict[str, str]] | None:
        """Return the version that serves and the addresses of its ready instances, or None.

        One that is being brought back has no instance yet: its requests wait for one.
        """
        if self._fleet is None:
            return (self._returning, {}) if self._returning is not None else None
        ready = self._fleet.ready.items()
        return self._fleet.version, {key: instance.address for key, instance in ready}

    def refresh(self, record: DeploymentRecord) -> None:
        """Take note of what is wanted now; work for what was wanted before is given up."""
        if record.revision == self._revision:
            return
        is_first = self._revision < 0
        self._revision = record.revision
        if is_first and record.state != DELETING:
            self._returning = record.served
        self._work = asyncio.create_task(self._do(record, self._work, is_first=is_first))
        self._work.add_done_callback(self._report)

    def _report(self, work: asyncio.Task[None]) -> None:
        """Log what nobody foresaw, such as a full disk: nobody awaits the work."""
        if not work.cancelled() and (error := work.exception()) is not None:
            say(f"{self._endpoint}/{self._name}: {error!r}")

    async def stop(self) -> None:
        """End all instances; what is wanted stays."""
        tasks = [*self._retiring, *([self._work] if self._work else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._fleet is not None:
            fleet, self._fleet = self._fleet, None
            await fleet.stop()

    async def _do(
        self, record: DeploymentRecord, previous: asyncio.Task[None] | None, *, is_first: bool
    ) -> None:
        if previous is not None:
            previous.cancel()
            await asyncio.gather(previous, return_exceptions=True)
        if record.state == DELETING:
            await self._delete(record)
            return
        if is_first and record.served is not None:
            await self._bring_back(record.served)
        if record.state not in SETTLED:
            await self._bring_up(record)

    async def _bring_back(self, version: DeploymentVersion) -> None:
        """Start the version that was ready when this process's predecessor ended."""
        try:
            environment = await self._prepare(version)
        except AmlocalError as error:
            self._trouble(str(error))
            return
        self._fleet = self._new_fleet(version, environment)
        self._fleet.resume()
        self._board.changed()

    async def _bring_up(self, record: DeploymentRecord) -> None:
        """Make the wanted version serve instead of the one that does."""
        version = record.version
        try:
            fleet = self._new_fleet(version, await self._prepare(version))
            await fleet.start()
        except (AmlocalError, InstanceFailedError, OSError) as error:
            self._settle(record, FAILED, str(error))
            self._remove(version)
            self._instances_changed()
            return
        old, self._fleet = self._fleet, fleet
        self._shared.records.note_served(record, version)
        self._instances_changed()
        left = old
        try:
            await self._board.applied(self._board.changed())
        except AmlocalError as error:
            # The router follows the table from before: what served goes on serving.
            left, self._fleet = fleet, old
            self._shared.records.note_served(record, old.version if old else None)
            self._settle(record, FAILED, str(error))
            self._instances_changed()
            return
        finally:
            if left is not None:
                self._retire(left)
        self._board.serving_changed(record, version)
        self._settle(record, SUCCEEDED)

    def _settle(self, record: DeploymentRecord, state: str, error: str = "") -> None:
        self._shared.records.settle_deployment(record, state, error)
        say(f"{self._endpoint}/{self._name}: {state} {error}".rstrip())

    async def _delete(self, record: DeploymentRecord) -> None:
        fleet, self._fleet, self._returning = self._fleet, None, None
        with contextlib.suppress(AmlocalError):  # without a router there are no requests either
            await self._board.applied(self._board.changed())
        if fleet is not None:
            self._retire(fleet)
        await asyncio.gather(*self._retiring)
        self._board.serving_changed(record, None)
        shutil.rmtree(
            self._shared.layout.deployment(self._endpoint, self._name), ignore_errors=True
        )
        self._shared.records.remove_deployment(record)

    async def _prepare(self, version: DeploymentVersion) -> ResolvedEnvironment | None:
        """Build the environment where it is missing, or have a container's image.

        Raises:
            EnvironmentBuildError: It cannot be had.
        """
        if version.container is not None:
            await asyncio.to_thread(self._shared.launcher.have_image, version.container)
            return None
        return await asyncio.to_thread(self._shared.environments.prepare, version.choice)

    def _new_fleet(
        self, version: DeploymentVersion, environment: ResolvedEnvironment | None
    ) -> Fleet:
        def make() -> Instance:
            identity = f"{self._name}-{self._next_number}"
            self._next_number += 1
            self._remove_old_logs()
            try:
                launch = self._shared.launcher.launch(
                    identity,
                    version,
                    environment,
                    self._shared.instances_wanted(),
                    self._board.port,
                )
            except (AmlocalError, OSError, ValueError) as error:
                raise InstanceFailedError(
                    f"instance {identity} cannot be started: {error}"
                ) from error
            folder = self._shared.layout.deployment(self._endpoint, self._name)
            return Instance(identity, launch, folder / f"{identity}.log")

        return Fleet(version, make=make, changed=self._instances_changed, trouble=self._trouble)

    def _instances_changed(self) -> None:
        self._board.changed()
        if self._fleet is None:
            return
        ready = len(self._fleet.ready)
        with self._going_on():
            self._shared.records.note_instances(self._endpoint, self._name, ready)
            if self._is_troubled and ready == self._fleet.version.plan.instance_count:
                self._shared.records.note_trouble(self._endpoint, self._name, "")
                self._is_troubled = False

    def _trouble(self, what: str) -> None:
        self._is_troubled = True
        say(f"{self._endpoint}/{self._name}: {what}")
        with self._going_on():
            self._shared.records.note_trouble(self._endpoint, self._name, what)

    @contextlib.contextmanager
    def _going_on(self) -> Iterator[None]:
        """Keep instances alive also while the records cannot be written."""
        try:
            yield
        except AmlocalError as error:
            say(f"{self._endpoint}/{self._name}: {error}")

    def _retire(self, fleet: Fleet) -> None:
        """End a fleet that is out of the table once its requests are answered."""
        task = asyncio.create_task(self._drain(fleet))
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def _drain(self, fleet: Fleet) -> None:
        settings = fleet.version.plan.request_settings
        try:
            await self._board.drained(
                frozenset(fleet.ready), settings.request_timeout_ms / 1000 + _DRAIN_SLACK_SECONDS
            )
            if collects_by_script(fleet.version):
                await asyncio.sleep(_SEND_SECONDS)
        finally:
            await fleet.stop()
            self._remove(fleet.version)

    def _remove(self, version: DeploymentVersion) -> None:
        """Remove the folder of a version that serves no more."""
        shutil.rmtree(Path(version.folder), ignore_errors=True)

    def _remove_old_logs(self) -> None:
        serving = set(self._fleet.ready) if self._fleet is not None else set()
        logs = self._shared.layout.instance_logs(self._endpoint, self._name)
        for log in logs[:-_LOGS_KEPT]:
            if log.stem not in serving:
                log.unlink(missing_ok=True)
