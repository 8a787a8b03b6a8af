from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from amlocal.local.endpoints.supervisor.probes import answers


async def ask(answer: bytes, place: Path, *, slow: float = 0.0) -> bool:
    is_over = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert (await reader.readline()) == b"GET / HTTP/1.1\r\n"
        await asyncio.sleep(slow)
        writer.write(answer)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        is_over.set()

    server = await asyncio.start_unix_server(handle, place)
    async with server:
        found = await answers(f"unix:{place}", "/", 0.5)
        await is_over.wait()
        return found


@pytest.mark.parametrize(
    ("answer", "is_well"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", True),
        (b"HTTP/1.1 302 Found\r\n\r\n", True),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", False),
        (b"HTTP/1.1 500 Error\r\n\r\n", False),
        (b"nonsense", False),
        (b"no line's end" * 10_000, False),
        (b"", False),
    ],
)
def test_success_is_what_counts(answer: bytes, is_well: bool, tmp_path: Path) -> None:
    assert asyncio.run(ask(answer, tmp_path / "s")) is is_well


def test_an_answer_that_takes_too_long_does_not_count(tmp_path: Path) -> None:
    assert not asyncio.run(ask(b"HTTP/1.1 200 OK\r\n\r\n", tmp_path / "s", slow=0.8))


def test_nobody_there_is_no_answer(tmp_path: Path) -> None:
    assert not asyncio.run(answers(f"unix:{tmp_path}/none", "/", 0.5))
    assert not asyncio.run(answers("tcp:127.0.0.1:9", "/", 0.5))
