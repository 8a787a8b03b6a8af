"""Asking an instance over HTTP whether it is well."""

from __future__ import annotations

import asyncio
import contextlib

from amlocal.local.endpoints.supervisor.waiting import within

_HEADERS = b"Host: localhost\r\nUser-Agent: probe\r\nConnection: close\r\n\r\n"


async def answers(address: str, path: str, timeout: float) -> bool:
    """Tell whether a GET is answered with success (2xx or 3xx, as Kubernetes counts it).

    Args:
        address: `unix:PATH` or `tcp:HOST:PORT`.
        path: What is got.
        timeout: Seconds that the answer may take.
    """
    try:
        return await within(timeout, _ask(address, path))
    except (OSError, asyncio.TimeoutError, ValueError):  # the last: a line without an end
        return False


async def _ask(address: str, path: str) -> bool:
    kind, _, place = address.partition(":")
    if kind == "unix":
        reader, writer = await asyncio.open_unix_connection(place)
    else:
        host, _, port = place.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(b"GET %s HTTP/1.1\r\n%s" % (path.encode(), _HEADERS))
        await writer.drain()
        line = await reader.readline()
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    words = line.split()
    return len(words) > 1 and words[1][:1] in {b"2", b"3"}
