"""Checks of single values: text, numbers, choices, references."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from amlocal.errors import near_miss
from amlocal.spec.findings import Findings
from amlocal.spec.locate import Place

Check = Callable[[Findings, Place, Any], None]

#: Types of an input that is one value.
LITERALS = ("string", "number", "integer", "boolean")

#: What marshmallow reads as a boolean, in which the SDK's files are written.
_BOOLEANS = frozenset({"t", "true", "1", "on", "y", "yes", "f", "false", "0", "off", "n", "no"})


def check_choice(
    findings: Findings, place: Place, value: Any, choices: list[str], *, any_case: bool
) -> None:
    """Check that a value is one of some names."""
    said = value.lower() if any_case and isinstance(value, str) else value
    if said in choices:
        return
    hint = near_miss(str(said), choices)
    if value is False and "off" in choices:
        hint = "put it in quotes: YAML reads off as false"
    if str(said) in LITERALS:
        hint = f"a {said} is one value; this is data: use one of {', '.join(choices)}"
    findings.problem(place, f"{named(place)} cannot be {value!r}", hint)


def _text(findings: Findings, place: Place, value: Any) -> None:
    if not isinstance(value, str):
        hint = "put it in quotes" if _is_scalar(value) else "write it as one line of text"
        findings.problem(place, f"{named(place)} must be text, not {kind_of(value)}", hint)


def _integer(findings: Findings, place: Place, value: Any) -> None:
    # As marshmallow's Integer: text that reads as a number, and floats, are cut to one.
    try:
        int(value)
    except (TypeError, ValueError, OverflowError):  # the last: infinity
        message = f"{named(place)} must be a whole number, not {kind_of(value)}"
        findings.problem(place, message, "write a number such as 1, without a unit")


def _count(findings: Findings, place: Place, value: Any) -> None:
    if not (isinstance(value, str) and value.lower() == "auto"):
        _integer(findings, place, value)


def _number(findings: Findings, place: Place, value: Any) -> None:
    # As marshmallow's Float: text that reads as a number is one.
    try:
        is_number = not isinstance(value, bool) and math.isfinite(float(value))
    except (TypeError, ValueError, OverflowError):
        is_number = False  # told below, as what is no finite number is
    if not is_number:
        message = f"{named(place)} must be a number, not {kind_of(value)}"
        findings.problem(place, message, "write a number such as 0.1")


def _boolean(findings: Findings, place: Place, value: Any) -> None:
    if not (isinstance(value, (bool, int, str)) and str(value).lower() in _BOOLEANS):
        message = f"{named(place)} must be true or false, not {kind_of(value)}"
        findings.problem(place, message, "write true or false")


def _scalar(findings: Findings, place: Place, value: Any) -> None:
    if not isinstance(value, (bool, int, float, str)):
        message = f"{named(place)} must be one value, not {kind_of(value)}"
        hint = "write a text, a number, or true or false"
        if not isinstance(value, (list, Mapping)):
            hint = "put it in quotes, so that it is text"
        findings.problem(place, message, hint)


def _version(findings: Findings, place: Place, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        message = f"{named(place)} must be text or a number, not {kind_of(value)}"
        findings.problem(place, message, "quote it")


def _reference(findings: Findings, place: Place, value: Any) -> None:
    _text(findings, place, value)
    if not isinstance(value, str) or value.startswith(("azureml:", "file:")):
        return
    if re.search(r"\.ya?ml$", value):
        hint = f"write file:{value}, or azureml:NAME:VERSION for a registered one"
    else:
        hint = f"write azureml:{value} for a registered one, or image: and conda_file: below it"
    findings.problem(place, f"{named(place)} {value!r} is not a reference", hint)


def _asset_name(findings: Findings, place: Place, value: Any) -> None:
    _text(findings, place, value)
    if isinstance(value, str) and not value.startswith("azureml:"):
        if place.path[-1:] == ("default_compute",) and value.lower() == "serverless":
            return
        message = f"{named(place)} {value!r} is not a reference"
        findings.problem(place, message, f"write azureml:{value}")


def named(place: Place) -> str:
    """Return a field's whole name, quoted."""
    names = [str(name) for name in place.path]
    return repr(".".join(names)) if names else "the file"


def _is_scalar(value: Any) -> bool:
    return not isinstance(value, (Mapping, list))


def kind_of(value: Any) -> str:
    """Return what a value is, in words."""
    if value is None:
        return "empty"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return repr(value)
    return str(value)


#: The check of every kind that is one value.
SCALARS: Mapping[str, Check] = {
    "text": _text,
    "int": _integer,
    "count": _count,
    "number": _number,
    "bool": _boolean,
    "scalar": _scalar,
    "version": _version,
    "reference": _reference,
    "asset_name": _asset_name,
}
