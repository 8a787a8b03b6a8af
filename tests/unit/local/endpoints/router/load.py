"""Clients that send many requests at a time, over connections that they keep."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from tests.unit.local.endpoints.router.processes import KEY


class Client:
    """A connection that is opened again where the router closed it while it was idle."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, body: Any) -> tuple[int, str, Any]:
        """Send a request; returns the status, who answered, and the JSON of the answer."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        data = json.dumps(body).encode()
        writer.write(
            b"POST /score HTTP/1.1\r\nhost: x\r\nauthorization: Bearer " + KEY.encode() + b"\r\n"
            b"content-length: %d\r\n\r\n%b" % (len(data), data)
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:-2])
        answer = await reader.readexactly(int(headers["content-length"]))
        if headers.get("connection") == "close":
            self.close()
        status = int(head.split(" ")[1])
        said = json.loads(answer) if status == 200 else answer.decode()
        return status, headers.get("azureml-model-deployment", ""), said

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def under_load(
    port: int, clients: int, during: Callable[[], Awaitable[None]], body: Any = None
) -> list[tuple[int, str, Any]]:
    """Send requests from some clients until `during` is over; returns all answers in order."""
    over = asyncio.Event()
    found: list[tuple[int, str, Any]] = []

    async def send() -> None:
        client = Client(port)
        while not over.is_set():
            found.append(await client.ask(body or {}))
        client.close()

    tasks = [asyncio.create_task(send()) for _ in range(clients)]
    await during()
    over.set()
    await asyncio.gather(*tasks)
    return found


def statuses(answers: list[tuple[int, str, Any]]) -> Counter[int]:
    return Counter(status for status, _, _ in answers)
