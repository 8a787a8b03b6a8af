"""Looks at what triggers watch: places with data, data assets, registered models.

A look costs no more than the system's facts of each file, since contents that were read are
remembered; nothing is started. The registry's versions are read from the tracking server's
database, since the server may be down, and would be kept from idling by questions.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from amlocal.errors import TargetError
from amlocal.local.asset_records import AssetRecords
from amlocal.local.digests import Digests, tree_digest
from amlocal.local.locations import Locations
from amlocal.local.triggers.rows import count_rows, is_data
from amlocal.plan.ports import Scalar
from amlocal.plan.trigger import TriggerEvent

_ASSET = "azureml:"


@dataclass(frozen=True, slots=True)
class Look:
    """What is at a place.

    Attributes:
        files: SHA-256 of each file by relative path; of an asset or a model, versions.
        detail: What an event tells of it.
        folder: What the paths are relative to, or None.
        changed: When something was last written, in seconds since the epoch.
    """

    files: Mapping[str, str]
    detail: Mapping[str, Scalar]
    folder: Path | None = None
    changed: float = 0

    def new(self, before: Mapping[str, str]) -> list[str]:
        """Return the names of what is new or changed since."""
        return [name for name, digest in self.files.items() if before.get(name) != digest]


@dataclass(slots=True)
class Places:
    """What triggers watch.

    Attributes:
        digests: What files hold.
        locations: Where addresses are.
        assets: Registered data assets.
        registry: The tracking server's database, which may not be there.
    """

    digests: Digests
    locations: Locations
    assets: AssetRecords
    registry: Path
    _rows: dict[str, int] = field(default_factory=dict)

    def look(self, event: TriggerEvent) -> Look | None:
        """Return what a trigger's place holds now; None where it watches no place.

        Raises:
            TargetError: It cannot be read.
        """
        if event.type == "new_model_version":
            return self._model(event.model)
        if event.type != "new_data":
            return None
        if event.path.startswith(_ASSET) and "//" not in event.path:
            return self._asset(event.path.removeprefix(_ASSET))
        return self._folder(event.path)

    def rows(self, look: Look, names: Iterable[str]) -> dict[str, int]:
        """Return the rows of some files by name; of an asset's version, those of all its files.

        Raises:
            TargetError: A file cannot be read.
        """
        if look.folder is None:
            place = self.locations.existing(str(look.detail["path"]))
            files = self.digests.tree(place) if place.is_dir() else {"": self.digests.file(place)}
            data = [name for name in files if is_data(name)]
            return {name: self._count(place / name, files[name]) for name in data}
        return {name: self._count(look.folder / name, look.files[name]) for name in names}

    def _count(self, file: Path, digest: str) -> int:
        if digest not in self._rows:
            self._rows[digest] = count_rows(file)
        return self._rows[digest]

    def _folder(self, path: str) -> Look:
        place = self.locations.place(path)
        try:
            if place.is_dir():
                tree, folder = self.digests.tree(place), place
            else:
                folder = place.parent
                tree = {place.name: self.digests.file(place)} if place.exists() else {}
            files = {name: digest for name, digest in tree.items() if is_data(name)}
            changed = max((_changed(folder / name) for name in files), default=0.0)
        except OSError as error:  # a file that was removed between two looks, too
            raise TargetError(f"{path} cannot be read: {error}", hint="is it moved?") from error
        return Look(files, {"path": path, "digest": tree_digest(files)}, folder, changed)

    def _asset(self, name: str) -> Look:
        name = name.removesuffix("@latest")
        versions = self.assets.list("data", name, "All")
        if not versions:
            return Look({}, {})
        latest = versions[0]
        detail: dict[str, Scalar] = {
            "path": f"{_ASSET}{name}:{latest.version}",
            "version": latest.version,
            "digest": latest.digest,
        }
        return Look({each.version: each.digest for each in versions}, detail)

    def _model(self, name: str) -> Look:
        versions = model_versions(self.registry, name)
        if not versions:
            return Look({}, {})
        detail: dict[str, Scalar] = {
            "path": f"{_ASSET}{name}:{versions[0]}",
            "model": name,
            "version": str(versions[0]),
        }
        return Look({str(version): "" for version in versions}, detail)


def _changed(file: Path) -> float:
    # Both times, since a copy may be given the modification time of its source.
    status = file.stat()
    return max(status.st_mtime, status.st_ctime)


def model_versions(registry: Path, name: str) -> list[int]:
    """Return the versions of a registered model, the newest first.

    Args:
        registry: MLflow's database; its table is that of MLflow's SQL store of the registry.
        name: The model's name.

    Raises:
        TargetError: The database cannot be read.
    """
    if not registry.exists():
        return []
    try:
        with contextlib.closing(
            sqlite3.connect(f"{registry.resolve().as_uri()}?mode=ro", uri=True, timeout=10)
        ) as connection:
            # A server that is started for the first time has not made its tables yet.
            made = connection.execute(
                "SELECT 1 FROM sqlite_master WHERE name = 'model_versions'"
            ).fetchone()
            if made is None:
                return []
            rows = connection.execute(
                "SELECT version FROM model_versions WHERE name = ?"
                " AND current_stage != 'Deleted_Internal' ORDER BY version DESC",
                (name,),
            ).fetchall()
    except sqlite3.Error as error:
        raise TargetError(f"the registry {registry} cannot be read: {error}") from error
    return [int(row[0]) for row in rows]
