"""What is decided about an environment, before and after it is built."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

Kind = Literal["current", "isolated", "container"]


def local_paths(lines: Iterable[str]) -> list[Path]:
    """Return the absolute paths that requirement lines name."""
    words = {word for line in lines for word in line.split()}
    return [Path(word) for word in sorted(words) if word.startswith("/")]


@dataclass(frozen=True, slots=True)
class Requirements:
    """What an environment asks for, in pip's terms.

    Attributes:
        lines: Lines of a requirements file, without comments.
        python: The version specifier of Python (`==3.10.*`), or an empty string.
        variables: Environment variables that the conda file sets, as pairs.
        approximations: What of the environment these lines do not say, in sentences.
    """

    lines: tuple[str, ...] = ()
    python: str = ""
    variables: tuple[tuple[str, str], ...] = ()
    approximations: tuple[str, ...] = ()

    def __add__(self, other: Requirements) -> Requirements:
        """Return both together; the other's Python wins where it names one."""
        return Requirements(
            lines=self.lines + other.lines,
            python=other.python or self.python,
            variables=self.variables + other.variables,
            approximations=self.approximations + other.approximations,
        )


@dataclass(frozen=True, slots=True)
class EnvironmentChoice:
    """The environment that a step will get; known without building it.

    Attributes:
        kind: `current` or `isolated`; `container` for an image that serves by itself, of which
            nothing but the name is known here.
        name: The environment's name or reference, for people.
        digest: SHA-256 (hex) of what the step will see. For `current` the interpreter's version and
            every installed distribution, for `isolated` the requirements and the Python version.
        python: The Python version: three numbers for `current`, two for `isolated`.
        interpreter: The interpreter that runs the step, or that its virtual environment is made of.
        requirements: Lines of a requirements file; empty for `current`.
        variables: Environment variables that the conda file sets, as pairs.
        approximations: What differs from the environment as its file gives it, in sentences.
        reason: Why it is not the current interpreter, or an empty string.
    """

    kind: Kind
    name: str
    digest: str
    python: str
    interpreter: str
    requirements: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    approximations: tuple[str, ...] = ()
    reason: str = ""


def with_requirements(choice: EnvironmentChoice, lines: Sequence[str]) -> EnvironmentChoice:
    """Return the choice of an isolated environment with further packages.

    A package that the environment asks for itself stays as it asks for it.

    Args:
        choice: What was chosen.
        lines: Lines of a requirements file.
    """
    asked = {_package(line) for line in choice.requirements}
    added = tuple(line for line in lines if _package(line) not in asked)
    if not added:
        return choice
    facts = "\n".join([choice.digest, *added])
    return replace(
        choice,
        requirements=choice.requirements + added,
        digest=hashlib.sha256(facts.encode()).hexdigest(),
    )


def _package(line: str) -> str:
    """Return the normalised name that a requirement line begins with (PEP 503)."""
    name = re.match(r"[A-Za-z0-9._-]*", line)
    return re.sub(r"[-_.]+", "-", name[0] if name else "").lower()


@dataclass(frozen=True, slots=True)
class ResolvedEnvironment:
    """An environment that is ready for a step.

    Attributes:
        choice: What was chosen.
        python: Its interpreter.
        path_entries: Folders to put first in `PATH`, for `python`, `pip` and console scripts.
        variables: Environment variables to set. An empty value stands for one that must not pass
            from this process to the step.
    """

    choice: EnvironmentChoice
    python: Path
    path_entries: tuple[Path, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
