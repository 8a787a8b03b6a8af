"""An instance of a deployment: a small HTTP server that does what the request's body says.

    python instance.py ID ADDRESS

The body is JSON: `sleep` seconds before the answer, `status`, `answer` (JSON), `text` (the body as
it is), `headers`, `die` (end the process at once), `cut` (close the connection within the answer),
`close` (close it after the answer without a word), `bytes` (length of the answer). Without `answer`
and `text` it answers what it got. `GET /seen` lists the requests, and whether their connections
were closed before they were answered.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any


class InstanceServer:
    """Serves, and remembers what it was asked."""

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.seen: list[dict[str, Any]] = []
        self.running = self.most_running = 0

    async def serve(self, address: str) -> None:
        kind, _, place = address.partition(":")
        if kind == "unix":
            server = await asyncio.start_unix_server(self._connection, place, limit=1 << 28)
        else:
            host, _, port = place.rpartition(":")
            server = await asyncio.start_server(self._connection, host, int(port), limit=1 << 28)
        print("ready", flush=True)
        await server.serve_forever()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._request(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        method, target, _ = first.split(" ")
        headers = dict(line.split(": ", 1) for line in lines)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        if target == "/seen":
            said = {"seen": self.seen, "most_running": self.most_running}
            writer.write(_answer(200, {}, json.dumps(said).encode()))
            return True
        entry = {"method": method, "target": target, "headers": headers, "length": len(body)}
        self.seen.append(entry)
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        try:
            return await self._act(entry, body, reader, writer)
        finally:
            self.running -= 1

    async def _act(
        self,
        entry: dict[str, Any],
        body: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        try:
            wanted = json.loads(body)
        except ValueError:
            wanted = {}
        wanted = wanted if isinstance(wanted, dict) else {}
        if wanted.get("die"):
            os._exit(1)
        if "sleep" in wanted:
            done, _ = await asyncio.wait(
                [asyncio.ensure_future(reader.read(1))], timeout=wanted["sleep"]
            )
            entry["was_closed"] = bool(done)
            if done:
                return False
        if "bytes" in wanted:
            answer = b"x" * wanted["bytes"]
        elif "text" in wanted:
            answer = wanted["text"].encode()
        elif "answer" in wanted:
            answer = json.dumps(wanted["answer"]).encode()
        else:
            answer = json.dumps({"instance": self.identity, **entry}).encode()
        headers = wanted.get("headers", {})
        if "sleep" in wanted:
            headers["connection"] = "close"
        whole = _answer(wanted.get("status", 200), headers, answer)
        writer.write(whole[:-5] if wanted.get("cut") else whole)
        await writer.drain()
        # What waited for the client has taken the connection's next bytes.
        return not (wanted.get("cut") or wanted.get("close") or "sleep" in wanted)


def _answer(status: int, headers: dict[str, str], body: bytes) -> bytes:
    lines = [f"HTTP/1.1 {status} Said", f"content-length: {len(body)}", "server: test"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


if __name__ == "__main__":
    asyncio.run(InstanceServer(sys.argv[1]).serve(sys.argv[2]))
