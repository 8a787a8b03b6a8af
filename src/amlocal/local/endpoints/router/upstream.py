"""HTTP/1.1 to an instance: one request at a time on a connection that is kept alive."""

from __future__ import annotations

import asyncio
import select
from collections.abc import Iterator, Sequence
from typing import Any

import httptools

Headers = Sequence[tuple[bytes, bytes]]

#: An idle connection is not used again after this many seconds. gunicorn, which the inference
#: server runs on, closes them after 2: so it does not close one in the moment that we write to it.
IDLE_SECONDS = 1.0
_CONNECT_SECONDS = 5.0
#: Bodies up to this size are sent in one piece with their headers.
_JOINED_BYTES = 65536


class NotSentError(Exception):
    """The instance did not get the request: another one may have it."""


class BrokenError(Exception):
    """The connection broke after the request was sent; the instance may have scored it."""


class ScoringTimeoutError(Exception):
    """The instance did not answer in time."""


class Reply:
    """What an instance answered; `instance` is its id, once the sender has noted it."""

    __slots__ = ("body", "headers", "instance", "status")

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.instance = ""


class Connection(asyncio.Protocol):
    """A connection to an instance."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: Any = None
        self._parser: Any = None
        self._reply: asyncio.Future[Reply] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._chunks: list[bytes] = []
        self._has_length = False
        self._in_body = False
        self._idle_since = 0.0

    @property
    def is_usable(self) -> bool:
        """Whether it is open, was not idle for long, and the instance has not closed it."""
        if self._transport.is_closing():
            return False
        idle = self._loop.time() - self._idle_since
        return idle < IDLE_SECONDS and not self._is_readable()

    def _is_readable(self) -> bool:
        """Return whether the instance has closed it, or says what nobody has asked for."""
        poll = select.poll()
        poll.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)
        return bool(poll.poll(0))

    def close(self) -> None:
        """Close it; an answer that is under way is lost."""
        if self._transport is not None:
            self._transport.abort()

    async def exchange(self, head: bytes, body: bytes, seconds: float) -> Reply:
        """Send a request and return the answer.

        Args:
            head: The request line and the headers.
            body: The body.
            seconds: How long the answer may take; then the connection is closed, so that the
                instance can see that nobody waits any more.

        Raises:
            NotSentError: The connection was closed already.
            BrokenError: It broke before the answer was there.
            ScoringTimeoutError: The answer took too long.
        """
        if self._transport.is_closing():
            raise NotSentError
        self._begin()
        reply: asyncio.Future[Reply] = self._loop.create_future()
        self._reply = reply
        self._timer = self._loop.call_later(seconds, self._expire)
        if len(body) <= _JOINED_BYTES:
            self._transport.write(head + body)
        else:
            self._transport.writelines((head, body))
        try:
            return await reply
        finally:
            self._timer.cancel()
            if self._reply is not None:  # given up: what comes now is nobody's answer
                self.close()

    def _begin(self) -> None:
        self._headers = []
        self._chunks = []
        self._has_length = False
        self._in_body = False

    def _expire(self) -> None:
        self._fail(ScoringTimeoutError())
        self.close()

    def _fail(self, error: Exception) -> None:
        reply, self._reply = self._reply, None
        if reply is not None and not reply.done():
            reply.set_exception(error)

    # asyncio's callbacks.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport
        self._parser = httptools.HttpResponseParser(self)
        self._idle_since = self._loop.time()

    def data_received(self, data: bytes) -> None:
        """Read a piece of the answer."""
        if self._reply is None:
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(BrokenError("the instance's answer is not HTTP"))
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Take the end of the connection for the end of a body without a length, or fail."""
        if exc is None and self._in_body and not self._has_length:
            self._complete()
        self._fail(BrokenError("the instance closed the connection"))

    # The parser's callbacks.

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        name = name.lower()
        if name in (b"content-length", b"transfer-encoding"):
            self._has_length = True
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Note that the body begins."""
        self._in_body = True

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body."""
        self._chunks.append(body)

    def on_message_complete(self) -> None:
        """Give the answer; an interim one (100 Continue) is passed over."""
        if self._parser.get_status_code() < 200:
            self._begin()
            return
        # What the instance did not read of the request would be taken for the next one.
        has_read_all = not self._transport.get_write_buffer_size()
        keeps = self._parser.should_keep_alive() and has_read_all
        self._complete()
        if keeps:
            self._idle_since = self._loop.time()
        else:
            self._transport.close()

    def _complete(self) -> None:
        chunks = self._chunks
        body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        reply, self._reply = self._reply, None
        if reply is not None and not reply.done():
            reply.set_result(Reply(self._parser.get_status_code(), self._headers, body))


async def connect(address: str, loop: asyncio.AbstractEventLoop) -> Connection:
    """Open a connection to an instance.

    Raises:
        OSError: The instance does not take connections (TimeoutError included).
    """
    kind, _, place = address.partition(":")
    if kind == "unix":
        opening: Any = loop.create_unix_connection(lambda: Connection(loop), place)
    else:
        host, _, port = place.rpartition(":")
        opening = loop.create_connection(lambda: Connection(loop), host, int(port))
    try:
        _, connection = await asyncio.wait_for(opening, _CONNECT_SECONDS)
    except asyncio.TimeoutError:
        raise TimeoutError(f"{address} did not take a connection") from None
    found: Connection = connection
    return found


#: Headers that concern one connection, not the message (RFC 9110, 7.6.1), beside those that
#: `Connection` names.
_OF_CONNECTION = frozenset(
    {
        *(b"connection", b"keep-alive", b"te", b"trailer", b"transfer-encoding", b"upgrade"),
        *(b"proxy-connection", b"proxy-authenticate"),
    }
)
#: Those that the router sets itself or keeps from the instance too: keys are for the router alone.
_NOT_SENT_ON = _OF_CONNECTION | {
    *(b"authorization", b"proxy-authorization", b"content-length", b"expect", b"x-request-id"),
    b"azureml-model-deployment",
}
_NOT_PASSED_BACK = _OF_CONNECTION | {
    *(b"content-length", b"date", b"server", b"x-request-id", b"x-ms-client-request-id"),
    b"azureml-model-deployment",
}
#: What `Connection` mostly says, which names no header.
_NAMES_NOTHING = frozenset({b"keep-alive", b"close", b"Keep-Alive", b"Close"})


def request_head(
    method: bytes,
    target: bytes,
    headers: Headers,
    request_id: bytes,
    length: int,
) -> bytes:
    """Return a request's first line and headers, as an instance gets them."""
    parts = [method, b" ", target, b" HTTP/1.1\r\n"]
    for name, value in _without(headers, _NOT_SENT_ON):
        parts += (name, b": ", value, b"\r\n")
    parts += (b"x-request-id: ", request_id, b"\r\ncontent-length: %d\r\n\r\n" % length)
    return b"".join(parts)


def passed_back(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Return the headers of an instance's answer that its asker gets."""
    return list(_without(headers, _NOT_PASSED_BACK))


def _without(headers: Headers, dropped: frozenset[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Give headers but for some and for those that `Connection` names."""
    for name, value in headers:
        if name == b"connection" and value not in _NAMES_NOTHING:
            dropped |= {named.strip().lower() for named in value.split(b",")}
    return (header for header in headers if header[0] not in dropped)
