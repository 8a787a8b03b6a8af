from __future__ import annotations

import asyncio
import dataclasses
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from amlocal.errors import EnvironmentBuildError
from amlocal.local.endpoints.layout import EndpointLayout
from amlocal.local.endpoints.records import DeploymentRecord
from amlocal.local.endpoints.supervisor.deployment import DeploymentRun
from amlocal.local.endpoints.versions import DeploymentVersion
from amlocal.local.environments import EnvironmentChoice
from amlocal.plan import OnlineDeployment
from amlocal.plan.endpoint_info import DELETING, SUCCEEDED

VERSION = DeploymentVersion(
    plan=OnlineDeployment(name="blue", endpoint_name="adult"),
    folder="",
    choice=EnvironmentChoice("current", "env", "0" * 64, "3.11.7", "/usr/bin/python3"),
    model="m:1",
)
RECORD = DeploymentRecord("adult", "blue", 1, SUCCEEDED, 0.0, VERSION, served=VERSION)


class Board:
    """An endpoint whose router follows at once."""

    port = 1

    def changed(self) -> int:
        return 1

    async def applied(self, change: int) -> None:
        pass

    async def drained(self, identities: frozenset[str], timeout: float) -> None:
        pass

    def serving_changed(self, record: DeploymentRecord, served: DeploymentVersion | None) -> None:
        pass


class Records:
    """Notes of one deployment."""

    def __init__(self) -> None:
        self.troubles: list[str] = []
        self.is_removed = False

    def note_trouble(self, endpoint: str, name: str, what: str) -> None:
        self.troubles.append(what)

    def remove_deployment(self, record: DeploymentRecord) -> None:
        self.is_removed = True


def test_what_is_brought_back_is_in_the_table_before_it_serves(tmp_path: Path) -> None:
    """Else its requests would be told that there is no such deployment."""
    may_fail, records = threading.Event(), Records()

    def prepare(choice: EnvironmentChoice) -> None:
        assert may_fail.wait(60)
        raise EnvironmentBuildError("no such package")

    shared = SimpleNamespace(
        records=records,
        layout=EndpointLayout(tmp_path),
        environments=SimpleNamespace(prepare=prepare),
    )

    async def follow() -> None:
        run = DeploymentRun(cast(Any, shared), Board(), "adult", "blue")
        assert run.serving() is None
        run.refresh(RECORD)
        try:
            assert run.serving() == (VERSION, {})
        finally:
            may_fail.set()
        while not records.troubles:
            await asyncio.sleep(0.01)
        assert run.serving() == (VERSION, {})
        run.refresh(dataclasses.replace(RECORD, revision=2, state=DELETING))
        while not records.is_removed:
            await asyncio.sleep(0.01)
        assert run.serving() is None

    asyncio.run(asyncio.wait_for(follow(), 60))
    assert "no such package" in records.troubles[0]
