"""How numbers of any size are written."""

from __future__ import annotations


def format_of(scale: float) -> str:
    """Return a format of Python's `format` for numbers of about a size, never with an exponent.

    Four digits or so are shown: 12,345 and 123.4, 1.234 and 0.01234.
    """
    digits = 4 if not scale else max(0, min(12, 3 - _magnitude(abs(scale))))
    return f",.{digits}f"


def _magnitude(scale: float) -> int:
    """Return the power of ten that a number begins with."""
    return int(f"{scale:e}".partition("e")[2])
