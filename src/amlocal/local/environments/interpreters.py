"""The interpreter that runs this program, and the others of this machine."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import site
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

#: Minor versions of Python 3 that are looked for; uv makes virtual environments from 3.7 on.
MINORS = range(7, 16)

_CONDA_ROOTS = ("miniconda3", "anaconda3", "miniforge3", "mambaforge", "micromamba")
_SYSTEM = ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin")
_SYSTEM_CONDA = ("/opt/conda", "/opt/miniconda", "/opt/miniconda3")


@dataclass(frozen=True, slots=True)
class Interpreter:
    """An interpreter and the folders that its packages are installed in.

    Attributes:
        executable: The interpreter; a virtual environment's own, not what it links to.
        version: Its version, as `3.11.7`.
        folders: Its site-packages folders.
        prefix: The virtual environment's folder, or None outside of one.
    """

    executable: Path
    version: str
    folders: tuple[Path, ...]
    prefix: Path | None = None

    @classmethod
    def running(cls) -> Interpreter:
        """Return the interpreter that runs this program."""
        folders = site.getsitepackages()
        if site.ENABLE_USER_SITE:
            folders.append(site.getusersitepackages())
        return cls(
            executable=Path(sys.executable),
            version=".".join(map(str, sys.version_info[:3])),
            folders=tuple(Path(folder) for folder in folders),
            prefix=Path(sys.prefix) if sys.prefix != sys.base_prefix else None,
        )

    @property
    def minor(self) -> int:
        """The second number of the version."""
        return int(self.version.split(".")[1])

    def state(self) -> str:
        """Return a text that changes when a package is installed or removed.

        Installing, removing or updating a distribution renames a folder in site-packages, so that
        the folders' own times tell of it without any of the metadata being read.
        """
        times = [folder.stat().st_mtime_ns if folder.is_dir() else 0 for folder in self.folders]
        return json.dumps([str(self.executable), self.version, *map(str, self.folders), *times])

    def installed(self) -> dict[str, str]:
        """Return name and version of every installed distribution; takes 0.1 s or more."""
        return _installed(self.folders, self.state())


@lru_cache(maxsize=4)
def _installed(folders: tuple[Path, ...], state: str) -> dict[str, str]:  # noqa: ARG001 - a key
    import importlib.metadata  # 50 ms, and only needed when nothing is cached

    found: dict[str, str] = {}
    for distribution in importlib.metadata.distributions(path=list(map(str, folders))):
        # A broken leftover of an interrupted removal has no name, or (where the importlib_metadata
        # package has put itself in the place of the standard library's) says that it has no file.
        with contextlib.suppress(FileNotFoundError):
            if "Name" in distribution.metadata:  # the first folder wins
                found.setdefault(distribution.name, distribution.version)
    return found


def digest(facts: object) -> str:
    """Return the SHA-256 (hex) of a value's sorted JSON."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def find_interpreters(environ: Mapping[str, str]) -> dict[int, Path]:
    """Return an interpreter of this machine for each minor version of Python 3.

    Looks in `PATH`, in pyenv's, conda's and uv's folders, and in the system's; runs nothing and
    downloads nothing. The first one found of each version is taken.
    """
    found: dict[int, Path] = {}
    for folder in _folders(environ):
        for minor in MINORS:
            candidate = folder / f"python3.{minor}"
            if minor not in found and os.access(candidate, os.X_OK):
                found[minor] = candidate
    return found


def _folders(environ: Mapping[str, str]) -> Iterator[Path]:
    for entry in environ.get("PATH", "").split(os.pathsep):
        # pyenv's shims answer for versions that are not switched on, and then fail.
        if entry and Path(entry).name != "shims":
            yield Path(entry)
    home = Path(environ["HOME"]) if environ.get("HOME") else None
    pyenv = environ.get("PYENV_ROOT") or (home and home / ".pyenv")
    if pyenv:
        yield from _newest_first(Path(pyenv) / "versions")
    yield from _conda_folders(environ, home)
    uv = environ.get("UV_PYTHON_INSTALL_DIR") or (home and home / ".local/share/uv/python")
    if uv:
        yield from _newest_first(Path(uv))
    yield from map(Path, _SYSTEM)


def _conda_folders(environ: Mapping[str, str], home: Path | None) -> Iterator[Path]:
    roots = [home / name for name in _CONDA_ROOTS] if home else []
    roots += map(Path, _SYSTEM_CONDA)
    if environ.get("CONDA_EXE"):
        roots.insert(0, Path(environ["CONDA_EXE"]).parent.parent)
    for root in roots:
        if root.is_dir():
            yield root / "bin"
            yield from _newest_first(root / "envs")


def _newest_first(parent: Path) -> list[Path]:
    """Return `*/bin` of a folder of installations, `3.10.13` before `3.10.9`."""

    def rank(folder: Path) -> tuple[list[int], str]:
        name = folder.parent.name
        return [int(part) for part in name.split(".") if part.isdigit()], name

    return sorted(parent.glob("*/bin"), key=rank, reverse=True)
