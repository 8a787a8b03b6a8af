"""Run a router: `python -m amlocal.local.endpoints.router --fd N --control M`."""

from __future__ import annotations

import argparse
import asyncio
import resource
import signal
import socket
import sys
from collections.abc import Sequence

import uvloop

from amlocal.local.endpoints.router.app import App
from amlocal.local.endpoints.router.bodies import MAX_BODY, Bodies
from amlocal.local.endpoints.router.collector import Collector
from amlocal.local.endpoints.router.control import Control
from amlocal.local.endpoints.router.routes import Routes
from amlocal.local.endpoints.router.scripts import ScriptRows
from amlocal.local.endpoints.router.server import READ_SECONDS, RouterServer
from amlocal.local.endpoints.router.table import Table


def main(argv: Sequence[str] | None = None) -> None:
    """Serve until the control line closes or a signal asks for the end."""
    parser = argparse.ArgumentParser(prog="router", description="Route an endpoint's requests.")
    parser.add_argument("--fd", type=int, required=True, help="the listening socket")
    parser.add_argument("--control", type=int, required=True, help="the line to the supervisor")
    parser.add_argument(
        "--max-body", type=int, default=MAX_BODY, help="bytes that a request may have"
    )
    parser.add_argument(
        "--read-timeout", type=float, default=READ_SECONDS, help="seconds that a client may take"
    )
    arguments = parser.parse_args(argv)
    _raise_file_limit()
    # The collector's thread gives the interpreter back to the requests within a millisecond.
    sys.setswitchinterval(0.001)
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn ends by them, and then raises them again for whoever handled them before.
        signal.signal(number, lambda *_: None)
    uvloop.run(
        _serve(
            socket.socket(fileno=arguments.fd),
            socket.socket(fileno=arguments.control),
            max_body=arguments.max_body,
            read_timeout=arguments.read_timeout,
        )
    )


async def _serve(
    listener: socket.socket, line: socket.socket, *, max_body: int, read_timeout: float
) -> None:
    loop = asyncio.get_running_loop()
    control = Control(loop)
    await loop.create_connection(lambda: control, sock=line)
    table = await control.first
    if table is None:
        return
    first = table.revision
    routes = Routes(table, loop, control.say_drained)
    collector = Collector(table.endpoint)
    app = App(routes, collector.observe, Bodies(max_body), ScriptRows(routes, collector))

    def follow(changed: Table) -> None:
        routes.apply(changed)
        control.say_applied(changed.revision)

    def end() -> None:
        server.should_exit = True

    def started() -> None:
        control.say_applied(first)
        control.start(follow, end)

    server = RouterServer(app, started, read_timeout)
    with collector:
        await server.serve(sockets=[listener])
        await app.finish()
        routes.close()


def _raise_file_limit() -> None:
    """Allow as many connections as the system does."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    main()
