"""One request's part of a batch, and what a signature makes of requests."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from scoringserver.body import Body


@dataclass(frozen=True)
class Part:
    """One request's input, read but not yet checked.

    Attributes:
        rows: How many rows it has.
        content: What the schema that read it makes the model's input of.
        key: Parts of equal keys may be put together; None: this one goes alone.
    """

    rows: int
    content: Any
    key: Hashable | None


class InputSchema(Protocol):
    """What a model takes. Reading is cheap; checking is done for a batch at once."""

    def read(self, body: Body) -> Part:
        """Return a request's input.

        Raises:
            RequestError: It is not in a form that the model takes.
        """

    def assemble(self, parts: Sequence[Part]) -> Any:
        """Return the model's input of parts of equal keys, one after another.

        Raises:
            RequestError: A part does not fit. With more than one, it need not say which: the
                caller asks again for each by itself.
        """
