"""The server: uvicorn on a socket that is given, with an eye on slow clients."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

#: Seconds that a client may take for the headers of a request, and for its body; for a body, one
#: more second for each `MIN_RATE` bytes that have come. Apache's rule and its numbers
#: (mod_reqtimeout: `RequestReadTimeout header=20 body=20,MinRate=500`).
READ_SECONDS = 20.0
MIN_RATE = 500
#: Seconds that an idle connection is kept.
KEEP_ALIVE_SECONDS = 60
#: Seconds that requests may take to end once the router is to end: longer than any time-out.
DRAIN_SECONDS = 190
#: Bytes that a request's first line and headers may have: Envoy's number, which Azure's endpoints
#: stand behind (`max_request_headers_kb`).
MAX_HEADERS = 60 * 1024
#: Bytes of a header beside its name and its value.
_HEADER_MARKS = len(b": \r\n")
_SWEEP_SECONDS = 0.25


def _refusal(status: bytes, text: bytes) -> bytes:
    """Return the last answer on a connection, to what is no request."""
    return (
        b"HTTP/1.1 %b\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n"
        b"connection: close\r\n\r\n%b" % (status, len(text), text)
    )


_TOO_SLOW = _refusal(b"408 Request Timeout", b"the request took too long to arrive")
_UNREADABLE = _refusal(b"400 Bad Request", b"what was sent cannot be read as HTTP/1.1")
_TOO_LONG = _refusal(
    b"431 Request Header Fields Too Large",
    b"the request's first line and headers have more than %d bytes" % MAX_HEADERS,
)


class RouterProtocol(HttpToolsProtocol):
    """A client's connection that knows since when it waits for the client.

    Looked at from time to time by a sweep over all connections, since a timer for each request
    costs more than the rest of the request's reading.
    """

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a request."""
        self._waits_since: float | None = self.loop.time()
        self._received = 0
        self._header_bytes = 0
        self._has_headers = False
        self._stalled: tuple[float, int] | None = None
        #: What the client is told once all that it asked before is answered.
        self._refusal: bytes | None = None
        super().connection_made(transport)  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        """Read a piece; what comes behind something unreadable is not looked at."""
        if self._refusal is not None:
            return
        self._unset_keepalive_if_required()
        self._received += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._decline(data[offer.args[0] :])
        except httptools.HttpParserError:
            self._refuse(_TOO_LONG if self._header_bytes > MAX_HEADERS else _UNREADABLE)
        is_in_headers = self._waits_since is not None and not self._has_headers
        if is_in_headers and max(self._received, self._header_bytes) > MAX_HEADERS:
            self._refuse(_TOO_LONG)

    def _decline(self, rest: bytes) -> None:
        """Read a request that offers another protocol (Java's client: h2c) as if it did not.

        The parser takes all behind its headers for the other protocol, its body too.
        """
        method = self.parser.get_method()
        if method == b"CONNECT":
            self._refuse(_UNREADABLE)
            return
        kept = [b"%b: %b\r\n" % pair for pair in self.headers if pair[0] != b"upgrade"]
        head = b"%b %b HTTP/1.1\r\n%b\r\n" % (method, self.url, b"".join(kept))
        self.data_received(head + rest)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Keep the connection until all that was asked is answered, though nothing more comes."""
        if self._owed is None:
            return False
        self._owed.keep_alive = False
        return True

    @property
    def _owed(self) -> RequestResponseCycle | None:
        """The last request that has come in whole and is not answered yet."""
        cycle = self.pipeline[0][0] if self.pipeline else self.cycle
        is_whole = self._waits_since is None or not self._has_headers
        if cycle is None or cycle.response_complete or not is_whole:
            return None
        return cycle

    def _refuse(self, answer: bytes) -> None:
        """Say the last word on this connection, behind the answers to what came before."""
        if self._refusal is not None or self.transport.is_closing():
            return
        self._refusal = answer
        is_in_body = self._waits_since is not None and self._has_headers
        self._waits_since = None
        if is_in_body and self.pipeline:
            self.pipeline.popleft()  # its body is what cannot be read
        elif is_in_body or self.cycle is None or self.cycle.response_complete:
            self._say_refusal()

    def _say_refusal(self) -> None:
        if self._refusal is not None and not self.transport.is_closing():
            self.transport.write(self._refusal)
            self.transport.close()

    def on_response_complete(self) -> None:
        """Answer the next request, or refuse what came behind the last."""
        is_last = not self.pipeline
        super().on_response_complete()
        if is_last:
            self._say_refusal()

    def on_message_begin(self) -> None:
        """Wait for the rest of a request."""
        self._waits_since = self.loop.time()
        self._received = 0
        self._header_bytes = 0
        self._has_headers = False
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Count the first line."""
        self._header_bytes += len(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header; those behind a body are none of the request's (RFC 9110, 6.5.1)."""
        if self._has_headers:
            return
        self._header_bytes += len(name) + len(value) + _HEADER_MARKS
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Wait for the body."""
        if self._header_bytes > MAX_HEADERS:
            raise ValueError("too long")  # ends the parser, which then has us refuse it
        if self.parser.should_upgrade():
            return  # see `_decline`
        self._has_headers = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Wait no longer."""
        if not self._has_headers:
            return
        self._waits_since = None
        super().on_message_complete()

    def check(self, now: float, seconds: float) -> None:
        """Close the connection if its client is too slow.

        Args:
            now: The loop's time.
            seconds: What stands for `READ_SECONDS`.
        """
        if self.transport.is_closing():
            return
        if self._waits_since is not None and (self.flow.read_paused or self._owed is not None):
            self._waits_since = now  # it is the client that waits
        elif self._waits_since is not None:
            if now - self._waits_since > seconds + self._extra_seconds():
                self._give_up()
        elif self.flow.write_paused:
            self._check_reader(now, seconds)
        else:
            self._stalled = None

    def _extra_seconds(self) -> float:
        """Return the seconds that a body has for what has come of it; none once it is answered."""
        if not self._has_headers or self.cycle.response_complete:
            return 0.0
        return self._received / MIN_RATE

    def _give_up(self) -> None:
        if not self._has_headers or not self.cycle.response_started:
            self.transport.write(_TOO_SLOW)
        self.transport.close()

    def _check_reader(self, now: float, seconds: float) -> None:
        """Close the connection of a client that does not take its answer."""
        size = self.transport.get_write_buffer_size()
        if self._stalled is None or self._stalled[1] != size:
            self._stalled = (now, size)
        elif now - self._stalled[0] > seconds:
            self.transport.abort()


class RouterServer(uvicorn.Server):
    """Serves the application on a socket that was opened by somebody else."""

    def __init__(self, app: Any, started: Callable[[], None], read_seconds: float) -> None:
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
        super().__init__(
            uvicorn.Config(
                app,
                http=RouterProtocol,
                interface="asgi3",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=DRAIN_SECONDS,
            )
        )
        self._tell_started = started
        self._read_seconds = read_seconds

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, and tell."""
        await super().startup(sockets)
        self._sweep()
        self._tell_started()

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in list(self.server_state.connections):
            assert isinstance(connection, RouterProtocol)
            connection.check(now, self._read_seconds)
        loop.call_later(_SWEEP_SECONDS, self._sweep)
