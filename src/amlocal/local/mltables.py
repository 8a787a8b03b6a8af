"""What an MLTable folder names outside itself: it counts as the folder's content."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

#: The file that makes a folder an MLTable.
FILE = "MLTable"
_KINDS = ("file", "folder", "pattern")


def outside_files(folder: Path) -> dict[str, Path]:
    """Return the local files that a folder's MLTable names and that are not below the folder.

    What is wrong with the MLTable, or not there, is left to whoever reads it.

    Returns:
        The files by their path relative to the folder, or by the absolute one that is given.
    """
    try:
        text = (folder / FILE).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return {}
    # Nearly all name what is beside them: these are not parsed.
    if ".." not in text and "/" not in text.replace("://", "").replace("./", ""):
        return {}
    found: dict[str, Path] = {}
    for said in _paths(text):
        given = Path(said)
        for file in _below(folder, said):
            place = Path(os.path.normpath(folder / file))
            if not place.is_relative_to(folder):
                name = str(place) if given.is_absolute() else os.path.relpath(place, folder)
                found[name] = place
    return dict(sorted(found.items()))


def _paths(text: str) -> Iterator[str]:
    import yaml  # not on the path of a job without such data

    try:
        said: Any = yaml.safe_load(text)
    except yaml.YAMLError:
        return
    entries = said.get("paths") if isinstance(said, Mapping) else None
    for entry in entries if isinstance(entries, list) else ():
        for kind in _KINDS:
            path = entry.get(kind) if isinstance(entry, Mapping) else None
            if isinstance(path, str):
                local = path.removeprefix("file://").removeprefix("file:")
                if "://" not in local and not local.startswith("azureml:"):
                    yield local


def _below(folder: Path, said: str) -> Iterator[str]:
    """Yield the files that a path or a pattern stands for."""
    root = glob.escape(str(folder))
    for name in sorted(glob.glob(os.path.join(root, said), recursive=True)):  # noqa: PTH118, PTH207 - `..` must stay
        if os.path.isdir(name):  # noqa: PTH112
            for base, _, files in os.walk(name):
                yield from (os.path.join(base, file) for file in sorted(files))  # noqa: PTH118
        else:
            yield name
