"""A request that is answered on this machine, and its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: The storage account and the host of the workspace that does not exist.
ACCOUNT = "dryrun"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: its method, where it goes, and its JSON body."""

    method: str
    host: str
    path: str
    query: Mapping[str, str]
    body: Any

    @property
    def last(self) -> str:
        """The last part of its path: mostly the name that it is about."""
        return self.path.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Answer:
    """A response.

    Attributes:
        body: A JSON value, or None.
        status: The HTTP status.
        headers: Beside those of JSON.
        is_change: Whether the request changed something, and is therefore shown.
    """

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    is_change: bool = False
