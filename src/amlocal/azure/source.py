"""The file that a user gave, and its check before anything is sent."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Protocol

from amlocal.errors import UsageError
from amlocal.plan.source import Source


class CheckEndpoint(Protocol):
    """Checks an endpoint or a deployment before it is sent; raises SpecError."""

    def __call__(
        self,
        kind: str,
        source: Source,
        overrides: Sequence[str],
        *,
        name: str | None = None,
        endpoint_name: str | None = None,
    ) -> object:
        """Check what is to be created or changed.

        Args:
            kind: `online endpoint`, `online deployment`, `batch endpoint`, or `batch deployment`.
            source: A file or an object.
            overrides: `a.b=c` settings.
            name: Stands for the name in the file.
            endpoint_name: Stands for the endpoint's name in the file.
        """


def checked(
    check: CheckEndpoint | None,
    kind: str,
    source: Source,
    overrides: Sequence[str],
    *,
    name: str | None = None,
    endpoint_name: str | None = None,
) -> None:
    """Check a source, where there is a check.

    Settings alone change a deployment that is in Azure, so that there is no whole to check; an
    endpoint has little more than its traffic, of which they say all.
    """
    if check is None or (source is None and kind.endswith("deployment")):
        return
    check(kind, source, overrides, name=name, endpoint_name=endpoint_name)


def file_of(source: Source) -> str:
    """Return the path that the user gave, or nothing for an object."""
    return os.fspath(source) if isinstance(source, (str, os.PathLike)) else ""


def refuse_environment(environment: str) -> None:
    """Refuse the local target's choice of environments.

    Raises:
        UsageError: One was chosen.
    """
    if environment != "auto":
        raise UsageError(
            "environment is for the local target",
            hint="Azure serves in the environment that the file names; leave it away",
        )
