"""The lineage from a deployment back to the breach: whole, or it says where it breaks."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from amlocal.errors import NotFoundError
from amlocal.plan import AssetInfo, JobInfo, JobStatus, MonitorInfo, OutputInfo
from amlocal.plan.endpoint_info import OnlineDeploymentInfo
from amlocal.plan.trigger import EventInfo

PROJECT = Path(__file__).parents[2]
WINDOW = "2026-11-01/2026-11-08"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, PROJECT / "loop" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


chain = load("chain")


class World:
    """What a workspace tells after the loop went round once."""

    def __init__(self, folder: Path) -> None:
        account = {
            "data_window": WINDOW,
            "fresh_rows": 900,
            "collected_rows": 1000,
            "first": "2026-11-01",
            "last": "2026-11-07",
        }
        (folder / "fresh_data.json").write_text(json.dumps(account))
        self.deployment = OnlineDeploymentInfo(
            name="version-2",
            endpoint_name="adult",
            model="income:2",
            tags={"release_job": "release_3"},
        )
        self.model = AssetInfo(
            kind="model",
            name="income",
            version="2",
            tags={"data_window": WINDOW, "job": "retrain_2", "event": "2"},
        )
        outputs = {
            "table": OutputInfo(type="uri_folder", path="t", uri="azureml://t", asset="fresh:1"),
            "report": OutputInfo(type="uri_folder", path=str(folder)),
        }
        found = MonitorInfo(
            monitor="watch", slot="s", verdict="breach", note="age 0.4", deployment="version-1"
        )
        self.jobs = {
            "release_3": job("release_3", "release", 3),
            "retrain_2": job("retrain_2", "retrain", 2),
            "fresh_1": job("fresh_1", "refresh", 1, outputs=outputs),
            "watch_0": JobInfo("watch_0", "command", JobStatus.COMPLETED, monitor=found),
        }
        self.events = [
            event(3, "new_model_version", model="income", version="2", path="azureml:income:2"),
            event(2, "new_data", path="azureml:fresh:1", version="1"),
            event(1, "drift", job="watch_0", signal="drift", feature="age", value=0.41234),
        ]

    def get_job(self, name: str) -> JobInfo:
        if name not in self.jobs:
            raise NotFoundError(f"no job {name}")
        return self.jobs[name]

    @property
    def client(self) -> Any:
        return SimpleNamespace(
            online_deployments=SimpleNamespace(get=lambda name, endpoint: self.deployment),
            models=SimpleNamespace(get=lambda name, version: self.model),
            jobs=SimpleNamespace(get=self.get_job, list=lambda: list(self.jobs.values())),
            triggers=SimpleNamespace(events=lambda: self.events),
        )


def job(name: str, trigger: str, number: int, **fields: Any) -> JobInfo:
    tags = {"trigger": trigger, "event": str(number)}
    return JobInfo(name, "pipeline", JobStatus.COMPLETED, tags=tags, **fields)


def event(number: int, kind: Any, **detail: Any) -> EventInfo:
    return EventInfo(number, kind, "source", f"key-{number}", "now", detail)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_deployment_is_followed_back_to_the_breach_and_to_the_rows(world: World) -> None:
    links = chain.walk(world.client, "adult", "version-2")
    assert [(link.kind, link.name) for link in links] == [
        ("deployment", "adult/version-2"),
        ("job", "release_3"),
        ("event", "new_model_version 3"),
        ("model", "income:2"),
        ("job", "retrain_2"),
        ("event", "new_data 2"),
        ("data", "fresh:1"),
        ("job", "fresh_1"),
        ("rows", "900 of 1000 collected rows"),
        ("event", "drift 1"),
        ("monitor", "watch_0"),
    ]
    told = chain.lines(links)
    assert told[-2].endswith("signal drift, feature age, value 0.412")
    assert told[-1].endswith("version-1: age 0.4")


def without(*path: str) -> Callable[[World], None]:
    """Return what takes a tag away from a thing, or a thing away."""

    def change(world: World) -> None:
        first, *rest = path
        held = getattr(world, first)
        if first == "jobs" and len(rest) == 1:
            del held[rest[0]]
        else:
            thing = held[rest[0]] if first == "jobs" else held
            del thing.tags[rest[-1]]

    return change


def other_event(world: World) -> None:
    world.model.tags["event"] = "9"


def other_window(world: World) -> None:
    world.model.tags["data_window"] = "other"


def no_event(world: World) -> None:
    world.events.pop()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("deployment", "release_job"), "deployment version-2 has no tag release_job"),
        (without("jobs", "release_3", "event"), "job release_3 has no tag event"),
        (without("model", "data_window"), "model income:2 has no tag data_window"),
        (without("model", "job"), "model income:2 has no tag job"),
        (other_event, "model income:2 names another event"),
        (without("jobs", "fresh_1"), "no job wrote the data asset fresh:1"),
        (other_window, f"fresh:1 is of rows from {WINDOW}"),
        (no_event, "job fresh_1 comes from no event drift or performance_decay"),
    ],
)
def test_a_chain_that_breaks_says_where(
    world: World, change: Callable[[World], None], message: str
) -> None:
    change(world)
    with pytest.raises(chain.BrokenChainError, match=message):
        chain.walk(world.client, "adult", "version-2")


def test_what_a_link_names_must_be_there(world: World) -> None:
    del world.jobs["watch_0"]
    with pytest.raises(NotFoundError, match="no job watch_0"):
        chain.walk(world.client, "adult", "version-2")
