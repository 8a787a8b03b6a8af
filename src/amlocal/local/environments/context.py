"""Docker build contexts, as far as their Dockerfile installs Python packages.

Nothing is built with Docker. The lines `pip install ...` and `conda env create -f ...` of the
Dockerfile are read as requirements, `FROM python:3.10` and `FROM` a curated image as well; the rest
is named as an approximation. A Dockerfile with none of these is an error.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from amlocal.errors import EnvironmentBuildError
from amlocal.local.environments.choice import Requirements
from amlocal.local.environments.conda import read_conda
from amlocal.local.environments.curated import is_curated_image, read_curated
from amlocal.local.environments.requirement_lines import read_lines
from amlocal.plan import BuildContext

_PYTHON_IMAGE = re.compile(r"^(docker\.io/)?(library/)?python:(?P<version>3\.\d+)")
_PIP_WITH_VALUE = frozenset(
    {"-i", "--index-url", "--extra-index-url", "-f", "--find-links", "-c", "--constraint"}
)
_PIP_SOURCE = re.compile(r"^--(index-url|extra-index-url|find-links)=")
_PIP_IGNORED_VALUE = frozenset(
    {"-t", "--target", "--prefix", "--root", "--progress-bar", "--proxy"}
)


def python_of_image(image: str) -> str:
    """Return the Python specifier of an official `python` image, or an empty string."""
    found = _PYTHON_IMAGE.match(image)
    return f"=={found['version']}.*" if found else ""


def read_context(build: BuildContext, *, where: str, search_path: str) -> Requirements:
    """Return the Python packages that a build context's Dockerfile installs.

    Args:
        build: The context.
        where: What it belongs to, for messages.
        search_path: `PATH`, in which programs are looked for.

    Raises:
        EnvironmentBuildError: There is no such Dockerfile, or it installs no packages in a way
            that can be followed.
    """
    folder = Path(build.path)
    dockerfile = folder / build.dockerfile_path
    if not dockerfile.is_file():
        raise EnvironmentBuildError(f"{where} is built from {dockerfile}, which is not there")
    base = Requirements()
    found: list[Requirements] = []
    for instruction, text in _instructions(dockerfile.read_text(encoding="utf-8-sig")):
        if instruction == "FROM":
            image = next(word for word in [*text.split(), ""] if not word.startswith("--"))
            base = _base(image)
        elif instruction == "RUN":
            for words in _commands(text):
                found += _pip(words, folder, str(dockerfile))
                found += _conda(words, folder, str(dockerfile), search_path)
    whole = sum(found, base)
    if not whole.lines:
        raise EnvironmentBuildError(
            f"{where} is built from {dockerfile}, and nothing is built with Docker here",
            hint="give the environment an image and a conda_file; "
            "or install its packages in the Dockerfile by `pip install -r requirements.txt`",
        )
    approximation = f"of {dockerfile} only the lines that install Python packages are followed"
    return whole + Requirements(approximations=(approximation,))


def _base(image: str) -> Requirements:
    if is_curated_image(image):
        return read_curated(image)
    return Requirements(python=python_of_image(image))


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    """Yield instruction and argument of each line, continued lines joined."""
    plain = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for line in re.sub(r"\\\s*\n", " ", plain).splitlines():
        instruction, _, argument = line.strip().partition(" ")
        if instruction:
            yield instruction.upper(), argument.strip()


def _commands(text: str) -> Iterator[list[str]]:
    """Yield the words of each simple command of a shell line."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";&|")
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    try:
        for word in lexer:
            if word and set(word) <= set(";&|"):
                yield words
                words = []
            else:
                words.append(word)
    except ValueError:
        # An open quote: a here-document or the like, which installs nothing that can be read.
        return
    yield words


def _pip(words: Sequence[str], folder: Path, where: str) -> list[Requirements]:
    """Return what a `pip install` command installs; nothing for another command."""
    if "install" not in words or not {"pip", "pip3"} & set(words[: words.index("install")]):
        return []
    lines: list[str] = []
    rest = iter(words[words.index("install") + 1 :])
    for word in rest:
        if word in ("-r", "--requirement"):
            lines.append(f"-r {_copied(next(rest, ''), folder)}")
        elif word in _PIP_WITH_VALUE:
            lines.append(f"{word} {next(rest, '')}")
        elif word in _PIP_IGNORED_VALUE:
            next(rest, None)
        elif not word.startswith("-") or _PIP_SOURCE.match(word):
            lines.append(word)
    # pip itself is there already, and its version is no requirement of a step.
    lines = [line for line in lines if not re.match(r"^pip\b(?!-)", line)]
    return [Requirements(lines=read_lines(lines, folder=folder, where=where))]


def _conda(words: Sequence[str], folder: Path, where: str, search_path: str) -> list[Requirements]:
    """Return what a `conda env create` or `conda install` command installs."""
    if not words or Path(words[0]).name not in ("conda", "mamba", "micromamba"):
        return []
    if "env" in words and {"create", "update"} & set(words):
        named = [after for before, after in pairwise(words) if before in ("-f", "--file")]
        files = [folder / _copied(name, folder) for name in named]
        return [
            read_conda(_load(file, where), where=str(file), search_path=search_path)
            for file in files
        ]
    for verb in ("install", "create"):
        if verb in words[:2]:
            dependencies = list(_conda_packages(words[words.index(verb) + 1 :]))
            conda = {"dependencies": dependencies}
            return [read_conda(conda, where=where, search_path=search_path)]
    return []


def _conda_packages(words: Sequence[str]) -> Iterator[str]:
    rest = iter(words)
    for word in rest:
        if word in ("-n", "--name", "-p", "--prefix", "-c", "--channel"):
            next(rest, None)
        elif not word.startswith("-"):
            yield word


def _copied(name: str, folder: Path) -> str:
    """Return where in the context a file of the image comes from: it is looked for by its name."""
    if (folder / name.lstrip("/")).exists():
        return name.lstrip("/")
    return Path(name).name


def _load(file: Path, where: str) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except (OSError, yaml.YAMLError) as error:
        raise EnvironmentBuildError(
            f"{where} names {file}, which cannot be read: {error}"
        ) from None
    if not isinstance(content, dict):
        raise EnvironmentBuildError(f"{where} names {file}, which is no conda file")
    return content
