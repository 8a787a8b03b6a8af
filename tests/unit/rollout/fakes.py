"""A scripted endpoint: ordinary objects that stand where a target, a clock, and a person stand."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from amlocal.errors import TargetError, not_found
from amlocal.plan import (
    Answer,
    DeploymentMetrics,
    MonitoredDeployment,
    OnlineDeploymentInfo,
    OnlineEndpointInfo,
    RolloutStage,
    StageResult,
    Verdict,
)

ENDPOINT = "adult"
BUCKETS = (0.01, 0.012, 0.015, 0.02, 0.03, 0.05, 0.1, 1.0)


@dataclass
class Behaviour:
    """How a deployment does.

    Attributes:
        failing: Share of its requests that fail.
        seconds: How long an answer takes.
        agreeing: Share of its mirrored answers that are the same.
    """

    failing: float = 0.0
    seconds: float = 0.011
    agreeing: float = 1.0


@dataclass
class Done:
    """A poller that has ended."""

    value: Any

    def result(self, timeout: float | None = None) -> Any:
        return self.value

    def done(self) -> bool:
        return True

    def status(self) -> str:
        return "Succeeded"


@dataclass
class Counts:
    """What one deployment has done."""

    live: Counter[str] = field(default_factory=Counter)
    mirrored: Counter[str] = field(default_factory=Counter)
    latency: Counter[float] = field(default_factory=Counter)
    mirrored_latency: Counter[float] = field(default_factory=Counter)
    agreed: int = 0
    disagreed: int = 0
    #: What of a request is yet to come: shares do not part evenly.
    rest: Counter[str] = field(default_factory=Counter)

    def metrics(self) -> DeploymentMetrics:
        return DeploymentMetrics(
            requests=dict(self.live),
            mirrored=dict(self.mirrored),
            latency=_cumulative(self.latency),
            mirrored_latency=_cumulative(self.mirrored_latency),
            agreed=self.agreed,
            disagreed=self.disagreed,
        )

    def share(self, key: str, amount: float) -> int:
        """Return the whole part of an amount, and keep the rest for the next time."""
        self.rest[key] += amount  # type: ignore[assignment]
        whole = int(self.rest[key] + 1e-9)
        self.rest[key] -= whole
        return whole


def _cumulative(latency: Counter[float]) -> dict[str, int]:
    if not latency:
        return {}
    found = {
        str(bound): sum(n for each, n in latency.items() if each <= bound) for bound in BUCKETS
    }
    return {**found, "+Inf": sum(latency.values())}


class World:
    """An endpoint with `blue` and `green`, under so many requests a second; also its clock.

    Args:
        rate: Live requests a second.
        behaviours: How each deployment does.
        traffic: Percent of the requests by deployment, at first.
    """

    def __init__(
        self,
        rate: float = 100,
        *,
        traffic: Mapping[str, int] | None = None,
        **behaviours: Behaviour,
    ) -> None:
        self.rate = rate
        self.behaviours = {"blue": Behaviour(), "green": Behaviour(), **behaviours}
        self.endpoint = OnlineEndpointInfo(
            name=ENDPOINT,
            traffic={"blue": 100} if traffic is None else dict(traffic),
            deployments=tuple(self.behaviours),
            tags={"team": "risk"},
        )
        self.deployments = {
            name: OnlineDeploymentInfo(name=name, endpoint_name=ENDPOINT)
            for name in self.behaviours
        }
        self.counts = {name: Counts() for name in self.behaviours}
        self.now = 0.0
        #: Traffic and mirrored traffic, each time they were set.
        self.history: list[tuple[dict[str, int], dict[str, int]]] = []
        self.created: list[dict[str, Any]] = []
        self.invoked: Counter[str] = Counter()
        #: Called at each look, with the time.
        self.happens: Callable[[float], None] = lambda _: None
        #: Readings that fail next.
        self.unreadable = 0
        #: Looks at the endpoint that fail next.
        self.unseen = 0
        #: Seconds that pass at each reading, for a test that cannot give its clock.
        self.seconds_a_reading = 0.0
        self.online_endpoints: Endpoints = Endpoints(self)
        self.online_deployments = Deployments(self)
        self.batch_endpoints: Any = None
        self.batch_deployments: Any = None

    def monitored(self) -> World:
        """Return the world as a target in Azure is: with a monitor."""
        self.online_endpoints = MonitoredEndpoints(self)
        return self

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass, and requests come."""
        self.now += seconds
        for name, percent in self.endpoint.traffic.items():
            self.serve(name, seconds * self.rate * percent / 100)
        for name, percent in self.endpoint.mirror_traffic.items():
            self.serve(name, seconds * self.rate * percent / 100, mirrored=True)
        self.happens(self.now)

    def serve(self, name: str, requests: float, *, mirrored: bool = False) -> None:
        counts, does = self.counts[name], self.behaviours[name]
        kind = "mirrored" if mirrored else "live"
        whole = counts.share(kind, requests)
        failed = counts.share(f"{kind} failed", whole * does.failing)
        statuses = counts.mirrored if mirrored else counts.live
        statuses["200"] += whole - failed
        if failed:
            statuses["424"] += failed
        (counts.mirrored_latency if mirrored else counts.latency)[does.seconds] += whole
        if mirrored:
            same = counts.share("agreed", (whole - failed) * does.agreeing)
            counts.agreed += same
            counts.disagreed += whole - failed - same

    def edit(self, **fields: Any) -> None:
        """Change the endpoint as another command would."""
        self.endpoint = msgspec.structs.replace(self.endpoint, **fields)


