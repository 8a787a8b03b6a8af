"""The options of a transformation, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stepkit.program import StepError


def checked(step: str, options: object, known: Mapping[str, Any]) -> dict[str, Any]:
    """Return a transformation's options, the defaults where one is not given.

    Raises:
        StepError: It has an option that is not known.
    """
    given = {} if options is None else options
    if not isinstance(given, Mapping):
        raise StepError(f"{step} takes options, not {given!r}", hint=f"known: {', '.join(known)}")
    for name in given:
        if name not in known:
            raise StepError(f"{step} has no option {name!r} here", hint=f"known: {_listed(known)}")
    return {**known, **given}


def switch(step: str, name: str, value: object) -> bool:
    """Return an option that is true or false.

    Raises:
        StepError: It is neither.
    """
    if not isinstance(value, bool):
        raise StepError(f"{name} of {step} must be true or false, not {value!r}")
    return value


def one_of(step: str, name: str, value: object, known: Sequence[str]) -> str:
    """Return an option that is one of some names.

    Raises:
        StepError: It is none of them.
    """
    if value not in known:
        raise StepError(f"{name} of {step} cannot be {value!r}", hint=f"known: {_listed(known)}")
    return str(value)


def _listed(known: Sequence[str] | Mapping[str, Any]) -> str:
    return ", ".join(known)
