"""The first transformation of an MLTable: how its files are read.

Each reader returns the rows, and the path of the file that each is of, by the row's index.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from stepkit.inference import inferred
from stepkit.mltable.options import checked, one_of, switch
from stepkit.program import StepError

if TYPE_CHECKING:
    Read = tuple[pd.DataFrame, "pd.Series[Any]"]

#: Python's codecs of the encodings that Azure knows.
_ENCODINGS = {
    "utf8": "utf-8-sig",
    "utf8bom": "utf-8-sig",
    "iso88591": "iso-8859-1",
    "latin1": "iso-8859-1",
    "ascii": "ascii",
    "utf16": "utf-16",
    "utf32": "utf-32",
    "windows1252": "cp1252",
}
_SAME = "all_files_same_headers"
_HEADERS = ("no_header", "from_first_file", "all_files_different_headers", _SAME)
#: The column that tells the file of each row.
PATH_COLUMN = "Path"


def read_delimited(files: Sequence[Path], options: object) -> Read:
    """Read delimited text.

    Without `empty_as_string` nothing between two delimiters is missing. A line break in quotes
    belongs to its value whatever `support_multi_line` says.

    Raises:
        StepError: An option is not known, or a file is not as the options say.
    """
    step = "read_delimited"
    said = checked(
        step,
        options,
        {
            "delimiter": ",",
            "encoding": "utf8",
            "header": _SAME,
            "empty_as_string": False,
            "infer_column_types": True,
            "include_path_column": False,
            "support_multi_line": False,
            "partition_size": None,
        },
    )
    header = one_of(step, "header", said["header"], _HEADERS)
    encoding = _ENCODINGS[one_of(step, "encoding", said["encoding"], tuple(_ENCODINGS))]
    infers = switch(step, "infer_column_types", said["infer_column_types"])
    keeps_empty = switch(step, "empty_as_string", said["empty_as_string"])
    switch(step, "support_multi_line", said["support_multi_line"])
    frames: list[pd.DataFrame] = []
    for file in files:
        has_names = header != "no_header" and (header != "from_first_file" or not frames)
        frame = _text(file, str(said["delimiter"]), encoding, has_names=has_names)
        if frames and header != "all_files_different_headers":
            frame = _aligned(frame, frames[0], file, header)
        frames.append(frame)
    table, sources = _joined(frames, files)
    for name in table.columns:
        column = table[name]
        if infers:
            column = inferred(column)
        if column.dtype == object and not keeps_empty:
            column = column.mask(column == "", None)
        table[name] = column
    return _with_paths(step, table, sources, said)


def _text(file: Path, delimiter: str, encoding: str, *, has_names: bool) -> pd.DataFrame:
    """Return a file's values as text; columns without names are Column1, Column2, ..."""
    try:
        frame = pd.read_csv(
            file,
            sep=delimiter,
            encoding=encoding,
            header=0 if has_names else None,
            dtype=str,
            keep_default_na=False,
            index_col=False,
            quoting=csv.QUOTE_MINIMAL,
            on_bad_lines="error",
            engine="c" if len(delimiter) == 1 else "python",
        )
    except UnicodeDecodeError as error:
        raise StepError(
            f"{file} is not in the encoding that its MLTable says: {error}",
            hint=f"set encoding: to one of {', '.join(_ENCODINGS)}",
        ) from error
    except (OSError, ValueError) as error:
        raise StepError(f"{file} cannot be read as delimited text: {error}") from error
    if not has_names:
        frame.columns = pd.Index([f"Column{number + 1}" for number in range(frame.shape[1])])
    return frame


def _aligned(frame: pd.DataFrame, first: pd.DataFrame, file: Path, header: str) -> pd.DataFrame:
    """Return a further file's values below the names of the first."""
    if frame.shape[1] != first.shape[1] or (
        header == _SAME and list(frame.columns) != list(first.columns)
    ):
        raise StepError(
            f"{file} has other columns than the first file of its MLTable",
            hint="set header: all_files_different_headers",
        )
    return frame.set_axis(first.columns, axis=1)


def read_parquet(files: Sequence[Path], options: object) -> Read:
    """Read Parquet files; raises as `read_delimited`."""
    said = checked("read_parquet", options, {"include_path_column": False, "partition_size": None})
    table, sources = _joined([_parquet(file) for file in files], files)
    return _with_paths("read_parquet", table, sources, said)


def _parquet(file: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(file)
    except (OSError, ValueError) as error:
        raise StepError(f"{file} cannot be read as Parquet: {error}") from error


def read_json_lines(files: Sequence[Path], options: object) -> Read:
    """Read files with one JSON object a line; raises as `read_delimited`."""
    step = "read_json_lines"
    known = {
        "encoding": "utf8",
        "invalid_lines": "error",
        "include_path_column": False,
        "partition_size": None,
    }
    said = checked(step, options, known)
    encoding = _ENCODINGS[one_of(step, "encoding", said["encoding"], tuple(_ENCODINGS))]
    drops = one_of(step, "invalid_lines", said["invalid_lines"], ("error", "drop")) == "drop"
    frames = [pd.DataFrame(_objects(file, encoding, drops=drops)) for file in files]
    table, sources = _joined(frames, files)
    return _with_paths(step, table, sources, said)


def _objects(file: Path, encoding: str, *, drops: bool) -> list[dict[str, Any]]:
    found = []
    try:
        lines = file.read_text(encoding=encoding).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise StepError(f"{file} cannot be read: {error}") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError:
            value = None
        if isinstance(value, dict):
            found.append(value)
        elif not drops:
            raise StepError(
                f"{file}:{number} is no JSON object", hint="mend it, or set invalid_lines: drop"
            )
    return found


def _joined(frames: Sequence[pd.DataFrame], files: Sequence[Path]) -> Read:
    table = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
    attrs = table.attrs
    table = table.reset_index(drop=True)
    table.columns = table.columns.astype(str)
    table.attrs = attrs
    pairs = zip(files, frames)  # noqa: B905 - Python 3.7, in which parallel steps may run
    names = [str(file) for file, frame in pairs for _ in range(len(frame))]
    return table, pd.Series(names, dtype=object)


def _with_paths(
    step: str, table: pd.DataFrame, sources: pd.Series[Any], options: dict[str, Any]
) -> Read:
    if switch(step, "include_path_column", options["include_path_column"]):
        table.insert(0, PATH_COLUMN, sources)
    return table, sources


READERS: dict[str, Callable[[Sequence[Path], object], Read]] = {
    "read_delimited": read_delimited,
    "read_parquet": read_parquet,
    "read_json_lines": read_json_lines,
}
