"""Every error that a user can fix: what is wrong, where, and the next thing to do.

::

    AmlocalError                 exit code
    |-- SpecError                2  a file or its values do not say something that can run
    |-- UsageError               2  the arguments of a command or a method are wrong
    |   `-- NotFoundError        2  a name that nothing answers to
    |-- JobFailedError           1  the job ran and did not complete
    |-- AnswerError              1  an endpoint answered a request with an error
    `-- TargetError              3  the machine, the workspace, or Azure did not do its part
        |-- EnvironmentBuildError   3  an environment could not be had
        |   `-- BuildStoppedError    3  nobody wants it any more
        `-- TrackingError           3  the tracking server did not answer as expected

They become text and an exit code in one place, `amlocal.cli.main`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar


class AmlocalError(Exception):
    """Base of every error that a user can fix.

    Attributes:
        hint: The next thing to do, or an empty string.
        exit_code: What the command line exits with.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a file.

    Attributes:
        message: What is wrong.
        hint: What to do about it, or an empty string.
        file: The file as the user named it, or an empty string where there is none.
        line: The line in it, counted from 1; 0 where it is not known.
        target: The target that cannot do it, where others can; empty where it is wrong anywhere.
    """

    message: str
    hint: str = ""
    file: str = ""
    line: int = 0
    target: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.line else f"{self.file}: " if self.file else ""
        return f"{place}{self.message}" + (f"; {self.hint}" if self.hint else "")


class SpecError(AmlocalError):
    """A file does not say something that can run; holds all of its problems at once."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class UsageError(AmlocalError):
    """The arguments of a command or of a method are wrong."""

    exit_code = 2


class NotFoundError(UsageError):
    """Nothing has this name."""


class JobFailedError(AmlocalError):
    """A job ran and did not complete."""


class AnswerError(AmlocalError):
    """An endpoint answered a request with an error."""


class TargetError(AmlocalError):
    """The machine, the local workspace, or Azure did not do its part."""

    exit_code = 3


class EnvironmentBuildError(TargetError):
    """An environment could not be had on this machine."""


class BuildStoppedError(EnvironmentBuildError):
    """The build of an environment was ended, since nobody wants it any more."""


class TrackingError(TargetError):
    """The tracking server did not answer as expected."""


def near_miss(name: str, known: Iterable[str]) -> str:
    """Return a hint that suggests the closest of the known names, or lists them.

    Args:
        name: The name that was not found.
        known: The names there are.

    Returns:
        ``did you mean 'x'?``, ``known: a, b``, or an empty string where there are none.
    """
    choices = sorted(set(known))
    near = difflib.get_close_matches(name, choices, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"known: {', '.join(choices)}" if choices else ""


def not_found(kind: str, name: str, known: Iterable[str]) -> NotFoundError:
    """Return the error for a name that nothing of a kind answers to."""
    return NotFoundError(f"no {kind} named {name!r}", hint=near_miss(name, known))
