"""Who is at the other end of a connection from this machine."""

from __future__ import annotations

import contextlib
import os

import psutil

#: Host and port of one end of a TCP connection.
Address = tuple[str, int]

_IPV4_AS_IPV6 = "::ffff:"


def is_of_this_user(client: Address, server: Address) -> bool:
    """Tell whether a process of this process's user holds the client's end of a connection.

    Only such processes are looked at: one must not be root to ask about one's own, on macOS too.
    """
    user = os.geteuid()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):  # it ended, or hides itself: it does not count
            if process.uids().effective == user and _holds(process, client, server):
                return True
    return False


def _holds(process: psutil.Process, client: Address, server: Address) -> bool:
    # psutil 6 gave the method a new name.
    connections = getattr(process, "net_connections", None) or process.connections
    return any(
        each.raddr and _plain(each.laddr) == client and _plain(each.raddr) == server
        for each in connections("tcp")
    )


def _plain(address: tuple[str, int]) -> Address:
    return address[0].removeprefix(_IPV4_AS_IPV6), address[1]
