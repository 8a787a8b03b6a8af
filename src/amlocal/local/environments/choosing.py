"""The decision which environment a step gets. Slow to import: only used when nothing is cached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from packaging.specifiers import SpecifierSet

from amlocal.errors import EnvironmentBuildError
from amlocal.local.environments.choice import EnvironmentChoice, Requirements, local_paths
from amlocal.local.environments.conda import read_conda
from amlocal.local.environments.context import python_of_image, read_context
from amlocal.local.environments.curated import curated_name, is_curated_image, read_curated
from amlocal.local.environments.interpreters import Interpreter, digest
from amlocal.local.environments.requirement_lines import unmet
from amlocal.plan import Environment


def decide(
    environment: Environment | None,
    mode: str,
    *,
    current: Interpreter,
    interpreters: Mapping[int, Path],
    search_path: str,
) -> EnvironmentChoice:
    """Return the environment that a step gets.

    Args:
        environment: What the step asks for, or None.
        mode: `auto`, `current`, or `isolated`.
        current: The interpreter that runs this program.
        interpreters: The machine's interpreters by minor version of Python 3.
        search_path: `PATH`, in which programs are looked for.

    Raises:
        NotFoundError: The environment is a name that nothing answers to.
        EnvironmentBuildError: The environment cannot be had on this machine.
    """
    asked = environment or Environment()
    name = _name(asked)
    requirements = read_requirements(asked, name=name, search_path=search_path)
    gaps = unmet(requirements.lines, current)
    if mode == "current" or (mode == "auto" and not gaps):
        return _current(asked, name, requirements, current, gaps)
    available = {**interpreters, current.minor: current.executable}
    reason = _first_of(gaps) if mode == "auto" else ""
    return _isolated(asked, name, requirements, available, current.minor, reason)


def read_requirements(environment: Environment, *, name: str, search_path: str) -> Requirements:
    """Return what an environment asks for: by its reference, conda file, build context, or image.

    A conda file on an image makes an environment of its own there, in which the image's packages
    are not seen; so an image counts only where it stands alone.
    """
    where = f"environment {name}"
    if environment.reference:
        return read_curated(environment.reference)
    if environment.conda is not None:
        return read_conda(environment.conda, where=where, search_path=search_path)
    if environment.build is not None:
        return read_context(environment.build, where=where, search_path=search_path)
    if environment.image and is_curated_image(environment.image):
        return read_curated(environment.image)
    return Requirements(python=python_of_image(environment.image or ""))


def _name(environment: Environment) -> str:
    if environment.name:
        version = f":{environment.version}" if environment.version else ""
        return environment.name + version
    if environment.reference:
        return curated_name(environment.reference)
    if environment.conda is not None:
        return str(environment.conda.get("name") or "of the step's conda file")
    if environment.build is not None:
        return environment.build.path
    return environment.image or "current"


def _current(
    environment: Environment,
    name: str,
    requirements: Requirements,
    current: Interpreter,
    gaps: Sequence[str],
) -> EnvironmentChoice:
    approximations = list(requirements.approximations)
    if environment.image:
        approximations.append(
            f"image {environment.image} is not used: it runs in this machine's "
            f"Python {current.version}"
        )
    if requirements.python and not _matches(requirements.python, current.minor):
        approximations.append(_other_python(requirements.python, current.version))
    approximations += gaps
    installed = [f"{name}=={version}" for name, version in sorted(current.installed().items())]
    return EnvironmentChoice(
        kind="current",
        name=name,
        digest=digest({"python": current.version, "distributions": installed}),
        python=current.version,
        interpreter=str(current.executable),
        variables=requirements.variables,
        approximations=tuple(approximations),
    )


def _isolated(
    environment: Environment,
    name: str,
    requirements: Requirements,
    available: Mapping[int, Path],
    current_minor: int,
    reason: str,
) -> EnvironmentChoice:
    minor = nearest(requirements.python, list(available), current_minor, name)
    python = f"3.{minor}"
    approximations = list(requirements.approximations)
    if environment.image:
        approximations.append(
            f"image {environment.image} is not used: it runs in a virtual environment of "
            f"Python {python}"
        )
    if requirements.python and not _matches(requirements.python, minor):
        approximations.append(_other_python(requirements.python, python))
    facts = {
        "python": python,
        "requirements": sorted(set(requirements.lines)),
        "variables": requirements.variables,
        "files": _local_files(requirements.lines),
    }
    return EnvironmentChoice(
        kind="isolated",
        name=name,
        digest=digest(facts),
        python=python,
        interpreter=str(available[minor]),
        requirements=requirements.lines,
        variables=requirements.variables,
        approximations=tuple(approximations),
        reason=reason,
    )


def nearest(specifier: str, available: Sequence[int], current: int, name: str) -> int:
    """Return the minor version of Python 3 to use, of those available.

    The current one where it will do; else the newest that will; else the nearest to one that
    would, the newer of two, since a language feature stays while a missing one fails.

    Raises:
        EnvironmentBuildError: No Python 3 will do.
    """
    if not specifier or _matches(specifier, current):
        return current
    fitting = [minor for minor in range(40) if _matches(specifier, minor)]
    if not fitting:
        raise EnvironmentBuildError(
            f"environment {name} asks for Python {specifier}, and only Python 3 is offered",
            hint="write python=3.10 or later in its conda file",
        )
    distances = {minor: min(abs(minor - fit) for fit in fitting) for minor in available}
    return min(available, key=lambda minor: (distances[minor], -minor))


def _matches(specifier: str, minor: int) -> bool:
    """Whether some patch level of a minor version is in a specifier."""
    versions = SpecifierSet(specifier)
    return versions.contains(f"3.{minor}.0") or versions.contains(f"3.{minor}.99")


def _other_python(asked: str, used: str) -> str:
    wanted = asked.removeprefix("==").removesuffix(".*")
    return f"Python {wanted} is asked for, {used} is used"


def _first_of(gaps: Sequence[str]) -> str:
    others = f" (and {len(gaps) - 1} more)" if len(gaps) > 1 else ""
    return gaps[0] + others


def _local_files(lines: Sequence[str]) -> list[list[str | int]]:
    """Return size and time of the files of this machine that lines name."""
    found = [(path, path.stat()) for path in local_paths(lines) if path.exists()]
    return [[str(path), status.st_size, status.st_mtime_ns] for path, status in found]
