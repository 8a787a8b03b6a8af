"""Signing in from a pipeline: what is asked of whom, and that each token is a new one."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import DefaultAzureCredential
from tests.unit.azure.service import Seen, Service, Told

from amlocal.azure.federation import credential, github_token
from amlocal.errors import TargetError

TENANT, CLIENT = "11111111-2222-3333-4444-555555555555", "66666666-7777-8888-9999-000000000000"
SCOPE = "https://management.azure.com/.default"
AUTHORITY = f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"


class GitHub(ThreadingHTTPServer):
    """Gives tokens to who has the job's own token: `run-1`, `run-2`, and so on."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.given = 0
        self.audiences: list[str] = []
        self.answer: Any = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/token?api-version=2.0"


class _Answers(BaseHTTPRequestHandler):
    server: GitHub

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        allowed = self.headers["Authorization"] == "bearer job" and "api-version" in query
        self.server.given += 1
        self.server.audiences += query["audience"]
        body = self.server.answer or {"value": f"run-{self.server.given}"}
        self.send_response(200 if allowed else 401)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def github() -> Iterator[GitHub]:
    server = GitHub()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def entra() -> Service:
    """Azure's sign-in, whose tokens are over as soon as they are given."""
    service = Service()
    told = Told({"access_token": "azure", "expires_in": 0, "token_type": "Bearer"})
    service.on("POST", AUTHORITY, told)
    return service


def transport(service: Service) -> RequestsTransport:
    session = requests.Session()
    session.mount("https://", service)
    return RequestsTransport(session=session, session_owner=False)


def assertions(service: Service) -> list[str]:
    """Return the tokens of the pipeline that were exchanged."""
    return [_form(each)["client_assertion"] for each in service.seen if each.path == AUTHORITY]


def _form(seen: Seen) -> dict[str, str]:
    text = seen.body.decode() if isinstance(seen.body, bytes) else str(seen.body)
    return {key: values[0] for key, values in parse_qs(text).items()}


def of_github(github: GitHub, **changed: str) -> dict[str, str]:
    return {
        "ACTIONS_ID_TOKEN_REQUEST_URL": github.address,
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "job",
        "AZURE_TENANT_ID": TENANT,
        "AZURE_CLIENT_ID": CLIENT,
        **changed,
    }


def test_github_gives_a_new_token_each_time_that_azure_wants_one(
    github: GitHub, entra: Service
) -> None:
    signed_in = credential(of_github(github), transport=transport(entra))
    assert github.given == 0  # signing in waits for the first request
    for _ in range(2):
        assert signed_in.get_token(SCOPE).token == "azure"
    assert assertions(entra) == ["run-1", "run-2"]
    assert set(github.audiences) == {"api://AzureADTokenExchange"}
    assert _form(entra.seen[-1])["client_id"] == CLIENT
    assert _form(entra.seen[-1])["scope"] == SCOPE


def test_azure_pipelines_gives_a_new_token_each_time_that_azure_wants_one(
    entra: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {
        "SYSTEM_OIDCREQUESTURI": "https://pipelines.test/oidctoken",
        "SYSTEM_ACCESSTOKEN": "job",
        "AZURESUBSCRIPTION_TENANT_ID": TENANT,
        "AZURESUBSCRIPTION_CLIENT_ID": CLIENT,
        "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": "connection",
    }
    # azure-identity reads this one itself.
    monkeypatch.setenv("SYSTEM_OIDCREQUESTURI", environ["SYSTEM_OIDCREQUESTURI"])
    tokens = [Told({"oidcToken": f"run-{number}"}) for number in (1, 2)]
    entra.on("POST", environ["SYSTEM_OIDCREQUESTURI"], *tokens)
    signed_in = credential(environ, transport=transport(entra))
    for _ in range(2):
        assert signed_in.get_token(SCOPE).token == "azure"
    assert assertions(entra) == ["run-1", "run-2"]
    asked = entra.seen[0]
    assert asked.query["serviceConnectionId"] == "connection"
    assert asked.headers["authorization"] == "Bearer job"


@pytest.mark.parametrize("missing", ["AZURE_CLIENT_ID", "ACTIONS_ID_TOKEN_REQUEST_URL"])
def test_elsewhere_whoever_is_signed_in_is_taken(github: GitHub, missing: str) -> None:
    found = credential(of_github(github, **{missing: ""}))
    assert isinstance(found, DefaultAzureCredential)
    found.close()


def test_a_refusal_of_github_says_what_the_job_needs(github: GitHub) -> None:
    with pytest.raises(TargetError, match="401") as caught:
        github_token(github.address, "another job's")
    assert "id-token: write" in caught.value.hint
    assert "another job's" not in str(caught.value)


def test_an_answer_of_github_without_a_token_is_none(github: GitHub) -> None:
    github.answer = {"count": 0}
    with pytest.raises(TargetError, match="GitHub gave no token"):
        github_token(github.address, "job")
