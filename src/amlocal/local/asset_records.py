"""The records of components, environments, and data assets."""

from __future__ import annotations

import time

import msgspec

from amlocal.errors import UsageError, not_found
from amlocal.local.database import Database
from amlocal.local.records import timestamp
from amlocal.plan import AssetInfo

_VIEWS = {"ActiveOnly": (0,), "ArchivedOnly": (1,), "All": (0, 1)}


class AssetRecords:
    """Registered assets, in a workspace's database; a version never changes."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, asset: AssetInfo) -> AssetInfo:
        """Register a version; an empty one becomes the next number.

        Registering the same content under the same version again gives what is there.

        Raises:
            UsageError: The version exists with another content.
        """
        with self._db.writing():
            versions = self._versions(asset.kind, asset.name)
            version = asset.version or str(
                max((int(v) for v in versions if v.isdecimal()), default=0) + 1
            )
            new = msgspec.structs.replace(asset, version=version, creation_time=timestamp())
            if version in versions:
                return self._same(versions[version], new)
            self._db.execute(
                "INSERT INTO assets (kind, name, version, created, info) VALUES (?, ?, ?, ?, ?)",
                (new.kind, new.name, version, time.time(), new.to_json().decode()),
            )
        return new

    @staticmethod
    def _same(old: AssetInfo, new: AssetInfo) -> AssetInfo:
        if (old.digest, old.path, old.type) != (new.digest, new.path, new.type):
            raise UsageError(
                f"{new.kind} {new.name}:{new.version} exists with another content",
                hint="a registered version does not change: give another --version",
            )
        return old

    def _versions(self, kind: str, name: str) -> dict[str, AssetInfo]:
        rows = self._db.all(
            "SELECT version, info, archived FROM assets WHERE kind = ? AND name = ?"
            " ORDER BY created, rowid",
            (kind, name),
        )
        return {row[0]: self._decode(row[1], row[2]) for row in rows}

    @staticmethod
    def _decode(info: str, archived: int) -> AssetInfo:
        return msgspec.structs.replace(AssetInfo.from_json(info), archived=bool(archived))

    def get(
        self, kind: str, name: str, version: str | None = None, label: str | None = None
    ) -> AssetInfo:
        """Return one version; without one, or with label `latest`, the one created last.

        Raises:
            NotFoundError: There is no such asset, version, or label.
        """
        versions = self._versions(kind, name)
        if not versions:
            names = self._db.all("SELECT DISTINCT name FROM assets WHERE kind = ?", (kind,))
            raise not_found(kind, name, [row[0] for row in names])
        if label not in {None, "latest"}:
            raise not_found(f"label of {kind} {name}", str(label), ["latest"])
        if version is None:
            return list(versions.values())[-1]
        if version not in versions:
            raise not_found(f"version of {kind} {name}", version, versions)
        return versions[version]

    def list(self, kind: str, name: str | None = None, view: str = "ActiveOnly") -> list[AssetInfo]:
        """Return the version created last of each asset, or every version of one, newest first.

        Raises:
            UsageError: There is no such view.
        """
        if view not in _VIEWS:
            raise UsageError(f"no list view {view!r}", hint=f"known: {', '.join(_VIEWS)}")
        rows = self._db.all(
            "SELECT info, archived FROM assets WHERE kind = ? AND (? IS NULL OR name = ?)"
            " ORDER BY created DESC, rowid DESC",
            (kind, name, name),
        )
        infos = [self._decode(*row) for row in rows if row[1] in _VIEWS[view]]
        if name is not None:
            return infos
        latest: dict[str, AssetInfo] = {}
        for info in infos:
            latest.setdefault(info.name, info)
        return sorted(latest.values(), key=lambda info: info.name)

    def set_archived(self, kind: str, name: str, version: str | None, *, archived: bool) -> None:
        """Hide a version, or all of them, from lists, or show them again.

        Raises:
            NotFoundError: There is no such asset or version.
        """
        self.get(kind, name, version)
        with self._db.writing():
            self._db.execute(
                "UPDATE assets SET archived = ? WHERE kind = ? AND name = ?"
                " AND (? IS NULL OR version = ?)",
                (int(archived), kind, name, version, version),
            )

    def digests(self) -> frozenset[str]:
        """Return the content digests of every version."""
        rows = self._db.all("SELECT info FROM assets")
        return frozenset(AssetInfo.from_json(row[0]).digest for row in rows) - {""}
