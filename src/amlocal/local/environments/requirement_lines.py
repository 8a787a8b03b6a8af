"""Lines of requirements files: cleaned, and compared with what is installed.

Conda files may hold requirement lines under `pip:`, build contexts hold whole files. Azure ML sends
a conda file by itself, so that a relative path in its `pip:` section leads nowhere there either; it
is an error here. In a build context the files it names are read.
"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from amlocal.errors import EnvironmentBuildError
from amlocal.local.environments.interpreters import Interpreter

_COMMENT = re.compile(r"(^|\s+)#.*$")
_INCLUDE = re.compile(r"^(-r|--requirement)[\s=]*(?P<path>\S+)$")
_LOCAL = re.compile(
    r"^(?:(?:-e|--editable|-c|--constraint)[\s=]*(?!\S*://)(?P<option>[^\s\[]+)"
    r"|(?P<path>\.{0,2}/[^\s\[]*|\.(?=$|\[)|[^\s:@]+\.(?:whl|tar\.gz|zip)))"
)
# Where packages come from says nothing about whether those that are installed will do.
_SOURCES = re.compile(
    r"^(-i|-f|--(index-url|extra-index-url|find-links|no-index|pre|prefer-binary|trusted-host"
    r"|no-binary|only-binary|require-hashes|use-feature))\b"
)


def read_lines(texts: Iterable[str], *, folder: Path | None, where: str) -> tuple[str, ...]:
    """Return requirement lines without comments, continuations joined, included files in place.

    Args:
        texts: The lines.
        folder: What relative paths are relative to, or None where there is no such folder.
        where: What they are read from, for messages.

    Raises:
        EnvironmentBuildError: A line names a file that is not there, or that Azure would not see.
    """
    lines: list[str] = []
    for line in _joined(texts):
        include = _INCLUDE.match(line)
        local = include or _LOCAL.match(line)
        if local is None:
            lines.append(line)
            continue
        group = local.lastgroup or "path"
        path = Path(local[group])
        if not path.is_absolute() and folder is None:
            raise EnvironmentBuildError(
                f"{where} names the file {line!r}, which is not sent to Azure ML with it",
                hint="write the packages themselves in its pip section",
            )
        path = (folder or Path()) / path
        if not path.exists():
            raise EnvironmentBuildError(f"{where} names {line!r}, but there is no {path}")
        if include:
            nested = path.read_text(encoding="utf-8-sig").splitlines()
            lines += read_lines(nested, folder=path.parent, where=str(path))
        else:
            lines.append(f"{line[: local.start(group)]}{path}{line[local.end(group) :]}")
    return tuple(lines)


def _joined(texts: Iterable[str]) -> Iterator[str]:
    for line in re.sub(r"\s*\\\n\s*", " ", "\n".join(texts)).splitlines():
        text = _COMMENT.sub("", line).strip()
        if text:
            yield text


def unmet(lines: Sequence[str], interpreter: Interpreter) -> list[str]:
    """Return, in clauses, what of the lines an interpreter's packages do not satisfy.

    Markers are judged as on the running Python, extras with what they bring in. A line that cannot
    be judged (a path, a git address) counts as not satisfied.
    """
    packages = _Packages(interpreter)
    clauses: list[str] = []
    for line in lines:
        if _SOURCES.match(line):
            continue
        try:
            requirement = Requirement(re.sub(r"\s--\S.*$", "", line))
        except InvalidRequirement:
            clauses.append(f"whether {line!r} is there cannot be told")
            continue
        clauses += packages.missing(requirement, extra="")
    return list(dict.fromkeys(clauses))


class _Packages:
    """The distributions of an interpreter, by normalised name."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._folders = list(map(str, interpreter.folders))
        self._seen: set[tuple[str, str]] = set()

    def missing(self, requirement: Requirement, *, extra: str) -> list[str]:
        """Return why a requirement is not satisfied; empty where it is, or does not apply."""
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            return []
        if requirement.url:
            return [f"whether {str(requirement)!r} is there cannot be told"]
        asked = f"{requirement.name}{requirement.specifier}"
        found = self._find(requirement.name)
        if found is None:
            return [f"{asked} is asked for and not installed"]
        try:
            version = Version(found.version)
        except InvalidVersion:
            return [f"{asked} is asked for and the version of the one installed cannot be read"]
        if not requirement.specifier.contains(version, prereleases=True):
            return [f"{asked} is asked for and {found.version} is installed"]
        return self._missing_extras(requirement, found)

    def _missing_extras(
        self, requirement: Requirement, found: importlib.metadata.Distribution
    ) -> list[str]:
        clauses: list[str] = []
        for extra in sorted(requirement.extras):
            key = (canonicalize_name(requirement.name), extra)
            if key in self._seen:
                continue
            self._seen.add(key)
            for text in found.requires or ():
                needed = Requirement(text)
                # Without the extra's own marker it is one of the package's plain requirements,
                # which its installer saw to.
                if needed.marker and not needed.marker.evaluate({"extra": ""}):
                    clauses += self.missing(needed, extra=extra)
        return clauses

    def _find(self, name: str) -> importlib.metadata.Distribution | None:
        found = importlib.metadata.Distribution.discover(name=name, path=self._folders)
        return next(iter(found), None)
