"""The ASGI application: paths, bodies, answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

import msgspec

from scoringserver.batching import Batcher, Job
from scoringserver.body import read_body
from scoringserver.errors import MediaTypeError, ScoringError, TooLargeError
from scoringserver.model import Model
from scoringserver.swagger import VERSIONS, swagger

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_SCORING = frozenset({"/score", "/invocations"})
#: From this size on, a body is read in a thread, so that others are not kept waiting.
_LARGE = 256 * 1024


class App:
    """Answers requests to one model.

    Args:
        model: The model.
        batcher: Calls it; to be started by who starts the server.
        max_body: Most bytes of a body.
    """

    def __init__(self, model: Model, batcher: Batcher, *, max_body: int) -> None:
        self._model = model
        self._batcher = batcher
        self._max_body = max_body
        self._swagger = {
            name: msgspec.json.encode(swagger(model, version)) for name, version in VERSIONS.items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path, method = scope["path"], scope["method"]
        if path in _SCORING:
            if method == "POST":
                await self._score(scope, receive, send)
            else:
                await _refuse(send, 405, f"{path} takes POST, not {method}", allow=b"POST")
        elif path not in ("/", "/swagger.json"):
            await _refuse(send, 404, "the paths are /score, /invocations, /swagger.json, and /")
        elif method not in ("GET", "HEAD"):
            await _refuse(send, 405, f"{path} takes GET, not {method}", allow=b"GET, HEAD")
        elif path == "/":
            await _respond(send, 200, b"Healthy", b"text/plain; charset=utf-8")
        else:
            await self._describe(scope, send)

    async def _describe(self, scope: Scope, send: Send) -> None:
        query = parse_qs(scope["query_string"].decode("latin-1"))
        version = query.get("version", ["2"])[-1]
        if document := self._swagger.get(version):
            await _respond(send, 200, document)
        else:
            await _refuse(send, 404, f"the versions are {', '.join(VERSIONS)}")

    async def _score(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            headers = dict(scope["headers"])
            data = await self._receive(headers, receive)
            if data is None:
                return
            job = (
                self._job(data, headers)
                if len(data) < _LARGE
                else await asyncio.to_thread(self._job, data, headers, asyncio.get_running_loop())
            )
            self._batcher.submit(job)
            answer = await job.answer
        except ScoringError as error:
            await _refuse(send, error.status, error.message)
        else:
            await _respond(send, 200, answer)

    def _job(
        self,
        data: bytes,
        headers: dict[bytes, bytes],
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> Job:
        body = read_body(data, headers.get(b"content-type", b"").decode("latin-1"))
        params, key = self._model.parameters.read(body.params)
        return Job(
            part=self._model.schema.read(body),
            params=params,
            params_key=key,
            is_wrapped=body.form.is_wrapped,
            answer=(loop or asyncio.get_running_loop()).create_future(),
        )

    async def _receive(self, headers: dict[bytes, bytes], receive: Receive) -> bytes | None:
        """Return the body; None if the caller has gone.

        Raises:
            TooLargeError: It is over the limit. What is left of it is not kept.
            MediaTypeError: It is compressed.
        """
        coding = headers.get(b"content-encoding", b"identity")
        if coding.lower() != b"identity":
            raise MediaTypeError("the body must not be compressed")
        too_large = TooLargeError(f"the body is over the limit of {self._max_body} bytes")
        if int(headers.get(b"content-length", b"0")) > self._max_body:
            raise too_large
        chunks, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            size += len(message.get("body", b""))
            if size > self._max_body:
                raise too_large
            chunks.append(message.get("body", b""))
            if not message.get("more_body", False):
                return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _refuse(send: Send, status: int, message: str, allow: bytes = b"") -> None:
    await _respond(send, status, msgspec.json.encode({"message": _valid(message)}), allow=allow)


def _valid(text: str) -> str:
    """Return a text without half characters, which have no UTF-8."""
    return text.encode("utf-8", "replace").decode()


async def _respond(
    send: Send,
    status: int,
    body: bytes,
    content_type: bytes = b"application/json",
    *,
    allow: bytes = b"",
) -> None:
    headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode())]
    if allow:
        headers.append((b"allow", allow))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
