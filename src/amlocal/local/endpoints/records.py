"""The records of online endpoints and deployments: what is wanted, and what came of it.

Commands write what is wanted, under a new revision and in a state that says what is to be done;
the supervisor alone writes how that ended, and only if nothing else was wanted meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from amlocal.errors import UsageError, not_found
from amlocal.local.database import Database, DiskFullError, Row
from amlocal.local.endpoints.versions import DeploymentVersion
from amlocal.plan import OnlineEndpoint
from amlocal.plan.endpoint_info import CREATING, DELETING, UPDATING

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class EndpointRecord:
    """An endpoint.

    Attributes:
        plan: What is wanted of it; its traffic is never None.
        revision: The change that wanted it last.
        state: One of Azure's states.
        created: Seconds since 1970.
        port: The port that it has for good, or 0 before it got one.
        error: Why it Failed, or an empty string.
    """

    plan: OnlineEndpoint
    revision: int
    state: str
    created: float
    port: int = 0
    error: str = ""

    @property
    def name(self) -> str:
        """Its name."""
        return self.plan.name

    @property
    def traffic(self) -> Mapping[str, int]:
        """Percent of the requests by deployment."""
        return self.plan.traffic or {}

    @property
    def mirror_traffic(self) -> Mapping[str, int]:
        """Percent of the requests that a deployment gets a copy of."""
        return self.plan.mirror_traffic or {}


@dataclass(frozen=True, slots=True)
class DeploymentRecord:
    """A deployment.

    Attributes:
        endpoint: Its endpoint.
        name: Its name.
        revision: The change that wanted it last.
        state: One of Azure's states.
        created: Seconds since 1970.
        version: What is wanted of it.
        served: The version that was ready last, which serves also while another is made ready and
            when that fails; None where none ever was.
        ready: How many of its instances take requests.
        error: Why it Failed, or an empty string.
        trouble: Why an instance of the version that serves is being replaced, or an empty string.
    """

    endpoint: str
    name: str
    revision: int
    state: str
    created: float
    version: DeploymentVersion
    served: DeploymentVersion | None = None
    ready: int = 0
    error: str = ""
    trouble: str = ""

    @property
    def is_ready(self) -> bool:
        """Whether traffic may go to it."""
        return self.served is not None and self.state != DELETING


_ENDPOINT = "plan, revision, state, created, port, error"
_DEPLOYMENT = "endpoint, name, revision, state, created, version, served, ready, error, trouble"


def _endpoint(row: Row) -> EndpointRecord:
    return EndpointRecord(OnlineEndpoint.from_json(row[0]), *row[1:])


def _deployment(row: Row) -> DeploymentRecord:
    endpoint, name, revision, state, created, version, served, ready, error, trouble = row
    return DeploymentRecord(
        endpoint=endpoint,
        name=name,
        revision=revision,
        state=state,
        created=created,
        version=DeploymentVersion.from_json(version),
        served=DeploymentVersion.from_json(served) if served else None,
        ready=ready,
        error=error,
        trouble=trouble,
    )


class EndpointRecords:
    """Online endpoints and their deployments, in a workspace's database."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def endpoints(self) -> list[EndpointRecord]:
        """Return all endpoints, by name."""
        rows = self._db.all(f"SELECT {_ENDPOINT} FROM online_endpoints ORDER BY name")  # noqa: S608
        return [_endpoint(row) for row in rows]

    def find(self, name: str) -> EndpointRecord | None:
        """Return an endpoint, or None."""
        row = self._db.one(
            f"SELECT {_ENDPOINT} FROM online_endpoints WHERE name = ?",  # noqa: S608
            (name,),
        )
        return _endpoint(row) if row else None

    def get(self, name: str) -> EndpointRecord:
        """Return an endpoint; raises NotFoundError."""
        found = self.find(name)
        if found is None:
            raise not_found("endpoint", name, [record.name for record in self.endpoints()])
        return found

    def deployments(self, endpoint: str | None = None) -> list[DeploymentRecord]:
        """Return the deployments of an endpoint, by name; None gives those of all."""
        rows = self._db.all(
            f"SELECT {_DEPLOYMENT} FROM online_deployments"  # noqa: S608
            " WHERE ? IS NULL OR endpoint = ? ORDER BY endpoint, name",
            (endpoint, endpoint),
        )
        return [_deployment(row) for row in rows]

    def find_deployment(self, endpoint: str, name: str) -> DeploymentRecord | None:
        """Return a deployment, or None."""
        row = self._db.one(
            f"SELECT {_DEPLOYMENT} FROM online_deployments"  # noqa: S608
            " WHERE endpoint = ? AND name = ?",
            (endpoint, name),
        )
        return _deployment(row) if row else None

    def get_deployment(self, endpoint: str, name: str) -> DeploymentRecord:
        """Return a deployment; raises NotFoundError, also where its endpoint is missing."""
        self.get(endpoint)
        found = self.find_deployment(endpoint, name)
        if found is None:
            known = [record.name for record in self.deployments(endpoint)]
            raise not_found(f"deployment of endpoint {endpoint!r}", name, known)
        return found

    def want_endpoint(
        self,
        name: str,
        plan: Callable[[EndpointRecord | None, list[DeploymentRecord]], OnlineEndpoint],
    ) -> EndpointRecord:
        """Write what is wanted of an endpoint.

        Args:
            name: The endpoint.
            plan: Gives what is wanted from what there is, or raises; nothing changes meanwhile.

        Raises:
            UsageError: It is being deleted.
        """
        with self._db.writing() as revision:
            old = self.find(name)
            _not_deleting(old.state if old else "", f"endpoint {name!r}")
            new = plan(old, self.deployments(name))
            self._db.execute(
                "INSERT INTO online_endpoints (name, revision, state, created, plan)"
                " VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
                " revision = excluded.revision, state = excluded.state, plan = excluded.plan,"
                " error = ''",
                (name, revision, _wanted(old), time.time(), new.to_json().decode()),
            )
        return self.get(name)

    def touch_endpoint(self, name: str) -> None:
        """Have an endpoint's router told anew what holds; raises NotFoundError."""
        with self._db.writing() as revision:
            _not_deleting(self.get(name).state, f"endpoint {name!r}")
            self._db.execute(
                "UPDATE online_endpoints SET state = ?, revision = ? WHERE name = ?",
                (UPDATING, revision, name),
            )

    def want_deployment(self, version: DeploymentVersion) -> DeploymentRecord:
        """Write what is wanted of a deployment.

        Raises:
            NotFoundError: Its endpoint is gone.
            UsageError: It, or its endpoint, is being deleted.
        """
        endpoint, name = version.plan.endpoint_name, version.plan.name
        with self._db.writing() as revision:
            _not_deleting(self.get(endpoint).state, f"endpoint {endpoint!r}")
            old = self.find_deployment(endpoint, name)
            _not_deleting(old.state if old else "", f"deployment {name!r}")
            self._db.execute(
                "INSERT INTO online_deployments (endpoint, name, revision, state, created, version)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (endpoint, name) DO UPDATE SET"
                " revision = excluded.revision, state = excluded.state,"
                " version = excluded.version, error = ''",
                (
                    *(endpoint, name, revision, _wanted(old), time.time()),
                    version.to_json().decode(),
                ),
            )
        return self.get_deployment(endpoint, name)

    def want_no_endpoint(self, name: str) -> None:
        """Have an endpoint deleted with its deployments; raises NotFoundError."""
        with self._db.writing() as revision:
            self.get(name)
            for table, key in (("online_endpoints", "name"), ("online_deployments", "endpoint")):
                self._db.execute(
                    f"UPDATE {table} SET state = ?, revision = ? WHERE {key} = ?",  # noqa: S608
                    (DELETING, revision, name),
                )

    def want_no_deployment(
        self, endpoint: str, name: str, check: Callable[[EndpointRecord], OnlineEndpoint]
    ) -> None:
        """Have a deployment deleted.

        Args:
            endpoint: Its endpoint.
            name: The deployment.
            check: Gives the endpoint without the deployment, or raises.

        Raises:
            NotFoundError: There is no such deployment.
        """
        with self._db.writing() as revision:
            self.get_deployment(endpoint, name)
            plan = check(self.get(endpoint))
            self._db.execute(
                "UPDATE online_deployments SET state = ?, revision = ?"
                " WHERE endpoint = ? AND name = ?",
                (DELETING, revision, endpoint, name),
            )
            self._db.execute(
                "UPDATE online_endpoints SET plan = ? WHERE name = ?",
                (plan.to_json().decode(), endpoint),
            )

    def _told(self, query: str, values: Sequence[object] = ()) -> None:
        """Write what came of something; once more where the disk was full, and room was made."""
        try:
            with self._db.writing():
                self._db.execute(query, values)
        except DiskFullError:
            with self._db.writing():
                self._db.execute(query, values)

    def settle_endpoint(self, name: str, revision: int, state: str, error: str = "") -> None:
        """Write how a change of an endpoint ended, unless another was wanted meanwhile."""
        self._told(
            "UPDATE online_endpoints SET state = ?, error = ? WHERE name = ? AND revision = ?",
            (state, error, name, revision),
        )

    def set_port(self, name: str, port: int) -> None:
        """Write the port that an endpoint has from now on."""
        self._told("UPDATE online_endpoints SET port = ? WHERE name = ?", (port, name))

    def note_served(self, record: DeploymentRecord, version: DeploymentVersion | None) -> None:
        """Write which version of a deployment serves from now on; None where none does."""
        served = None if version is None else version.to_json().decode()
        self._told(
            "UPDATE online_deployments SET served = ? WHERE endpoint = ? AND name = ?",
            (served, record.endpoint, record.name),
        )

    def settle_deployment(self, record: DeploymentRecord, state: str, error: str = "") -> None:
        """Write how a change of a deployment ended, unless another was wanted meanwhile.

        Args:
            record: The deployment as it was wanted.
            state: `Succeeded` or `Failed`.
            error: Why it Failed.
        """
        self._told(
            "UPDATE online_deployments SET state = ?, error = ?"
            " WHERE endpoint = ? AND name = ? AND revision = ?",
            (state, error, record.endpoint, record.name, record.revision),
        )

    def note_instances(self, endpoint: str, name: str, ready: int) -> None:
        """Write how many instances of a deployment take requests."""
        self._told(
            "UPDATE online_deployments SET ready = ? WHERE endpoint = ? AND name = ?",
            (ready, endpoint, name),
        )

    def note_trouble(self, endpoint: str, name: str, trouble: str) -> None:
        """Write why an instance is being replaced; an empty text when all are well again."""
        self._told(
            "UPDATE online_deployments SET trouble = ? WHERE endpoint = ? AND name = ?",
            (trouble, endpoint, name),
        )

    def note_down(self) -> None:
        """Write that no instance takes requests any more."""
        self._told("UPDATE online_deployments SET ready = 0, trouble = ''")

    def remove_deployment(self, record: DeploymentRecord) -> None:
        """Remove a deployment whose end was wanted."""
        self._told(
            "DELETE FROM online_deployments WHERE endpoint = ? AND name = ? AND state = ?",
            (record.endpoint, record.name, DELETING),
        )

    def remove_endpoint(self, name: str) -> None:
        """Remove an endpoint whose end was wanted, with what is left of its deployments."""
        with self._db.writing():
            self._db.execute(
                "DELETE FROM online_endpoints WHERE name = ? AND state = ?", (name, DELETING)
            )
            self._db.execute("DELETE FROM online_deployments WHERE endpoint = ?", (name,))


def _wanted(old: EndpointRecord | DeploymentRecord | None) -> str:
    """Return the state of something that is wanted, from what there was."""
    if old is None or old.state == CREATING:
        return CREATING
    return UPDATING


def _not_deleting(state: str, what: str) -> None:
    if state == DELETING:
        raise UsageError(f"{what} is being deleted", hint="wait until it is gone")
