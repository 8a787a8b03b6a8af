"""Code snapshots: what of a code folder a step gets, as `amlocal.code` says."""

from __future__ import annotations

from amlocal.code import code_sources
from amlocal.errors import Problem, SpecError
from amlocal.local.artifacts import Artifacts
from amlocal.local.digests import Digests
from amlocal.local.locations import is_address, redacted


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
        if code is not None and is_address(code):
            raise SpecError(
                [Problem(f"the code {redacted(code)} is not on this machine", "give a folder")]
            )
        sources = code_sources(code, includes)
        files = {name: self._artifacts.store(path, link=False) for name, path in sources.items()}
        self._artifacts.store_tree(files)
        return files