@dataclass
class Endpoints:
    """Online endpoints of the world: one."""

    world: World

    def get(self, name: str) -> OnlineEndpointInfo:
        if name != ENDPOINT:
            raise not_found("online endpoint", name, [ENDPOINT])
        if self.world.unseen:
            self.world.unseen -= 1
            raise TargetError("the network is down")
        return self.world.endpoint

    def begin_create_or_update(
        self, endpoint: Any, *, overrides: Sequence[str] = (), name: str | None = None
    ) -> Done:
        assert endpoint is None
        assert name == ENDPOINT
        held = self.world.endpoint
        fields: dict[str, dict[str, Any]] = {
            "traffic": dict(held.traffic),
            "mirror_traffic": dict(held.mirror_traffic),
            "tags": dict(held.tags),
        }
        for setting in overrides:
            path, _, value = setting.partition("=")
            top, _, key = path.partition(".")
            fields[top][key] = value if top == "tags" else int(value)
        assert sum(fields["traffic"].values()) == 100
        assert not any(fields["traffic"].get(n) for n, p in fields["mirror_traffic"].items() if p)
        self.world.edit(**fields)
        told = [{n: p for n, p in fields[f].items() if p} for f in ("traffic", "mirror_traffic")]
        self.world.history.append((told[0], told[1]))
        return Done(self.world.endpoint)

    def metrics(self, endpoint_name: str) -> Mapping[str, DeploymentMetrics]:
        if self.world.unreadable:
            self.world.unreadable -= 1
            raise TargetError("the router does not answer")
        if self.world.seconds_a_reading:
            self.world.sleep(self.world.seconds_a_reading)
        return {name: counts.metrics() for name, counts in self.world.counts.items()}

    def invoke(
        self, endpoint_name: str, *, request_file: Any, deployment_name: str | None = None
    ) -> Answer:
        assert deployment_name is not None
        self.world.invoked[deployment_name] += 1
        does = self.world.behaviours[deployment_name]
        return Answer(status=200, body=json.dumps([does.agreeing]))


class MonitoredEndpoints(Endpoints):
    """Online endpoints whose target has a monitor instead of counts; it knows of no percentiles."""

    def metrics(self, endpoint_name: str) -> Mapping[str, DeploymentMetrics]:
        raise AssertionError("Azure has no counts")

    def monitor(
        self, endpoint_name: str, deployment_name: str, since: datetime
    ) -> MonitoredDeployment:
        assert since.tzinfo is not None
        if self.world.unreadable:
            self.world.unreadable -= 1
            raise TargetError("you may not read the metrics")
        if self.world.seconds_a_reading:
            self.world.sleep(self.world.seconds_a_reading)
        counts = self.world.counts[deployment_name]
        return MonitoredDeployment(requests=dict(counts.live + counts.mirrored))


@dataclass
class Deployments:
    """Online deployments of the world."""

    world: World

    def get(self, name: str, endpoint_name: str) -> OnlineDeploymentInfo:
        if name not in self.world.deployments:
            raise not_found("deployment", name, self.world.deployments)
        return self.world.deployments[name]

    def list(self, endpoint_name: str) -> list[OnlineDeploymentInfo]:
        return list(self.world.deployments.values())

    def begin_create_or_update(self, deployment: Any, **given: Any) -> Done:
        self.world.created.append({"file": deployment, **given})
        return Done(self.world.deployments[given["name"]])

    def fail(self, name: str, error: str) -> None:
        held = self.world.deployments[name]
        self.world.deployments[name] = msgspec.structs.replace(
            held, provisioning_state="Failed", error=error
        )


@dataclass
class Watching:
    """An observer that keeps what it is told."""

    notes: list[str] = field(default_factory=list)
    stages: list[str] = field(default_factory=list)
    looks: list[tuple[float, int, tuple[Verdict, ...]]] = field(default_factory=list)
    results: list[StageResult] = field(default_factory=list)

    def note(self, message: str) -> None:
        self.notes.append(message)

    def stage_started(self, stage: RolloutStage, number: int, count: int) -> None:
        self.stages.append(f"{number}/{count} {stage}")

    def looked(self, seconds: float, requests: int, verdicts: tuple[Verdict, ...]) -> None:
        self.looks.append((seconds, requests, verdicts))

    def stage_ended(self, result: StageResult) -> None:
        self.results.append(result)
