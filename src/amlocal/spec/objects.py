"""Checks the fields of objects whose format is the project's own, which no ledger knows."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from amlocal.errors import near_miss
from amlocal.spec import build
from amlocal.spec.findings import Findings
from amlocal.spec.kinds import kind_of, named
from amlocal.spec.locate import Place
from amlocal.spec.structure import check_value


def check_fields(
    findings: Findings, at: Place, value: Any, known: Mapping[str, str], what: str
) -> Mapping[str, Any]:
    """Return an object's fields, once unknown and missing ones are noted.

    Args:
        findings: Where problems go.
        at: The object's place.
        value: The object as YAML gives it.
        known: Kinds as in `amlocal.spec.structure` by field; one that ends in `!` is required.
        what: What the object is called.
    """
    if not isinstance(value, Mapping):
        hint = f"write its fields below it: {', '.join(known)}"
        findings.problem(at, f"{named(at)} is {kind_of(value)}", hint)
        return {}
    for name, item in value.items():
        if name not in known:
            hint = near_miss(str(name), known)
            findings.problem(at.at(str(name)), f"no field {name!r} in {what}", hint)
        else:
            check_value(findings, at.at(name), item, known[name].rstrip("!"))
    strangers = [str(name) for name in value if name not in known]
    for name, kind in known.items():
        is_misspelt = any(get_close_matches(each, [name]) for each in strangers)
        if kind.endswith("!") and name not in value and not is_misspelt:
            findings.problem(at, f"{what} lacks the field {name!r}", f"add {name}:")
    return build.mapping(value)
