"""Artifacts over MLflow's REST API: files and folders of runs and of registered models.

A run's artifacts are addressed by its `artifact_uri`, `mlflow-artifacts:/EXPERIMENT/RUN/artifacts`,
which stands for a folder that the server keeps.
"""

from __future__ import annotations

import os
import urllib.parse
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import msgspec

from amlocal.errors import TrackingError, UsageError
from amlocal.files import written_whole
from amlocal.local.tracking.transport import Transport
from amlocal.local.tracking.values import Run

SCHEME = "mlflow-artifacts"
_API = "/api/2.0/mlflow-artifacts/artifacts"


class Artifact(msgspec.Struct, frozen=True):
    """A file or a folder.

    Attributes:
        path: Its path below what was listed.
        is_dir: Whether it is a folder.
        file_size: Its bytes; 0 for a folder.
    """

    path: str
    is_dir: bool = False
    file_size: int = 0


class _Listing(msgspec.Struct):
    files: list[Artifact] = []


class Artifacts:
    """The artifacts behind one server."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def upload(self, run: Run, source: Path, artifact_path: str = "") -> None:
        """Upload a file, or what a folder holds, into a run's artifacts.

        Args:
            run: The run.
            source: A file keeps its name; of a folder the content comes.
            artifact_path: The folder among the artifacts that it goes to; empty is their root.

        Raises:
            UsageError: There is no such file or folder.
            TrackingError: A file cannot be read, the server does not take it, or (once the others
                are uploaded) MLflow has no such names.
        """
        self.upload_to(run.artifact_uri, source, artifact_path)

    def upload_to(self, uri: str, source: Path, artifact_path: str = "") -> None:
        """Upload below any `mlflow-artifacts:` address; else as `upload`."""
        base = PurePosixPath(root_of(uri), artifact_path)
        if source.is_file():
            places = {base / source.name: source}
        elif source.is_dir():
            files = _files_below(source)
            places = {base / file.relative_to(source).as_posix(): file for file in files}
        else:
            raise UsageError(f"no file or folder {source} to upload")
        refused = []
        for place, file in places.items():
            if _is_allowed(str(place)):
                self._put(file, place)
            else:
                refused.append(str(file))
        if refused:
            raise TrackingError(
                f"MLflow cannot keep artifacts of these names: {', '.join(refused)}",
                hint="rename them without `#` and without `%` before two hexadecimal digits",
            )

    def list(self, uri: str, path: str = "") -> list[Artifact]:
        """Return what a folder below an `mlflow-artifacts:` address holds, sorted.

        Paths are relative to the address. A folder that is not there holds nothing.
        """
        query = urllib.parse.urlencode({"path": str(PurePosixPath(root_of(uri), path))})
        data = self._transport.send("GET", f"{_API}?{query}")
        found = msgspec.json.decode(data, type=_Listing).files
        return sorted(
            (
                msgspec.structs.replace(item, path=str(PurePosixPath(path, item.path)))
                for item in found
            ),
            key=lambda item: item.path,
        )

    def download(self, uri: str, path: str, target: Path) -> Path:
        """Download a file, or all of a folder, below an `mlflow-artifacts:` address.

        Args:
            uri: The address.
            path: File or folder below it; empty is all.
            target: The folder to write to, made where it is missing; paths in it are relative to
                the address.

        Returns:
            Where the file or folder is.

        Raises:
            TrackingError: There is no such artifact, or the server does not give it.
        """
        found = list(self._files(uri, path))
        for file in found or [path]:
            place = target / file
            place.parent.mkdir(parents=True, exist_ok=True)
            address = _target(PurePosixPath(root_of(uri), file))
            with written_whole(place) as output:
                self._transport.download(address, output.write)
        return target / path

    def _files(self, uri: str, path: str) -> Iterator[str]:
        for item in self.list(uri, path):
            if item.is_dir:
                yield from self._files(uri, item.path)
            else:
                yield item.path

    def _put(self, file: Path, place: PurePosixPath) -> None:
        try:
            size = file.stat().st_size
            self._transport.upload(_target(place), partial(_open, file), size)
        except PermissionError as error:
            raise TrackingError(f"cannot read {file}: {error.strerror}") from error


def root_of(uri: str) -> str:
    """Return the path that an `mlflow-artifacts:` address stands for, without a leading slash."""
    # Not `urlsplit`: a file's name may hold a question mark.
    scheme, _, path = uri.partition(":")
    if scheme != SCHEME:
        raise TrackingError(f"{uri!r} is not an address of this server's artifacts")
    if path.startswith("//"):
        path = path[2:].partition("/")[2]
    return path.lstrip("/")


def _is_allowed(path: str) -> bool:
    """Tell whether MLflow keeps a path as it is: it refuses `#` and unquotes all names."""
    return "#" not in path and urllib.parse.unquote(path) == path


def _open(file: Path) -> BinaryIO:
    return file.open("rb")


def _target(place: PurePosixPath) -> str:
    return f"{_API}/{urllib.parse.quote(str(place))}"


def _files_below(folder: Path) -> Iterator[Path]:
    """Give the files of a folder in a settled order; a link to a folder is followed once."""
    seen = set()
    for parent, folders, files in os.walk(folder, followlinks=True):
        real = Path(parent).resolve()
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders.sort()
        for name in sorted(files):
            yield Path(parent, name)
