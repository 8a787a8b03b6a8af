"""The router's ASGI application: reads requests, has them answered, and keeps count."""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from amlocal.local.endpoints.router import answers, metrics
from amlocal.local.endpoints.router.answers import Answer, Headers
from amlocal.local.endpoints.router.bodies import (
    Bodies,
    ClientGoneError,
    Receive,
    TooLargeError,
    TooMuchError,
)
from amlocal.local.endpoints.router.deployments import Deployment
from amlocal.local.endpoints.router.mirror import Mirroring, Observer
from amlocal.local.endpoints.router.routes import Chosen, Routes
from amlocal.local.endpoints.router.scoring import Request, ask
from amlocal.local.endpoints.router.scripts import PATH, ScriptRows

Send = Callable[[dict[str, Any]], Awaitable[None]]
Scope = dict[str, Any]

#: An `x-request-id` that is taken over: the inference server refuses longer ones.
_REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,100}")


class App:
    """Answers the requests to one endpoint."""

    def __init__(
        self, routes: Routes, observe: Observer, bodies: Bodies, script_rows: ScriptRows
    ) -> None:
        self._script_rows = script_rows
        self._routes = routes
        self._observe = observe
        self._bodies = bodies
        self._mirroring = Mirroring(observe)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI 3 has it."""
        path = scope["path"]
        if path == "/score":
            await self._score(scope, receive, send)
        elif path == PATH:
            answer = await self._script_rows.answer(scope, receive)
            if answer is not None:
                await _respond(send, answer)
        elif path not in ("/", "/metrics", "/swagger.json"):
            await _respond(send, answers.no_such_path(path))
        elif scope["method"] not in ("GET", "HEAD"):
            await _respond(send, _other_method(scope["method"], b"GET, HEAD, OPTIONS"))
        elif path == "/":
            await _respond(send, answers.text(200, "Healthy"))
        elif path == "/metrics":
            page = metrics.render(self._routes.deployments)
            kind = b"text/plain; version=0.0.4; charset=utf-8"
            await _respond(send, Answer(200, [(b"content-type", kind)], page))
        else:
            await self._swagger(scope, send)

    async def finish(self) -> None:
        """Wait until no copy of a request is on its way."""
        await self._mirroring.finish()

    async def _score(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await _respond(send, _other_method(scope["method"], b"POST, OPTIONS"))
            return
        known = dict(scope["headers"])
        request, own = _request(b"POST", scope, known)
        refusal = self._routes.gate.refusal(known.get(b"authorization"), time.time)
        if refusal is not None:
            await _respond(send, answers.refused(refusal), own)
            return
        try:
            body = await self._bodies.read(known.get(b"content-length"), receive)
        except ClientGoneError:
            return
        except TooLargeError:
            await _respond(send, answers.too_large(self._bodies.max_body), own)
            return
        except TooMuchError:
            await _respond(send, answers.too_much(), own)
            return
        request.body = body
        try:
            # Chosen after the body was read, so that a slow client meets the table of the moment.
            chosen = self._routes.choose(known.get(b"azureml-model-deployment"))
            answer = chosen if isinstance(chosen, Answer) else await self._answer(chosen, request)
        finally:
            self._bodies.release(body)
        if isinstance(chosen, Chosen):
            own.append((b"azureml-model-deployment", chosen.deployment.name.encode()))
        await _respond(send, answer, own)

    async def _answer(self, chosen: Chosen, request: Request) -> Answer:
        """Have a live request answered, and mirrored where it is chosen for it."""
        deployment = chosen.deployment
        if not deployment.admit():
            deployment.counts.live.reject(answers.TOO_MANY)
            return answers.too_many(deployment.name)
        loop = asyncio.get_running_loop()
        began = loop.time()
        live: asyncio.Future[Answer | None] | None = None
        if chosen.mirrors:
            live = loop.create_future()
            for mirror in chosen.mirrors:
                self._mirroring.send(mirror, request, live)
        answer: Answer | None = None
        try:
            answer = await ask(deployment, request, deployment.entry.path)
        finally:
            deployment.leave()
            if live is not None:
                live.set_result(answer if answer is not None and answer.reply else None)
        deployment.counts.live.count(answer.status, loop.time() - began)
        self._observe(deployment, request, answer)
        return answer

    async def _swagger(self, scope: Scope, send: Send) -> None:
        """Pass on what a deployment's instances tell of their inputs."""
        known = dict(scope["headers"])
        request, own = _request(b"GET", scope, known)
        refusal = self._routes.gate.refusal(known.get(b"authorization"), time.time)
        if refusal is not None:
            await _respond(send, answers.refused(refusal), own)
            return
        chosen = self._routes.choose(known.get(b"azureml-model-deployment"))
        if isinstance(chosen, Answer):
            await _respond(send, chosen, own)
            return
        deployment = chosen.deployment
        own.append((b"azureml-model-deployment", deployment.name.encode()))
        await _respond(send, await _described(deployment, request), own)


async def _described(deployment: Deployment, request: Request) -> Answer:
    path = deployment.entry.swagger
    if path is None:
        return answers.without_swagger(deployment.name)
    if not deployment.admit():
        return answers.too_many(deployment.name)
    try:
        return await ask(deployment, request, path)
    finally:
        deployment.leave()


def _request(method: bytes, scope: Scope, known: dict[bytes, bytes]) -> tuple[Request, Headers]:
    """Return a request without its body, and the headers that its answer has in any case."""
    request_id = known.get(b"x-request-id", b"")
    if not _REQUEST_ID.fullmatch(request_id):
        request_id = str(uuid.uuid4()).encode()
    own: Headers = [(b"x-request-id", request_id)]
    client_id = known.get(b"x-ms-client-request-id")
    if client_id is not None:
        own.append((b"x-ms-client-request-id", client_id))
    query = scope["query_string"]
    return Request(method, scope["raw_path"], query, scope["headers"], request_id), own


def _other_method(method: str, allowed: bytes) -> Answer:
    if method == "OPTIONS":
        return Answer(204, [(b"allow", allowed)], b"")
    return answers.no_such_method(allowed)


async def _respond(send: Send, answer: Answer, own: Headers | None = None) -> None:
    headers = answer.headers + own if own else answer.headers
    if answer.status != 204:
        headers = [*headers, (b"content-length", b"%d" % len(answer.body))]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})
