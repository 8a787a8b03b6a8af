"""Waiting for an operation that goes on by itself, and telling how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from amlocal.cli import text
from amlocal.cli.session import Session
from amlocal.cli.terminal import Terminal
from amlocal.endpoint_operations import Poller
from amlocal.errors import AmlocalError

T = TypeVar("T")


class Warned(Protocol):
    """What came of an operation, with what is to be told of it."""

    @property
    def warnings(self) -> Sequence[str]:
        """In sentences."""


Told = TypeVar("Told", bound=Warned)

_REDRAW_SECONDS = 0.2
#: How often its state is asked for; each look at Azure is a request.
_LOOK_SECONDS = {"local": 1.0, "azure": 5.0}
_CLEAR_LINE = "\r\x1b[K"


@dataclass(frozen=True)
class Seen:
    """What is seen of an operation while it goes on.

    Attributes:
        state: Its state, by Azure's name.
        line: The last line that it logged, or an empty string.
    """

    state: str
    line: str = ""


def wait(
    session: Session,
    poller: Poller[T],
    what: str,
    *,
    look: Callable[[], Seen],
    later: str,
) -> T:
    """Wait for the end of an operation; Ctrl-C leaves it going.

    Args:
        session: Whose stderr shows how far it is: a line that is drawn over on a terminal, else a
            line for each state.
        poller: The operation.
        what: What it is done to, such as `deployment adult/blue`.
        look: Returns what is to be seen of it now.
        later: The command that tells how it ended.

    Returns:
        Its result.

    Raises:
        AmlocalError: It failed.
    """
    shown = _Shown(session.err, what, session.quiet)
    next_look = time.monotonic()
    try:
        while not poller.done():
            if time.monotonic() >= next_look:
                shown.change(_seen(look) or shown.seen)
                next_look = time.monotonic() + _LOOK_SECONDS[session.target]
            shown.draw()
            time.sleep(_REDRAW_SECONDS)
        shown.clear()
        return poller.result()
    except KeyboardInterrupt:
        shown.clear()
        session.note(f"{what} goes on; `{later}` tells its state")
        raise


def settled(
    session: Session,
    poller: Poller[Told],
    what: str,
    *,
    look: Callable[[], Seen],
    later: str,
    no_wait: bool = False,
) -> Told | None:
    """Wait for what was sent, and tell its warnings; None where nobody waits.

    Raises:
        AmlocalError: It failed.
    """
    if no_wait:
        session.say(f"{what} goes on; {later}")
        return None
    found = wait(session, poller, what, look=look, later=later)
    for warning in found.warnings:
        session.warn(warning)
    return found


def wait_for_deletion(
    session: Session,
    poller: Poller[None],
    what: str,
    *,
    look: Callable[[], str],
    later: str,
    no_wait: bool,
) -> None:
    """Wait until something is deleted, unless nobody wants to, and say so.

    Args:
        session: Where it is said.
        poller: The operation.
        what: What is deleted, such as `deployment adult/blue`.
        look: Returns its state now.
        later: The command that tells whether it is still there.
        no_wait: Whether to leave it going.

    Raises:
        AmlocalError: It failed.
    """
    if not no_wait:
        wait(session, poller, what, look=lambda: Seen(look()), later=later)
    session.say(f"{'deleting' if no_wait else 'deleted'} {what}")


def _seen(look: Callable[[], Seen]) -> Seen | None:
    try:
        return look()
    except AmlocalError:
        # It may not be there yet, or the network may be down for a moment; what counts is how the
        # operation ends, which its poller tells.
        return None


class _Shown:
    """What of an operation is on the terminal."""

    def __init__(self, terminal: Terminal, what: str, quiet: bool) -> None:
        self._terminal = terminal
        self._what = what
        self._quiet = quiet
        self._began = time.monotonic()
        self._drawn = False
        self.seen = Seen("")

    def change(self, seen: Seen) -> None:
        """Take what is seen now; where lines cannot be drawn over, a new state is a line."""
        is_new = seen.state != self.seen.state
        self.seen = seen
        if is_new and not self._terminal.is_live and not self._quiet:
            self._terminal.write(f"-- {self._what}: {seen.state}\n")

    def draw(self) -> None:
        """Draw the line anew."""
        if not self._terminal.is_live or self._quiet:
            return
        terminal, marks = self._terminal, self._terminal.marks
        clock = text.clock(time.monotonic() - self._began)
        head = f"{marks.running} {self.seen.state or 'Sending'}  "
        rest = f"  {clock}  {text.clean(self.seen.line)}".rstrip()
        # One column less than there is: a full line would wrap.
        whole = text.clip(f"{head}{self._what}{rest}", terminal.width - 1, marks.ellipsis)
        terminal.write(f"{_CLEAR_LINE}{terminal.style(whole, 'bold')}")
        self._drawn = True

    def clear(self) -> None:
        """Leave an empty line."""
        if self._drawn:
            self._terminal.write(_CLEAR_LINE)
            self._drawn = False
