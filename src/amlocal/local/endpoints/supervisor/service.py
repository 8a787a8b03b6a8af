"""The supervisor's loop: looks at the records when it is woken, and sees to every endpoint."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Mapping
from pathlib import Path

from amlocal.errors import AmlocalError, TrackingError
from amlocal.local.database import Database
from amlocal.local.endpoints.layout import EndpointLayout
from amlocal.local.endpoints.records import EndpointRecord, EndpointRecords
from amlocal.local.endpoints.serving import ServingRecords, write_waiting
from amlocal.local.endpoints.supervision import SupervisorSettings
from amlocal.local.endpoints.supervisor.endpoint import EndpointRun
from amlocal.local.endpoints.supervisor.launch import Launcher
from amlocal.local.endpoints.supervisor.log import say
from amlocal.local.endpoints.supervisor.shared import Shared
from amlocal.local.environments import Environments
from amlocal.local.process import inherited
from amlocal.local.tracking.server import TrackingServer
from amlocal.local.tracking.state import locked
from amlocal.local.workspace import COLLECTED, DEFAULT_DATASTORE, Workspace
from amlocal.plan.endpoint_info import FAILED

#: Seconds between two tries to write what waits for the tracking server.
_WRITE_SECONDS = 30.0


class Service:
    """The supervisor of a workspace.

    Args:
        settings: What it was started with.
        environ: What routers and instances inherit from.
        end: Holds what must be held until this process is known to have ended.
    """

    def __init__(
        self,
        settings: SupervisorSettings,
        environ: Mapping[str, str],
        end: contextlib.ExitStack,
    ) -> None:
        self._end_locks = end
        workspace = Workspace(Path(settings.workspace), Path(settings.project))
        self._layout = EndpointLayout(workspace.endpoints)
        self._database = Database(workspace.records, on_full=workspace.release_reserve)
        self._server = TrackingServer(workspace.mlflow, environ=inherited(environ))
        self._woken = asyncio.Event()
        self._is_ended = False
        self._runs: dict[str, EndpointRun] = {}
        self._writing: asyncio.Task[bool] | None = None
        sockets = _new_sockets(self._layout)
        self._shared = Shared(
            records=EndpointRecords(self._database),
            servings=ServingRecords(self._database),
            layout=self._layout,
            launcher=Launcher(settings.programs, self._layout.folder, environ, sockets),
            environments=Environments(
                workspace.environments,
                environ=environ,
                note=say,
            ),
            collected=workspace.datastore(DEFAULT_DATASTORE) / COLLECTED,
            look_again=self._woken.set,
        )

    async def run(self) -> None:
        """See to the endpoints until there are none, or until a signal comes."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self._end)
        wake = self._layout.daemon.open_wake()
        loop.add_reader(wake, self._hear, wake)
        try:
            await asyncio.to_thread(self._remove_left)
            while not self._is_ended:
                self._woken.clear()
                self._look()
                if not self._runs and await self._may_end():
                    break
                await self._wait()
            await asyncio.gather(*(run.stop() for run in self._runs.values()))
            self._shared.records.note_down()
        finally:
            loop.remove_reader(wake)
            os.close(wake)
            shutil.rmtree(self._shared.launcher.sockets, ignore_errors=True)
            self._database.close()

    def _remove_left(self) -> None:
        """Remove the containers of a supervisor that was killed: they outlive who started them."""
        if all(each.version.container is None for each in self._shared.records.deployments()):
            return
        try:
            self._shared.launcher.remove_containers()
        except AmlocalError as error:
            say(str(error))

    def _end(self) -> None:
        self._is_ended = True
        self._woken.set()

    def _hear(self, wake: int) -> None:
        os.read(wake, 1 << 16)
        self._woken.set()

    async def _wait(self) -> None:
        """Return when the records may have changed, or when MLflow is to be tried again."""
        pause = _WRITE_SECONDS if self._shared.servings.waiting() else None
        self._write()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._woken.wait(), pause)

    def _look(self) -> None:
        """Begin to make true what the records want now."""
        records = self._shared.records
        wanted = {record.name: record for record in records.endpoints()}
        for name, run in list(self._runs.items()):
            if run.is_over:
                del self._runs[name]
        for record in wanted.values():
            self._see_to(record)

    def _see_to(self, record: EndpointRecord) -> None:
        records, name = self._shared.records, record.name
        try:
            if name not in self._runs:
                self._runs[name] = EndpointRun(self._shared, record)
            self._runs[name].refresh(record, records.deployments(name))
        except (AmlocalError, OSError) as error:
            say(f"{name}: {error}")
            records.settle_endpoint(name, record.revision, FAILED, str(error))

    async def _may_end(self) -> bool:
        """Tell whether nothing is left to do; then whoever wants something waits for our end."""
        if self._writing is not None:
            await self._writing
        await asyncio.to_thread(self._write_waiting)
        try:
            self._end_locks.enter_context(locked(self._layout.daemon.start_lock))
        except TrackingError:
            return False  # somebody is about to wake us
        if self._shared.records.endpoints():
            self._end_locks.close()
            return False
        return True

    def _write(self) -> None:
        """Write to MLflow what waits, in a thread of its own: it takes long where it fails."""
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(asyncio.to_thread(self._write_waiting))

    def _write_waiting(self) -> bool:
        servings = self._shared.servings
        return write_waiting(servings, self._server.uri() if servings.waiting() else None)


def _new_sockets(layout: EndpointLayout) -> Path:
    """Return a new folder for sockets, in place of that of a supervisor that was killed."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(layout.sockets.read_text(), ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix="amlocal-"))
    layout.sockets.write_text(str(folder))
    return folder
