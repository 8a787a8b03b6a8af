"""Errors that a user of AutoML can mend."""

from __future__ import annotations

from stepkit.program import StepError


class DataError(StepError):
    """The request, or the data that it names, does not allow a search."""
