"""One endpoint: its socket, its router, and what the router is told."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import sys
from collections.abc import Coroutine, Sequence
from typing import Any

from amlocal.errors import AmlocalError, TargetError
from amlocal.local.endpoints.keys import read_keys
from amlocal.local.endpoints.records import DeploymentRecord, EndpointRecord
from amlocal.local.endpoints.serving import model_changes
from amlocal.local.endpoints.supervision import python_arguments, role
from amlocal.local.endpoints.supervisor.deployment import DeploymentRun
from amlocal.local.endpoints.supervisor.log import say
from amlocal.local.endpoints.supervisor.router import Router
from amlocal.local.endpoints.supervisor.shared import Shared
from amlocal.local.endpoints.supervisor.table import router_table
from amlocal.local.endpoints.supervisor.waiting import within
from amlocal.local.endpoints.uris import HOST, scoring_uri
from amlocal.local.endpoints.versions import DeploymentVersion
from amlocal.local.process import inherited
from amlocal.local.tracking.state import MARKER
from amlocal.plan.endpoint_info import DELETING, FAILED, SETTLED, SUCCEEDED

_BACKLOG = 4096
#: Seconds that a router has to follow a change, its start among them.
_APPLY_SECONDS = 60.0


class EndpointRun:
    """An endpoint, as far as this process sees to it.

    Args:
        shared: What all endpoints of the workspace share.
        record: The endpoint.

    Attributes:
        port: The port that its requests come to.
    """

    def __init__(self, shared: Shared, record: EndpointRecord) -> None:
        self._shared = shared
        self._record = record
        self._deployments: dict[str, DeploymentRun] = {}
        self._change = 0
        self._revision = -1
        self._has_unsent = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_stopped = False
        self._listener = _listen(record.port)
        port = self._listener.getsockname()[1]
        if port != record.port:
            shared.records.set_port(record.name, port)
        self.port: int = port
        self._uri = scoring_uri(port)
        shared.layout.endpoint(record.name).mkdir(parents=True, exist_ok=True, mode=0o700)
        self._router = Router(
            self._listener,
            python_arguments(sys.executable, shared.launcher.programs.router),
            {
                **inherited(shared.launcher.environ),
                MARKER: str(shared.layout.folder),
                **role("router of", record.name),
            },
            shared.layout.endpoint(record.name),
            shared.layout.router_log(record.name),
            failed=self._failed,
        )

    def refresh(self, record: EndpointRecord, deployments: Sequence[DeploymentRecord]) -> None:
        """Take note of what is wanted now."""
        is_new, self._revision = record.revision != self._revision, record.revision
        self._record = record
        if record.state == DELETING:
            if is_new:
                self._begin(self._delete())
            return
        for wanted in deployments:
            if wanted.name not in self._deployments:
                self._deployments[wanted.name] = DeploymentRun(
                    self._shared, self, record.name, wanted.name
                )
            self._deployments[wanted.name].refresh(wanted)
        for name in self._deployments.keys() - {wanted.name for wanted in deployments}:
            del self._deployments[name]
        change = self.changed()
        if record.state not in SETTLED:
            self._begin(self._settle(record, change))

    @property
    def is_over(self) -> bool:
        """Whether the endpoint was deleted."""
        return self._is_stopped

    async def stop(self) -> None:
        """End the router once it has answered, and all instances."""
        for task in list(self._tasks):
            if task is not asyncio.current_task():
                task.cancel()
        await self._router.stop()
        await asyncio.gather(*(run.stop() for run in self._deployments.values()))
        self._listener.close()
        self._is_stopped = True

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _settle(self, record: EndpointRecord, change: int) -> None:
        try:
            await self._router.applied(change)
        except TargetError as error:
            self._failed(str(error))
            return
        self._shared.records.settle_endpoint(record.name, record.revision, SUCCEEDED)

    def _failed(self, why: str) -> None:
        record = self._record
        say(f"{record.name}: {why}")
        try:
            if record.state not in SETTLED:
                self._shared.records.settle_endpoint(record.name, record.revision, FAILED, why)
        except AmlocalError as error:  # the router is tried again all the same
            say(f"{record.name}: {error}")

    async def _delete(self) -> None:
        """End everything; requests that are under way are answered."""
        await self.stop()
        records = self._shared.records
        for deployment in records.deployments(self._record.name):
            self.serving_changed(deployment, None)
        shutil.rmtree(self._shared.layout.endpoint(self._record.name), ignore_errors=True)
        records.remove_endpoint(self._record.name)
        self._shared.look_again()

    def changed(self) -> int:
        """Have the router told what serves now; gives the number of the change."""
        self._change += 1
        if not self._has_unsent:
            # Soon, not now: what changes in one go is told in one table.
            self._has_unsent = True
            asyncio.get_running_loop().call_soon(self._send)
        return self._change

    def _send(self) -> None:
        self._has_unsent = False
        if self._is_stopped:
            return
        record, layout = self._record, self._shared.layout
        serving = {name: run.serving() for name, run in self._deployments.items()}
        self._router.send(
            router_table(
                self._change,
                record,
                read_keys(layout.keys(record.name)),
                {name: found for name, found in serving.items() if found is not None},
                self._shared.collected / record.name,
                self._shared.launcher.script_key,
            )
        )

    async def applied(self, change: int) -> None:
        """Return when every request follows a change.

        Raises:
            TargetError: The router does not come up, or refuses its table.
        """
        try:
            await within(_APPLY_SECONDS, self._router.applied(change))
        except asyncio.TimeoutError:
            raise TargetError(
                f"the router does not answer within {_APPLY_SECONDS:g} s",
                hint=f"see {self._shared.layout.router_log(self._record.name)}",
            ) from None

    async def drained(self, identities: frozenset[str], timeout: float) -> None:
        """Return when instances that have left have no request, or after so many seconds."""
        events = [self._router.expect_drained(identity) for identity in identities]

        async def all_set() -> None:
            for event in events:
                await event.wait()

        with contextlib.suppress(asyncio.TimeoutError):
            await within(timeout, all_set())
        for identity in identities:
            self._router.forget_drained(identity)

    def serving_changed(self, record: DeploymentRecord, served: DeploymentVersion | None) -> None:
        """Have it recorded which model a deployment serves; None where it serves no more."""
        for change in model_changes(record, served, self._uri):
            self._shared.servings.add(change)
        self._shared.look_again()


def _listen(port: int) -> socket.socket:
    """Return a socket that listens on a port, or on any free one where that is taken or 0."""
    for wanted in dict.fromkeys((port, 0)):
        listener = socket.socket()
        # Connections of the last router that linger do not count.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, wanted))
        except OSError:
            listener.close()
            if wanted == 0:
                raise
            continue
        listener.listen(_BACKLOG)
        listener.setblocking(False)
        return listener
    raise AssertionError
