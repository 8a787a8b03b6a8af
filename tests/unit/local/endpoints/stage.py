"""A workspace with a supervisor of its own, whose router and instances are small fakes."""

from __future__ import annotations

import contextlib
import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from tests.lab import PlanCompiler, share, wait_for

from amlocal.local.client import LocalClient
from amlocal.local.endpoints.pollers import wait_until_back
from amlocal.local.endpoints.supervision import Programs
from amlocal.plan import (
    Answer,
    ModelSource,
    OnlineDeployment,
    OnlineDeploymentInfo,
    OnlineEndpoint,
    OnlineEndpointInfo,
)

PROGRAMS = Path(__file__).with_name("programs")
FAKES = Programs(
    router=(str(PROGRAMS / "fake_router.py"),), scoring=(str(PROGRAMS / "fake_instance.py"),)
)


class EndpointPlans(PlanCompiler):
    """Takes plan values where the real compiler takes files."""

    def load_online_endpoint(self, source: Any, **_: Any) -> OnlineEndpoint:
        assert isinstance(source, OnlineEndpoint)
        return source

    def load_online_deployment(
        self, source: Any, *, name: str | None = None, endpoint_name: str | None = None, **_: Any
    ) -> OnlineDeployment:
        if isinstance(source, OnlineDeployment):
            return source
        assert name is not None
        assert endpoint_name is not None
        return OnlineDeployment(name=name, endpoint_name=endpoint_name, instance_count=2)

    def load_batch_endpoint(self, source: Any, **_: Any) -> Any:
        return source

    load_batch_deployment = load_batch_endpoint


@dataclass
class Stage:
    """A workspace with endpoints.

    Attributes:
        project: The project's folder.
        client: The workspace's client.
    """

    project: Path
    client: LocalClient

    @classmethod
    def open(cls, project: Path, shared: Path, programs: Programs = FAKES) -> Stage:
        share(project / ".amlocal", shared)
        client = LocalClient.open(
            project / ".amlocal", dict(os.environ), EndpointPlans(), programs=programs
        )
        return cls(project, client)

    def model(self, name: str = "model") -> Path:
        """Write what looks like an MLflow model."""
        folder = self.project / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "MLmodel").write_text("flavors: {}\n")
        return folder

    def endpoint(self, **fields: Any) -> OnlineEndpointInfo:
        plan = OnlineEndpoint(**{"name": "adult", **fields})
        return self.client.online_endpoints.begin_create_or_update(plan).result(60)

    def plan(self, name: str = "blue", **fields: Any) -> OnlineDeployment:
        given = {"endpoint_name": "adult", **fields}
        if "model" not in given:
            given["model"] = ModelSource(path=str(self.model()), type="mlflow_model")
        variables = {key: str(value) for key, value in given.pop("variables", {}).items()}
        return OnlineDeployment(name=name, environment_variables=variables, **given)

    def deploy(self, name: str = "blue", **fields: Any) -> OnlineDeploymentInfo:
        plan = self.plan(name, **fields)
        return self.client.online_deployments.begin_create_or_update(plan).result(60)

    def invoke(self, deployment: str | None = None) -> Answer:
        file = self.project / "request.json"
        file.write_text("[1]")
        return self.client.online_endpoints.invoke(
            "adult", request_file=file, deployment_name=deployment
        )

    def asked(self, deployment: str | None = None) -> dict[str, Any]:
        """Return what an instance says of itself."""
        answer = self.invoke(deployment)
        assert answer.status == 200, answer
        found: dict[str, Any] = json.loads(answer.body)
        return found

    def posted(self, key: str, deployment: str = "blue") -> int:
        """Return what posting with a key is answered."""
        request = urllib.request.Request(
            self.client.online_endpoints.get("adult").scoring_uri,
            data=b"[1]",
            headers={"Authorization": f"Bearer {key}", "azureml-model-deployment": deployment},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code

    def table(self) -> dict[str, Any]:
        """Return the table that the router follows."""
        uri = self.client.online_endpoints.get("adult").openapi_uri
        with urllib.request.urlopen(uri, timeout=30) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def up(self) -> set[str]:
        """Bring the endpoints back without the tracking server; returns what runs."""
        self.client.online_endpoints.supervision.ensure()
        wait_until_back(self.client.online_endpoints.records, 30)
        return set(self.client.online_endpoints.supervision.processes().values())

    def processes(self, what: str) -> list[psutil.Process]:
        """Return the processes whose role begins so."""
        roles = self.client.online_endpoints.supervision.processes()
        found = []
        for pid, role in roles.items():
            with contextlib.suppress(psutil.NoSuchProcess):
                if role.startswith(what):
                    found.append(psutil.Process(pid))
        return found

    def wait_until(self, condition: Callable[[], bool]) -> None:
        wait_for(condition, seconds=30)
