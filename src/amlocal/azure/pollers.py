"""Operations that go on in Azure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from amlocal.azure.errors import translated

T = TypeVar("T")


class AzurePoller(Generic[T]):
    """An `LROPoller` of the SDK, with our values and our errors.

    It is the SDK that asks Azure every few seconds, in a thread of its own.
    """

    def __init__(self, poller: Any, doing: str, convert: Callable[[Any], T]) -> None:
        """Keep what the operation is asked by.

        Args:
            poller: The SDK's poller.
            doing: What is being done, as in `could not DOING`.
            convert: Turns the SDK's result into ours.
        """
        self._poller = poller
        self._doing = doing
        self._convert = convert

    def result(self, timeout: float | None = None) -> T:
        """Wait for its end, at most so many seconds; raises as the operation failed."""
        with translated(self._doing):
            return self._convert(self._poller.result(timeout))

    def done(self) -> bool:
        """Whether it has ended."""
        return bool(self._poller.done())

    def status(self) -> str:
        """Return `InProgress`, `Succeeded`, or `Failed`."""
        return str(self._poller.status())
