"""The workspace itself: what it holds, its processes, its disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from amlocal.local.endpoints.pollers import BACK_SECONDS, wait_until_back
from amlocal.local.endpoints.serving import write_waiting
from amlocal.local.endpoints.supervision import Supervision
from amlocal.local.failures import disk_errors
from amlocal.local.garbage import collect, size
from amlocal.local.jobs import LocalJobs
from amlocal.local.opened import Opened
from amlocal.local.process import end_jobs, find, find_workers
from amlocal.local.recovery import recover
from amlocal.local.schedules.process import SchedulerProcess
from amlocal.local.services import Services
from amlocal.plan import WorkspaceInfo


@dataclass(frozen=True, slots=True)
class LocalWorkspace:
    """A local workspace, seen from outside; see `amlocal.client.WorkspaceOperations`."""

    opened: Opened
    jobs: LocalJobs
    supervision: Supervision
    scheduler: SchedulerProcess

    def show(self) -> WorkspaceInfo:
        """Return what the workspace holds and which of its processes run."""
        recover(self.services.records, self.services.workspace)
        server = self.services.server
        processes = {str(pid): f"engine of {job}" for pid, job in find_workers(self._path).items()}
        processes |= {str(pid): f"step of {job}" for pid, job in find(self._path).items()}
        processes |= {str(pid): what for pid, what in server.processes().items()}
        processes |= {str(pid): what for pid, what in self.supervision.processes().items()}
        processes |= {str(pid): what for pid, what in self.scheduler.processes().items()}
        return WorkspaceInfo(
            path=str(self._path),
            jobs=len(self.services.records.list(view="All")),
            running=tuple(info.name for info in self.services.records.open()),
            tracking_uri=server.uri() or "",
            processes=processes,
            bytes=size(self._path),
        )

    @property
    def services(self) -> Services:
        """What running jobs needs."""
        return self.opened.services

    @property
    def _path(self) -> Path:
        return self.services.workspace.path

    def up(self) -> WorkspaceInfo:
        """Start the tracking server and the scheduler, and bring every endpoint back."""
        self.services.workspace.create()
        uri = self.services.server.ensure()
        write_waiting(self.opened.servings, uri)
        if self.opened.endpoints.endpoints():
            self.supervision.ensure()
            wait_until_back(self.opened.endpoints, BACK_SECONDS)
        if self.opened.schedules.any_enabled() or self.opened.triggers.any_enabled():
            self.scheduler.ensure()
        return self.show()

    def down(self) -> WorkspaceInfo:
        """Cancel every running job and end every process of the workspace.

        Endpoints and schedules stay in the records; `up` brings them back.
        """
        self.scheduler.stop()  # first, since it starts jobs
        recover(self.services.records, self.services.workspace)
        for info in self.services.records.open():
            self.jobs.cancel(info.name)
        end_jobs(self._path)
        self.supervision.stop()
        self.services.server.stop()
        return self.show()

    def collect_garbage(self, *, dry_run: bool = False) -> int:
        """Remove what no job and no asset refers to any more; returns the bytes freed."""
        if not self._path.exists():
            return 0
        recover(self.services.records, self.services.workspace)
        with disk_errors(self.services.workspace):
            return collect(self.opened, dry_run=dry_run)
