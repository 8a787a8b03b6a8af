"""A workspace whose triggers start jobs that only records know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from amlocal.errors import AmlocalError, NotFoundError, UsageError
from amlocal.local.asset_records import AssetRecords
from amlocal.local.database import Database
from amlocal.local.digests import Digests
from amlocal.local.locations import Locations
from amlocal.local.records import JobRecords, timestamp
from amlocal.local.triggers.evaluate import Evaluator
from amlocal.local.triggers.operations import Triggers
from amlocal.local.triggers.places import Places
from amlocal.local.triggers.records import TriggerRecords
from amlocal.local.workspace import Workspace
from amlocal.plan import AssetInfo, JobInfo, JobStatus
from amlocal.plan.trigger import Trigger, TriggerConditions, TriggerDecision, TriggerEvent

#: Long after the files that a test writes.
LATER = 4_000_000_000.0


@dataclass
class RecordedJobs:
    """Jobs that never run: a test ends them."""

    records: JobRecords
    given: dict[str, list[str]] = field(default_factory=dict)
    failing: list[AmlocalError] = field(default_factory=list)
    dying: list[BaseException] = field(default_factory=list)

    def create_or_update(
        self, job: Any, *, overrides: Sequence[str] = (), name: str | None = None
    ) -> JobInfo:
        if self.failing:
            raise self.failing.pop()
        if name is None or self.records.has(name):
            raise UsageError(f"a job named {name!r} exists")
        tags = dict(
            each.removeprefix("tags.").split("=", 1) for each in overrides if "tags." in each
        )
        info = JobInfo(
            name=name,
            type="command",
            status=JobStatus.NOT_STARTED,
            display_name=name,
            tags={key: text.strip('"') for key, text in tags.items()},
            creation_time=timestamp(),
        )
        self.records.add(info)
        if self.dying:
            raise self.dying.pop()
        self.given[name] = list(overrides)
        return info

    def get(self, name: str) -> JobInfo:
        if not self.records.has(name):
            raise NotFoundError(f"no job named {name!r}")
        return self.records.get(name)

    def end(self, name: str, **fields: Any) -> None:
        ended = {
            "status": JobStatus.COMPLETED,
            "start_time": timestamp(1),
            "end_time": timestamp(2),
        }
        self.records.save(msgspec.structs.replace(self.get(name), **{**ended, **fields}))


@dataclass
class Site:
    """A workspace with triggers, a clock, and a folder that data arrives in."""

    folder: Path
    triggers: Triggers
    jobs: RecordedJobs
    assets: AssetRecords
    now: float = LATER

    @property
    def incoming(self) -> Path:
        return self.folder / "incoming"

    @property
    def registry(self) -> Path:
        return self.triggers.evaluator.places.registry

    def put(self, name: str, text: str) -> Path:
        file = self.incoming / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def trigger(self, kind: str = "new_data", **fields: Any) -> Trigger:
        """Make a trigger, of new data in the incoming folder where nothing else is said."""
        names = ("path", "monitor", "model")
        event = {name: fields.pop(name) for name in names if name in fields}
        if kind == "new_data":
            event.setdefault("path", str(self.incoming))
        conditions = {
            name: fields.pop(name) for name in TriggerConditions.__struct_fields__ if name in fields
        }
        trigger = Trigger(
            name=fields.pop("name", "retrain"),
            event=TriggerEvent(type=kind, **event),  # type: ignore[arg-type]
            job="/project/job.yml",
            conditions=TriggerConditions(**conditions),
            **fields,
        )
        self.triggers.create_or_update(trigger)
        return trigger

    def evaluate(self, seconds: float = 10) -> list[TriggerDecision]:
        """Look once more, some seconds later."""
        self.now += seconds
        return list(self.triggers.evaluate(self.now))

    def outcomes(self, seconds: float = 10) -> list[tuple[str, str]]:
        return [(each.outcome, each.job or each.reason) for each in self.evaluate(seconds)]

    def register_data(self, name: str, path: Path) -> None:
        self.assets.add(AssetInfo(kind="data", name=name, path=str(path), version=""))


class NoScheduler:
    """Nobody evaluates but the test."""

    def ensure(self) -> None: ...

    def revive(self) -> None: ...


def find_nothing(*_: Any) -> Any:
    raise NotFoundError("there is none")


def open_site(folder: Path) -> Site:
    workspace = Workspace(folder / ".amlocal", folder)
    workspace.create()
    database = Database(workspace.records, on_full=lambda: None)
    assets = AssetRecords(database)

    def find_asset(name: str, version: str | None, label: str | None) -> str:
        return assets.get("data", name, version, label).path

    jobs = RecordedJobs(JobRecords(database))
    places = Places(
        Digests(workspace.cache / "digests.db"),
        Locations(workspace, find_asset=find_asset, find_output=find_nothing),
        assets,
        workspace.mlflow / "mlflow.db",
    )
    records = TriggerRecords(database)
    evaluator = Evaluator(records, places, jobs, lambda: None, workspace.path / "triggers.lock")
    load = find_nothing
    triggers = Triggers(
        records, evaluator, load, lambda *_, **__: None, workspace.create, NoScheduler()
    )
    return Site(folder, triggers, jobs, assets)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return open_site(tmp_path)
