"""Runs a program that ends when its parent does: `tether.py PARENT_PID PROGRAM ARGUMENTS...`.

Started by path, without anything of the package, since it stands before every start.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Tie this process to its parent and become the program."""
    parent, program = int(arguments[0]), arguments[1:]
    if sys.platform == "linux":
        # SIGTERM and not SIGKILL: servers with workers of their own end those. Elsewhere nothing
        # of the kind is there; the next supervisor finds and ends what was left behind.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(1)  # it ended before we could tell the system
    os.execv(program[0], program)  # noqa: S606 - there is nothing for a shell to do


if __name__ == "__main__":
    main(sys.argv[1:])
