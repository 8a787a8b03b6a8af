"""The plan cache: an unchanged job is not compiled again, and does not import the SDK.

An entry is one JSON file, named by what was asked for: the job's file, the settings, the current
folder (names in the plan are relative to it), the versions of amlocal and of the SDK. It holds the
plan and the state of everything that the plan was made of.

This module is on the path of every start: it imports neither yaml nor the SDK.
"""

from __future__ import annotations

import functools
import hashlib
import os
import stat
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from amlocal import __version__
from amlocal.errors import NotFoundError
from amlocal.files import write_whole
from amlocal.plan import Component, Job
from amlocal.plan.base import Value

Lookup = Callable[[str, "str | None", "str | None"], Component]


class FileState(Value, frozen=True):
    """What a file was like when it was read.

    Attributes:
        size: Bytes; -1 where there was no file.
        modified: Nanoseconds, as `st_mtime_ns`.
        digest: SHA-256 of its content.
    """

    size: int = -1
    modified: int = 0
    digest: str = ""


class Registered(Value, frozen=True):
    """A registered component that a plan was made of."""

    name: str
    digest: str
    version: str | None = None
    label: str | None = None


class Entry(Value, frozen=True):
    """A compiled job and what it depends on.

    Attributes:
        job: The plan.
        read: The state of every file that was read.
        present: Other files and folders that were there.
        registered: The registered components that were used.
    """

    job: Job
    read: dict[str, FileState]
    present: tuple[str, ...] = ()
    registered: tuple[Registered, ...] = ()


def entry_file(folder: Path, file: Path, settings: Sequence[str]) -> Path:
    """Return where the entry of a job is kept."""
    facts = [str(file), list(settings), str(Path.cwd()), __version__, _sdk()]
    key = hashlib.sha256(msgspec.json.encode(facts)).hexdigest()
    return folder / f"{key}.json"


def read_entry(path: Path, lookup: Lookup | None) -> Job | None:
    """Return a cached plan, or None where there is none, it is damaged, or something has changed.

    Args:
        path: The entry.
        lookup: Returns a registered component by name, version and label, as
            `AssetSource.component` does.
    """
    try:
        entry = Entry.from_json(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return None
    is_current = (
        all(Path(found).exists() for found in entry.present)
        and all(_is_unchanged(Path(file), state) for file, state in entry.read.items())
        and all(_is_the_same(component, lookup) for component in entry.registered)
    )
    return entry.job if is_current else None


def write_entry(path: Path, entry: Entry) -> None:
    """Write an entry; a reader sees the old one or the new one.

    Raises:
        OSError: The folder cannot be written.
    """
    write_whole(path, entry.to_json())


def state_of(path: Path) -> FileState:
    """Return what a file is like now.

    The time is taken before the content, so that a file that changes meanwhile counts as changed.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # a pipe would be emptied, or waited for
            return FileState()
        content = path.read_bytes()
    except OSError:
        return FileState()
    return FileState(
        size=found.st_size,
        modified=found.st_mtime_ns,
        digest=hashlib.sha256(content).hexdigest(),
    )


def digest_of(component: Component) -> str:
    """Return the SHA-256 of a component's definition."""
    return hashlib.sha256(component.to_json()).hexdigest()


def _is_unchanged(path: Path, state: FileState) -> bool:
    """Compare size and time first; the content of a file that was only touched is read."""
    try:
        found = path.stat()
    except OSError:
        return state.size < 0
    if (found.st_size, found.st_mtime_ns) == (state.size, state.modified):
        return True
    return found.st_size == state.size and state_of(path).digest == state.digest


def _is_the_same(registered: Registered, lookup: Lookup | None) -> bool:
    if lookup is None:
        return False
    try:
        component = lookup(registered.name, registered.version, registered.label)
    except NotFoundError:
        return False
    return digest_of(component) == registered.digest


@functools.cache
def _sdk() -> str:
    """Return the name and version of the installed SDK.

    Read from the names of folders: importlib.metadata takes longer than all the rest.
    """
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")  # noqa: PTH208 - iterdir makes a Path of each name
        except OSError:
            continue
        for name in names:
            if name.startswith("azure_ai_ml-") and name.endswith(".dist-info"):
                return name
    return ""
