"""The process that runs a job in the background: `python -m amlocal.local.worker WORKSPACE JOB`."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import msgspec

from amlocal.local.engine import Engine, EngineOptions
from amlocal.local.jobs import Submitted, run_engine
from amlocal.local.opened import open_workspace
from amlocal.local.workspace import Workspace


def main(arguments: list[str]) -> int:
    """Run a job that was recorded and whose lock this process has been handed."""
    path, name = arguments
    opened = open_workspace(Workspace.find(path, os.environ, Path.cwd()), os.environ, note=print)
    folder = opened.services.workspace.job(name)
    submitted = msgspec.json.decode((folder / "plan.json").read_bytes(), type=Submitted)
    info = opened.services.records.get(name)
    engine = Engine(opened.services, submitted.job, info, EngineOptions(**submitted.options))
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: engine.cancel())
    run_engine(engine, opened.services)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
