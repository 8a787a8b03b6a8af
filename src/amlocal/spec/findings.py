"""What the checks of a file find: problems, and what the local target does not do in full."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from amlocal.errors import Problem, SpecError
from amlocal.plan import Warned
from amlocal.spec.fields import Field
from amlocal.spec.locate import Place


class Findings:
    """Collects problems and warnings, so that a file is judged as a whole.

    Args:
        first: The file whose problems come before those of the files that it names.
    """

    def __init__(self, first: str = "") -> None:
        self._first = first
        self._problems: dict[Problem, None] = {}
        self._warnings: dict[str, Warned] = {}

    def add(self, problems: Iterable[Problem]) -> None:
        """Add problems; one that is there already is not added again."""
        self._problems.update(dict.fromkeys(problems))

    def problem(self, place: Place, message: str, hint: str = "", *, text: str = "") -> None:
        """Add a problem at a place; `text` finds its line in a field of many lines."""
        self.add([place.problem(message, hint, text=text)])

    def unsupported(self, place: Place, message: str, hint: str = "") -> None:
        """Add a problem that only the local target has with a file."""
        self.add([dataclasses.replace(place.problem(message, hint), target="local")])

    def warn(self, field: str, message: str) -> None:
        """Add a warning; a field is warned of once a job."""
        self._warnings.setdefault(field, Warned(field=field, message=message))

    def warn_field(self, field: Field) -> None:
        """Add the ledger's warning of a field."""
        self.warn(f"{field.schema}.{field.name}", field.note)

    @property
    def warnings(self) -> tuple[Warned, ...]:
        """The warnings, in the order in which they were found."""
        return tuple(self._warnings.values())

    def raise_problems(self) -> None:
        """Raise the problems, where there are any, in the order of files and lines.

        Raises:
            SpecError: There are problems.
        """
        if self._problems:
            raise SpecError(sorted(self._problems, key=self._order))

    def _order(self, problem: Problem) -> tuple[bool, str, int]:
        return (problem.file != self._first, problem.file, problem.line)
