"""Copies a model's folder, whole or not at all, and nothing but what is in it."""

from __future__ import annotations

import os
import shutil
import stat
import uuid
from pathlib import Path

#: The file that makes a folder an MLflow model.
MODEL_FILE = "MLmodel"
_UNFINISHED = ".unfinished-"


class CopyError(Exception):
    """A folder cannot be taken in; the message is for who asked."""


def copy_model(source: Path, destination: Path) -> Path:
    """Copy an MLflow model's folder into a new folder below another.

    Every folder and file is opened without following links, so that nothing outside is read even
    where somebody changes the folder meanwhile.

    Args:
        source: The model's folder.
        destination: Where the new folder is made.

    Returns:
        The new folder.

    Raises:
        CopyError: It is no MLflow model, holds a link or something else that is no file, or a
            file cannot be read or written.
    """
    try:
        if not stat.S_ISREG((source / MODEL_FILE).lstat().st_mode):
            raise CopyError(f"{source / MODEL_FILE} is no file")
    except (FileNotFoundError, NotADirectoryError):
        raise CopyError(
            f"{source} is no folder of an MLflow model: it has no file {MODEL_FILE}"
        ) from None
    except OSError as error:
        raise CopyError(f"{source} cannot be read: {error.strerror}") from error
    name = uuid.uuid4().hex
    made, target = destination / f"{_UNFINISHED}{name}", destination / name
    try:
        made.mkdir(parents=True)
        _copy(source, made)
        made.rename(target)
    except OSError as error:
        raise CopyError(f"{source} cannot be copied: {error}") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)  # where it was renamed, nothing is left
    return target


def remove_unfinished(destination: Path) -> None:
    """Remove what a server that was killed left half-copied."""
    for left in destination.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(left)


def _copy(source: Path, target: Path) -> None:
    def failed(error: OSError) -> None:
        raise error  # else a folder that cannot be read would be left out in silence

    for place, folders, files, here in os.fwalk(source, onerror=failed):
        below = Path(place).relative_to(source)
        for name in (*folders, *files):
            mode = os.stat(name, dir_fd=here, follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                (target / below / name).mkdir()
            elif stat.S_ISREG(mode):
                _copy_file(name, here, target / below / name)
            else:
                kind = "a link" if stat.S_ISLNK(mode) else "no file"
                raise CopyError(
                    f"{below / name} in {source} is {kind}; only files and folders are copied"
                )


def _copy_file(name: str, folder: int, target: Path) -> None:
    # If it became a link since we looked, opening it fails; if a pipe, it does not wait.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    with (
        os.fdopen(os.open(name, flags, dir_fd=folder), "rb") as read,
        target.open("xb") as written,
    ):
        shutil.copyfileobj(read, written, 1 << 20)
        written.flush()
        os.fsync(written.fileno())
