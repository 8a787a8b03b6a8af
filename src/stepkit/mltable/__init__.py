"""MLTable folders: a file `MLTable` says which files are a table, and how they are read.

What Azure ML's reference of the YAML knows is read here: `read_delimited`, `read_parquet`,
`read_json_lines`, and what follows them. What is not is refused by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from stepkit.mltable.columns import COLUMN_STEPS
from stepkit.mltable.paths import data_files
from stepkit.mltable.readers import READERS
from stepkit.mltable.rows import ROW_STEPS, extract_columns
from stepkit.program import StepError

__all__ = ["FILE", "is_mltable", "mltable_files", "read_mltable"]

#: The file that makes a folder an MLTable.
FILE = "MLTable"
_KNOWN = ("$schema", "type", "paths", "transformations", "metadata", "traits")


def is_mltable(path: Path) -> bool:
    """Return whether a path is a folder with an MLTable file."""
    return (path / FILE).is_file()


def mltable_files(folder: Path) -> list[Path]:
    """Return the files that an MLTable folder is made of, in the order in which they are read.

    Raises:
        StepError: The MLTable file is wrong, or names what is not there.
    """
    return data_files(folder, _read(folder).get("paths"))


def read_mltable(folder: Path) -> pd.DataFrame:
    """Read the table that an MLTable folder describes.

    Args:
        folder: A folder with an MLTable file; paths in that are relative to the folder.

    Returns:
        The rows with a fresh index; `attrs` are those of a single Parquet file.

    Raises:
        StepError: The MLTable file is wrong, names what is not there, or what cannot be read here.
    """
    described = _read(folder)
    files = data_files(folder, described.get("paths"))
    steps = [_step(item, folder) for item in described.get("transformations") or ()]
    if not steps or steps[0][0] not in READERS:
        raise StepError(
            f"{folder / FILE} does not say how its files are read",
            hint=f"begin transformations: with one of {', '.join(READERS)}",
        )
    name, options = steps[0]
    table, sources = READERS[name](files, options)
    attrs = table.attrs
    for name, options in steps[1:]:
        if name in READERS:
            raise StepError(f"{folder / FILE} reads its files twice: {name}", hint="keep one")
        if name == "extract_columns_from_partition_format":
            table = extract_columns(table, options, sources.loc[table.index], folder)
        else:
            table = _STEPS[name](table, options)
    table = table.reset_index(drop=True)
    table.attrs = attrs
    return table


_STEPS = {**ROW_STEPS, **COLUMN_STEPS}
_NAMES = (*READERS, "extract_columns_from_partition_format", *_STEPS)


def _read(folder: Path) -> Mapping[str, Any]:
    """Return what an MLTable file says."""
    file = folder / FILE
    try:
        said = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise StepError(f"{file} cannot be read: {error}") from error
    if not isinstance(said, Mapping):
        raise StepError(f"{file} holds no fields", hint="write paths: and transformations:")
    for name in said:
        if name not in _KNOWN:
            raise StepError(f"{file}: no field named {name!r}", hint=f"known: {', '.join(_KNOWN)}")
    if not isinstance(said.get("transformations") or [], list):
        raise StepError(f"{file}: transformations must be a list", hint="put `- ` before each")
    return said


def _step(item: object, folder: Path) -> tuple[str, Any]:
    """Return the name and the options of one transformation."""
    if isinstance(item, str):
        name, options = item, None
    elif isinstance(item, Mapping) and len(item) == 1:
        name, options = next(iter(item.items()))
    else:
        raise StepError(f"{folder / FILE}: {item!r} is no transformation", hint="give one name")
    if name == "read_delta_lake":
        raise StepError(
            f"{folder / FILE}: {name} is not read here",
            hint="write the table as Parquet, and read_parquet",
        )
    if name not in _NAMES:
        raise StepError(
            f"{folder / FILE}: no transformation named {name!r}",
            hint=f"known here: {', '.join(_NAMES)}",
        )
    return name, options
