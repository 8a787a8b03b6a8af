"""The router process of an endpoint, and the line that it is told over what to do.

The listening socket is the supervisor's and outlives the router, so that a router that was killed
is replaced while connections wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from amlocal.errors import TargetError
from amlocal.local.daemon import last_lines
from amlocal.local.endpoints.supervisor.instance import tethered
from amlocal.local.endpoints.supervisor.log import say
from amlocal.local.endpoints.supervisor.waiting import cancelled, within

_GRACE_SECONDS = 10.0
_FIRST_DELAY, _LONGEST_DELAY, _WELL_SECONDS = 0.05, 10.0, 30.0
#: Starts in a row without an answer after which the endpoint counts as Failed.
_GIVEN_UP_AFTER = 3
_LINES_SHOWN = 15


class _Answer(msgspec.Struct):
    """What a router says: one of the three."""

    applied: int | None = None
    drained: str | None = None
    error: str = ""


class Router:
    """The router of an endpoint, kept alive.

    Args:
        listener: The endpoint's socket, which listens.
        program: The program, which is given `--fd` and `--control`.
        variables: Its environment.
        folder: The folder that it starts in.
        log: What it prints goes there.
        failed: Told why the router does not come up, when it has failed to several times.
    """

    def __init__(
        self,
        listener: socket.socket,
        program: Sequence[str],
        variables: Mapping[str, str],
        folder: Path,
        log: Path,
        *,
        failed: Callable[[str], None],
    ) -> None:
        self._listener = listener
        self._program = tuple(program)
        self._variables = dict(variables)
        self._folder = folder
        self._log = log
        self._failed = failed
        self._table: dict[str, Any] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._progress = asyncio.Condition()
        self._applied = -1
        #: Tables that the running router has been sent and has not answered.
        self._sent: deque[int] = deque()
        self._refused, self._refusal = -1, ""
        self._has_answered = False
        self._draining: dict[str, asyncio.Event] = {}
        self._task = asyncio.create_task(self._keep())

    def send(self, table: dict[str, Any]) -> None:
        """Give the router its table; see `applied` for when it follows it."""
        self._table = table
        if self._writer is not None:
            self._write(self._writer, table)

    def _write(self, writer: asyncio.StreamWriter, table: dict[str, Any]) -> None:
        self._sent.append(table["revision"])
        # Without waiting: a table is small, and a router that does not read is as good as dead.
        writer.write(msgspec.json.encode(table) + b"\n")

    async def applied(self, revision: int) -> None:
        """Return when every request follows the table of a revision, or a later one.

        Raises:
            TargetError: The router refuses that table; it goes on with the one that it has.
        """
        async with self._progress:
            await self._progress.wait_for(lambda: max(self._applied, self._refused) >= revision)
            if self._applied < revision:
                raise TargetError(
                    f"the router refuses its table: {self._refusal}", hint=f"see {self._log}"
                )

    def expect_drained(self, identity: str) -> asyncio.Event:
        """Return what is set once an instance has left the table and has no request."""
        return self._draining.setdefault(identity, asyncio.Event())

    def forget_drained(self, identity: str) -> None:
        """Expect an instance no longer."""
        self._draining.pop(identity, None)

    async def stop(self) -> None:
        """End the router; it answers the requests that it has."""
        await cancelled(self._task)

    async def _keep(self) -> None:
        """Start the router, listen to it, and start it anew whenever it ends."""
        delay, silent_starts = _FIRST_DELAY, 0
        loop = asyncio.get_running_loop()
        while True:
            begun = loop.time()
            self._has_answered = False
            try:
                await self._run()
            except (OSError, ValueError, LookupError, msgspec.MsgspecError) as error:
                # It cannot be started, or says what no router says.
                say(f"{self._log.parent.name}: the router: {error}")
            finally:
                await self._end()
            self._release_drained(frozenset())
            silent_starts = 0 if self._has_answered else silent_starts + 1
            if silent_starts == _GIVEN_UP_AFTER:
                self._failed(f"the router does not start:\n{last_lines(self._log, _LINES_SHOWN)}")
            if loop.time() - begun > _WELL_SECONDS:
                delay = _FIRST_DELAY
            await asyncio.sleep(delay)
            delay = min(2 * delay, _LONGEST_DELAY)

    async def _run(self) -> None:
        reader, self._writer = await self._start()
        self._sent.clear()
        if self._table is not None:
            self._write(self._writer, self._table)
        known = _instances(self._table or {})
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                await self._hear(msgspec.json.decode(line, type=_Answer), known)

    async def _start(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Start the process; returns our end of the line to it."""
        ours, theirs = socket.socketpair()
        try:
            with theirs, self._log.open("ab") as log:
                handed = ["--fd", str(self._listener.fileno()), "--control", str(theirs.fileno())]
                self._process = await asyncio.create_subprocess_exec(
                    *tethered([*self._program, *handed]),
                    cwd=self._folder,
                    env=self._variables,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    pass_fds=(self._listener.fileno(), theirs.fileno()),
                )
            return await asyncio.open_unix_connection(sock=ours)
        except BaseException:
            ours.close()
            raise

    async def _hear(self, answer: _Answer, known: frozenset[str]) -> None:
        if answer.applied is not None or answer.error:
            if not self._has_answered:
                self._release_drained(known)
            self._has_answered = True
            sent = self._sent.popleft()  # they are answered in their order
            async with self._progress:
                if answer.error:
                    self._refused, self._refusal = sent, answer.error
                else:
                    self._applied = max(self._applied, sent)
                self._progress.notify_all()
        if answer.drained is not None:
            self.expect_drained(answer.drained).set()

    def _release_drained(self, known: frozenset[str]) -> None:
        """Note that no instance has requests, but for those that the running router has known."""
        for identity, event in self._draining.items():
            if identity not in known:
                event.set()

    async def _end(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if self._process is None:
            return
        for number, grace in ((signal.SIGTERM, _GRACE_SECONDS), (signal.SIGKILL, None)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            with contextlib.suppress(asyncio.TimeoutError):
                await within(grace, self._process.wait())
        self._process = None


def _instances(table: Mapping[str, Any]) -> frozenset[str]:
    """Return the ids of the instances that a table names."""
    return frozenset(
        instance["id"]
        for deployment in table.get("deployments", {}).values()
        for instance in deployment["instances"]
    )
