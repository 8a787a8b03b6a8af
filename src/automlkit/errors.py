"""Errors that a user of AutoML can mend."""

from __future__ import annotations


class DataError(Exception):
    """The request, or the data that it names, does not allow a search.

    Attributes:
        message: What is wrong.
        hint: The next thing to do, or an empty string.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  -> {self.hint}" if self.hint else self.message
