"""Azure's expressions: `${{inputs.x}}`, and `$[[ --x ${{inputs.x}} ]]` for an optional input.

Pure text in, values out. `${NAME}` and `$name` are the shell's own and stay text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_REFERENCE = re.compile(r"\$\{\{\s*(?P<body>[^{}]*?)\s*\}\}")
_OPTIONAL = re.compile(r"\$\[\[(?P<body>.*?)\]\]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text."""

    text: str
    start: int = 0


@dataclass(frozen=True, slots=True)
class Reference:
    """`${{a.b.c}}`.

    Attributes:
        path: The dotted names, for example `("inputs", "x")`.
        start: Offset of the expression in the text that it was parsed from.
    """

    path: tuple[str, ...]
    start: int = 0

    def __str__(self) -> str:
        return "${{" + ".".join(self.path) + "}}"


@dataclass(frozen=True, slots=True)
class Optional:
    """`$[[ ... ]]`: disappears when an optional input in it has no value."""

    parts: tuple[Text | Reference, ...]
    start: int = 0


Part = Text | Reference | Optional


def parse(text: str) -> tuple[Part, ...]:
    """Split a command into text, references, and optional groups.

    Args:
        text: A command, a path, or any other value of a field.

    Returns:
        The parts in order; their concatenation is the text.
    """
    parts: list[Part] = []
    at = 0
    for group in _OPTIONAL.finditer(text):
        parts += _flat(text[at : group.start()], at)
        body = tuple(_flat(group["body"], group.start("body")))
        parts.append(Optional(body, group.start()))
        at = group.end()
    parts += _flat(text[at:], at)
    return tuple(parts)


def _flat(text: str, offset: int) -> Iterator[Text | Reference]:
    at = 0
    for found in _REFERENCE.finditer(text):
        if found.start() > at:
            yield Text(text[at : found.start()], offset + at)
        names = tuple(name.strip() for name in found["body"].split("."))
        yield Reference(names, offset + found.start())
        at = found.end()
    if at < len(text):
        yield Text(text[at:], offset + at)


def references(text: str) -> tuple[Reference, ...]:
    """Return every reference of a text, those in optional groups included, in order."""
    return tuple(reference for reference, _ in references_with_optional(text))


def references_with_optional(text: str) -> Sequence[tuple[Reference, bool]]:
    """Return every reference of a text and whether it stands in an optional group."""
    found: list[tuple[Reference, bool]] = []
    for part in parse(text):
        if isinstance(part, Reference):
            found.append((part, False))
        elif isinstance(part, Optional):
            found += [(inner, True) for inner in part.parts if isinstance(inner, Reference)]
    return found


def sole_reference(text: str) -> Reference | None:
    """Return the reference that a text consists of, or None where there is more or other text."""
    found = _REFERENCE.fullmatch(text.strip())
    if found is None:
        return None
    return Reference(tuple(name.strip() for name in found["body"].split(".")))
