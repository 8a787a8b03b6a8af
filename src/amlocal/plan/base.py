"""The base of every plan value: frozen, JSON-serialisable, checked when it is read back."""

from __future__ import annotations

from typing import TypeVar

import msgspec

T = TypeVar("T", bound="Value")


class Value(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """A frozen value without I/O."""

    def to_json(self) -> bytes:
        """Return the value as JSON with sorted keys, so that equal values give equal bytes."""
        # Once through JSON and back: an empty tuple is left out as a default only if it is the one
        # that Python shares, which `tuple(generator)` before 3.11 is not, and 3 may stand for 3.0.
        plain = msgspec.json.decode(msgspec.json.encode(self), type=type(self))
        return msgspec.json.encode(plain, order="sorted")

    @classmethod
    def from_json(cls: type[T], data: bytes | str) -> T:
        """Return the value that `to_json` wrote.

        Raises:
            msgspec.ValidationError: The text is not such a value.
        """
        return msgspec.json.decode(data, type=cls)
