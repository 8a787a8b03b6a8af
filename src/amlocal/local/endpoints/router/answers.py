"""Answers: an instance's own, and what the router says in its place.

Statuses, reasons, and the first words of the bodies are those of Azure's managed online endpoints
("Troubleshoot online endpoints: common error codes for managed online endpoints").
"""

from __future__ import annotations

from amlocal.local.endpoints.router.upstream import Reply, passed_back

Headers = list[tuple[bytes, bytes]]

STATUS_HEADER = b"ms-azureml-model-error-statuscode"
REASON_HEADER = b"ms-azureml-model-error-reason"
TEXT: Headers = [(b"content-type", b"text/plain; charset=utf-8")]
UNAUTHORIZED, NOT_FOUND, METHOD_NOT_ALLOWED = 401, 404, 405
REQUEST_TIMEOUT, TOO_LARGE, MODEL_ERROR, TOO_MANY = 408, 413, 424, 429


class Answer:
    """What a request is answered with.

    Attributes:
        status: The HTTP status.
        headers: Its headers, but for those that every answer has.
        body: Its body.
        reply: What the instance answered, where one did.
    """

    __slots__ = ("body", "headers", "reply", "status")

    def __init__(
        self, status: int, headers: Headers, body: bytes, reply: Reply | None = None
    ) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.reply = reply


def text(status: int, message: str, headers: Headers | None = None) -> Answer:
    """Return an answer that says something."""
    return Answer(status, TEXT + (headers or []), message.encode())


def scored(reply: Reply) -> Answer:
    """Return an instance's answer; what is not a success becomes 424, its body passed on."""
    headers = passed_back(reply.headers)
    if 200 <= reply.status < 300:
        return Answer(reply.status, headers, reply.body, reply)
    headers += _model_error(b"%d" % reply.status, b"model_error")
    return Answer(MODEL_ERROR, headers, reply.body, reply)


def broken(deployment: str) -> Answer:
    """Return the answer where an instance ended while it worked on the request."""
    message = (
        f"model_error: an instance of deployment {deployment!r} ended before it answered; "
        "see the deployment's logs"
    )
    return text(MODEL_ERROR, message, _model_error(b"502", b"model_error"))


def not_ready(deployment: str) -> Answer:
    """Return the answer where no instance takes connections."""
    message = (
        f"model_not_ready: no instance of deployment {deployment!r} takes requests; "
        "see the deployment's logs"
    )
    return text(MODEL_ERROR, message, _model_error(b"503", b"model_not_ready"))


def timed_out(deployment: str, milliseconds: int) -> Answer:
    """Return the answer where scoring took too long."""
    message = (
        f"upstream request timeout: deployment {deployment!r} did not answer within "
        f"{milliseconds} ms (request_settings.request_timeout_ms)"
    )
    return text(REQUEST_TIMEOUT, message)


def waited_too_long(deployment: str, milliseconds: int) -> Answer:
    """Return the answer where no instance was free in time."""
    message = (
        f"upstream request timeout: no instance of deployment {deployment!r} was free within "
        f"{milliseconds} ms (request_settings.max_queue_wait_ms)"
    )
    return text(REQUEST_TIMEOUT, message)


def too_many(deployment: str) -> Answer:
    """Return the answer where as many requests wait and run as may."""
    message = (
        f"too_many_pending_request: deployment {deployment!r} takes 2 x "
        "max_concurrent_requests_per_instance x instance_count requests at a time; "
        "send fewer at once, try again later, or raise one of them"
    )
    return text(TOO_MANY, message, [(REASON_HEADER, b"too_many_pending_request")])


def too_much() -> Answer:
    """Return the answer where the bodies that are held fill the memory that they may."""
    message = "too_many_pending_request: too many large requests at a time; try again later"
    return text(TOO_MANY, message, [(REASON_HEADER, b"too_many_pending_request")])


def too_large(limit: int) -> Answer:
    """Return the answer to a body over the limit."""
    return text(TOO_LARGE, f"payload too large: a request may have {limit} bytes")


def without_traffic(endpoint: str) -> Answer:
    """Return the answer where no deployment has traffic."""
    message = (
        f"endpoint {endpoint!r} has no deployment with traffic; "
        "give one traffic, or name it by the header azureml-model-deployment"
    )
    return text(NOT_FOUND, message)


def no_such_deployment(endpoint: str, name: str, known: list[str]) -> Answer:
    """Return the answer where `azureml-model-deployment` names no deployment."""
    there = ", ".join(known) or "none"
    message = f"endpoint {endpoint!r} has no deployment {name!r}; deployments: {there}"
    return text(NOT_FOUND, message)


def without_swagger(deployment: str) -> Answer:
    """Return the answer where a deployment does not tell of its inputs."""
    return text(NOT_FOUND, f"deployment {deployment!r} has no OpenAPI document")


def no_such_path(path: str) -> Answer:
    """Return the answer to a path that there is not."""
    message = f"no path {path!r}; paths: POST /score, GET /swagger.json, GET /, GET /metrics"
    return text(NOT_FOUND, message)


def no_such_method(allowed: bytes) -> Answer:
    """Return the answer to a method that the path does not have."""
    message = f"this path takes {allowed.decode()}"
    return text(METHOD_NOT_ALLOWED, message, [(b"allow", allowed)])


def refused(code: str) -> Answer:
    """Return the answer to a request without the right key or token."""
    headers = [(b"www-authenticate", b"Bearer")]
    message = (
        f"{code}: send the header 'Authorization: Bearer KEY' with a key or token of this endpoint"
    )
    return text(UNAUTHORIZED, message, headers)


def _model_error(status: bytes, reason: bytes) -> Headers:
    return [(STATUS_HEADER, status), (REASON_HEADER, reason)]
