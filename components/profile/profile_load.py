"""Open-loop load on a scoring address: requests leave when they are due, answered or not.

Callers that wait for the last answer before they ask again ask less often just when the server is
slow, so that the slowness hides ("coordinated omission"; G. Tene, "How NOT to Measure Latency",
2013; B. Schroeder, A. Wierman, M. Harchol-Balter, "Open Versus Closed: A Cautionary Tale", NSDI
2006). Here arrivals are a Poisson process, fixed before the load begins, and a request's latency
counts from the moment at which it was due, also where no connection was free to send it on.
"""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Sequence
from dataclasses import dataclass

import httptools
import numpy as np

from stepkit.metrics import Floats

#: Connections that are kept open: requests beyond them wait, and that counts.
CONNECTIONS = 256
_NO_ANSWER = 0


@dataclass(frozen=True)
class Load:
    """What came of the requests of a load.

    Attributes:
        due: When each was due, in seconds from the beginning.
        ready: When it was ready to be sent: later than due where this machine was too slow to make
            the load, which is no fault of the server's.
        answered: When its answer was there; NaN where there was none.
        status: The HTTP status; 0 where there was no answer.
    """

    due: Floats
    ready: Floats
    answered: Floats
    status: Floats

    @property
    def latency(self) -> Floats:
        """Seconds from when each good answer was due until it was there."""
        good = self.status == 200
        seconds: Floats = self.answered[good] - self.due[good]
        return seconds

    @property
    def late(self) -> float:
        """Seconds by which 99 of 100 requests were ready after they were due, at most."""
        return float(np.quantile(self.ready - self.due, 0.99))

    @property
    def errors(self) -> int:
        """How many were not answered, or not with 200."""
        return int((self.status != 200).sum())


def arrivals(rate: float, seconds: float, seed: int) -> Floats:
    """Return when the requests of a Poisson process are due, at least one.

    Args:
        rate: Requests a second.
        seconds: How long they come.
        seed: Of the draws.
    """
    rng = np.random.default_rng(seed)
    wanted = max(1, round(rate * seconds))
    # Given their number, the arrivals of a Poisson process are uniform.
    due: Floats = np.sort(rng.uniform(0.0, seconds, wanted))
    return due


def offer(port: int, requests: Sequence[bytes], due: Floats, patience: float) -> Load:
    """Send requests when they are due, and wait for the answers.

    Args:
        port: On 127.0.0.1.
        requests: Whole HTTP requests, which take turns.
        due: When each is due, in seconds.
        patience: How long after the last one is due answers are waited for.
    """
    return asyncio.run(_Offer(port, requests, due).run(patience))


def request(body: bytes, path: str = "/score") -> bytes:
    """Return a whole HTTP request that posts JSON."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class _Offer:
    """One load, while it runs."""

    def __init__(self, port: int, requests: Sequence[bytes], due: Floats) -> None:
        self._port = port
        self._requests = requests
        self._due = due
        self._ready = np.full(len(due), np.nan)
        self._answered = np.full(len(due), np.nan)
        self._status = np.full(len(due), _NO_ANSWER, dtype=np.float64)
        self._idle: list[_Connection] = []
        self._all: set[_Connection] = set()
        self._waiting: collections.deque[int] = collections.deque()
        self._left = len(due)
        self._start = 0.0

    async def run(self, patience: float) -> Load:
        loop = asyncio.get_running_loop()
        self._done = loop.create_future()
        await asyncio.gather(*(self._connect() for _ in range(min(CONNECTIONS, len(self._due)))))
        self._start = loop.time()
        for place, moment in enumerate(self._due):
            # Also where it is late, so that answers are read in between.
            await asyncio.sleep(max(0.0, self._start + moment - loop.time()))
            self._ready[place] = self._now()
            self._send(place)
        try:
            await asyncio.wait_for(asyncio.shield(self._done), patience)
        except asyncio.TimeoutError:
            self._waiting.clear()
        for connection in list(self._all):
            connection.close()
        return Load(self._due, self._ready, self._answered, self._status)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        _, made = await loop.create_connection(lambda: _Connection(self), "127.0.0.1", self._port)
        self._all.add(made)
        self._idle.append(made)

    def _send(self, place: int) -> None:
        if not self._idle:
            self._waiting.append(place)
            return
        self._idle.pop().send(self._requests[place % len(self._requests)], place)

    def answer(self, connection: _Connection, place: int, status: int) -> None:
        """Note an answer, and let the connection have the next request that waits."""
        self._answered[place], self._status[place] = self._now(), status
        self._idle.append(connection)
        self._settle()
        if self._waiting:
            self._send(self._waiting.popleft())

    def lost(self, connection: _Connection, place: int | None) -> None:
        """Note that a connection was lost, with the request that was on it."""
        self._all.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if place is not None:
            self._settle()
        if not self._all:
            # Nobody is left to answer what waits.
            self._left = 0
            self._settle()

    def _settle(self) -> None:
        self._left -= 1
        if self._left <= 0 and not self._done.done():
            self._done.set_result(None)

    def _now(self) -> float:
        return asyncio.get_running_loop().time() - self._start


class _Connection(asyncio.Protocol):
    """A connection that is kept open, with at most one request on it."""

    def __init__(self, offer: _Offer) -> None:
        self._offer = offer
        self._place: int | None = None
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def send(self, data: bytes, place: int) -> None:
        assert self._transport is not None
        self._place = place
        self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        place, self._place = self._place, None
        if place is not None:
            self._offer.answer(self, place, self._parser.get_status_code())

    def connection_lost(self, _: Exception | None) -> None:
        place, self._place = self._place, None
        self._offer.lost(self, place)

    def close(self) -> None:
        self._place = None
        if self._transport is not None:
            self._transport.close()
