"""How many rows a file holds, read to its end."""

from __future__ import annotations

import bz2
import csv
import gzip
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from amlocal.errors import TargetError

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_LINES = frozenset({".jsonl", ".ndjson", ".json"})
#: Without the mark that some programs begin a file with.
_TEXT = "utf-8-sig"
_PACKINGS = frozenset({".gz", ".bz2"})


def is_data(name: str) -> bool:
    """Return whether a file counts as data: not what tools hide, by any part of its path."""
    return not any(part.startswith((".", "_")) for part in name.split("/"))


def count_rows(file: Path) -> int:
    """Return the rows of a file.

    Parquet: what its footer says; CSV and TSV: records after the header; JSON lines: lines that are
    not empty. Any other file, as an image, is one row.

    Raises:
        TargetError: The file cannot be read as what its name says.
    """
    suffix = _suffixes(file)[0]
    try:
        if suffix == ".parquet":
            import pyarrow.parquet  # 100 ms that only conditions on rows pay

            with pyarrow.parquet.ParquetFile(file) as parquet:
                return int(parquet.metadata.num_rows)
        if suffix in _DELIMITERS:
            with _text(file) as lines:
                return _records(lines, _DELIMITERS[suffix])
        if suffix in _LINES:
            with _text(file) as lines:
                return sum(1 for line in lines if line.strip())
    except (OSError, EOFError, ValueError, csv.Error) as error:  # ArrowInvalid is a ValueError
        raise TargetError(
            f"the rows of {file} cannot be counted: {error}", hint="replace or remove the file"
        ) from error
    return 1


def _records(lines: TextIO, delimiter: str) -> int:
    csv.field_size_limit(sys.maxsize)
    records = sum(1 for record in csv.reader(lines, delimiter=delimiter) if record)
    return max(records - 1, 0)


def _suffixes(file: Path) -> tuple[str, str]:
    """Return what a file's name says that it is, and how it is compressed."""
    suffixes = [suffix.lower() for suffix in file.suffixes]
    if suffixes and suffixes[-1] in _PACKINGS:
        return (suffixes[-2] if len(suffixes) > 1 else ""), suffixes[-1]
    return (suffixes[-1] if suffixes else ""), ""


@contextmanager
def _text(file: Path) -> Iterator[TextIO]:
    packing = _suffixes(file)[1]
    if packing == ".gz":
        with gzip.open(file, "rt", encoding=_TEXT, errors="replace", newline="") as lines:
            yield lines
    elif packing == ".bz2":
        with bz2.open(file, "rt", encoding=_TEXT, errors="replace", newline="") as lines:
            yield lines
    else:
        with file.open(encoding=_TEXT, errors="replace", newline="") as lines:
            yield lines
