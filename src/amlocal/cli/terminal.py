"""A stream that people or programs read, and what it can show."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

from amlocal.plan.status import JobStatus

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


class OutputClosedError(Exception):
    """Nobody reads the stream any more (`aml job list | head -1`)."""


@dataclass(frozen=True)
class Marks:
    """The signs that stand for states and draw the tree of steps."""

    completed: str
    reused: str
    failed: str
    canceled: str
    running: str
    waiting: str
    branch: str
    last: str
    ellipsis: str
    best: str

    def of(self, status: JobStatus, *, reused: bool = False) -> tuple[str, str]:
        """Return the sign of a state and its colour."""
        if status is JobStatus.COMPLETED:
            return (self.reused, "cyan") if reused else (self.completed, "green")
        if status is JobStatus.FAILED:
            return self.failed, "red"
        if status is JobStatus.CANCELED:
            return self.canceled, "yellow"
        if status is JobStatus.NOT_STARTED:
            return self.waiting, "dim"
        return self.running, "bold"


UNICODE_MARKS = Marks("✓", "↻", "✗", "⊘", "●", "·", "├─ ", "└─ ", "…", "★")
ASCII_MARKS = Marks("+", "=", "x", "-", ">", ".", "|- ", "`- ", "...", "*")


class Terminal:
    """A text stream with the questions that rendering asks of it.

    Attributes:
        stream: Where text goes.
        environ: The environment that says how wide the stream is and whether it has colours.
        is_terminal: Whether a person reads it.
        is_live: Whether lines already written can be drawn over.
        has_colour: Whether it shows colours; `NO_COLOR` and `TERM=dumb` say no.
        marks: Signs that its encoding has.
    """

    def __init__(self, stream: TextIO, environ: Mapping[str, str]) -> None:
        self.stream = stream
        self.environ = environ
        self.is_terminal = stream.isatty()
        self.is_live = self.is_terminal and environ.get("TERM", "") not in {"dumb", "unknown"}
        self.has_colour = self.is_live and not environ.get("NO_COLOR")
        self.marks = UNICODE_MARKS if self._encodes(UNICODE_MARKS) else ASCII_MARKS

    def _encodes(self, marks: Marks) -> bool:
        # A stream without an encoding (io.StringIO) takes any text.
        encoding = self.stream.encoding or "utf-8"
        try:
            "".join(vars(marks).values()).encode(encoding)
        except UnicodeEncodeError:
            return False
        return True

    @property
    def width(self) -> int:
        """Its columns now: people resize terminals; 80 where it cannot say."""
        columns = self.environ.get("COLUMNS", "")
        if columns.isdigit() and int(columns):
            return int(columns)
        try:
            return os.get_terminal_size(self.stream.fileno()).columns or 80
        except OSError:
            return 80

    def write(self, text: str) -> None:
        """Write text and flush it, so that what follows a pipe sees it at once.

        Raises:
            OutputClosedError: The reader has gone.
        """
        try:
            self.stream.write(text)
            self.stream.flush()
        except BrokenPipeError as error:
            raise OutputClosedError from error

    def style(self, text: str, style: str) -> str:
        """Return the text in a colour, where there are colours."""
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if self.has_colour and text else text
