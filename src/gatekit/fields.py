"""YAML whose every value knows its line, and a reader that notes all that is wrong with it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import yaml


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a file.

    Attributes:
        file: The file as the user named it.
        line: Counted from 1; 0 where it is the whole file.
        message: What is wrong.
        hint: What to do about it, or an empty string.
    """

    file: str
    line: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.message}" + (f"; {self.hint}" if self.hint else "")


@dataclass(frozen=True)
class Entry:
    """A value of a YAML file, as it is written there."""

    node: yaml.Node
    key: str = ""

    @property
    def line(self) -> int:
        """Where it begins, counted from 1."""
        return int(self.node.start_mark.line) + 1

    @property
    def is_mapping(self) -> bool:
        """Whether it has fields."""
        return isinstance(self.node, yaml.MappingNode)

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of its fields; none where it has no fields."""
        return tuple(str(key.value) for key, _ in self.node.value) if self.is_mapping else ()

    @property
    def kind(self) -> str:
        """What it is, for a sentence."""
        if isinstance(self.node, yaml.SequenceNode):
            return "a list"
        if self.is_mapping:
            return "fields"
        return repr(self.node.value) if self.node.value else "nothing"


class Reader:
    """Reads values, and notes what is wrong instead of stopping at it.

    Args:
        file: What problems call the file.

    Attributes:
        problems: What is wrong, in the order of the reading.
    """

    def __init__(self, file: str) -> None:
        self.problems: list[Problem] = []
        self._file = file

    def note(self, line: int, message: str, hint: str = "") -> None:
        """Note a problem."""
        self.problems.append(Problem(self._file, line, message, hint))

    def document(self, text: str) -> Entry | None:
        """Return the document; None, with a problem, where it is no YAML or empty."""
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self.note(mark.line + 1 if mark else 1, f"this is no YAML: {error.problem}")
            return None
        except yaml.YAMLError as error:  # characters that YAML has none of
            self.note(1, f"this is no YAML: {' '.join(str(error).split())}")
            return None
        if node is None:
            self.note(1, "the file is empty", "docs/gate.md says what a policy looks like")
            return None
        return Entry(node)

    def mapping(self, entry: Entry | None, known: Sequence[str], what: str) -> dict[str, Entry]:
        """Return the fields of a value; those that are unknown or stand twice are problems."""
        if entry is None:
            return {}
        if not entry.is_mapping:
            hint = f"write its fields: {', '.join(known)}"
            self.note(entry.line, f"{what} is {entry.kind}", hint)
            return {}
        found: dict[str, Entry] = {}
        for key, value in entry.node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name not in known:
                near = get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
                self.note(line, f"no field {name!r} in {what}", hint)
            elif name in found:
                self.note(line, f"{name!r} stands twice in {what}", "leave one")
            else:
                found[name] = Entry(value, name)
        return found

    def items(self, entry: Entry | None, name: str, what: str) -> list[Entry]:
        """Return the items of a list; none where there is no list."""
        if entry is None:
            return []
        if not isinstance(entry.node, yaml.SequenceNode):
            self.note(entry.line, f"{name} is {entry.kind}, not {what}", "begin each with `- `")
            return []
        return [Entry(item) for item in entry.node.value]

    def text(self, entry: Entry | None) -> str:
        """Return a text on one line; an empty one where there is none."""
        if entry is None:
            return ""
        if not isinstance(entry.node, yaml.ScalarNode):
            self.note(entry.line, f"{entry.key} is {entry.kind}", "write it on one line")
            return ""
        return " ".join(str(entry.node.value).split())

    def choice(self, entry: Entry | None, choices: Sequence[str]) -> str | None:
        """Return one of some words, or None."""
        said = self.text(entry)
        if entry is None or said in choices:
            return said or None
        near = get_close_matches(said, choices, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"one of {', '.join(choices)}"
        self.note(entry.line, f"{entry.key} is {said!r}", hint)
        return None

    def number(
        self,
        entry: Entry | None,
        *,
        least: float = -math.inf,
        whole: bool = False,
        percent: bool = False,
    ) -> float | None:
        """Return a finite number, or None.

        Args:
            entry: The value; None gives None.
            least: What it must be at least.
            whole: Whether it must be a whole number.
            percent: Whether it may be a percentage, which comes out as a share.
        """
        if entry is None:
            return None
        said = self.text(entry)
        is_percent = said.endswith("%")
        try:
            value = float(said.removesuffix("%")) / (100 if is_percent else 1)
        except ValueError:
            value = math.nan
        kind = "a whole number" if whole else "a number"
        bound = f" from {least:g}" if math.isfinite(least) else ""
        hint = f"write {kind}{bound}" + (", or a percentage such as 5%" if percent else "")
        if is_percent and not percent:
            self.note(entry.line, f"{entry.key} is {said!r}", hint)
        elif not math.isfinite(value) or value < least or (whole and not value.is_integer()):
            self.note(entry.line, f"{entry.key} is {entry.kind}", hint)
        else:
            return value
        return None
