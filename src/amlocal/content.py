"""What a component or an environment consists of: the version that follows, and what changed.

Its facts are one JSON document without anything that depends on the machine or on the version: code
counts by the digests of its files, an environment by what it is made of. The SHA-256 of the sorted
document names the content; a version made of it is the same wherever it is made.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from amlocal.code import code_sources, digests_of
from amlocal.plan import Component, Environment, PipelineComponent

Facts = dict[str, Any]

#: What stands for a version that is to be made of the content.
FROM_CONTENT = "content"
# A version of digits alone would count in the numbers that a workspace gives.
_PREFIX = "sha-"
_DIGITS = 12
_LONG = 80
_ARGUMENT = re.compile(r" +(?=--|\$\[\[)")
_PARTS = {
    **dict.fromkeys(("inputs", "outputs"), "interface"),
    **dict.fromkeys(("command", "distribution", "instance_count", "parallel"), "command"),
    **dict.fromkeys(("environment", "image", "conda", "build", "reference"), "environment"),
    "code": "code",
}


@dataclass(frozen=True)
class Content:
    """A component or an environment, taken apart.

    Attributes:
        kind: `component` or `environment`.
        name: Its name.
        version: Its version where it is registered, else where it was read from.
        facts: What it consists of, as JSON values; `code` has digests by place.
        sources: Where the files of its code are on this machine.
    """

    kind: str
    name: str
    version: str
    facts: Facts
    sources: Mapping[str, Path] = field(default_factory=dict)

    @property
    def content_version(self) -> str:
        """The version that its content gives it."""
        return content_version(self.facts)


@dataclass(frozen=True)
class Difference:
    """One thing that is not the same in two contents.

    Attributes:
        part: `interface`, `command`, `environment`, `code`, or `other`.
        what: The field, or the file.
        before: The value before, as text; empty where there was none.
        after: The value after.
        lines: Of texts of several lines, what changed, as `diff -u` writes it.
    """

    part: str
    what: str
    before: str = ""
    after: str = ""
    lines: tuple[str, ...] = ()


def content_version(facts: Facts) -> str:
    """Return the version that facts give: `sha-` and twelve hexadecimal digits."""
    encoded = json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()
    return f"{_PREFIX}{hashlib.sha256(encoded).hexdigest()[:_DIGITS]}"


def environment_facts(environment: Environment) -> Facts:
    """Return what an environment consists of; the files of a build context are read.

    Raises:
        SpecError: The folder of its build context is not there.
    """
    unnamed = msgspec.structs.replace(environment, name="", version=None, build=None)
    facts: Facts = json.loads(unnamed.to_json())
    if environment.build is not None:
        files = digests_of(code_sources(environment.build.path, ()))
        facts["build"] = {"dockerfile_path": environment.build.dockerfile_path, "files": files}
    return facts


def component_facts(component: Component, code: Mapping[str, str]) -> Facts:
    """Return what a component consists of.

    Args:
        component: The component.
        code: SHA-256 of each file of its code, by place.
    """
    bare = msgspec.structs.replace(
        component, version=None, code=None, additional_includes=(), environment=None, source=""
    )
    facts: Facts = json.loads(bare.to_json())
    if component.environment is not None:
        facts["environment"] = environment_facts(component.environment)
    if code:
        facts["code"] = dict(code)
    elif component.code is not None:
        facts["code"] = {"address": component.code}
    return facts


def pipeline_facts(pipeline: PipelineComponent, codes: Mapping[str, Mapping[str, str]]) -> Facts:
    """Return what a pipeline component consists of; steps count by what they consist of.

    Args:
        pipeline: The component.
        codes: SHA-256 of each file of its steps' code, by step and place.
    """
    steps = {
        step.name: {
            **json.loads(msgspec.structs.replace(step, component=_NOTHING).to_json()),
            "component": component_facts(step.component, codes[step.name]),
        }
        for step in pipeline.job.steps
    }
    job = msgspec.structs.replace(pipeline.job, steps=(), source="", warnings=())
    bare = msgspec.structs.replace(pipeline, version=None, job=job)
    return {**json.loads(bare.to_json()), "steps": steps}


_NOTHING = Component(command="")


def content_of(
    value: Component | PipelineComponent | Environment,
    *,
    origin: str = "",
    is_stored: bool = False,
) -> Content:
    """Take a component or an environment apart; the files of its code are read.

    Args:
        value: It.
        origin: What to call it where it has no version.
        is_stored: Whether its code is what a workspace has taken in, all of which counts.

    Raises:
        SpecError: Its code is not there.
    """
    version = value.version or origin
    sources_of = _stored if is_stored else _sources
    if isinstance(value, Environment):
        return Content("environment", value.name, version, environment_facts(value))
    if isinstance(value, PipelineComponent):
        sources = {
            f"{step.name}/{place}": path
            for step in value.job.steps
            for place, path in sources_of(step.component).items()
        }
        codes = {step.name: digests_of(sources_of(step.component)) for step in value.job.steps}
        return Content("component", value.name, version, pipeline_facts(value, codes), sources)
    sources = sources_of(value)
    facts = component_facts(value, digests_of(sources))
    return Content("component", value.name, version, facts, sources)


def _sources(component: Component) -> dict[str, Path]:
    code = component.code
    if code is not None and not Path(code).is_absolute():
        return {}  # an address: its files are not on this machine
    return code_sources(code, component.additional_includes)


def _stored(component: Component) -> dict[str, Path]:
    if component.code is None:
        return {}
    folder = Path(component.code)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path for path in files}


def differences(before: Content, after: Content) -> list[Difference]:
    """Return what changed from one content to another; empty where they are the same."""
    found = []
    for path, old, new in sorted(_changes(before.facts, after.facts), key=lambda it: _order(it[0])):
        if "code" in path and path[-1] != "address":
            at = path.index("code")
            place = "/".join((*path[1:at:2], path[-1])) if at else path[-1]
            found.append(_file_difference(place, before.sources, after.sources))
        else:
            found.append(_difference(_part(path), ".".join(path), old, new))
    return found


def _order(path: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
    parts = ("interface", "command", "environment", "other", "code")
    return parts.index(_part(path)), path


def _part(path: tuple[str, ...]) -> str:
    """Return which part of a component a field belongs to; of a pipeline, of its step's."""
    inner = path[3:] if path[0] == "steps" and path[2:3] == ("component",) else path
    return _PARTS.get(inner[0], "other") if inner else "other"


