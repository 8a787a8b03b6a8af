"""HTTP to the tracking server: kept-alive connections, JSON bodies, errors with its own words."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, TypeVar

import msgspec

from amlocal.errors import TrackingError

T = TypeVar("T")

#: A connection that was left alone for longer is not used again: uvicorn closes it after 30 s
#: (see `keeper`), and a request that crosses the closing would have to be sent a second time.
_REUSE_SECONDS = 20.0
_CHUNK_BYTES = 1 << 20
_MESSAGE_LENGTH = 1000


class ServerError(TrackingError):
    """The server answered a request with an error.

    Attributes:
        code: MLflow's `error_code`, such as `RESOURCE_DOES_NOT_EXIST`.
        status: The HTTP status.
    """

    def __init__(self, message: str, *, code: str, status: int) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class _ErrorBody(msgspec.Struct):
    error_code: str = ""
    message: str = ""
    detail: Any = None


@dataclass
class _Idle:
    connection: http.client.HTTPConnection
    since: float = field(default_factory=time.monotonic)


class Transport:
    """Requests to one server, from any number of threads.

    Proxies of the environment are not used: the server is on this machine.

    Args:
        uri: The server's address, `http://HOST:PORT`.
        timeout: Seconds that the server may be silent.
    """

    def __init__(self, uri: str, *, timeout: float = 120) -> None:
        address = urllib.parse.urlsplit(uri)
        if address.scheme != "http" or not address.hostname:
            raise TrackingError(f"{uri!r} is not the address of a local tracking server")
        self.uri = uri.rstrip("/")
        self._host, self._port = address.hostname, address.port
        self._timeout = timeout
        self._idle: list[_Idle] = []
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close every connection that is not in use."""
        with self._lock:
            idle, self._idle = self._idle, []
        for item in idle:
            item.connection.close()

    def call(self, method: str, path: str, body: object, answer: type[T]) -> T:
        """Send a JSON request to `/api/2.0/mlflow/<path>` and return the answer as a value.

        Args:
            method: GET sends the body's fields as a query.
            path: Such as `runs/create`.
            body: What `msgspec` writes as a JSON object.
            answer: The type of the answer; fields that it does not name are left out.

        Raises:
            ServerError: The server refused it.
            TrackingError: The server cannot be reached, or answered something else.
        """
        target = f"/api/2.0/mlflow/{path}"
        if method == "GET":
            query = urllib.parse.urlencode(msgspec.to_builtins(body), doseq=True)
            data = self.send(method, f"{target}?{query}" if query else target)
        else:
            content = msgspec.json.encode(body)
            data = self.send(method, target, content, {"Content-Type": "application/json"})
        try:
            return msgspec.json.decode(data or b"{}", type=answer)
        except msgspec.DecodeError as error:
            raise TrackingError(
                f"{self.uri} did not answer {path} as MLflow does: {error}",
                hint="`aml workspace down`, then `aml workspace up`, starts it anew",
            ) from error

    def send(
        self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> bytes:
        """Send a request and return the body of its answer; raises as `call` does."""
        with self._answer(method, target, lambda: body, headers or {}) as response:
            return response.read()

    def upload(self, target: str, open_file: Callable[[], BinaryIO], size: int) -> None:
        """PUT a file without holding it in memory; raises as `call` does.

        Args:
            target: Path on the server, quoted.
            open_file: Opens the file; called again where the request is repeated.
            size: Bytes that it has.
        """
        headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
        with contextlib.ExitStack() as files:

            def opened() -> BinaryIO:
                return files.enter_context(open_file())

            with self._answer("PUT", target, opened, headers) as response:
                response.read()

    def download(self, target: str, write: Callable[[bytes], object]) -> None:
        """GET a file piece by piece; raises as `call` does."""
        with self._answer("GET", target, lambda: b"", {}) as response:
            while piece := response.read(_CHUNK_BYTES):
                write(piece)

    @contextlib.contextmanager
    def _answer(
        self,
        method: str,
        target: str,
        body: Callable[[], bytes | BinaryIO],
        headers: Mapping[str, str],
    ) -> Iterator[http.client.HTTPResponse]:
        """Send a request; once more, on a new connection, where a kept one was dropped."""
        connection, is_kept = self._take()
        try:
            try:
                response = self._exchange(connection, method, target, body(), headers)
            except (ConnectionError, http.client.BadStatusLine):
                connection.close()
                if not is_kept:
                    raise
                response = self._exchange(connection, method, target, body(), headers)
            _check(response, f"{method} {target}")
            yield response
            is_whole = response.isclosed() and not response.will_close
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            reason = str(error) or type(error).__name__
            raise TrackingError(
                f"the MLflow tracking server at {self.uri} did not answer: {reason}",
                hint="`aml workspace up` starts it",
            ) from error
        except BaseException:
            connection.close()
            raise
        if is_whole:
            self._give_back(connection)
        else:
            connection.close()

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        target: str,
        body: bytes | BinaryIO,
        headers: Mapping[str, str],
    ) -> http.client.HTTPResponse:
        connection.request(method, target, body=body or None, headers=dict(headers))
        return connection.getresponse()

    def _take(self) -> tuple[http.client.HTTPConnection, bool]:
        """Return a connection and whether it was used before."""
        with self._lock:
            item = self._idle.pop() if self._idle else None
        if item is not None and time.monotonic() - item.since < _REUSE_SECONDS:
            return item.connection, True
        if item is not None:
            item.connection.close()
        fresh = http.client.HTTPConnection(
            self._host, self._port, timeout=self._timeout, blocksize=_CHUNK_BYTES
        )
        return fresh, False

    def _give_back(self, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            self._idle.append(_Idle(connection))


def _check(response: http.client.HTTPResponse, request: str) -> None:
    """Raise the error of an answer, in the server's own words where it gives some."""
    if response.status < http.client.BAD_REQUEST:
        return
    text = response.read().decode(errors="replace")
    try:
        body = msgspec.json.decode(text, type=_ErrorBody)
    except msgspec.DecodeError:
        body = _ErrorBody(message=text.strip())
    # Cut: for a refused log MLflow repeats all of it.
    message = (body.message or str(body.detail or response.reason))[:_MESSAGE_LENGTH]
    raise ServerError(
        f"MLflow refused {request.partition('?')[0]}: {message}",
        code=body.error_code,
        status=response.status,
    )
