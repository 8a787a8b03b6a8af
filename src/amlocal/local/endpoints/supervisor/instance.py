"""One process that serves a version of a deployment."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from amlocal.local.daemon import last_lines
from amlocal.local.endpoints.supervisor.probes import answers
from amlocal.local.endpoints.supervisor.waiting import within
from amlocal.plan import ProbeSettings

_TETHER = Path(__file__).with_name("tether.py")
_GRACE_SECONDS = 5.0
_CLEARING_SECONDS = 30.0
_LINES_SHOWN = 30
# How often a new instance is asked whether it is ready: first often, then less so.
_FIRST_PAUSE, _PAUSE_GROWTH, _LONGEST_PAUSE = 0.05, 1.2, 1.0


class InstanceFailedError(Exception):
    """An instance did not become ready; says why, with the last lines of its log."""


def tethered(program: Sequence[str]) -> list[str]:
    """Return the command of a program that ends when this process does."""
    return [sys.executable, "-I", "-S", str(_TETHER), str(os.getpid()), *program]


@dataclass(frozen=True, slots=True)
class Launch:
    """How an instance is started.

    Attributes:
        program: The program and its arguments.
        variables: Its whole environment.
        folder: The folder that it starts in.
        address: Where it will listen: `unix:PATH` or `tcp:HOST:PORT`.
        liveness: The address and the path that answer while it lives; None is `/` at `address`.
        readiness: Those that answer while it takes requests; None is the same.
        clearing: The program, with its arguments, that removes what it may have left behind; empty
            where nothing can be left.
    """

    program: tuple[str, ...]
    variables: Mapping[str, str]
    folder: Path
    address: str
    liveness: tuple[str, str] | None = None
    readiness: tuple[str, str] | None = None
    clearing: tuple[str, ...] = ()


class Instance:
    """One process, started once.

    Args:
        identity: Its id, unique in its endpoint.
        launch: How it is started.
        log: The file that its output goes to.
    """

    def __init__(self, identity: str, launch: Launch, log: Path) -> None:
        self.identity = identity
        self.address = launch.address
        self._launch = launch
        self._log = log
        self._log_start = log.stat().st_size if log.exists() else 0
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start the process; raises InstanceFailedError."""
        await self._clear()
        try:
            self._log.parent.mkdir(parents=True, exist_ok=True)
            with self._log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *tethered(self._launch.program),
                    cwd=self._launch.folder,
                    env=dict(self._launch.variables),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        except OSError as error:
            raise InstanceFailedError(
                f"instance {self.identity} cannot be started: {error}"
            ) from error

    @property
    def _running(self) -> asyncio.subprocess.Process:
        assert self._process is not None
        return self._process

    async def become_ready(self, readiness: ProbeSettings, liveness: ProbeSettings) -> None:
        """Return when the instance answers.

        Azure waits for the probes' initial delay before it asks for the first time, and between
        two questions; here an instance takes requests as soon as it answers. The probes say only
        how long it may take.

        Raises:
            InstanceFailedError: It ended, or took longer than the probes allow.
        """
        ended = asyncio.ensure_future(self._running.wait())
        allowed = min(_allowance(readiness), _allowance(liveness))
        try:
            await within(allowed, self._answer_or_end(ended, readiness.timeout))
        except asyncio.TimeoutError:
            raise InstanceFailedError(
                self._told(f"did not answer within {allowed:g} s, which its probes allow")
            ) from None
        finally:
            ended.cancel()

    async def _answer_or_end(self, ended: asyncio.Future[int], timeout: float) -> None:
        pause = _FIRST_PAUSE
        while not await self.is_ready(timeout):
            await asyncio.wait({ended}, timeout=pause)
            if ended.done():
                raise InstanceFailedError(self._told(_end_of(ended.result())))
            pause = min(pause * _PAUSE_GROWTH, _LONGEST_PAUSE)

    async def is_alive(self, timeout: float) -> bool:
        """Ask its liveness route, which may take so many seconds."""
        return await answers(*(self._launch.liveness or (self.address, "/")), timeout)

    async def is_ready(self, timeout: float) -> bool:
        """Ask its readiness route, which may take so many seconds."""
        return await answers(*(self._launch.readiness or (self.address, "/")), timeout)

    async def ended(self) -> str:
        """Wait until the process has ended, and say how."""
        return f"instance {self.identity} {_end_of(await self._running.wait())}"

    def _told(self, what: str) -> str:
        lines = last_lines(self._log, _LINES_SHOWN, start=self._log_start)
        return f"instance {self.identity} {what}" + (f":\n{lines}" if lines else "")

    async def end(self) -> None:
        """End the process with all that it started."""
        if self._process is None:
            return
        self._signal(signal.SIGTERM)
        with contextlib.suppress(asyncio.TimeoutError):
            await within(_GRACE_SECONDS, self._process.wait())
        # Also where the first process has ended: it may have been killed and left workers behind.
        self._signal(signal.SIGKILL)
        await self._process.wait()
        await self._clear()
        kind, _, place = self.address.partition(":")
        if kind == "unix":
            Path(place).unlink(missing_ok=True)

    async def _clear(self) -> None:
        """Remove what an instance of this name may have left behind, such as a container."""
        if not self._launch.clearing:
            return
        process = await asyncio.create_subprocess_exec(
            *self._launch.clearing,
            env=dict(self._launch.variables),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            await within(_CLEARING_SECONDS, process.wait())
        except asyncio.TimeoutError:
            process.kill()
            await process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._running.pid, number)


def _allowance(probe: ProbeSettings) -> float:
    """Return the seconds after which Azure would take an instance that never answered for dead."""
    return probe.initial_delay + probe.period * probe.failure_threshold


def _end_of(code: int) -> str:
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
