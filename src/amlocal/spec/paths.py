"""Checks that the files and folders that a file names are there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amlocal.errors import SpecError, near_miss
from amlocal.spec import build
from amlocal.spec.cache import FileState, state_of
from amlocal.spec.findings import Findings
from amlocal.spec.locate import Document, Place, absolute, read_document, shown
from amlocal.spec.structure import check_object


class Files:
    """Reads the files that a job is made of, each once, and remembers which it looked at.

    Attributes:
        read: The state of every file that was read, also of one that was not there.
        present: Other files and folders that were there.
    """

    def __init__(self) -> None:
        self._documents: dict[Path, Document] = {}
        self.read: dict[Path, FileState] = {}
        self.present: set[Path] = set()

    def document(self, file: Path) -> Document:
        """Return a YAML file.

        Raises:
            SpecError: It cannot be read, or is not YAML.
        """
        if file not in self._documents:
            self.read[file] = state_of(file)
            self._documents[file] = read_document(file)
        return self._documents[file]

    def referenced(self, findings: Findings, place: Place, path: str, what: str) -> Document | None:
        """Return the YAML file that a field names, or None where it cannot be had."""
        file = absolute(path.removeprefix("file:"), place.document.folder)
        if not file.is_file():
            problem_missing(findings, place, file, what)
            return None
        try:
            return self.document(file)
        except SpecError as error:
            findings.add(error.problems)
            return None

    def exists(self, file: Path) -> bool:
        """Return whether a file or folder is there."""
        found = file.exists()
        if found:
            self.present.add(file)
        return found


def problem_missing(findings: Findings, place: Place, file: Path, what: str) -> None:
    """Add the problem of a file that is not there, with its nearest neighbour as a hint."""
    hint = f"it was looked for at {shown(file)}"
    if file.parent.is_dir():
        hint = near_miss(file.name, [item.name for item in file.parent.iterdir()])
        folder = shown(file.parent)
        if not hint.startswith("did you mean"):
            hint = f"{'the current folder' if folder == '.' else folder} has no such name"
    findings.problem(place, f"{what} {file.name!r} is not there", hint)


def check_code(findings: Findings, files: Files, place: Place, value: Mapping[str, Any]) -> None:
    """Check the code folder and the additional includes of a command."""
    code = value.get("code")
    if isinstance(code, str):
        check_path(findings, files, place.at("code"), code, "the code folder")
    includes = value.get("additional_includes")
    for index, item in enumerate(includes if isinstance(includes, list) else ()):
        if isinstance(item, str):
            at = place.at("additional_includes", index)
            check_path(findings, files, at, item, "the additional include")


def check_inputs(findings: Findings, files: Files, place: Place, inputs: object) -> None:
    """Check the local data paths of inputs."""
    for name, value in build.mapping(inputs).items():
        path = value.get("path") if isinstance(value, Mapping) else None
        if not isinstance(path, str) or "${{" in path:
            continue
        at = place.at(name, "path")
        check_path(findings, files, at, path, "the data")
        file = absolute(path.removeprefix("file:"), place.document.folder)
        kind = build.text(value.get("type")).lower()
        if not build.is_address(path) and kind == "uri_file" and file.is_dir():
            findings.problem(at, f"{path!r} is a folder, not a file", "write type: uri_folder")
        elif not build.is_address(path) and kind == "uri_folder" and file.is_file():
            findings.problem(at, f"{path!r} is a file, not a folder", "write type: uri_file")


def check_environment(findings: Findings, files: Files, place: Place, value: object) -> None:
    """Check the files of an environment: its own, its conda file, its build context."""
    if isinstance(value, str) and value.startswith("file:"):
        found = files.referenced(findings, place, value, "the environment file")
        if found is not None:
            findings.add(found.problems)
            check_object(findings, found.place, found.data, "environment")
            check_environment(findings, files, found.place, found.data)
        return
    if not isinstance(value, Mapping):
        return
    conda = value.get("conda_file")
    if isinstance(conda, str):
        at = place.at("conda_file")
        found = files.referenced(findings, at, conda, "the conda file")
        if found is not None:
            findings.add(found.problems)
            if not isinstance(found.data, Mapping):
                findings.problem(found.place, "a conda file is a mapping", "add dependencies:")
    context = build.mapping(value.get("build"))
    path = context.get("path")
    if isinstance(path, str) and not build.is_address(path):
        at = place.at("build", "path")
        check_path(findings, files, at, path, "the build context")
        dockerfile = build.text(context.get("dockerfile_path")) or "Dockerfile"
        folder = absolute(path, place.document.folder)
        if folder.is_dir() and not files.exists(folder / dockerfile):
            problem_missing(findings, at, folder / dockerfile, "the Dockerfile")


def check_path(findings: Findings, files: Files, place: Place, path: str, what: str) -> None:
    """Check that a path is there, where it is a local one."""
    if build.is_address(path):
        return
    plain = path.removeprefix("file:")
    file = absolute(plain, place.document.folder)
    if files.exists(file):
        return
    if Path(plain).exists():
        # As with `az ml`, a path in `--set` is relative to the job's file, which surprises.
        right = os.path.relpath(plain, place.document.folder)
        hint = f"a path is relative to the file that it stands in; write {right}"
        findings.problem(place, f"{what} {plain!r} is not there", hint)
    else:
        problem_missing(findings, place, file, what)