def _changes(
    old: Any, new: Any, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Yield each field that is not the same; an input or output of one side alone as a whole."""
    old, new = (None if value == {} else value for value in (old, new))
    if old == new:
        return
    is_one_sided = old is None or new is None
    is_port = path[-2:-1] in {("inputs",), ("outputs",)}
    if (is_port and is_one_sided) or not all(
        value is None or isinstance(value, dict) for value in (old, new)
    ):
        yield path, old, new
        return
    for key in (old or {}) | (new or {}):
        yield from _changes((old or {}).get(key), (new or {}).get(key), (*path, str(key)))


def _difference(part: str, what: str, before: Any, after: Any) -> Difference:
    old, new = _text(before), _text(after)
    if max(len(old), len(new)) > _LONG:
        # A command is one line; an argument a line shows what changed.
        old, new = (_ARGUMENT.sub("\n", each) for each in (old, new))
    if "\n" in old + new:
        return Difference(part, what, lines=_unified(what, old, new))
    return Difference(part, what, old, new)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        # An item a line: of a list of requirements, only what changed is of interest.
        return "".join(f"{_text(item)}\n" for item in value)
    if isinstance(value, dict):
        return _port(value) if "type" in value else json.dumps(value, indent=1, sort_keys=True)
    return value if isinstance(value, str) else json.dumps(value)


def _port(value: Facts) -> str:
    """Return an input or an output in a line."""
    default = value.get("default")
    told = (
        str(value["type"]),
        "optional" if value.get("optional") else "",
        "" if default is None else f"default {_text(default)}",
    )
    return ", ".join(filter(None, told))


def _file_difference(
    place: str, before: Mapping[str, Path], after: Mapping[str, Path]
) -> Difference:
    texts = [_read(sources.get(place)) for sources in (before, after)]
    was, now = (
        "absent" if place not in sources else _binary(sources[place]) if text is None else ""
        for sources, text in zip((before, after), texts, strict=True)
    )
    old, new = texts
    lines = () if old is None or new is None else _unified(place, old, new)
    return Difference("code", place, was, now, lines)


def _read(path: Path | None) -> str | None:
    """Return a file's text, empty where there is no file; None where it is not text."""
    if path is None:
        return ""
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError:
        return None


def _binary(path: Path) -> str:
    """Return by what two files that are no text are told apart."""
    content = path.read_bytes()
    return f"binary, {len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()[:_DIGITS]}"


def _unified(what: str, before: str, after: str) -> tuple[str, ...]:
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"before/{what}", f"after/{what}", lineterm=""
    )
    return tuple(lines)
