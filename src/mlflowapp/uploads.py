"""Copies the model when a version of it is created from a folder of this machine."""

from __future__ import annotations

import json
import os
import re
import shutil
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from anyio import to_thread
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mlflowapp.folders import CopyError, copy_model, remove_unfinished
from mlflowapp.peers import is_of_this_user

#: Where models go, below the folder that `mlflow-artifacts:/` stands for.
FOLDER = "uploaded-models"
#: The calls that create a version of a model: of MLflow's clients, and of its pages.
PATHS = tuple(f"/{api}/2.0/mlflow/model-versions/create" for api in ("api", "ajax-api"))

#: With no host, or with this one.
_FILE = re.compile(r"file:(?://(?:localhost)?)?(?P<path>/(?!/).*)", re.DOTALL)
_OTHER_USER = (
    "a model's folder is copied for processes of the user alone whose server this is; where "
    "processes are hidden, give the source as runs:/RUN/PATH or mlflow-artifacts:/PATH"
)


def artifacts_folder(variable: str) -> Path:
    """Return the folder of the server's artifacts, which its command line puts in a variable.

    Raises:
        ValueError: They are kept elsewhere than in a folder.
    """
    given = os.environ.get(variable, "")
    if not given or local_folder(given) is None:
        raise ValueError(f"--artifacts-destination is {given!r}, and must be a folder's full path")
    return Path(given)


class ModelUploads:
    """Lets versions be created from folders; every other request passes as it is.

    The folder is copied, and the version's source is the copy. Where MLflow then refuses the
    version, the copy is removed.

    Args:
        app: What answers requests.
        folder: The folder of the server's artifacts.
    """

    def __init__(self, app: ASGIApp, folder: Path) -> None:
        self._app = app
        self._folder = folder / FOLDER
        remove_unfinished(self._folder)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] not in PATHS:
            await self._app(scope, receive, send)
            return
        body = await _read(receive)
        asked = _document(body)
        source = local_folder(str(asked.get("source", "")))
        if source is None:
            await self._app(scope, _replay(body, receive), send)
            return
        try:
            copy = await to_thread.run_sync(self._copy, source, scope)
        except CopyError as error:
            await _refuse(send, f"Invalid model version source: {asked['source']!r}: {error}")
            return
        sent = json.dumps({**asked, "source": f"mlflow-artifacts:/{FOLDER}/{copy.name}"}).encode()
        is_kept = False

        async def watch(message: Message) -> None:
            nonlocal is_kept
            if message["type"] == "http.response.start":
                is_kept = message["status"] == 200
            await send(message)

        try:
            await self._app(_with_length(scope, len(sent)), _replay(sent, receive), watch)
        finally:
            if not is_kept:
                shutil.rmtree(copy)

    def _copy(self, source: Path, scope: Scope) -> Path:
        # Before anything is looked at, so that nobody else learns which folders there are.
        if not is_of_this_user(tuple(scope["client"] or ("", 0)), tuple(scope["server"])):
            raise CopyError(_OTHER_USER)
        return copy_model(source, self._folder)


def local_folder(source: str) -> Path | None:
    """Return the path that a model's source is on this machine; None of all other addresses."""
    if "\0" in source:
        return None
    if found := _FILE.fullmatch(source):
        return Path(urllib.request.url2pathname(found["path"]))
    return Path(source) if source.startswith("/") else None


async def _read(receive: Receive) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}  # MLflow says what is wrong with it
    return document if isinstance(document, dict) else {}


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give the body once more, then what comes after it."""
    left = [body]

    async def again() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return again


def _with_length(scope: Scope, length: int) -> Scope:
    kept = [item for item in scope["headers"] if item[0] != b"content-length"]
    return {**scope, "headers": [*kept, (b"content-length", str(length).encode())]}


async def _refuse(send: Send, message: str) -> None:
    """Answer as MLflow does, so that its clients raise their own error."""
    body = json.dumps({"error_code": "INVALID_PARAMETER_VALUE", "message": message}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": body})
