"""Evaluates triggers without end: `python -m tests.faults.evaluate_triggers PROJECT SHARED`.

Their jobs write the event that started them into the project's ledger.
"""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from tests.lab import PlanCompiler, command, share

from amlocal.local.client import LocalClient
from amlocal.plan import Job


class LedgerCompiler(PlanCompiler):
    """Makes of any file a job that writes its event into a ledger, which is that file."""

    def compile_job(self, source: Any, *, overrides: Sequence[str] = (), **_: Any) -> Job:
        tags = dict(each.removeprefix("tags.").split("=", 1) for each in overrides)
        job = command(f"echo {tags['event']} >> {source}")
        return msgspec.structs.replace(job, tags=tags)


class NoScheduler:
    """Nobody evaluates but the test."""

    def ensure(self) -> None: ...

    def revive(self) -> None: ...


def open_client(project: Path, shared: Path) -> LocalClient:
    share(project / ".amlocal", shared)
    client = LocalClient.open(project / ".amlocal", dict(os.environ), LedgerCompiler())
    # The workspace's scheduler would compile the ledger.
    own = dataclasses.replace(client.triggers, scheduler=NoScheduler())
    return dataclasses.replace(client, triggers=own)


def main(project: str, shared: str) -> None:
    client = open_client(Path(project), Path(shared))
    print("ready", flush=True)
    while True:
        client.triggers.evaluate(time.time())
        time.sleep(0.01)


if __name__ == "__main__":
    main(*sys.argv[1:])
