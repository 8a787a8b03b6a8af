"""One request to one deployment: wait for an instance, send, and answer in Azure's terms."""

from __future__ import annotations

import asyncio

from amlocal.local.endpoints.router import answers
from amlocal.local.endpoints.router.answers import Answer
from amlocal.local.endpoints.router.deployments import Deployment
from amlocal.local.endpoints.router.upstream import (
    BrokenError,
    NotSentError,
    Reply,
    ScoringTimeoutError,
    request_head,
)


class Request:
    """A request that was read to its end.

    Attributes:
        method: `POST` or `GET`.
        path: The path that it was sent to.
        query: The query with its question mark, or nothing.
        headers: Its headers, names in lower case.
        body: Its body.
        request_id: Its `x-request-id`, the client's or made here.
    """

    __slots__ = ("body", "headers", "method", "path", "query", "request_id")

    def __init__(
        self,
        method: bytes,
        path: bytes,
        query: bytes,
        headers: list[tuple[bytes, bytes]],
        request_id: bytes,
    ) -> None:
        self.method = method
        self.path = path
        self.query = b"?" + query if query else b""
        self.headers = headers
        self.request_id = request_id
        self.body = b""


class NoInstanceError(Exception):
    """No instance was free in time."""


async def ask(deployment: Deployment, request: Request, path: str) -> Answer:
    """Send a request to a deployment that has let it in, and return what it is answered with.

    Args:
        deployment: The deployment.
        request: The request.
        path: Where the deployment's instances take it.
    """
    entry = deployment.entry
    try:
        return answers.scored(await _send(deployment, request, path))
    except NoInstanceError:
        if not deployment.has_instances:
            return answers.not_ready(deployment.name)
        return answers.waited_too_long(deployment.name, entry.max_queue_wait_ms)
    except ScoringTimeoutError:
        return answers.timed_out(deployment.name, entry.request_timeout_ms)
    except BrokenError:
        return answers.broken(deployment.name)


async def _send(deployment: Deployment, request: Request, path: str) -> Reply:
    """Send a request to an instance, and to another one where the first did not get it."""
    entry = deployment.entry
    deadline = asyncio.get_running_loop().time() + entry.max_queue_wait_ms / 1000
    target = path.encode() + request.query
    head = request_head(
        request.method, target, request.headers, request.request_id, len(request.body)
    )
    while True:
        instance = await deployment.acquire(deadline)
        if instance is None:
            raise NoInstanceError
        try:
            connection = await instance.connection()
            reply = await connection.exchange(head, request.body, entry.request_timeout_ms / 1000)
            instance.keep(connection)
            reply.instance = instance.id
            return reply
        except OSError:
            deployment.mark_down(instance)
        except NotSentError:
            continue
        finally:
            deployment.release(instance)
