"""Tables: one reader for every step, digests, and the task that a target asks for."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
from pathlib import Path
from typing import Literal, cast

import numpy as np
import pandas as pd

from stepkit.inference import parsed
from stepkit.mltable import FILE, is_mltable, mltable_files, read_mltable
from stepkit.program import StepError, write_bytes, write_text

Task = Literal["classification", "regression"]

#: Endings of the files that are read as tables.
READABLE = (".parquet", ".pq", ".csv", ".csv.gz", ".tsv", ".tsv.gz")
#: A target of more different texts than this, in more than half of the rows, is no class.
MOST_RARE_CLASSES = 20
#: A target of whole numbers with at most this many different values is read as classes.
MOST_NUMERIC_CLASSES = 10


def table_files(path: Path) -> list[Path]:
    """Return the table's files: the file itself, or those of a folder, sorted by name.

    Raises:
        StepError: There is no such file, or none in the folder.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise StepError(f"no file or folder at {path}", hint="check the job's input path")
    files = sorted(
        file
        for file in path.rglob("*")
        if file.name.lower().endswith(READABLE) and not file.name.startswith((".", "_"))
    )
    if not files:
        raise StepError(f"no table in {path}", hint=f"files ending in {', '.join(READABLE)}")
    return files


class NoRowsError(StepError):
    """A table has columns, and no rows."""


def read_table(path: Path) -> pd.DataFrame:
    """Read a CSV or Parquet file, a folder of them, or an MLTable folder, as one table.

    Columns come out as plain NumPy types: booleans, integers, floats, times (in UTC), and `object`
    for text, with `None` for what is missing. Booleans and whole numbers of which some are missing
    come out as `float64`; what is a mix of kinds comes out as text.

    Args:
        path: A file or a folder; in a folder all tables must have the same columns, where no
            MLTable file says otherwise.

    Returns:
        The rows in the order of the files, with a fresh index. `attrs` are those that
        `write_table` stored, where there is one file.

    Raises:
        StepError: Nothing to read, or not readable, or no rows or columns, or a name twice.
    """
    if is_mltable(path):
        return plain(_whole(read_mltable(path), path))
    files = table_files(path)
    frames = [_read_file(file) for file in files]
    for file, frame in zip(files[1:], frames[1:], strict=True):
        if set(frame.columns) != set(frames[0].columns):
            odd = sorted(set(frame.columns) ^ set(frames[0].columns))
            raise StepError(
                f"{file.name} and {files[0].name} differ in columns: {', '.join(odd)}",
                hint="a folder is read as one table",
            )
    table = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
    return plain(_whole(table, path))


