"""The field ledger: every field of every file, and what the local target does with it.

The rows are in `fields.csv`. They drive the checks of a file's structure, the warnings of a job,
and `docs/fidelity.md`.
"""

from __future__ import annotations

import csv
import enum
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_ROWS = Path(__file__).with_name("fields.csv")

#: Takes the place of names that the SDK leaves open.
ANY_NAME = "*"


class Status(enum.Enum):
    """What the local target does with a field."""

    HONOURED = "honoured"
    APPROXIMATED = "approximated"
    REFUSED = "refused"
    WARNED = "warned"


@dataclass(frozen=True, slots=True)
class Field:
    """One row of the ledger.

    Attributes:
        schema: The kind of file, or of an object in one.
        name: The field.
        kind: What it holds, in the words of `amlocal.spec.structure`.
        status: What the local target does with it.
        note: The same in a sentence.
        test: For an honoured field, the pytest node that proves it.
    """

    schema: str
    name: str
    kind: str
    status: Status
    note: str
    test: str

    @property
    def is_required(self) -> bool:
        """Whether a file must have it."""
        return self.kind.endswith("!")


@functools.cache
def ledger() -> Mapping[str, Mapping[str, Field]]:
    """Return the fields of every schema, by schema and name, in the order of the file."""
    schemas: dict[str, dict[str, Field]] = {}
    with _ROWS.open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            found = Field(
                schema=row["schema"],
                name=row["field"],
                kind=row["kind"],
                status=Status(row["status"]),
                note=row["note"],
                test=row["test"],
            )
            schemas.setdefault(found.schema, {})[found.name] = found
    return schemas
