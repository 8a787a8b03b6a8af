"""Azure, as far as a test says what it answers: a real `MLClient` whose requests end here."""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from azure.core.pipeline.transport import RequestsTransport
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from amlocal.azure.dry_run import NoCredential
from amlocal.azure.sdk import MLClient, quiet

WORKSPACE = (
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
)


@dataclass
class Told:
    """An answer of the service."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Seen:
    """A request that the service got."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


def failed(status: int, message: str) -> Told:
    return Told({"error": {"code": "Failed", "message": message}}, status)


class Service(HTTPAdapter):
    """Answers by a script: for each request a sequence of answers, of which the last one stays."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Seen] = []
        self._script: list[tuple[str, str, list[Told]]] = []
        self.on("GET", WORKSPACE, Told(_resource(WORKSPACE, mlFlowTrackingUri="azureml://x")))

    def on(self, method: str, path: str, *answers: Told) -> None:
        """Say what is answered; what is said last is looked at first."""
        self._script.insert(0, (method, path, list(answers)))

    def changes(self) -> list[Seen]:
        """The requests that change something."""
        return [each for each in self.seen if each.method != "GET"]

    def send(self, request: PreparedRequest, *_args: Any, **_options: Any) -> Response:
        url = urlsplit(str(request.url))
        arm = url.hostname == "management.azure.com"
        path = url.path if arm else f"https://{url.hostname}{url.path}"
        body = request.body.read() if hasattr(request.body, "read") else request.body
        with contextlib.suppress(ValueError):  # a request to an endpoint may hold anything
            body = json.loads(body) if body else None
        headers = {key.lower(): str(value) for key, value in request.headers.items()}
        method = str(request.method)
        self.seen.append(Seen(method, path, dict(parse_qsl(url.query)), headers, body))
        for wanted, pattern, answers in self._script:
            if wanted == method and re.fullmatch(re.escape(pattern), path):
                told = answers.pop(0) if len(answers) > 1 else answers[0]
                return self._response(request, told)
        raise AssertionError(f"nothing was said of {method} {path}")

    def _response(self, request: PreparedRequest, told: Told) -> Response:
        text = told.body if isinstance(told.body, str) else json.dumps(told.body)
        content = b"" if told.body is None else text.encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(content))}
        raw = HTTPResponse(
            body=io.BytesIO(content),
            status=told.status,
            headers={**headers, **told.headers},
            preload_content=False,
        )
        response: Response = self.build_response(request, raw)
        return response


def _resource(path: str, **properties: Any) -> dict[str, Any]:
    return {
        "id": path,
        "name": path.rsplit("/", 1)[-1],
        "location": "westeurope",
        "properties": properties,
    }


def online_endpoint(name: str = "adult", **properties: Any) -> dict[str, Any]:
    given = {
        "authMode": "Key",
        "description": "census",
        "properties": {"azureml.onlineendpointid": "1"},
        "provisioningState": "Succeeded",
        "scoringUri": f"https://{name}.westeurope.inference.ml.azure.com/score",
        "swaggerUri": f"https://{name}.westeurope.inference.ml.azure.com/swagger.json",
        "traffic": {"blue": 100},
        "mirrorTraffic": {},
        **properties,
    }
    made = _resource(f"{WORKSPACE}/onlineEndpoints/{name}", **given)
    return {**made, "tags": {"a": "b"}, "identity": {"type": "SystemAssigned"}}


def online_deployment(name: str = "blue", **properties: Any) -> dict[str, Any]:
    given = {
        "endpointComputeType": "Managed",
        "model": f"{WORKSPACE}/models/adult/versions/3",
        "environmentId": f"{WORKSPACE}/environments/serve/versions/1",
        "codeConfiguration": {"codeId": f"{WORKSPACE}/codes/c/versions/1", "scoringScript": "s.py"},
        "instanceType": "Standard_DS3_v2",
        "requestSettings": {"requestTimeout": "PT3S", "maxConcurrentRequestsPerInstance": 2},
        "scaleSettings": {"scaleType": "Default"},
        "provisioningState": "Succeeded",
        "properties": {},
        **properties,
    }
    made = _resource(f"{WORKSPACE}/onlineEndpoints/adult/deployments/{name}", **given)
    when = {"createdAt": "2026-01-02T03:04:05Z", "lastModifiedAt": "2026-01-02T03:04:05Z"}
    return {**made, "sku": {"name": "Default", "capacity": 2}, "tags": {}, "systemData": when}


def batch_endpoint(name: str = "census", **properties: Any) -> dict[str, Any]:
    given = {
        "authMode": "AADToken",
        "description": "files",
        "provisioningState": "Succeeded",
        "scoringUri": f"https://{name}.westeurope.inference.ml.azure.com/jobs",
        "defaults": {"deploymentName": "main"},
        **properties,
    }
    return {**_resource(f"{WORKSPACE}/batchEndpoints/{name}", **given), "tags": {"a": "b"}}


def batch_deployment(name: str = "main", **properties: Any) -> dict[str, Any]:
    given = {
        "model": {"referenceType": "Id", "assetId": f"{WORKSPACE}/models/adult/versions/3"},
        "compute": f"{WORKSPACE}/computes/cpu-cluster",
        "miniBatchSize": 5,
        "outputAction": "AppendRow",
        "outputFileName": "predictions.csv",
        "provisioningState": "Succeeded",
        "properties": {},
        **properties,
    }
    return {
        **_resource(f"{WORKSPACE}/batchEndpoints/census/deployments/{name}", **given),
        "tags": {},
    }


def connected(service: Service, make: Callable[..., Any]) -> Any:
    """Return what `make` makes of a real `MLClient` of the service."""
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", service)
    with quiet():
        ml_client = MLClient(
            NoCredential("https://ml.azure.com"),
            "s",
            "g",
            "w",
            transport=RequestsTransport(session=session, session_owner=False),
            enable_telemetry=False,
            show_progress=False,
        )
    return make(ml_client)
