"""Which files the `paths` of an MLTable name."""

from __future__ import annotations

import glob
import re
from collections.abc import Mapping
from pathlib import Path

from stepkit.program import StepError

_KINDS = ("file", "folder", "pattern")
_ADDRESS = re.compile(r"(?!file:)[A-Za-z][A-Za-z0-9+.-]*:")


def data_files(folder: Path, paths: object) -> list[Path]:
    """Return the files of an MLTable, in its order; those of a folder or pattern by name.

    Args:
        folder: The folder of the MLTable file, which relative paths are relative to.
        paths: A list of `{"file": ...}`, `{"folder": ...}`, or `{"pattern": ...}`.

    Raises:
        StepError: A path is an address, is not there, or holds no file.
    """
    where = folder / "MLTable"
    if not isinstance(paths, list) or not paths:
        raise StepError(f"{where} names no data", hint="add paths: with `- file: ./NAME.csv`")
    found: list[Path] = []
    for entry in paths:
        kind = next((kind for kind in _KINDS if isinstance(entry, Mapping) and kind in entry), None)
        if kind is None or not isinstance(entry[kind], str):
            raise StepError(
                f"{where}: {entry!r} is no path", hint=f"write one of {', '.join(_KINDS)}"
            )
        found += _files(folder, kind, _local(where, entry[kind]))
    return found


def _local(where: Path, said: str) -> str:
    if _ADDRESS.match(said):
        raise StepError(
            f"{where}: {said} is an address, which is not read here",
            hint="download the data, and name a path that is relative to the MLTable file",
        )
    return re.sub("^file:(//)?", "", said)  # Python 3.7 has no removeprefix


def _files(folder: Path, kind: str, said: str) -> list[Path]:
    if kind == "pattern":
        names = glob.glob(str(Path(glob.escape(str(folder)), said)), recursive=True)  # noqa: PTH207 - with `..` in it
        found = sorted(Path(name) for name in names if Path(name).is_file())
    elif kind == "file":
        found = [folder / said] if (folder / said).is_file() else []
    else:
        below = sorted((folder / said).rglob("*"))
        found = [file for file in below if file.is_file() and not _is_hidden(file, folder / said)]
    if not found:
        raise StepError(
            f"{folder / 'MLTable'}: there is nothing at the {kind} {said}",
            hint=f"it was looked for at {folder / said}",
        )
    return found


def _is_hidden(file: Path, folder: Path) -> bool:
    parts = file.relative_to(folder).parts
    return file.name == "MLTable" or any(part.startswith((".", "_")) for part in parts)
