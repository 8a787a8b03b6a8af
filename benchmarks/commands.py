"""Commands of which only the output, or why they failed, is of interest."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


def output_of(
    command: Sequence[str], *, cwd: Path | None = None, environ: Mapping[str, str] | None = None
) -> str:
    """Return what a command wrote to stdout.

    Args:
        command: The program and its arguments.
        cwd: Its folder; None is the current one.
        environ: Its environment; None is this process's.

    Raises:
        RuntimeError: It failed; holds all that it wrote.
    """
    done = subprocess.run(
        command,
        cwd=cwd,
        env=None if environ is None else dict(environ),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
