"""Tables as Microsoft's components read them, and as they go from tool to tool."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from stepkit.program import StepError

#: The table within a folder.
_FILE = "part-0.parquet"


def read_given(path: Path) -> pd.DataFrame:
    """Read an MLTable folder, or Parquet or CSV: a file, or a folder of them.

    An MLTable is read by Azure's own package `mltable`. Microsoft's component reads Parquet
    besides, and no CSV.

    Raises:
        StepError: There is no such table, or it cannot be read.
    """
    if not path.exists():
        raise StepError(f"no file or folder at {path}", hint="check the job's input path")
    try:
        if (path / "MLTable").is_file():
            return _mltable(path)
        for ending, read in _READERS:
            files = [path] if path.is_file() else sorted(path.rglob(f"*{ending}"))
            if files and files[0].name.endswith(ending):
                return pd.concat([read(file) for file in files], ignore_index=True)
    except (OSError, ValueError) as error:
        raise StepError(f"{path} cannot be read: {error}") from error
    raise StepError(f"no table in {path}", hint="give an MLTable, or Parquet or CSV files")


_READERS: tuple[tuple[str, Callable[[Path], pd.DataFrame]], ...] = (
    (".parquet", pd.read_parquet),
    (".csv", pd.read_csv),
)


def _mltable(folder: Path) -> pd.DataFrame:
    import mltable  # seconds to import, and not needed of other tables

    try:
        table: pd.DataFrame = mltable.load(str(folder)).to_pandas_dataframe()
    except Exception as error:  # its engine raises errors of many kinds, without a base of theirs
        raise StepError(f"the MLTable {folder} cannot be read: {error}") from error
    return table


def keep(table: pd.DataFrame, folder: Path) -> None:
    """Write a table so that `kept` returns the same.

    Raises:
        StepError: A column mixes kinds.
    """
    folder.mkdir(parents=True)
    try:
        table.to_parquet(folder / _FILE)
    except (ValueError, TypeError) as error:  # of which Arrow's errors are
        raise StepError(
            f"a column holds values of several kinds: {error}", hint="make them of one kind"
        ) from error


def kept(folder: Path) -> pd.DataFrame:
    """Read what `keep` wrote."""
    return pd.read_parquet(folder / _FILE)
