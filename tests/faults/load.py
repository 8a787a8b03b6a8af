"""Clients that ask without end over connections that they keep, and check every answer."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.faults.documented import Kind, kind_of
from tests.faults.site import Site, body_of, model_of

#: Seconds after which a request counts as hung.
HUNG_SECONDS = 60.0
#: Seconds that a client pauses after its connection was cut or refused.
PAUSE_SECONDS = 0.02
CUT, REFUSED = (0, "cut", ""), (0, "refused", "")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a request.

    Attributes:
        began: When it was sent, by `time.monotonic`.
        ended: When its answer was there.
        kind: The error, or (200, "", ""); CUT and REFUSED where there was no answer.
        model: Which model's answer it is.
        deployment: Which deployment answered.
    """

    began: float
    ended: float
    kind: Kind
    model: str = ""
    deployment: str = ""

    @property
    def is_right(self) -> bool:
        return self.kind[0] == 200


class Client:
    """A connection that is opened again where it was closed."""

    def __init__(self, site: Site) -> None:
        self._port = site.port
        self._head = (
            f"POST /score HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {site.key}\r\n"
            "content-type: application/json\r\ncontent-length: "
        ).encode()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, x: float) -> Outcome:
        """Send a request and check its answer."""
        began = time.monotonic()
        try:
            head, answer = await asyncio.wait_for(self._exchange(body_of(x)), HUNG_SECONDS)
        except asyncio.TimeoutError:  # an OSError since Python 3.11
            raise AssertionError(f"no answer within {HUNG_SECONDS} s") from None
        except ConnectionRefusedError:
            return Outcome(began, time.monotonic(), REFUSED)
        except (OSError, asyncio.IncompleteReadError):
            self.close()
            return Outcome(began, time.monotonic(), CUT)
        status = int(head.split(" ", 2)[1])
        headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:-2])
        if headers.get("connection") == "close":
            self.close()
        model = model_of(x, answer) if status == 200 else ""
        return Outcome(
            began,
            time.monotonic(),
            kind_of(status, headers),
            model,
            headers.get("azureml-model-deployment", ""),
        )

    async def _exchange(self, body: bytes) -> tuple[str, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(b"%b%d\r\n\r\n%b" % (self._head, len(body), body))
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = head.lower().partition("content-length: ")[2].partition("\r\n")[0]
        return head, await reader.readexactly(int(length))

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


@dataclass
class Load:
    """Requests from some clients; `outcomes` has them in the order of their answers."""

    outcomes: list[Outcome] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)

    def count(self) -> Counter[Kind]:
        return Counter(outcome.kind for outcome in self.outcomes)

    def errors(self) -> set[Kind]:
        return {outcome.kind for outcome in self.outcomes if not outcome.is_right}

    def models(self) -> set[str]:
        """Return which models' answers were among the right ones."""
        return {outcome.model for outcome in self.outcomes if outcome.is_right}

    def after(self, moment: float) -> list[Outcome]:
        """Return what was sent after a moment."""
        return [outcome for outcome in self.outcomes if outcome.began > moment]

    def wait_for(self, more: int, *, seconds: float = 60.0) -> None:
        """Wait until so many more right answers have come."""
        wanted = self._right() + more
        deadline = time.monotonic() + seconds
        while self._right() < wanted:
            assert time.monotonic() < deadline, self.count()
            time.sleep(0.02)

    def _right(self) -> int:
        return sum(outcome.is_right for outcome in list(self.outcomes))


@contextlib.contextmanager
def load(site: Site, *, clients: int = 8, pause: float = 0.0) -> Iterator[Load]:
    """Have clients ask until the block is over; every request has its outcome then.

    Args:
        site: The endpoint.
        clients: How many ask at a time.
        pause: Seconds between an answer and a client's next request.
    """
    given = Load()

    async def ask_on(number: int) -> None:
        client, source = Client(site), random.Random(number)
        while not given.is_over.is_set():
            outcome = await client.ask(source.randint(-1000, 1000))
            given.outcomes.append(outcome)
            await asyncio.sleep(pause if outcome.kind[0] else PAUSE_SECONDS)
        client.close()

    async def ask_all() -> None:
        await asyncio.gather(*map(ask_on, range(clients)))

    failures: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(ask_all())
        except BaseException as error:  # noqa: BLE001 - raised below, in the test's own thread
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield given
    finally:
        given.is_over.set()
        thread.join()
    if failures:
        raise failures[0]
