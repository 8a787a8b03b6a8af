"""The workspace's scheduler process, seen from the commands."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from amlocal.local.daemon import Daemon, DaemonFiles
from amlocal.local.tracking.state import marked_processes
from amlocal.local.workspace import Workspace
from amlocal.plan.base import Value

#: The program of the scheduler; it is given its `SchedulerSettings` as JSON. It has the whole
#: client, and so is not of this package.
SCHEDULER = "amlocal.scheduler"


class SchedulerSettings(Value, frozen=True):
    """What a scheduler is started with.

    Attributes:
        workspace: The workspace's folder.
        project: The project's folder.
    """

    workspace: str
    project: str


def scheduler_files(workspace: Path) -> DaemonFiles:
    """Return the scheduler's files in a workspace's folder."""
    return DaemonFiles(workspace / "schedules" / ".scheduler")


class SchedulerProcess(Daemon):
    """The scheduler of a workspace.

    Args:
        workspace: The workspace.
        environ: The environment that it and the jobs that it starts get.
    """

    def __init__(self, workspace: Workspace, environ: Mapping[str, str]) -> None:
        settings = SchedulerSettings(workspace=str(workspace.path), project=str(workspace.project))
        files = scheduler_files(workspace.path)
        super().__init__(
            "the scheduler",
            files,
            mark=workspace.schedules,
            command=[sys.executable, "-m", SCHEDULER, settings.to_json().decode()],
            environ=environ,
            create=lambda: files.folder.mkdir(parents=True, exist_ok=True),
        )

    def processes(self) -> dict[int, str]:
        """Return its process id, where it runs."""
        if not self.mark.is_dir():
            return {}
        return {process.pid: "scheduler" for process in marked_processes(self.mark)}
