"""Requests that are answered on this machine and kept instead of sent."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import threading
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from amlocal.azure.answers import answer
from amlocal.azure.endpoint_answers import SCORING_HOST
from amlocal.azure.errors import no_workspace
from amlocal.azure.exchange import Asked
from amlocal.azure.workspace import WorkspaceId
from amlocal.plan import Value

_DEPLOYMENT = "azureml-model-deployment"
_CHUNK = 1 << 20  # bytes of an upload that are hashed at a time


class Request(Value, frozen=True):
    """A request that the SDK made to change something.

    Attributes:
        method: `PUT`, mostly.
        path: Path and query in Azure Resource Manager; of what goes elsewhere (the upload of a
            file, without its signature; a request to an endpoint) the whole address.
        body: The JSON body as it would be sent; for the upload of a file `bytes` (its size) and
            `sha256` instead of the content.
        headers: Those that say what is meant: `azureml-model-deployment` of an invocation.
    """

    method: str
    path: str
    body: Any = None
    headers: dict[str, str] = {}  # noqa: RUF012 - msgspec copies it for every value

    @property
    def is_upload(self) -> bool:
        """Whether it is the upload of a file."""
        return self.path.startswith("https://") and ".blob." in urlsplit(self.path).netloc


class Recorder(HTTPAdapter):
    """Answers the SDK's requests as a new, empty workspace would; nothing leaves the machine.

    An adapter and not a transport of azure-core, so that the SDK's own transport, and with it
    everything that it does to a request before it is sent, stays in place.
    """

    def __init__(self, workspace: WorkspaceId) -> None:
        super().__init__()
        self._workspace = workspace
        self._made: list[Request] = []
        # The SDK uploads the files of a folder from several threads.
        self._lock = threading.Lock()

    @property
    def requests(self) -> tuple[Request, ...]:
        """The requests so far, in order; the files of one upload by name."""
        with self._lock:
            made = list(self._made)
        runs = itertools.groupby(made, key=lambda request: request.is_upload)
        return tuple(
            request
            for is_upload, run in runs
            for request in (sorted(run, key=lambda r: r.path) if is_upload else run)
        )

    def send(self, request: PreparedRequest, *_args: Any, **_options: Any) -> Response:
        """Answer a request.

        Raises:
            TargetError: It is none of those that building a job or an asset takes.
        """
        asked, record = _read(request)
        said = answer(self._workspace, asked)
        if said is None:
            raise no_workspace(f"{asked.method} {asked.host}{asked.path}")
        if record is not None and said.is_change:
            with self._lock:
                self._made.append(record)
        content = b"" if said.body is None else json.dumps(said.body).encode()
        raw = HTTPResponse(
            body=io.BytesIO(content),
            status=said.status,
            headers={
                "Content-Type": "application/json",
                "Content-Length": str(len(content)),
                **said.headers,
            },
            preload_content=False,
        )
        response: Response = self.build_response(request, raw)
        return response


def _read(request: PreparedRequest) -> tuple[Asked, Request | None]:
    """Return what a request asks, and how it is kept."""
    url = urlsplit(str(request.url))
    query = dict(parse_qsl(url.query, keep_blank_values=True))
    method = str(request.method)
    host = str(url.hostname)
    if ".blob." in host:
        size, sha256 = _digest(request.body)
        address = f"https://{host}{url.path}"
        if "blockid" in query:
            address += f"?{urlencode({'blockid': query['blockid']})}"
        kept = Request(method=method, path=address, body={"bytes": size, "sha256": sha256})
        return Asked(method, host, url.path, query, None), kept
    body = _content(request.body)
    path = f"{url.path}?{url.query}" if url.query else url.path
    if host.endswith(SCORING_HOST):
        path = f"https://{host}{path}"
    named = request.headers.get(_DEPLOYMENT)
    headers = {_DEPLOYMENT: str(named)} if named else {}
    kept = Request(method=method, path=path, body=body, headers=headers)
    return Asked(method, host, url.path, query, body), kept


def _content(body: Any) -> Any:
    """Return a request's JSON body, its text where it is none, or None where it is empty."""
    if not body:
        return None
    content = body.read() if hasattr(body, "read") else body
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace") if isinstance(content, bytes) else str(content)


def _digest(body: Any) -> tuple[int, str]:
    """Return size and SHA-256 of an upload's content, read in pieces."""
    digest = hashlib.sha256()
    size = 0
    for chunk in _chunks(body):
        digest.update(chunk)
        size += len(chunk)
    return size, digest.hexdigest()


def _chunks(body: Any) -> Iterable[bytes]:
    if body is None:
        return ()
    if hasattr(body, "read"):
        return iter(lambda: body.read(_CHUNK), b"")
    return (body.encode() if isinstance(body, str) else body,)
