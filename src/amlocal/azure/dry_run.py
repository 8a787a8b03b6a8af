"""A real `MLClient` whose requests go nowhere: what it would send is kept instead."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import azure.storage.blob._shared.base_client as blob_client
import azure.storage.filedatalake._shared.base_client as datalake_client
import requests
from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import RequestsTransport

from amlocal.azure.errors import azure_errors
from amlocal.azure.recorder import Recorder, Request
from amlocal.azure.sdk import MLClient, quiet
from amlocal.azure.workspace import WorkspaceId

#: Clouds that the SDK knows without asking, and the audience that it wants in their tokens.
_AUDIENCES = {
    "AzureCloud": "https://ml.azure.com",
    "AzureChinaCloud": "https://ml.azure.cn",
    "AzureUSGovernment": "https://ml.azure.us",
}
_HOUR = 3600  # seconds
_storage_lock = threading.Lock()


class NoCredential:
    """Stands for a signed-in user: tokens that look right and open nothing."""

    def __init__(self, audience: str) -> None:
        self._audience = audience

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        """Return an unsigned token; the SDK reads its `aud` and `tid` for pipelines."""
        parts = ({"alg": "none"}, {"aud": self._audience, "tid": "none"})
        token = ".".join(
            base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
            for part in parts
        )
        return AccessToken(f"{token}.", int(time.time()) + _HOUR)


class DryRun:
    """An `MLClient` that needs no credentials and no network.

    Attributes:
        ml_client: The SDK's client, real in everything but the last step of a request.
    """

    def __init__(self, workspace: WorkspaceId, environ: Mapping[str, str]) -> None:
        cloud = environ.get("AZUREML_CURRENT_CLOUD", "")
        if cloud not in _AUDIENCES:
            cloud = "AzureCloud"
        self._recorder = Recorder(workspace)
        session = requests.Session()
        session.trust_env = False
        session.mount("https://", self._recorder)
        session.mount("http://", self._recorder)
        self._transport = RequestsTransport(session=session, session_owner=False)
        with quiet():
            self.ml_client = MLClient(
                NoCredential(_AUDIENCES[cloud]),
                workspace.subscription_id,
                workspace.resource_group,
                workspace.workspace_name,
                cloud=cloud,
                transport=self._transport,
                enable_telemetry=False,
                show_progress=False,
            )

    @property
    def requests(self) -> tuple[Request, ...]:
        """The requests that would have been sent, in order."""
        return self._recorder.requests

    @contextlib.contextmanager
    def calls(self, doing: str, *, file: str = "") -> Iterator[None]:
        """Do as `azure_errors`, with uploads kept here too."""
        with azure_errors(doing, file=file), self._storage():
            yield

    @contextlib.contextmanager
    def _storage(self) -> Iterator[None]:
        """Give the storage clients that are made meanwhile the transport that sends nothing.

        azure-ai-ml makes them deep inside without a way to pass one, so the name that they take
        their transport from is bound to ours for the time of the call.
        """
        modules = (blob_client, datalake_client)
        with _storage_lock:
            before = [module.RequestsTransport for module in modules]
            for module in modules:
                module.RequestsTransport = lambda **_: self._transport
            try:
                yield
            finally:
                for module, transport in zip(modules, before, strict=True):
                    module.RequestsTransport = transport
