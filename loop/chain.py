"""From a deployment back to the breach and the rows that it comes from, by what each link says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amlocal.local.client import LocalClient
from amlocal.plan import JobInfo
from amlocal.plan.trigger import EventInfo


class BrokenChainError(Exception):
    """A link does not say where it comes from."""


@dataclass(frozen=True)
class Link:
    """Something that came of what stands behind it.

    Attributes:
        kind: `deployment`, `model`, `job`, `data`, `event`, `monitor`, or `rows`.
        name: Its name.
        facts: What it says of itself, in a line.
    """

    kind: str
    name: str
    facts: str = ""


def walk(client: LocalClient, endpoint: str, deployment: str) -> list[Link]:
    """Return the links of a deployment's lineage, the newest first.

    Raises:
        BrokenChainError: A link names nothing that it comes from, or what it names is not there.
    """
    return list(_Walk(client).links(endpoint, deployment))


class _Walk:
    def __init__(self, client: LocalClient) -> None:
        self._client = client
        self._events = {event.id: event for event in client.triggers.events()}

    def links(self, endpoint: str, deployment: str) -> Iterator[Link]:
        served = self._client.online_deployments.get(deployment, endpoint)
        yield Link("deployment", f"{endpoint}/{deployment}", f"serves {served.model}")
        release = self._job(_said(served.tags, "release_job", f"deployment {deployment}"))
        yield _job(release)
        registered = self._event_of(release, "new_model_version")
        yield _event(registered)
        model = self._client.models.get(str(registered.detail["model"]), _version(registered))
        if f"{model.name}:{model.version}" != served.model:
            raise BrokenChainError(f"{release.name} released {model.name}:{model.version}")
        window = _said(model.tags, "data_window", f"model {model.name}:{model.version}")
        yield Link("model", f"{model.name}:{model.version}", f"of rows from {window}")
        retrain = self._job(_said(model.tags, "job", f"model {model.name}:{model.version}"))
        yield _job(retrain)
        came = self._event_of(retrain, "new_data")
        if model.tags.get("event") != str(came.id):
            raise BrokenChainError(f"model {model.name}:{model.version} names another event")
        yield _event(came)
        yield from self._data(str(came.detail["path"]).removeprefix("azureml:"), window)

    def _data(self, asset: str, window: str) -> Iterator[Link]:
        made = [
            job
            for job in self._client.jobs.list()
            if any(output.asset == asset for output in job.outputs.values())
        ]
        if not made:
            raise BrokenChainError(f"no job wrote the data asset {asset}")
        yield Link("data", asset, made[0].outputs["table"].uri)
        yield _job(made[0])
        report = Path(made[0].outputs["report"].path) / "fresh_data.json"
        account = json.loads(report.read_text())
        if account["data_window"] != window:
            raise BrokenChainError(f"{asset} is of rows from {account['data_window']}")
        counts = f"{account['fresh_rows']} of {account['collected_rows']} collected rows"
        yield Link("rows", counts, f"{account['first']} to {account['last']}")
        breach = self._event_of(made[0], "drift", "performance_decay")
        yield _event(breach)
        run = self._job(str(breach.detail["job"]))
        if run.monitor is None:
            raise BrokenChainError(f"{run.name} is no monitor's run")
        yield Link("monitor", run.name, f"{run.monitor.deployment}: {run.monitor.note}")

    def _job(self, name: str) -> JobInfo:
        return self._client.jobs.get(name)

    def _event_of(self, job: JobInfo, *kinds: str) -> EventInfo:
        event = self._events.get(int(_said(job.tags, "event", f"job {job.name}")))
        if event is None or event.type not in kinds:
            raise BrokenChainError(f"job {job.name} comes from no event {' or '.join(kinds)}")
        return event


def _said(tags: dict[str, str], name: str, what: str) -> str:
    if not tags.get(name):
        raise BrokenChainError(f"{what} has no tag {name}")
    return tags[name]


def _version(event: EventInfo) -> str:
    return str(event.detail["version"])


def _job(job: JobInfo) -> Link:
    return Link("job", job.name, f"started by trigger {job.tags['trigger']}")


def _event(event: EventInfo) -> Link:
    kept = {
        name: value
        for name, value in event.detail.items()
        if name in {"path", "version", "signal", "metric", "feature", "value", "threshold"}
    }
    told = ", ".join(f"{name} {_short(value)}" for name, value in kept.items() if value != "")
    return Link("event", f"{event.type} {event.id}", told)


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def lines(links: Iterable[Link]) -> list[str]:
    """Return the links as lines of text."""
    return [f"{link.kind:<10}  {link.name:<34}  {link.facts}" for link in links]
