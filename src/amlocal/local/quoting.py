"""Put values into a shell command so that each reaches the program as it is: pure.

Azure pastes values into the command's text. Here each is quoted for the place it stands in, so
that spaces, quotes, and `$(...)` in a value are never read by the shell. The places are those of
the shell's grammar (POSIX.1-2017, XCU 2.2 quoting, 2.6.3 command substitution, 2.7.4
here-documents): unquoted, in single quotes, in double quotes, in a comment, in a here-document;
`$(...)` and `(...)` open a nested unquoted place.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from amlocal.errors import Problem, SpecError

_IN_DOUBLE_QUOTES = re.compile(r'([\\"$`])')
_IN_DOCUMENT = re.compile(r"([\\$`])")
_DOCUMENT = re.compile(
    r"<<(?P<dash>-?)[ \t]*(?P<word>(?:'[^'\n]*'|\"[^\"\n]*\"|\\.|[^\s;&|<>()])+)"
)
_WORD_START = " \t\n;&|("


@dataclass(frozen=True, slots=True)
class _Document:
    """A here-document that begins at the next line."""

    delimiter: str
    is_literal: bool
    strips_tabs: bool


class Quoting:
    """Follows the shell's quoting through a command as its text goes by."""

    def __init__(self) -> None:
        # The open places, the innermost last: "" (top), "'", '"', "(", "`", "#".
        self._open = [""]
        self._announced: list[_Document] = []
        self._body: list[_Document] = []
        self._before = "\n"
        self._line = ""

    def text(self, text: str) -> str:
        """Take note of a piece of the command and return it as it is."""
        at = 0
        while at < len(text):
            width = self._in_document(text, at) if self._body else self._in_command(text, at)
            self._before = text[at + width - 1 : at + width]
            at += width
        return text

    def _in_document(self, text: str, at: int) -> int:
        if text[at] != "\n":
            self._line += text[at]
            return 1
        first = self._body[0]
        line = self._line.lstrip("\t") if first.strips_tabs else self._line
        if line == first.delimiter:
            self._body.pop(0)
        self._line = ""
        return 1

    def _in_command(self, text: str, at: int) -> int:
        char, inside = text[at], self._open[-1]
        if inside == "'":
            if char == "'":
                self._open.pop()
            return 1
        if inside == "#":
            if char != "\n":
                return 1
            self._open.pop()
        if char == "\\":
            return min(2, len(text) - at)
        if text.startswith("$(", at):
            self._open.append("(")
            return 2
        if char in '"`':
            if inside == char:
                self._open.pop()
            else:
                self._open.append(char)
            return 1
        return 1 if self._open[-1] == '"' else self._unquoted(text, at)

    def _unquoted(self, text: str, at: int) -> int:
        char = text[at]
        document = _DOCUMENT.match(text, at)
        if document and not text.startswith("<<<", at):
            word = document["word"]
            self._announced.append(
                _Document(
                    re.sub(r"[\\'\"]", "", word),
                    bool(re.search(r"[\\'\"]", word)),
                    bool(document["dash"]),
                )
            )
            return document.end() - at
        if text.startswith("<<<", at):
            return 3
        if char == "\n" and self._announced:
            self._body, self._announced = self._announced, []
        elif char == "'" or (char == "#" and self._before in _WORD_START) or char == "(":
            self._open.append(char)
        elif char == ")" and self._open[-1] == "(":
            self._open.pop()
        return 1

    def value(self, value: str) -> str:
        """Return a value quoted for where the command stands now.

        Raises:
            SpecError: The place is one where no quoting is safe (backquotes).
        """
        if "`" in self._open:
            raise SpecError(
                [Problem("an expression stands in `backquotes`", "write $(...) instead of them")]
            )
        if self._body:
            self._line += value
            return value if self._body[0].is_literal else _IN_DOCUMENT.sub(r"\\\1", value)
        self._before = "x"
        inside = self._open[-1]
        if inside == "'":
            return value.replace("'", "'\"'\"'")
        if inside == '"':
            return _IN_DOUBLE_QUOTES.sub(r"\\\1", value)
        if inside == "#":
            return value.replace("\n", " ")
        return shlex.quote(value)
