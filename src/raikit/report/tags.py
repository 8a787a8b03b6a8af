"""HTML elements made of data: every text and every attribute is escaped, once, here."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

#: Elements that have no end tag.
_VOID = frozenset({"br", "circle", "img", "input", "line", "path", "polygon", "rect"})
_CODE = re.compile(r"`([^`]+)`")


def tag(name: str, *children: object, **attributes: object) -> Markup:
    """Return an element.

    Args:
        name: Its name.
        children: Texts, which are escaped, and elements.
        attributes: Its attributes; `_` stands for `-`, one at the end is for Python's own words.
            None and False leave one out, True gives it no value.
    """
    parts = []
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        written = key.rstrip("_").replace("_", "-").replace("viewbox", "viewBox")
        parts.append(f" {written}" if value is True else f' {written}="{escape(value)}"')
    start = f"<{name}{''.join(parts)}"
    if name in _VOID:
        # Shapes of SVG have no end tag only with the stroke.
        return Markup(f"{start}/>")  # noqa: S704 - its parts are escaped above
    inner = "".join(escape(child) for child in children)
    return Markup(f"{start}>{inner}</{name}>")  # noqa: S704 - its parts are escaped above


def join(parts: list[Markup]) -> Markup:
    """Return elements one after another."""
    return Markup("").join(parts)


def prose(text: str, **attributes: object) -> Markup:
    """Return a paragraph, where `` `x` `` is code."""
    pieces = [
        tag("code", piece) if number % 2 else escape(piece)
        for number, piece in enumerate(_CODE.split(text))
    ]
    return tag("p", *pieces, **attributes)
