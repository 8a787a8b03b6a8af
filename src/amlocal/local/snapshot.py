"""Code snapshots: what of a code folder a step gets.

As in Azure, the files that `.amlignore` (else `.gitignore`) names stay out. What no snapshot
needs (byte code, version control, virtual environments, the workspace itself) stays out always.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from amlocal.errors import Problem, SpecError
from amlocal.local.artifacts import Artifacts
from amlocal.local.digests import Digests
from amlocal.local.locations import is_address, redacted

_NEVER = frozenset({".git", ".amlocal", ".venv", "__pycache__", ".ipynb_checkpoints"})
_IGNORE_FILES = (".amlignore", ".gitignore")


class Snapshots:
    """Takes code folders into the workspace's storage.

    A folder is read once for all steps of a job: as in Azure, what is edited after the job was
    submitted does not change it.
    """

    def __init__(self, artifacts: Artifacts, digests: Digests) -> None:
        self._artifacts = artifacts
        self._digests = digests
        self._taken: dict[tuple[str | None, tuple[str, ...]], dict[str, str]] = {}

    def take(self, code: str | None, includes: tuple[str, ...]) -> dict[str, str]:
        """Store a code folder and what is copied beside it.

        Args:
            code: An absolute path of a folder or a file, or None.
            includes: Absolute paths of files and folders that are copied in under their name.

        Returns:
            SHA-256 of each file by relative path.

        Raises:
            SpecError: One of the paths does not exist, or two files would take the same place.
        """
        key = (code, includes)
        if key not in self._taken:
            self._taken[key] = self._take(code, includes)
        return self._taken[key]

    def _take(self, code: str | None, includes: tuple[str, ...]) -> dict[str, str]:
        sources: dict[str, Path] = {}
        if code is not None and is_address(code):
            raise SpecError(
                [Problem(f"the code {redacted(code)} is not on this machine", "give a folder")]
            )
        if code is not None:
            sources |= self._existing(Path(code), "")
        for include in includes:
            path = Path(include)
            added = self._existing(path, path.name)
            if clash := sorted(sources.keys() & added.keys()):
                raise SpecError(
                    [Problem(f"{include} would overwrite {clash[0]} of the code", "rename one")]
                )
            sources |= added
        files = {}
        for name, path in sorted(sources.items()):
            files[name] = self._artifacts.store(path, link=False)
        self._artifacts.store_tree(files)
        return files

    @staticmethod
    def _existing(path: Path, prefix: str) -> dict[str, Path]:
        if not path.exists():
            raise SpecError([Problem(f"the code {path} does not exist", "check the path")])
        if path.is_file():
            return {path.name: path}
        return {f"{prefix}/{name}" if prefix else name: path / name for name in code_files(path)}


def code_files(folder: Path) -> Iterator[str]:
    """Yield the relative paths, in POSIX form, of the files of a code folder that count."""
    ignored = _ignore_rule(folder)
    seen: set[str] = set()
    for base, names, files in os.walk(folder, followlinks=True):  # as azure-ai-ml uploads them
        real = os.path.realpath(base)
        if real in seen:
            names.clear()
            continue
        seen.add(real)
        inside = Path(base).relative_to(folder)
        names[:] = sorted(
            name
            for name in names
            if name not in _NEVER and not ignored(f"{(inside / name).as_posix()}/")
        )
        for name in sorted(files):
            relative = (inside / name).as_posix()
            if not ignored(relative) and (folder / relative).is_file():
                yield relative


def _ignore_rule(folder: Path) -> Callable[[str], bool]:
    for name in _IGNORE_FILES:
        try:
            lines = (folder / name).read_text(encoding="utf-8-sig").splitlines()
        except FileNotFoundError:
            continue
        return _matcher(lines)
    return lambda _: False


def _matcher(lines: Iterable[str]) -> Callable[[str], bool]:
    import pathspec  # only folders with an ignore file pay for it

    return pathspec.GitIgnoreSpec.from_lines(lines).match_file
