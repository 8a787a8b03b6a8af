"""Packages that run in this interpreter beside amlocal, by its extras."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

from amlocal.errors import EnvironmentBuildError


def require(modules: Iterable[str], *, who: str, extra: str) -> None:
    """Require that modules can be imported, without importing them.

    Args:
        modules: Their names.
        who: Who needs them, with the verb, such as `monitors need`.
        extra: The extra of amlocal that brings them.

    Raises:
        EnvironmentBuildError: They cannot.
    """
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise EnvironmentBuildError(
            f"{who} packages that are not installed: {', '.join(missing)}",
            hint=f'install them: pip install "amlocal[{extra}]"',
        )
