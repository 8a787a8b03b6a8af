"""What can go wrong, each with what the caller is told."""

from __future__ import annotations


class ScoringError(Exception):
    """Base of the errors that a caller is told of.

    Attributes:
        status: The HTTP status.
        message: What is wrong, where, and what is wanted.
    """

    status = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class RequestError(ScoringError):
    """The request does not say something that the model can predict."""

    status = 400


class TooLargeError(RequestError):
    """The body is over the limit."""

    status = 413


class MediaTypeError(RequestError):
    """The body is of a kind that is not read here."""

    status = 415


class PredictionError(ScoringError):
    """The model raised, or predicted what JSON cannot hold."""


class ModelError(Exception):
    """The model cannot be loaded or cannot predict its own example."""
