"""An endpoint with all its real processes: supervisor, router, scoring servers, quick models."""

from __future__ import annotations

import contextlib
import http.client
import json
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil
from tests.lab import wait_for
from tests.unit.local.endpoints.stage import Stage

from amlocal.local.endpoints.pollers import RecordPoller
from amlocal.local.endpoints.supervision import Programs
from amlocal.plan import (
    ModelSource,
    OnlineDeployment,
    OnlineDeploymentInfo,
    OnlineEndpoint,
    RequestSettings,
)

NAME = "adult"
#: The models' answers to a number x are a * x + b.
LINES = {"old": (2.0, 0.0), "new": (-1.0, -1.0)}
#: Instances take this many requests at a time, unless a test says other.
AT_ONCE = 32
MIB = 2**20


def body_of(x: float) -> bytes:
    """Return the request for one row."""
    return json.dumps({"input_data": {"columns": ["x"], "data": [[x]]}}).encode()


def model_of(x: float, answer: bytes) -> str:
    """Return which model's answer it is."""
    (found,) = json.loads(answer)
    for name, (a, b) in LINES.items():
        if math.isclose(found, a * x + b, rel_tol=1e-6, abs_tol=1e-6):
            return name
    raise AssertionError(f"no model says {found} to {x}")


@dataclass
class Site:
    """An endpoint.

    Attributes:
        stage: Its workspace.
        models: Folders of models by name.
        port: Where it listens.
        key: Opens it.
    """

    stage: Stage
    models: Mapping[str, Path]
    port: int
    key: str

    @classmethod
    @contextlib.contextmanager
    def open(cls, project: Path, shared: Path, models: Mapping[str, Path]) -> Iterator[Site]:
        """Give an endpoint without deployments; all processes end with it."""
        stage = Stage.open(project, shared, Programs())
        try:
            port = urlsplit(stage.endpoint(name=NAME).scoring_uri).port
            assert port
            key = stage.client.online_endpoints.get_keys(NAME).primary_key
            yield cls(stage, models, port, key)
        finally:
            stage.client.online_endpoints.supervision.stop()

    def deploy(
        self,
        name: str,
        model: str,
        *,
        instances: int = 1,
        at_once: int = AT_ONCE,
        wait_ms: int = 5000,
        timeout_ms: int = 20_000,
    ) -> None:
        """Create or update a deployment, and return when it serves."""
        change = self.begin_deploy(
            name,
            model,
            instances=instances,
            at_once=at_once,
            wait_ms=wait_ms,
            timeout_ms=timeout_ms,
        )
        done = change.result(120)
        assert done.provisioning_state == "Succeeded", done.error

    def begin_deploy(
        self,
        name: str,
        model: str,
        *,
        instances: int = 1,
        at_once: int = AT_ONCE,
        wait_ms: int = 5000,
        timeout_ms: int = 20_000,
    ) -> RecordPoller[OnlineDeploymentInfo]:
        """Begin to create or update a deployment."""
        plan = OnlineDeployment(
            name=name,
            endpoint_name=NAME,
            model=ModelSource(path=str(self.models[model]), type="mlflow_model"),
            instance_count=instances,
            request_settings=RequestSettings(
                request_timeout_ms=timeout_ms,
                max_concurrent_requests_per_instance=at_once,
                max_queue_wait_ms=wait_ms,
            ),
        )
        return self.stage.client.online_deployments.begin_create_or_update(plan)

    def route(self, **traffic: int) -> None:
        """Set the traffic, and return when it is followed."""
        plan = OnlineEndpoint(name=NAME, traffic=traffic)
        self.stage.client.online_endpoints.begin_create_or_update(plan).result(60)

    def delete(self, name: str) -> None:
        """Delete a deployment, and return when it is gone."""
        self.stage.client.online_deployments.begin_delete(name, NAME).result(60)

    # Its processes.

    def processes(self, what: str) -> dict[int, str]:
        """Return the ids of processes by role: `router`, `instance of`, `supervisor`."""
        found = self.stage.client.online_endpoints.supervision.processes()
        return {pid: role for pid, role in found.items() if role.startswith(what)}

    def instances(self, deployment: str = "") -> set[int]:
        """Return the ids of the first processes of instances."""
        return set(self.processes(f"instance {NAME}/{deployment}"))

    def router(self) -> int:
        (pid,) = self.processes("router")
        return pid

    def supervisor(self) -> int:
        (pid,) = self.processes("supervisor")
        return pid

    def pids(self) -> set[int]:
        return set(self.processes(""))

    def memory(self) -> dict[str, float]:
        """Return the resident memory of each process but the supervisor, in MiB."""
        return {
            role: psutil.Process(pid).memory_info().rss / MIB
            for pid, role in self.processes("").items()
            if not role.startswith("supervisor")
        }

    def logs(self) -> str:
        """Return what router, supervisor, and instances printed."""
        folder = self.stage.client.online_endpoints.supervision.layout.folder
        files = [*folder.rglob("*.log"), folder / ".supervisor" / "log"]
        return "\n".join(file.read_text() for file in files)

    def wait_until_ready(self, deployment: str, instances: int) -> None:
        """Wait until a deployment has so many instances in the router's table."""
        get = self.stage.client.online_deployments.get
        wait_for(lambda: get(deployment, NAME).ready_instances == instances, seconds=90)

    # Single requests.

    def connect(self, timeout: float = 60.0) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}

    def ask(
        self,
        body: bytes,
        *,
        line: http.client.HTTPConnection | None = None,
        path: str = "/score",
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers, and body of an answer."""
        connection = line or self.connect()
        connection.request(method, path, body, {**self.headers, **(headers or {})})
        answer = connection.getresponse()
        text = answer.read()
        if line is None:
            connection.close()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, text

    def latency(self, count: int = 200) -> float:
        """Return the median seconds of single requests, one after another."""
        with contextlib.closing(self.connect()) as line:
            times = []
            for x in range(count):
                began = time.perf_counter()
                status, _, answer = self.ask(body_of(x), line=line)
                times.append(time.perf_counter() - began)
                assert status == 200, answer
                model_of(x, answer)
        return sorted(times)[count // 2]
