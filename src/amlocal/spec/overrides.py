"""`--set a.b=c`: changes to a file before it is read, as `az ml job create --set` makes them.

The path is read as the SDK's `params_override` reads it (pydash): names between dots, `[0]` for an
item of a list; absent names are created. The value is read as YAML reads it in the file: `3` is a
number, `true` a boolean, `{path: ./data}` a mapping. `null` removes the field; an input of a
pipeline that is removed is removed from the steps that were bound to it, too, so that
`--set inputs.validation_data=null` leaves an optional input out.
"""

from __future__ import annotations

import copy
import dataclasses
import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from amlocal.errors import UsageError
from amlocal.plan.expression import sole_reference
from amlocal.spec.locate import Document, FieldPath

_TOKEN = re.compile(r"\[(?P<index>\d+)\]|(?P<name>[^.\[\]]+)")
_PATH = re.compile(r"[^.\[\]]+(\[\d+\])*(\.[^.\[\]]+(\[\d+\])*)*")

# Fields that are text whatever stands in them: `version=1.10` is not the number 1.1.
_TEXTS = frozenset({"name", "version", "display_name", "description", "experiment_name", "stage"})
_MAPS_OF_TEXT = frozenset({"tags", "properties", "environment_variables"})


def apply(document: Document, overrides: Sequence[str]) -> Document:
    """Return a document changed by `a.b=c` settings, applied in order.

    Raises:
        UsageError: A setting is not `a.b=c`, or goes through a field that is no mapping.
    """
    if not overrides:
        return document
    data = copy.deepcopy(document.data)
    said: dict[FieldPath, str] = dict(document.overrides)
    for setting in overrides:
        path, value = parse(setting)
        if not isinstance(data, dict):
            break
        if value is None:
            _remove(data, path, setting)
            _unbind(data, path)
        else:
            _set(data, path, value, setting)
        said[path] = f"--set {setting}"
    return dataclasses.replace(document, data=data, overrides=said)


def give(document: Document, flags: Mapping[str, str | None]) -> Document:
    """Return a document whose fields are those of flags, where one is given.

    Args:
        document: What the file says.
        flags: Values by field; `endpoint_name` is told of as `--endpoint-name`.
    """
    given = {field: value for field, value in flags.items() if value is not None}
    if not given or not isinstance(document.data, dict):
        return document
    said: dict[FieldPath, str] = dict(document.overrides)
    for field, value in given.items():
        said[(field,)] = f"--{field.replace('_', '-')} {value}"
    return dataclasses.replace(document, data={**document.data, **given}, overrides=said)


def parse(setting: str) -> tuple[FieldPath, Any]:
    """Return the path and the value of an `a.b=c` setting; None as the value means removal.

    Raises:
        UsageError: It is not such a setting.
    """
    written, equals, text = setting.partition("=")
    written = written.strip()
    if not equals or not _PATH.fullmatch(written):
        hint = "write FIELD.NAME=VALUE, as in inputs.epochs=3"
        raise UsageError(f"cannot read the setting {setting!r}", hint=hint)
    path: FieldPath = tuple(
        int(found["index"]) if found["index"] else found["name"]
        for found in _TOKEN.finditer(written)
    )
    return path, None if text == "null" else _value(path, text)


def _value(path: FieldPath, text: str) -> Any:
    if (path[0] in _TEXTS and len(path) == 1) or (path[0] in _MAPS_OF_TEXT and len(path) > 1):
        return text
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    if isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (dict, list)) and text.lstrip()[:1] in {"{", "["}:
        return value
    if isinstance(value, str) and text.lstrip()[:1] in {"'", '"'}:
        return value
    return text


def _parent(data: Any, path: FieldPath, setting: str, *, create: bool) -> Any:
    at = data
    for name, following in itertools.pairwise(path):
        if isinstance(at, str):
            break
        if _lacks(at, name):
            if not create:
                return None
            _put(at, name, [] if isinstance(following, int) else {}, setting)
        at = at[name]
    if isinstance(at, (dict, list)):
        return at
    if at is None:
        return None
    hint = "set the field as a whole"
    raise UsageError(f"cannot set {setting!r}: it goes through {at!r}", hint=hint)


def _lacks(at: Any, name: str | int) -> bool:
    if isinstance(at, list):
        return not isinstance(name, int) or name >= len(at) or at[name] is None
    return at.get(name) is None


def _put(at: Any, name: str | int, value: Any, setting: str) -> None:
    if isinstance(at, list):
        if not isinstance(name, int):
            hint = f"name an item by its number: [{0}]"
            raise UsageError(f"cannot set {setting!r}: {name!r} is asked of a list", hint=hint)
        at.extend([None] * (name + 1 - len(at)))
    at[name] = value


def _set(data: Any, path: FieldPath, value: Any, setting: str) -> None:
    _put(_parent(data, path, setting, create=True), path[-1], value, setting)


def _remove(data: Any, path: FieldPath, setting: str) -> None:
    at = _parent(data, path, setting, create=False)
    if isinstance(at, dict):
        at.pop(path[-1], None)
    elif isinstance(at, list) and isinstance(path[-1], int) and path[-1] < len(at):
        del at[path[-1]]


def _unbind(data: dict[str, Any], path: FieldPath) -> None:
    """Remove the bindings to an input of the pipeline that was removed."""
    if len(path) != 2 or path[0] != "inputs" or not isinstance(data.get("jobs"), dict):
        return
    gone = ("parent", "inputs", path[1])
    for step in data["jobs"].values():
        inputs = step.get("inputs") if isinstance(step, dict) else None
        if not isinstance(inputs, dict):
            continue
        for name, value in list(inputs.items()):
            bound = value.get("path") if isinstance(value, dict) else value
            reference = sole_reference(bound) if isinstance(bound, str) else None
            if reference is not None and reference.path == gone:
                del inputs[name]
