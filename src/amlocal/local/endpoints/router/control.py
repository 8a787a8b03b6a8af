"""The router's line to its supervisor: tables come in, and what was done goes out.

JSON, a line a message. In: a whole `table.Table` at each change. Out: `{"applied": REVISION}` when
every later request follows that table, `{"drained": INSTANCE}` when an instance that left the table
has nothing to do any more, and `{"error": TEXT}` where a line is not a table.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import msgspec

from amlocal.local.endpoints.router.table import Table, read_table


class Control(asyncio.Protocol):
    """The router's end of the line.

    Attributes:
        first: The first table, or None where the line closed before there was one.
        follow: What later tables are given to.
        end: Called once when the line closes.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.first: asyncio.Future[Table | None] = loop.create_future()
        self.follow: Callable[[Table], None] | None = None
        self.end: Callable[[], None] | None = None
        self._early: list[Table] = []
        self._rest = b""
        self._transport: Any = None
        self._is_closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Read the lines that are whole."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._take(line)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's signature)
        """Note that the supervisor has gone."""
        self._is_closed = True
        if not self.first.done():
            self.first.set_result(None)
        if self.end is not None:
            self.end()

    def start(self, follow: Callable[[Table], None], end: Callable[[], None]) -> None:
        """Give all tables after the first to `follow`, and call `end` when the line closes."""
        self.follow, self.end = follow, end
        for table in self._early:
            follow(table)
        self._early.clear()
        if self._is_closed:
            end()

    def say_applied(self, revision: int) -> None:
        """Tell that a table is followed."""
        self._say({"applied": revision})

    def say_drained(self, instance: str) -> None:
        """Tell that an instance has nothing to do any more."""
        self._say({"drained": instance})

    def _take(self, line: bytes) -> None:
        try:
            table = read_table(line)
        except (msgspec.MsgspecError, ValueError) as error:
            message = f"not a table: {error}"
            print(message, file=sys.stderr, flush=True)
            self._say({"error": message})
            return
        if not self.first.done():
            self.first.set_result(table)
        elif self.follow is None:
            self._early.append(table)
        else:
            self.follow(table)

    def _say(self, message: dict[str, Any]) -> None:
        if not self._is_closed:
            self._transport.write(msgspec.json.encode(message) + b"\n")
