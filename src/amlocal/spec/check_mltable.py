"""Checks the local MLTable folders that a job names, as Azure's client does when it sends them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from amlocal.errors import SpecError
from amlocal.spec import build
from amlocal.spec.findings import Findings
from amlocal.spec.locate import Document, Place, absolute, shown
from amlocal.spec.paths import Files

_KINDS = ("file", "folder", "pattern")


def check_mltable(findings: Findings, files: Files, at: Place, path: object) -> None:
    """Check that a local path is a folder with an MLTable file that names its data."""
    if not isinstance(path, str) or build.is_address(path):
        return
    folder = absolute(path.removeprefix("file:"), at.document.folder)
    if not files.exists(folder):
        return  # told where paths are checked
    file = folder / "MLTable"
    if not file.is_file():
        if folder.is_dir():
            message, hint = f"{path!r} has no MLTable file", f"write {shown(file)}, naming its data"
        else:
            message = f"{path!r} is a file, but an mltable is a folder"
            hint = "give a folder with a file MLTable that names it"
        findings.problem(at, message, hint)
        return
    try:
        document = files.document(file)
    except SpecError as error:
        findings.add(error.problems)
        return
    findings.add(document.problems)
    if not isinstance(document.data, Mapping) or not document.data.get("paths"):
        hint = "add paths: with `- file: ./NAME.csv` below it"
        findings.problem(document.place, "the MLTable names no data", hint)
        return
    for said in _paths(document):
        if not build.is_address(said) and _leaves(said):
            message = f"{said!r} is outside its folder, which is all that is sent to Azure."
            findings.warn(document.name, message)


def _paths(document: Document) -> Iterator[str]:
    entries: Any = document.data.get("paths")
    for entry in entries if isinstance(entries, list) else ():
        for kind in _KINDS:
            said = build.mapping(entry).get(kind)
            if isinstance(said, str):
                yield said


def _leaves(path: str) -> bool:
    """Return whether a path leads out of the folder that it is relative to."""
    depth = 0
    for part in PurePosixPath(path.removeprefix("file://")).parts:
        depth += -1 if part == ".." else 1
        if depth < 0 or part == "/":
            return True
    return False
