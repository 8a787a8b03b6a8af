"""What Azure reads of an entry script's own arguments: the predefined ones, which go on to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from amlocal.errors import Problem, SpecError


def boolean(text: str) -> bool:
    """Return what `true` or `false`, in any case, says; raises KeyError."""
    return {"true": True, "false": False}[text.lower()]


#: The arguments by name: the field of `parallelkit.request` that each is, and what reads it.
_PREDEFINED: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "--error_threshold": ("error_threshold", int),
    "--allowed_failed_percent": ("allowed_failed_percent", float),
    "--task_overhead_timeout": ("load_timeout", float),
    "--progress_update_timeout": ("progress_timeout", float),
    "--first_task_creation_timeout": ("init_timeout", float),
    "--append_row_dataframe_header": ("has_header", boolean),
}


def predefined(arguments: Sequence[str]) -> dict[str, Any]:
    """Return the settings that an entry script's arguments hold.

    Those that name logs and metrics of Azure's own (`--copy_logs_to_parent`,
    `--resource_monitor_interval`, ...) have no meaning here.

    Raises:
        SpecError: One has no value, or one that it cannot have.
    """
    found: dict[str, Any] = {}
    for index, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        if name not in _PREDEFINED:
            continue
        if not equals:
            value = arguments[index + 1] if index + 1 < len(arguments) else ""
        field, read = _PREDEFINED[name]
        try:
            found[field] = read(value)
        except (ValueError, KeyError):
            message = f"program_arguments: {name} cannot be {value!r}"
            raise SpecError([Problem(message, "give a number, or True or False")]) from None
    return found
