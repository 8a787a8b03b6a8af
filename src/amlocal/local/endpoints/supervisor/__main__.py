"""The supervisor's program: `python -m amlocal.local.endpoints.supervisor SETTINGS`.

It goes on in a process that no terminal and no parent holds, and ends when the workspace has no
endpoint, or by SIGTERM.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from pathlib import Path

from amlocal.errors import AmlocalError
from amlocal.local.daemon import detach
from amlocal.local.database import Database
from amlocal.local.endpoints.layout import EndpointLayout
from amlocal.local.endpoints.records import EndpointRecords
from amlocal.local.endpoints.supervision import SupervisorSettings
from amlocal.local.endpoints.supervisor.service import Service
from amlocal.local.tracking.state import locked
from amlocal.local.workspace import Workspace


def main(arguments: list[str]) -> int:
    """Become a daemon and see to the workspace's endpoints."""
    settings = SupervisorSettings.from_json(arguments[0])
    workspace = Workspace(Path(settings.workspace), Path(settings.project))
    layout = EndpointLayout(workspace.endpoints)
    # Who waits for `end` finds `alive` free: the one is released before the other.
    with contextlib.ExitStack() as end, contextlib.ExitStack() as alive:
        # Before the fork: whoever starts us knows that we live when its call returns, and finds
        # nothing in the records that a supervisor which was killed had left there.
        alive.enter_context(locked(layout.daemon.alive_lock))
        database = Database(workspace.records, on_full=workspace.release_reserve)
        EndpointRecords(database).note_down()
        database.close()
        detach()
        asyncio.run(_run(settings, end))
    return 0


async def _run(settings: SupervisorSettings, end: contextlib.ExitStack) -> None:
    await Service(settings, dict(os.environ), end).run()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except AmlocalError as error:
        sys.exit(str(error))
