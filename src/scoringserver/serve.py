"""Listens on a Unix socket or a loopback port, and ends as it is asked to."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import uvicorn

_BACKLOG = 2048


class Server(uvicorn.Server):
    """A server that, told to end, answers what is in hand and then returns.

    uvicorn's own raises the signal again once it has ended, which would make an orderly end look
    like a kill.
    """

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let SIGTERM and SIGINT end the server."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def listen(*, path: Path | None = None, port: int = 0) -> socket.socket:
    """Return a socket that takes connections: who connects before they are served, waits.

    Args:
        path: Of a Unix socket, which only its owner may use. One that nobody listens on is
            replaced.
        port: On 127.0.0.1; 0: a free one.

    Raises:
        OSError: It is in use.
    """
    if path is None:
        bound = socket.socket(socket.AF_INET)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", port))
        bound.listen(_BACKLOG)
        return bound
    if path.is_socket() and not _is_listened_on(path):
        path.unlink()
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(str(path))
    path.chmod(0o600)
    bound.listen(_BACKLOG)
    return bound


def _is_listened_on(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def serve(app: Callable[..., Any], bound: socket.socket) -> None:
    """Serve an application until SIGTERM or SIGINT."""
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        lifespan="off",
        interface="asgi3",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
        ws="none",
        backlog=_BACKLOG,
        timeout_keep_alive=3600,  # the router keeps its connections
    )
    Server(config).run(sockets=[bound])
