"""The errors that `docs/endpoints.md` documents: tests allow these and no others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "endpoints.md"

#: Status, the model's own status, the reason.
Kind = tuple[int, str, str]


def read_errors(text: str) -> frozenset[Kind]:
    """Return the rows of the table of errors."""
    rows = re.findall(r"^\| (\d{3}) \|([^|]*)\|([^|]*)\|", text, re.MULTILINE)
    return frozenset((int(status), own.strip(), reason.strip()) for status, own, reason in rows)


ERRORS = read_errors(DOCUMENT.read_text())


def kind_of(status: int, headers: Mapping[str, str]) -> Kind:
    """Return which error an answer is; `headers` has names in lower case."""
    return (
        status,
        headers.get("ms-azureml-model-error-statuscode", ""),
        headers.get("ms-azureml-model-error-reason", ""),
    )
