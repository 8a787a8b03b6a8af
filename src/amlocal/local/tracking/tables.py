"""Columns and row counts of data files, in MLflow's own form; imports pyarrow."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet

#: Text files up to this size are read whole, for their exact types and row counts.
_WHOLE_BYTES = 50_000_000
#: Of larger ones this much is read, for their types.
_SAMPLE_BYTES = 4_000_000
#: A folder's rows are counted where it has no more files than this.
_COUNTED_FILES = 1000
_LISTED_ENTRIES = 20_000
_SNIFFED_BYTES = 100_000
_SNIFFED_LINES = 10

_READERS = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "json_lines",
    ".ndjson": "json_lines",
    ".json": "json_lines",
}
_COMPRESSIONS = {".gz", ".bz2"}


class NoTableError(Exception):
    """There is no file that has columns; says why."""


@dataclass(frozen=True, slots=True)
class TableFacts:
    """What a table's files tell.

    Attributes:
        columns: MLflow's column specifications.
        rows: How many rows, or None where counting would take long.
        note: What the columns leave out, or an empty string.
    """

    columns: list[dict[str, Any]]
    rows: int | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Source:
    """Files of one kind and how to read them."""

    files: Sequence[Path]
    reader: str
    delimiter: str | None = None
    note: str = ""


def read_facts(path: Path) -> TableFacts:
    """Return the columns of a file, a folder's first files of a kind, or an MLTable.

    Raises:
        NoTableError: There is no such file.
        OSError: A file cannot be read.
        pyarrow.ArrowException: A file is not what its name says.
        yaml.YAMLError: An MLTable file is no YAML.
    """
    source = _find(path)
    columns, rows = _read(source.files[0], source)
    if len(source.files) > 1:
        rows = _count(source)
    return TableFacts(columns=columns, rows=rows, note=source.note)


def _find(path: Path) -> _Source:
    if path.is_file():
        files = [path]
    elif (path / "MLTable").is_file():
        return _find_mltable(path / "MLTable")
    else:
        entries = itertools.islice(path.rglob("*"), _LISTED_ENTRIES)
        files = sorted(file for file in entries if file.is_file())
    for file in files:
        reader = _reader_of(file)
        if reader is not None:
            return _Source([other for other in files if _reader_of(other) == reader], reader)
    raise NoTableError("no Parquet, CSV, TSV, or JSON lines file")


def _reader_of(file: Path) -> str | None:
    """Return how a file is read by its name; files that tools hide are no data."""
    if file.name.startswith((".", "_")):
        return None
    suffixes = [suffix.lower() for suffix in file.suffixes[-2:]]
    if suffixes and suffixes[-1] in _COMPRESSIONS:
        suffixes.pop()
    return _READERS.get(suffixes[-1]) if suffixes else None


def _find_mltable(file: Path) -> _Source:
    """Find the files of an MLTable, whose paths are relative to it, and may hold globs."""
    import yaml  # only here: reading it is rarely needed

    document = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    if not isinstance(document, dict):
        raise NoTableError("its MLTable file is not a mapping")
    found: list[Path] = []
    for entry in document.get("paths") or []:
        found += _mltable_files(file.parent, entry)
    if not found:
        raise NoTableError("its MLTable file names no file on this machine")
    reader, delimiter, others = _reader_of(found[0]), None, 0
    for transformation in document.get("transformations") or []:
        name, options = _transformation(transformation)
        if name in {"read_parquet", "read_json_lines"}:
            reader = name.removeprefix("read_")
        elif name == "read_delimited":
            reader, delimiter = "csv", options.get("delimiter")
        else:
            others += 1
    if reader is None:
        raise NoTableError("its MLTable file does not say how its files are read")
    note = f"before {others} transformations of its MLTable file" if others else ""
    return _Source(found, reader, delimiter, note)


def _mltable_files(folder: Path, entry: Any) -> list[Path]:
    """Return the local files that an entry of `paths` stands for; none for an address."""
    place = next(iter(entry.values()), "") if isinstance(entry, dict) else entry
    if not isinstance(place, str) or "://" in place:
        return []
    path = folder / place.removeprefix("file:")
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if _reader_of(file) and file.is_file())
    if path.is_file():
        return [path]
    return sorted(file for file in folder.glob(place.removeprefix("./")) if file.is_file())


def _transformation(value: Any) -> tuple[str, dict[str, Any]]:
    if isinstance(value, dict) and len(value) == 1:
        name, options = next(iter(value.items()))
        return str(name), options if isinstance(options, dict) else {}
    return str(value), {}


def _count(source: _Source) -> int | None:
    """Return the rows of all files, or None where that would take long."""
    is_text = source.reader != "parquet"
    if len(source.files) > _COUNTED_FILES:
        return None
    if is_text and sum(file.stat().st_size for file in source.files) > _WHOLE_BYTES:
        return None
    total = 0
    for file in source.files:
        _, rows = _read(file, source)
        if rows is None:
            return None
        total += rows
    return total


def _read(file: Path, source: _Source) -> tuple[list[dict[str, Any]], int | None]:
    """Return the columns and rows of one file."""
    if source.reader == "parquet":
        return _read_parquet(file)
    data, is_whole = _head(file)
    if source.reader == "json_lines":
        table = pyarrow.json.read_json(pa.BufferReader(data))
    else:
        delimiter = source.delimiter or _delimiter(data, source.reader)
        table = pyarrow.csv.read_csv(
            pa.BufferReader(data),
            parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(strings_can_be_null=True),
        )
    columns = [
        _column(field, has_missing=table.column(index).null_count > 0)
        for index, field in enumerate(table.schema)
    ]
    return columns, table.num_rows if is_whole else None


def _read_parquet(file: Path) -> tuple[list[dict[str, Any]], int]:
    """Read a Parquet file's footer; its statistics tell which columns have missing values."""
    with pyarrow.parquet.ParquetFile(file) as parquet:
        metadata = parquet.metadata
        complete = set()
        for index in range(metadata.num_columns):
            chunks = [
                metadata.row_group(group).column(index).statistics
                for group in range(metadata.num_row_groups)
            ]
            if all(chunk and chunk.has_null_count and not chunk.null_count for chunk in chunks):
                complete.add(metadata.schema.column(index).path)
        columns = [
            _column(field, has_missing=field.name not in complete) for field in parquet.schema_arrow
        ]
        return columns, metadata.num_rows


