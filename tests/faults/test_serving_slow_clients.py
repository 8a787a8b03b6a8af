"""Clients that send or read slowly, stop in between, or hang up, beside normal ones."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable

import pytest
from tests.faults.load import load
from tests.faults.site import Site, body_of, model_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

EACH = 40
#: Seconds that the router gives a client, and what a busy machine adds.
GIVEN, SLACK = 20.0, 8.0
#: MiB that a process may keep of it.
KEPT_MIB = 16
#: How a slow client's connection ends: what was read until then.
Slow = Callable[[asyncio.StreamReader, asyncio.StreamWriter, bytes], Awaitable[bytes]]


@pytest.fixture(scope="module")
def served(site: Site) -> Site:
    site.deploy("blue", "old")
    site.route(blue=100)
    return site


def head(site: Site, length: int) -> bytes:
    return (
        f"POST /score HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {site.key}\r\n"
        f"content-type: application/json\r\ncontent-length: {length}\r\n"
    ).encode()


async def _drip(writer: asyncio.StreamWriter, piece: bytes, seconds: float) -> None:
    until = time.monotonic() + seconds
    with contextlib.suppress(ConnectionError):
        while time.monotonic() < until and not writer.is_closing():
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(1)


async def slow_headers(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, start: bytes
) -> bytes:
    writer.write(start)
    drip = asyncio.create_task(_drip(writer, b"x-more: y\r\n", GIVEN + 2 * SLACK))
    answer = await reader.read()
    drip.cancel()
    return answer


async def slow_body(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, start: bytes
) -> bytes:
    writer.write(start + b"\r\n")
    drip = asyncio.create_task(_drip(writer, b" ", GIVEN + 2 * SLACK))
    answer = await reader.read()
    drip.cancel()
    return answer


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, start: bytes) -> bytes:
    return await reader.read()


async def hung_up(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, start: bytes
) -> bytes:
    """Half of a body, and then no more."""
    writer.write(start + b"\r\n{")
    writer.write_eof()
    return await reader.read()


@pytest.mark.parametrize(
    ("slow", "is_answered"),
    [(slow_headers, True), (slow_body, True), (silent, True), (hung_up, False)],
)
def test_what_does_not_come_is_not_waited_for(served: Site, slow: Slow, is_answered: bool) -> None:
    latency, memory, pids = served.latency(50), served.memory(), served.pids()

    async def one() -> tuple[float, bytes]:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        began = time.monotonic()
        try:
            answer = await slow(reader, writer, head(served, 100))
        except ConnectionResetError:
            answer = b""
        writer.close()
        return time.monotonic() - began, answer

    async def all_of_them() -> list[tuple[float, bytes]]:
        return await asyncio.gather(*(one() for _ in range(EACH)))

    with load(served, clients=2, pause=0.05) as asking:
        found = asyncio.run(all_of_them())
        asking.wait_for(20)
    assert asking.errors() == set(), asking.count()
    assert asking.models() == {"old"}
    times = sorted(outcome.ended - outcome.began for outcome in asking.outcomes)
    assert times[len(times) // 2] < 5 * latency + 0.01
    assert max(seconds for seconds, _ in found) < GIVEN + SLACK
    # Some find the connection reset, where they were writing when it was closed.
    assert {answer[:13] for _, answer in found} <= {b"HTTP/1.1 408 " if is_answered else b"", b""}
    assert served.pids() == pids
    after = served.memory()
    assert all(after[role] < memory[role] + KEPT_MIB for role in memory)


def test_answers_that_nobody_reads_are_dropped(served: Site) -> None:
    """Requests one behind the other; their answers fill what the system holds of them."""
    memory, pids = served.memory(), served.pids()
    rows = b",".join(b"[%d]" % x for x in range(20_000))
    body = b'{"input_data": {"columns": ["x"], "data": [' + rows + b"]}}"
    request = head(served, len(body)) + b"\r\n" + body
    links = []
    with load(served, clients=2, pause=0.05) as asking:
        for _ in range(10):
            link = socket.socket()
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            link.settimeout(5)
            link.connect(("127.0.0.1", served.port))
            with contextlib.suppress(TimeoutError, ConnectionError):
                for _ in range(20):
                    link.sendall(request)
            links.append(link)
        held = served.memory()
        time.sleep(GIVEN + SLACK)
        asking.wait_for(20)
        ends = [_is_reset(link) for link in links]
    for link in links:
        link.close()
    assert ends == [True] * len(links)
    assert asking.errors() == set(), asking.count()
    assert served.pids() == pids
    after = served.memory()
    print(memory, held, after)
    assert all(after[role] < memory[role] + 2 * KEPT_MIB for role in memory)


def _is_reset(link: socket.socket) -> bool:
    try:
        while link.recv(1 << 20):
            pass
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    return True


def test_a_client_that_sends_no_more_gets_its_answer(served: Site) -> None:
    body = body_of(7)
    for count in (1, 3):
        with socket.create_connection(("127.0.0.1", served.port), timeout=20) as link:
            link.sendall((head(served, len(body)) + b"\r\n" + body) * count)
            link.shutdown(socket.SHUT_WR)
            found = b""
            while piece := link.recv(65536):
                found += piece
        answers = [part.partition(b"\r\n\r\n")[2] for part in found.split(b"HTTP/1.1 200 ")[1:]]
        assert [model_of(7, answer) for answer in answers] == ["old"] * count
