"""YAML with the line of every field, so that a problem can say where it is."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from amlocal.errors import Problem, SpecError

FieldPath = tuple[str | int, ...]

# libyaml's loader is some ten times faster; the pure one is what a build without it has.
_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


#: Fields in fields; far more than any schema has.
_DEEPEST = 50


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file, or an object that stands for one.

    Attributes:
        name: The file as the user would name it, or an empty string.
        data: What the file says.
        file: Its absolute path; where there is none, relative paths start at `folder`.
        folder: What relative paths in it are relative to.
        lines: The text, for finding an expression in a long command.
        spans: First and last line of every field, counted from 1.
        overrides: Fields that a flag gave, and the flag as it was written.
        problems: What is wrong with the YAML itself: keys that stand twice.
    """

    name: str
    data: Any
    folder: Path
    file: Path | None = None
    lines: Sequence[str] = ()
    spans: Mapping[FieldPath, tuple[int, int]] = field(default_factory=dict)
    overrides: Mapping[FieldPath, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @property
    def place(self) -> Place:
        """The place of the whole document."""
        return Place(self)


@dataclass(frozen=True, slots=True)
class Place:
    """A field of a document."""

    document: Document
    path: FieldPath = ()

    def at(self, *path: str | int) -> Place:
        """Return the place of a field below this one."""
        return Place(self.document, self.path + path)

    def line(self, text: str = "") -> int:
        """Return the field's line, or its nearest parent's.

        Args:
            text: Where given, the first line of the field that holds it is preferred.
        """
        spans = self.document.spans
        for end in range(len(self.path), -1, -1):
            first, last = spans.get(self.path[:end], (0, 0))
            if first:
                if text:
                    for number in range(first, last + 1):
                        if text in self.document.lines[number - 1]:
                            return number
                return first
        return 0

    def problem(self, message: str, hint: str = "", *, text: str = "") -> Problem:
        """Return a problem at this place."""
        for end in range(len(self.path), 0, -1):
            said = self.document.overrides.get(self.path[:end])
            if said is not None:
                return Problem(message, hint, said)
        return Problem(message, hint, self.document.name, self.line(text))


def shown(file: Path) -> str:
    """Return a file as the user would name it: relative to the current folder where below it."""
    try:
        return str(file.relative_to(Path.cwd()))
    except ValueError:
        return str(file)


def absolute(path: str | os.PathLike[str], folder: Path) -> Path:
    """Return a path, relative to a folder, as an absolute one without `..` in it."""
    return Path(os.path.normpath(folder / path))


def read_document(file: Path) -> Document:
    """Read a YAML file.

    Args:
        file: An absolute path.

    Raises:
        SpecError: There is no such file, it is a pipe, it is not text, or it is not YAML.
    """
    name = shown(file)
    if file.is_fifo():
        hint = "write it to a file first: the paths in it are relative to that"
        raise SpecError([Problem("is a pipe, which can be read only once", hint, name)])
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SpecError([Problem("there is no such file", "check the path", name)]) from None
    except IsADirectoryError:
        raise SpecError([Problem("is a folder", "name the YAML file in it", name)]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError([Problem(f"cannot be read: {error}", file=name)]) from error
    return parse_document(text, name=name, file=file)


def parse_document(text: str, *, name: str, file: Path) -> Document:
    """Parse YAML text; `file` is where it stands.

    Raises:
        SpecError: The text is not YAML.
    """
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        spans: dict[FieldPath, tuple[int, int]] = {}
        problems = list(_walk(node, (), spans, name)) if node is not None else []
        data = loader.construct_document(node) if node is not None else None
    except yaml.YAMLError as error:
        raise SpecError([_syntax_problem(error, name)]) from error
    finally:
        loader.dispose()
    return Document(
        name=name,
        data=data,
        folder=file.parent,
        file=file,
        lines=text.splitlines(),
        spans=spans,
        problems=tuple(problems),
    )


def _walk(
    node: yaml.Node, path: FieldPath, spans: dict[FieldPath, tuple[int, int]], name: str
) -> Iterator[Problem]:
    """Note the lines of every field, and yield the keys that stand twice."""
    if path not in spans:
        spans[path] = (node.start_mark.line + 1, _last_line(node))
    if len(path) > _DEEPEST:
        message = "the file is nested too deeply, or an alias (*name) stands in what it names"
        line = node.start_mark.line + 1
        raise SpecError([Problem(message, "write it out", name, line)])
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _walk(item, (*path, index), spans, name)
    elif isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                continue
            line = key.start_mark.line + 1
            if key.value in seen:
                yield Problem(
                    f"the key {key.value!r} stands twice",
                    f"it is on line {seen[key.value]}, too; keep one",
                    name,
                    line,
                )
            seen.setdefault(key.value, line)
            child = (*path, key.value)
            spans[child] = (line, _last_line(value))
            yield from _walk(value, child, spans, name)


def _last_line(node: yaml.Node) -> int:
    # A block ends where the next token starts: in the first column of a line after it.
    end = node.end_mark.line + (1 if node.end_mark.column else 0)
    return max(end, node.start_mark.line + 1)


def _syntax_problem(error: yaml.YAMLError, name: str) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    said = getattr(error, "problem", None) or str(error).splitlines()[0]
    context = getattr(error, "context", None)
    message = f"this is not YAML: {said}" + (f" ({context})" if context else "")
    hint = "check the indentation, quotes and brackets on this line and the one before it"
    if "\\t" in said or "cannot start any token" in said:
        hint = "indent with spaces, not tabs, and quote text that starts with a special character"
    return Problem(message, hint, name, mark.line + 1 if mark else 0)
