"""Numbers, and names of figures, for people."""

from __future__ import annotations

import math
from dataclasses import dataclass

NOTHING = "\u2013"


@dataclass(frozen=True)
class Term:
    """A word of the trade.

    Attributes:
        name: What people read.
        meaning: In plain words, a sentence or two.
        format: How its numbers are shown; empty for as many digits as say something.
    """

    name: str
    meaning: str
    format: str = ""


def number(value: object, form: str = "") -> str:
    """Return a number as people read it.

    Args:
        value: A number; a text comes back as it is, None as a dash.
        form: A format of `format`; empty, or one that does not fit, for four significant digits.
    """
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return NOTHING
    if form:
        whole = int(value) if form.endswith("d") and float(value).is_integer() else value
        try:
            return _minus(format(whole, form))
        except ValueError:
            pass  # the format came with the data; how many digits is no reason to stop
    return _minus(_plain(value))


def cut(text: str, most: int) -> str:
    """Return a text of so many letters at most."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _plain(value: float) -> str:
    """Return four significant digits, thousands parted, and no `e` but for what is tiny or huge."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e12 or size < 1e-4:
        return f"{value:.3g}"
    if float(value).is_integer():
        return f"{int(value):,d}"
    digits = max(0, 3 - math.floor(math.log10(size)))
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _minus(text: str) -> str:
    return text.replace("-", "\u2212", 1) if text.startswith("-") else text