def _head(file: Path) -> tuple[bytes, bool]:
    """Return a text file's content, or its first lines, and whether that is all of it."""
    with pa.input_stream(str(file)) as stream:
        data: bytes = stream.read(_WHOLE_BYTES + 1)
    if len(data) <= _WHOLE_BYTES:
        return data, True
    return data[: data.rindex(b"\n", 0, _SAMPLE_BYTES) + 1], False


def _delimiter(data: bytes, reader: str) -> str:
    """Return the sign that each of the first lines has most of; a comma where none has any."""
    if reader == "tsv":
        return "\t"
    lines = data[:_SNIFFED_BYTES].decode(errors="replace").splitlines()[:_SNIFFED_LINES]
    return max(",;\t|", key=lambda sign: min((line.count(sign) for line in lines), default=0))


def _column(field: pa.Field, *, has_missing: bool) -> dict[str, Any]:
    return {**mlflow_type(field.type), "name": field.name, "required": not has_missing}


def mlflow_type(kind: pa.DataType) -> dict[str, Any]:
    """Return a type as MLflow's schemas write it; `any` for what they have no type for."""
    if pa.types.is_dictionary(kind):
        return mlflow_type(kind.value_type)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return {"type": "array", "items": mlflow_type(kind.value_type)}
    if pa.types.is_map(kind):
        return {"type": "map", "values": mlflow_type(kind.item_type)}
    if pa.types.is_struct(kind):
        properties = {
            field.name: {**mlflow_type(field.type), "required": not field.nullable}
            for field in kind
        }
        return {"type": "object", "properties": properties}
    return {"type": next((name for is_kind, name in _scalar_types() if is_kind(kind)), "any")}


def _scalar_types() -> Iterator[tuple[Any, str]]:
    types = pa.types
    yield types.is_boolean, "boolean"
    for is_kind in (types.is_int8, types.is_int16, types.is_int32, types.is_uint8, types.is_uint16):
        yield is_kind, "integer"
    yield types.is_integer, "long"
    yield types.is_float64, "double"
    yield types.is_decimal, "double"
    yield types.is_floating, "float"
    yield types.is_string, "string"
    yield types.is_large_string, "string"
    yield types.is_date, "datetime"
    yield types.is_timestamp, "datetime"
    yield types.is_binary, "binary"
    yield types.is_large_binary, "binary"
    yield types.is_fixed_size_binary, "binary"
