"""Checks names, commands, and values: what the SDK leaves to the service to find."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from amlocal.errors import Problem, near_miss
from amlocal.plan import Component, Input
from amlocal.plan.expression import Reference, references_with_optional
from amlocal.spec import build
from amlocal.spec.assemble import ARTIFACTS
from amlocal.spec.locate import Place

# validate_key_contains_allowed_characters and IOConstants.VALID_KEY_PATTERN of azure.ai.ml.
_KEY = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*(\.[a-zA-Z_][a-zA-Z0-9_]*)*")


_SINGULAR = {"inputs": "input", "outputs": "output", "search_space": "parameter"}

# PythonFuncNameStr of azure.ai.ml.
COMPONENT_NAME = re.compile(r"[a-z][a-z0-9_]*")


def check_component(component: Component, place: Place) -> Iterator[Problem]:
    """Yield every problem of a component by itself."""
    for kind in ("inputs", "outputs"):
        yield from check_names(getattr(component, kind), place.at(kind), kind[:-1])
    first: dict[str, str] = {}
    for name in component.inputs:
        other = first.setdefault(name.lower(), name)
        if other != name:
            message = f"input {name!r} differs from {other!r} only in case"
            yield place.at("inputs", name).problem(message, "rename one: Azure takes them for one")
    for name, declared in component.inputs.items():
        yield from _check_default(name, declared, place.at("inputs", name))
    yield from check_command(component, place)


def check_names(names: Mapping[str, object], place: Place, what: str) -> Iterator[Problem]:
    """Yield the names that Azure refuses."""
    for name in names:
        if not _KEY.fullmatch(name):
            hint = f"use letters, digits and underscores, for example {identifier(name)!r}"
            yield place.at(name).problem(f"{name!r} cannot be the name of {article(what)}", hint)


def check_component_name(name: str, place: Place) -> Iterator[Problem]:
    """Yield the problem of a name under which no component can be registered."""
    if not COMPONENT_NAME.fullmatch(name):
        example = identifier(name)
        hint = f"use lower-case letters, digits and underscores, for example {example!r}"
        yield place.problem(f"{name!r} cannot be the name of a component", hint)


def check_command(
    component: Component, place: Place, parameters: Collection[str] = ()
) -> Iterator[Problem]:
    """Yield the references of a command that nothing answers to.

    Args:
        component: The component.
        place: Its place.
        parameters: The names of the search space, where it is the trial of a sweep job.
    """
    at = place.at("command")
    known = {"inputs": list(component.inputs), "outputs": list(component.outputs)}
    if parameters:
        known["search_space"] = list(parameters)
    for reference, optional in references_with_optional(component.command):
        kind, *rest = reference.path
        name = ".".join(rest)
        raw = _written(component.command, reference)
        if kind not in known or not name:
            yield _unknown_expression(at, reference, raw)
        elif name not in known[kind] and name != ARTIFACTS:
            hint = near_miss(name, known[kind]) or f"declare it below {kind}:"
            what = _SINGULAR[kind]
            yield at.problem(f"no {what} named {name!r}", hint, text=raw)
        elif kind == "inputs" and not optional and _may_be_absent(component.inputs.get(name)):
            message = f"the optional input {name!r} stands outside $[[ ]]"
            yield at.problem(message, f"write $[[ --{name} {raw} ]]", text=raw)


def _may_be_absent(declared: Input | None) -> bool:
    return declared is not None and declared.optional and declared.default is None


def _unknown_expression(at: Place, reference: Reference, raw: str) -> Problem:
    name = reference.path[-1]
    if reference.path[0] == "parent":
        kind = "outputs" if "outputs" in reference.path[1:2] else "inputs"
        hint = f"write ${{{{{kind}.{name}}}}}, and bind it to {raw} below {kind}:"
        return at.problem(f"a command cannot reach {raw}", hint, text=raw)
    if reference.path[0] == "search_space":
        hint = "only the trial of a sweep has a search space"
        return at.problem(f"a command cannot reach {raw}", hint, text=raw)
    hint = "write ${{inputs.NAME}} or ${{outputs.NAME}}"
    return at.problem(f"{raw} is no input and no output", hint, text=raw)


def check_value(what: str, declared: Input, given: object, at: Place) -> Iterator[Problem]:
    """Yield what is wrong with a literal that an input is given; `what` names the input."""
    value = build.typed(given, declared.type)
    if value is None:
        hint = {"boolean": "write true or false"}.get(
            declared.type, f"write {article(declared.type)}"
        )
        yield at.problem(f"{what} takes {article(declared.type)}, not {given!r}", hint)
        return
    if declared.enum and value not in declared.enum:
        choices = [str(choice) for choice in declared.enum]
        yield at.problem(f"{what} cannot be {given!r}", near_miss(str(value), choices))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if declared.min is not None and value < declared.min:
            yield at.problem(f"{what} is {value}, below {plain(declared.min)}", "raise it")
        if declared.max is not None and value > declared.max:
            yield at.problem(f"{what} is {value}, above {plain(declared.max)}", "lower it")


def _check_default(name: str, declared: Input, at: Place) -> Iterator[Problem]:
    if declared.min is not None and declared.max is not None and declared.min > declared.max:
        bounds = f"{plain(declared.min)} is above max {plain(declared.max)}"
        yield at.problem(f"min of input {name!r} {bounds}", "exchange them")
    elif declared.is_literal and declared.default is not None:
        what = f"the default of input {name!r}"
        yield from check_value(what, declared, declared.default, at.at("default"))


def _written(command: str, reference: Reference) -> str:
    """Return a reference as the command has it, spaces and all."""
    return command[reference.start : command.index("}}", reference.start) + 2]


def identifier(name: str) -> str:
    """Return a name that Azure takes, like one that it does not."""
    return re.sub(r"[^a-z0-9_]+", "_", name.lower()).lstrip("0123456789") or "x"


def article(word: str) -> str:
    """Return a word with its article."""
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def plain(value: float) -> str:
    """Return a number as people write it."""
    return f"{value:g}" if value < 1e6 else f"{value:.0f}"
