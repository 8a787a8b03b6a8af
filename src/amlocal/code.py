"""Code folders: which of their files count, wherever the code goes.

As in Azure, the files that `.amlignore` (else `.gitignore`) names stay out. What nobody needs
elsewhere (byte code, version control, virtual environments, the workspace itself) stays out always.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from amlocal.errors import Problem, SpecError
from amlocal.files import file_digest

_NEVER = frozenset({".git", ".amlocal", ".venv", "__pycache__", ".ipynb_checkpoints"})
_IGNORE_FILES = (".amlignore", ".gitignore")


def code_sources(code: str | None, includes: Iterable[str]) -> dict[str, Path]:
    """Return the files of a code folder, and of what is copied beside it, by their place.

    Args:
        code: An absolute path of a folder or a file, or None.
        includes: Absolute paths of files and folders that are copied in under their name.

    Raises:
        SpecError: One of the paths does not exist, or two files would take the same place.
    """
    sources: dict[str, Path] = {}
    if code is not None:
        sources |= _existing(Path(code), "")
    for include in includes:
        path = Path(include)
        added = _existing(path, path.name)
        if clash := sorted(sources.keys() & added.keys()):
            raise SpecError(
                [Problem(f"{include} would overwrite {clash[0]} of the code", "rename one")]
            )
        sources |= added
    return dict(sorted(sources.items()))


def digests_of(sources: Mapping[str, Path]) -> dict[str, str]:
    """Return the SHA-256 of each file."""
    return {name: file_digest(path) for name, path in sources.items()}


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
