"""Ordinary objects that stand where a client's endpoints and deployments stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from amlocal.errors import not_found
from amlocal.plan import (
    Answer,
    BatchDeploymentInfo,
    BatchEndpointInfo,
    DeploymentMetrics,
    EndpointCredentials,
    JobInfo,
    JobStatus,
    OnlineDeploymentInfo,
    OnlineEndpointInfo,
)

T = TypeVar("T")
ENDPOINT = OnlineEndpointInfo(
    name="adult",
    scoring_uri="http://127.0.0.1:5001/score",
    openapi_uri="http://127.0.0.1:5001/swagger.json",
    traffic={"blue": 90, "green": 10},
    mirror_traffic={"shadow": 5},
    deployments=("blue", "green", "shadow"),
    tags={"stage": "test"},
    creation_time="2026-01-02T03:04:05.678Z",
)
BLUE = OnlineDeploymentInfo(
    name="blue",
    endpoint_name="adult",
    model="adult:3",
    environment="current",
    instance_count=2,
    ready_instances=2,
    creation_time="2026-01-02T03:04:05.678Z",
)
GREEN = OnlineDeploymentInfo(
    name="green",
    endpoint_name="adult",
    provisioning_state="Failed",
    error="init() failed\nValueError: \x1b[31mno model",
)
SHADOW = OnlineDeploymentInfo(
    name="shadow", endpoint_name="adult", provisioning_state="Creating", model="adult:4"
)
PREDICTED = Answer(status=200, body='{"output": [0, 1]}')
KEYS = EndpointCredentials(primary_key="first", secondary_key="second")
BATCH = BatchEndpointInfo(
    name="census",
    default_deployment="main",
    deployments=("main", "other"),
    creation_time="2026-01-02T03:04:05.678Z",
)
MAIN = BatchDeploymentInfo(name="main", endpoint_name="census", model="adult:3")
SCORING = JobInfo(name="batchjob-1", type="pipeline", status=JobStatus.RUNNING)


@dataclass
class FakePoller(Generic[T]):
    """An operation that ends after a number of looks."""

    value: T
    looks: int = 0
    error: Exception | None = None
    #: Raised by a look, as by Ctrl-C.
    interrupt: bool = False

    def done(self) -> bool:
        if self.interrupt:
            raise KeyboardInterrupt
        self.looks -= 1
        return self.looks < 0

    def status(self) -> str:
        return "Succeeded" if self.looks < 0 else "InProgress"

    def result(self, timeout: float | None = None) -> T:
        if self.error is not None:
            raise self.error
        return self.value


@dataclass
class Calls:
    """Keeps the calls, and gives the pollers that they return."""

    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    looks: int = 0
    error: Exception | None = None
    interrupt: bool = False

    def begin(self, verb: str, value: T, **given: Any) -> FakePoller[T]:
        self.calls.append((verb, given))
        return FakePoller(value, self.looks, self.error, self.interrupt)

    def called(self, verb: str) -> list[dict[str, Any]]:
        return [given for name, given in self.calls if name == verb]


@dataclass
class FakeOnlineEndpoints(Calls):
    endpoints: list[OnlineEndpointInfo] = field(default_factory=lambda: [ENDPOINT])
    answer: Answer = PREDICTED
    credentials: EndpointCredentials = KEYS

    def begin_create_or_update(
        self, endpoint: Any, *, overrides: Sequence[str] = (), name: str | None = None
    ) -> FakePoller[OnlineEndpointInfo]:
        given = {"endpoint": endpoint, "overrides": list(overrides), "name": name}
        return self.begin("begin_create_or_update", self.endpoints[0], **given)

    def get(self, name: str) -> OnlineEndpointInfo:
        for endpoint in self.endpoints:
            if endpoint.name == name:
                return endpoint
        raise not_found("online endpoint", name, [each.name for each in self.endpoints])

    def list(self) -> list[OnlineEndpointInfo]:
        return self.endpoints

    def begin_delete(self, name: str) -> FakePoller[None]:
        return self.begin("begin_delete", None, name=name)

    def invoke(
        self, endpoint_name: str, *, request_file: Any, deployment_name: str | None = None
    ) -> Answer:
        given = {"request_file": request_file, "deployment_name": deployment_name}
        self.calls.append(("invoke", {"endpoint_name": endpoint_name, **given}))
        return self.answer

    def get_keys(self, name: str) -> EndpointCredentials:
        return self.credentials

    def begin_regenerate_keys(
        self, name: str, *, key_type: str = "primary"
    ) -> FakePoller[EndpointCredentials]:
        return self.begin("begin_regenerate_keys", KEYS, name=name, key_type=key_type)

    def metrics(self, endpoint_name: str) -> dict[str, DeploymentMetrics]:
        return {}


@dataclass
class FakeOnlineDeployments(Calls):
    deployments: list[OnlineDeploymentInfo] = field(default_factory=lambda: [BLUE, GREEN, SHADOW])
    logs: str = "starting\nloaded \x1b[31madult:3"

    def begin_create_or_update(
        self, deployment: Any, **given: Any
    ) -> FakePoller[OnlineDeploymentInfo]:
        given = {"deployment": deployment, **given}
        return self.begin("begin_create_or_update", self.deployments[0], **given)

    def get(self, name: str, endpoint_name: str) -> OnlineDeploymentInfo:
        for deployment in self.deployments:
            if deployment.name == name:
                return deployment
        raise not_found("online deployment", name, [each.name for each in self.deployments])

    def list(self, endpoint_name: str) -> list[OnlineDeploymentInfo]:
        return self.deployments

    def begin_delete(self, name: str, endpoint_name: str) -> FakePoller[None]:
        return self.begin("begin_delete", None, name=name, endpoint_name=endpoint_name)

    def get_logs(
        self, name: str, endpoint_name: str, *, lines: int = 50, container_type: str | None = None
    ) -> str:
        self.calls.append(("get_logs", {"lines": lines, "container_type": container_type}))
        return self.logs


@dataclass
class FakeBatchEndpoints(Calls):
    endpoints: list[BatchEndpointInfo] = field(default_factory=lambda: [BATCH])
    jobs: list[JobInfo] = field(default_factory=lambda: [SCORING])

    def begin_create_or_update(
        self, endpoint: Any, *, overrides: Sequence[str] = (), name: str | None = None
    ) -> FakePoller[BatchEndpointInfo]:
        given = {"endpoint": endpoint, "overrides": list(overrides), "name": name}
        return self.begin("begin_create_or_update", self.endpoints[0], **given)

    def get(self, name: str) -> BatchEndpointInfo:
        for endpoint in self.endpoints:
            if endpoint.name == name:
                return endpoint
        raise not_found("batch endpoint", name, [each.name for each in self.endpoints])

    def list(self) -> list[BatchEndpointInfo]:
        return self.endpoints

    def begin_delete(self, name: str) -> FakePoller[None]:
        return self.begin("begin_delete", None, name=name)

    def invoke(self, endpoint_name: str, *, note: Any = None, **given: Any) -> JobInfo:
        self.calls.append(("invoke", {"endpoint_name": endpoint_name, **given}))
        note("uploading data")
        return self.jobs[0]

    def list_jobs(self, endpoint_name: str) -> list[JobInfo]:
        return self.jobs


@dataclass
class FakeBatchDeployments(Calls):
    deployments: list[BatchDeploymentInfo] = field(default_factory=lambda: [MAIN])
    jobs: list[JobInfo] = field(default_factory=lambda: [SCORING])

    def begin_create_or_update(
        self, deployment: Any, **given: Any
    ) -> FakePoller[BatchDeploymentInfo]:
        given = {"deployment": deployment, **given}
        return self.begin("begin_create_or_update", self.deployments[0], **given)

    def get(self, name: str, endpoint_name: str) -> BatchDeploymentInfo:
        for deployment in self.deployments:
            if deployment.name == name:
                return deployment
        raise not_found("batch deployment", name, [each.name for each in self.deployments])

    def list(self, endpoint_name: str) -> list[BatchDeploymentInfo]:
        return self.deployments

    def begin_delete(self, name: str, endpoint_name: str) -> FakePoller[None]:
        return self.begin("begin_delete", None, name=name, endpoint_name=endpoint_name)

    def list_jobs(self, name: str, endpoint_name: str) -> list[JobInfo]:
        return self.jobs
