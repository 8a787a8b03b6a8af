"""The server: uvicorn on a socket that is given, with an eye on slow clients."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: Seconds that a client may take for the headers of a request, and for its body; for a body, one
#: more second for each `MIN_RATE` bytes that have come. Apache's rule and its numbers
#: (mod_reqtimeout: `RequestReadTimeout header=20 body=20,MinRate=500`).
READ_SECONDS = 20.0
MIN_RATE = 500
#: Seconds that an idle connection is kept.
KEEP_ALIVE_SECONDS = 60
#: Seconds that requests may take to end once the router is to end: longer than any time-out.
DRAIN_SECONDS = 190
_SWEEP_SECONDS = 0.25
_TOO_SLOW_TEXT = b"the request took too long to arrive"
_TOO_SLOW = (
    b"HTTP/1.1 408 Request Timeout\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: %d\r\nconnection: close\r\n\r\n%b" % (len(_TOO_SLOW_TEXT), _TOO_SLOW_TEXT)
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
        self._has_headers = False
        self._stalled: tuple[float, int] | None = None
        super().connection_made(transport)  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        """Count what came."""
        self._received += len(data)
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Wait for the rest of a request."""
        self._waits_since = self.loop.time()
        self._received = 0
        self._has_headers = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Wait for the body."""
        self._has_headers = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Wait no longer."""
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
        if self._waits_since is not None and self.flow.read_paused:
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
