"""The records of batch endpoints and deployments, in a workspace's database.

What a deployment is made of is in a file of its own (`batch_store`), since its environment
variables may be secret; its row says which, and what people see.
"""

from __future__ import annotations

import time

import msgspec

from amlocal.errors import not_found
from amlocal.local.database import Database
from amlocal.local.records import timestamp
from amlocal.plan import BatchDeploymentInfo, BatchEndpoint, BatchEndpointInfo


class BatchRecords:
    """Batch endpoints and deployments."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def put_endpoint(self, endpoint: BatchEndpoint) -> None:
        """Write an endpoint, new or as it is now."""
        self._db.write(
            "INSERT INTO batch_endpoints (revision, name, created, plan) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, plan = excluded.plan",
            (endpoint.name, time.time(), endpoint.to_json().decode()),
        )

    def endpoint(self, name: str) -> BatchEndpoint:
        """Return an endpoint as it was asked for; raises NotFoundError."""
        row = self._db.one("SELECT plan FROM batch_endpoints WHERE name = ?", (name,))
        if row is None:
            raise not_found("batch endpoint", name, self.endpoint_names())
        return BatchEndpoint.from_json(row[0])

    def endpoint_names(self) -> list[str]:
        """Return the names of all endpoints, sorted."""
        rows = self._db.all("SELECT name FROM batch_endpoints ORDER BY name")
        return [row[0] for row in rows]

    def endpoint_info(self, name: str) -> BatchEndpointInfo:
        """Return what is told of an endpoint; raises NotFoundError."""
        plan = self.endpoint(name)
        row = self._db.one("SELECT created FROM batch_endpoints WHERE name = ?", (name,))
        return BatchEndpointInfo(
            name=name,
            default_deployment=plan.default_deployment or "",
            deployments=tuple(info.name for info in self.deployments(name)),
            auth_mode=plan.auth_mode,
            description=plan.description,
            tags=plan.tags,
            properties=plan.properties,
            creation_time=timestamp(row[0] if row else None),
        )

    def remove_endpoint(self, name: str) -> list[str]:
        """Remove an endpoint with its deployments; returns the versions of these.

        Raises:
            NotFoundError: There is no such endpoint.
        """
        self.endpoint(name)
        with self._db.writing():
            rows = self._db.all("SELECT version FROM batch_deployments WHERE endpoint = ?", (name,))
            self._db.execute("DELETE FROM batch_deployments WHERE endpoint = ?", (name,))
            self._db.execute("DELETE FROM batch_endpoints WHERE name = ?", (name,))
        return [row[0] for row in rows]

    def put_deployment(self, info: BatchDeploymentInfo, version: str) -> str | None:
        """Write a deployment, new or as it is now; returns the version that it had."""
        with self._db.writing() as revision:
            row = self._db.one(
                "SELECT version, info FROM batch_deployments WHERE endpoint = ? AND name = ?",
                (info.endpoint_name, info.name),
            )
            created = BatchDeploymentInfo.from_json(row[1]).creation_time if row else timestamp()
            kept = msgspec.structs.replace(info, creation_time=created)
            self._db.execute(
                "INSERT OR REPLACE INTO batch_deployments"
                " (endpoint, name, revision, created, version, info) VALUES (?, ?, ?, ?, ?, ?)",
                (
                    *(info.endpoint_name, info.name, revision, time.time(), version),
                    kept.to_json().decode(),
                ),
            )
        return row[0] if row else None

    def deployment(self, name: str, endpoint: str) -> tuple[BatchDeploymentInfo, str]:
        """Return what is told of a deployment, and its version; raises NotFoundError."""
        self.endpoint(endpoint)
        row = self._db.one(
            "SELECT info, version FROM batch_deployments WHERE endpoint = ? AND name = ?",
            (endpoint, name),
        )
        if row is None:
            known = [info.name for info in self.deployments(endpoint)]
            raise not_found(f"deployment of the batch endpoint {endpoint}", name, known)
        return BatchDeploymentInfo.from_json(row[0]), row[1]

    def deployments(self, endpoint: str) -> list[BatchDeploymentInfo]:
        """Return the deployments of an endpoint, by name."""
        rows = self._db.all(
            "SELECT info FROM batch_deployments WHERE endpoint = ? ORDER BY name", (endpoint,)
        )
        return [BatchDeploymentInfo.from_json(row[0]) for row in rows]

    def remove_deployment(self, name: str, endpoint: str) -> str:
        """Remove a deployment, and return its version; it is the default no longer.

        Raises:
            NotFoundError: There is no such deployment.
        """
        _, version = self.deployment(name, endpoint)
        plan = self.endpoint(endpoint)
        self._db.write(
            "DELETE FROM batch_deployments WHERE ? > 0 AND endpoint = ? AND name = ?",
            (endpoint, name),
        )
        if plan.default_deployment == name:
            self.put_endpoint(msgspec.structs.replace(plan, default_deployment=None))
        return version