def _whole(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    if table.empty:
        raise NoRowsError(f"{path} has no rows")
    doubles = table.columns[table.columns.duplicated()]
    if len(doubles):
        raise StepError(f"{path} has columns of one name: {', '.join(sorted(set(doubles)))}")
    return table


def _read_file(file: Path) -> pd.DataFrame:
    name = file.name.lower()
    try:
        if name.endswith((".parquet", ".pq")):
            frame = pd.read_parquet(file)
        elif name.endswith(READABLE):
            frame = _read_text(file)
        else:
            raise StepError(
                f"{file} is not a table", hint=f"give a file that ends in {', '.join(READABLE)}"
            )
    except UnicodeDecodeError as error:
        raise StepError(f"{file} is not UTF-8: {error}", hint="save it as CSV UTF-8") from error
    except (OSError, ValueError) as error:
        raise StepError(f"{file} cannot be read: {error}") from error
    frame.columns = frame.columns.astype(str)
    return frame


def _read_text(file: Path) -> pd.DataFrame:
    """Read a text table; its dates and its numbers with decimal commas come out as such."""
    separator = _separator(file)
    frame = pd.read_csv(file, sep=separator, encoding="utf-8-sig", skipinitialspace=True)
    # pandas takes what stands before the named columns for names of the rows.
    if not isinstance(frame.index, pd.RangeIndex):
        raise StepError(
            f"{file} has rows with more values than its first line has names",
            hint="give every column a name, and quote values that hold the separator",
        )
    for name in frame.select_dtypes(object).columns:
        frame[name] = parsed(frame[name], commas=separator != ",")
    return frame


def _separator(file: Path) -> str:
    """Return the one of `,` `;` tab that is most frequent in the head line of a text table."""
    opened = gzip.open if file.suffix.lower() == ".gz" else Path.open
    with opened(file, "rt", encoding="utf-8-sig") as lines:
        head = lines.readline()
    return max(",;\t", key=head.count)


def plain(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose columns have the types that `read_table` gives."""
    attrs = table.attrs
    table = pd.DataFrame({name: _plain_column(table[name]) for name in table.columns})
    table.attrs = attrs
    return table


def _plain_column(column: pd.Series) -> pd.Series:
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _plain_column(column.astype(dtype.categories.dtype))
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return column
    if pd.api.types.is_numeric_dtype(dtype):
        if not pd.api.types.is_extension_array_dtype(dtype):
            return column
        if column.hasnans or pd.api.types.is_float_dtype(dtype):
            return column.astype("float64")
        return column.astype("bool" if pd.api.types.is_bool_dtype(dtype) else "int64")
    return _plain_objects(column.astype(object))


def _plain_objects(column: pd.Series) -> pd.Series:
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind in ("boolean", "integer", "floating", "mixed-integer-float", "decimal", "empty"):
        return column.astype("float64")
    if kind in ("date", "datetime", "datetime64"):
        return pd.to_datetime(column)
    return as_text(column)


def as_text(column: pd.Series) -> pd.Series:
    """Return a column as text, with `None` for what is missing."""
    if pd.api.types.infer_dtype(column, skipna=True) == "string":
        texts = column.to_numpy(dtype=object, copy=True)  # as most columns are: text already
    else:
        texts = column.map(label_text, na_action="ignore").to_numpy(dtype=object)
    texts[column.isna().to_numpy()] = None
    return pd.Series(texts, index=column.index, name=column.name, dtype=object)


def label_text(label: object) -> str:
    """Return a label as text; 1 and 1.0 are one label, however a file stored them."""
    if isinstance(label, float | np.floating) and float(label).is_integer():
        return str(int(label))
    return str(label)


def write_table(table: pd.DataFrame, folder: Path) -> None:
    """Write a table to `folder/part-0.parquet`, with its `attrs`."""
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    write_bytes(folder / "part-0.parquet", buffer.getvalue())


def write_mltable(table: pd.DataFrame, folder: Path) -> None:
    """Write a table as `write_table` does, and beside it the file that makes it an MLTable."""
    write_table(table, folder)
    write_text(
        folder / FILE,
        "$schema: https://azuremlschemas.azureedge.net/latest/MLTable.schema.json\n"
        "type: mltable\n"
        "paths:\n"
        "  - file: ./part-0.parquet\n"
        "transformations:\n"
        "  - read_parquet\n",
    )


def digest(path: Path, pattern: str = "*") -> str:
    """Return the SHA-256 of a file, or of the names and contents of a folder's files.

    Of an MLTable, files that are named and lie outside its folder count, too.

    Args:
        path: A file or a folder.
        pattern: Which of a folder's files count, as in `*.py`.
    """
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    total = hashlib.sha256()
    for file in sorted(file for file in path.rglob(pattern) if file.is_file()):
        name = file.relative_to(path).as_posix().encode()
        total.update(hashlib.sha256(name).digest() + hashlib.sha256(file.read_bytes()).digest())
    if is_mltable(path):
        for file in mltable_files(path):
            if not Path(os.path.normpath(file)).is_relative_to(path):
                total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def require_column(table: pd.DataFrame, name: str, what: str) -> None:
    """Check that a column is there.

    Args:
        table: The table.
        name: The column.
        what: What the column is, as the message says it: `target column`.

    Raises:
        StepError: It is not there; says which are.
    """
    if name not in table.columns:
        # Only needed for a message.
        import difflib

        near = difflib.get_close_matches(name, table.columns, n=1)
        known = f"columns: {', '.join(table.columns)}"
        raise StepError(
            f"no {what} {name!r} in the data", hint=f"did you mean {near[0]!r}?" if near else known
        )


def labelled_rows(table: pd.DataFrame, target: str, where: str = "") -> pd.DataFrame:
    """Return the rows that have a target, with the index that they had.

    Args:
        table: The rows.
        target: The column.
        where: Whose rows they are, for the message.

    Raises:
        StepError: There are none, or there is no such column.
    """
    require_column(table, target, "target column")
    kept = table[table[target].notna()]
    if kept.empty:
        rows = f"row of {where}" if where else "row"
        raise StepError(f"no {rows} has a value in the target column {target!r}")
    return kept


def infer_task(target: pd.Series) -> Task:
    """Return the task that a target column asks for.

    Text, booleans, and whole numbers of at most `MOST_NUMERIC_CLASSES` different values are
    classes; any other numbers are a quantity.
    """
    if not pd.api.types.is_numeric_dtype(target) or pd.api.types.is_bool_dtype(target):
        return "classification"
    present = target.dropna()
    whole = bool((present == present.round()).all())
    few = present.nunique() <= MOST_NUMERIC_CLASSES
    return "classification" if whole and few else "regression"


def settle_task(task: str, target: pd.Series) -> Task:
    """Return the task named, or the inferred one for `auto`.

    Raises:
        StepError: Regression on a target that is not a number, or classes of about a row each.
    """
    if task == "auto":
        task = infer_task(target)
    distinct, rows = target.nunique(), int(target.notna().sum())
    if task == "classification" and distinct > MOST_RARE_CLASSES and distinct > rows / 2:
        raise StepError(
            f"target {target.name!r} has {distinct} different values in {rows} rows: no classes",
            hint="name another target; for a quantity, write plain numbers, such as 1234.5",
        )
    if task == "regression" and (
        not pd.api.types.is_numeric_dtype(target) or pd.api.types.is_bool_dtype(target)
    ):
        raise StepError(
            f"target {target.name!r} is not a number, so it cannot be regressed on",
            hint="set task to classification",
        )
    return cast(Task, task)
