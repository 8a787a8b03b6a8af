"""Which reporter follows a job: one that draws on a terminal, else one that writes lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amlocal.cli.plain import PlainReporter
from amlocal.cli.terminal import Terminal

if TYPE_CHECKING:
    from amlocal.cli.live import LiveReporter


def reporter_for(terminal: Terminal) -> PlainReporter | LiveReporter:
    """Return the reporter of a terminal, to be used as a context."""
    if not terminal.is_live:
        return PlainReporter(terminal)
    from amlocal.cli.live import LiveReporter  # rich: 60 ms that only a terminal pays

    return LiveReporter(terminal)
