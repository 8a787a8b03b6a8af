"""Content-addressed storage: each file once, under the SHA-256 of its bytes.

What a job wrote is linked in here (copied where the disk cannot link), so that equal outputs of
many runs take the room of one, and an output that was deleted can be put back. A folder is a
list of its files' digests under `trees/`.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from amlocal.errors import TargetError
from amlocal.files import beside, write_whole
from amlocal.local.digests import Digests, tree_digest, walk


class Artifacts:
    """The files and folders of a workspace by content."""

    def __init__(self, folder: Path, digests: Digests) -> None:
        self._objects = folder / "objects"
        self._trees = folder / "trees"
        self._lock = folder / "objects.lock"
        self._digests = digests

    def _object(self, digest: str) -> Path:
        return self._objects / digest[:2] / digest[2:]

    def _tree(self, digest: str) -> Path:
        return self._trees / digest[:2] / f"{digest[2:]}.json"

    def store(self, path: Path, *, link: bool) -> str:
        """Take a file or folder in and return its digest.

        Args:
            path: What to store.
            link: Whether the stored file may be the same file on the disk (then it is made
                read-only, so that nothing changes it by accident); else it is copied.
        """
        if not path.is_dir():
            digest = self._digests.file(path)
            self._put(path, digest, link=link)
            return digest
        files = self._digests.tree(path)
        for name, digest in files.items():
            self._put(path / name, digest, link=link)
        return self.store_tree(files)

    def store_tree(self, files: Mapping[str, str]) -> str:
        """Write the list of a folder's files and return the folder's digest."""
        digest = tree_digest(files)
        target = self._tree(digest)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            write_whole(target, json.dumps(files, sort_keys=True).encode())
        return digest

    def _is_whole(self, digest: str) -> bool:
        """Return whether a file is stored as it was: one that is linked can be written to."""
        try:
            return self._digests.file(self._object(digest)) == digest
        except FileNotFoundError:
            return False

    def _put(self, path: Path, digest: str, *, link: bool) -> None:
        target = self._object(digest)
        if target.exists():
            if self._is_whole(digest):
                return
            target.unlink()
        target.parent.mkdir(parents=True, exist_ok=True)
        if link and not path.is_symlink() and _link(path, target):
            return
        temporary = beside(target)
        try:
            shutil.copyfile(path, temporary)
            temporary.chmod(0o444)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)

    def files(self, digest: str) -> dict[str, str] | None:
        """Return the files of a stored folder by relative path, or None where it is no folder."""
        try:
            listing: dict[str, str] = json.loads(self._tree(digest).read_bytes())
        except FileNotFoundError:
            return None
        return listing

    def restore(self, digest: str, target: Path) -> None:
        """Put a stored file or folder back at a path, as files of its own that can be written.

        Raises:
            TargetError: It is not stored.
        """
        listing = self.files(digest)
        pairs = (
            [(target, digest)]
            if listing is None
            else [(target / name, content) for name, content in listing.items()]
        )
        if listing is not None:
            target.mkdir(parents=True, exist_ok=True)
        for path, content in pairs:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not self._is_whole(content):
                raise TargetError(
                    f"the content {content[:12]} of {path} is not in the workspace any more",
                    hint="run the job again with: --set settings.force_rerun=true",
                )
            shutil.copyfile(self._object(content), path)

    def has(self, digest: str) -> bool:
        """Return whether a file or a folder with all of its files is stored."""
        listing = self.files(digest)
        needed = [digest] if listing is None else listing.values()
        return all(self._is_whole(content) for content in needed)

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep what is stored from being removed: some of it no record names as yet."""
        with self._locked(fcntl.LOCK_SH):
            yield

    @contextlib.contextmanager
    def _locked(self, mode: int) -> Iterator[None]:
        # The system drops the lock when the process ends, however it ends.
        with self._lock.open("ab") as file:
            fcntl.flock(file, mode)
            yield

    def remove_unused(self, used: frozenset[str], *, dry_run: bool) -> int:
        """Remove what none of the digests needs; returns the bytes of the files removed.

        Removes nothing while something is `in_use`.
        """
        try:
            with self._locked(fcntl.LOCK_EX | fcntl.LOCK_NB):
                return self._remove_unused(used, dry_run=dry_run)
        except BlockingIOError:
            return 0

    def _remove_unused(self, used: frozenset[str], *, dry_run: bool) -> int:
        kept = set(used)
        for digest in used:
            kept.update((self.files(digest) or {}).values())
        freed = 0
        for folder, suffix in ((self._objects, ""), (self._trees, ".json")):
            for path in list(walk(folder)) if folder.exists() else ():
                digest = path.parent.name + path.name.removesuffix(suffix)
                if digest not in kept:
                    freed += path.stat().st_size
                    if not dry_run:
                        path.unlink()
        return freed


def _link(path: Path, target: Path) -> bool:
    """Make the target the same file as the path, read-only; False where the disk cannot."""
    try:
        os.link(path, target)
    except FileExistsError:
        return True
    except OSError as error:
        if error.errno not in {errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK}:
            raise
        return False
    path.chmod(path.stat().st_mode & ~0o222)
    return True
