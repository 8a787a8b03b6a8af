"""Which deployments serve which models: the last part of a model's lineage.

The supervisor notes it in the records, where `job show` finds it, and writes it to MLflow, when
its server is up:

=====================================  =========================================================
tag                                    value
=====================================  =========================================================
`amlocal.serving.ENDPOINT.DEPLOYMENT`  of the registered version: the scoring address; not there
                                       when the deployment serves it no more
`amlocal.serving.ENDPOINT.DEPLOYMENT`  of the run that made the model: since when, and until when
=====================================  =========================================================

What cannot be written waits in the records until it can.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from amlocal.errors import NotFoundError, TrackingError
from amlocal.local.database import Database
from amlocal.local.endpoints.records import DeploymentRecord, EndpointRecords
from amlocal.local.endpoints.versions import DeploymentVersion
from amlocal.local.model_tags import SERVING_PREFIX
from amlocal.local.records import timestamp
from amlocal.local.tracking.client import TrackingClient
from amlocal.local.tracking.transport import ServerError
from amlocal.plan import JobInfo
from amlocal.plan.base import Value


class Serving(Value, frozen=True):
    """That a deployment serves a model, or serves it no more.

    Attributes:
        endpoint: The endpoint.
        deployment: The deployment.
        model: Name of the registered model, or an empty string.
        version: Its version.
        run_id: The run that made the model, or an empty string.
        uri: Where requests are posted to.
        since: When that began, ISO 8601 in UTC.
        until: When it ended, or an empty string.
    """

    endpoint: str
    deployment: str
    model: str = ""
    version: str = ""
    run_id: str = ""
    uri: str = ""
    since: str = ""
    until: str = ""


def serving_of(record: DeploymentRecord, version: DeploymentVersion, uri: str) -> Serving:
    """Return that a deployment serves a version from now on."""
    model, number = version.registered or ("", "")
    return Serving(
        endpoint=record.endpoint,
        deployment=record.name,
        model=model,
        version=number,
        run_id=version.run_id,
        uri=uri,
        since=timestamp(),
    )


class ServingRecords:
    """What is still to be written to MLflow, in a workspace's database."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, serving: Serving) -> None:
        """Have something written; nothing where neither a model nor a run is known."""
        if serving.model or serving.run_id:
            self._db.write(
                "INSERT INTO waiting_servings (revision, endpoint, deployment, serving)"
                " VALUES (?, ?, ?, ?)",
                (serving.endpoint, serving.deployment, serving.to_json().decode()),
            )

    def waiting(self) -> Sequence[tuple[int, Serving]]:
        """Return what waits, the oldest first, each with its number."""
        rows = self._db.all("SELECT revision, serving FROM waiting_servings ORDER BY revision")
        return [(number, Serving.from_json(text)) for number, text in rows]

    def warn(self, number: int, why: str) -> None:
        """Note why something waits."""
        with self._db.writing():
            self._db.execute(
                "UPDATE waiting_servings SET warning = ? WHERE revision = ?", (why, number)
            )

    def remove(self, number: int) -> None:
        """Note that something is written."""
        with self._db.writing():
            self._db.execute("DELETE FROM waiting_servings WHERE revision = ?", (number,))

    def warnings(self, endpoint: str, deployment: str) -> tuple[str, ...]:
        """Return why what concerns a deployment waits."""
        rows = self._db.all(
            "SELECT DISTINCT warning FROM waiting_servings"
            " WHERE endpoint = ? AND deployment = ? AND warning != '' ORDER BY warning",
            (endpoint, deployment),
        )
        return tuple(row[0] for row in rows)


def write(client: TrackingClient, serving: Serving) -> None:
    """Write to MLflow that a deployment serves a model, or serves it no more.

    Raises:
        TrackingError: The server has gone, or refuses.
    """
    key = f"{SERVING_PREFIX}{serving.endpoint}.{serving.deployment}"
    try:
        if serving.model and serving.until:
            client.registry.untag_version(serving.model, serving.version, key)
        elif serving.model:
            client.registry.tag_version(serving.model, serving.version, key, serving.uri)
    except ServerError as error:
        if error.code != "RESOURCE_DOES_NOT_EXIST":
            raise  # else the version was deleted, and its tags with it
    if not serving.run_id:
        return
    said = {
        key: value
        for key, value in msgspec.structs.asdict(serving).items()
        if key in {"uri", "since", "until"} and value
    }
    text = msgspec.json.encode(said, order="sorted").decode()
    try:
        client.log_batch(serving.run_id, tags={key: text})
    except ServerError as error:
        if error.code not in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
            raise  # else the run was deleted


def write_waiting(records: ServingRecords, uri: str | None) -> bool:
    """Write what waits, as far as it can be written; tells whether all is.

    Args:
        records: What waits.
        uri: Address of the tracking server, or None while it is down.
    """
    waiting = records.waiting()
    if not waiting:
        return True
    why = "the MLflow server is down: which model is served is written there when it is up"
    if uri is not None:
        with TrackingClient(uri) as client:
            try:
                for number, serving in waiting:
                    write(client, serving)
                    records.remove(number)
            except (TrackingError, NotFoundError) as error:
                why = f"which model is served is not yet in MLflow: {error}"
            else:
                return True
    for number, _ in records.waiting():
        records.warn(number, why)
    return False


def with_serving(info: JobInfo, records: EndpointRecords) -> JobInfo:
    """Return a job that says which deployments serve the models that it made."""
    by_run: dict[str, dict[str, Any]] = {}
    for record in records.deployments():
        if record.served is not None and record.served.run_id:
            known = by_run.setdefault(record.served.run_id, {})
            known[f"{record.endpoint}/{record.name}"] = {
                "model": record.served.model,
                "state": record.state,
            }
    return _served(info, by_run) if by_run else info


def _served(info: JobInfo, by_run: Mapping[str, dict[str, Any]]) -> JobInfo:
    children = tuple(_served(child, by_run) for child in info.children)
    serving = dict(by_run.get(info.tracking.run_id, {}))
    for child in children:
        serving |= child.tracking.serving or {}
    if not serving:
        return info
    absent = {key: why for key, why in info.tracking.absent.items() if key != "serving"}
    tracking = msgspec.structs.replace(info.tracking, serving=serving, absent=absent)
    return msgspec.structs.replace(info, tracking=tracking, children=children)


def model_changes(
    record: DeploymentRecord, served: DeploymentVersion | None, uri: str
) -> Iterator[Serving]:
    """Give what is to be written when a deployment begins to serve another version, or none.

    Args:
        record: The deployment as it was before.
        served: What it serves from now on, or None.
        uri: Where requests are posted to.
    """
    before = record.served
    if before is not None and (served is None or _made(before) != _made(served)):
        ended = serving_of(record, before, uri)
        since = timestamp(record.created)
        yield msgspec.structs.replace(ended, since=since, until=timestamp())
    if served is not None and (before is None or _made(before) != _made(served)):
        yield serving_of(record, served, uri)


def _made(version: DeploymentVersion) -> tuple[str, str]:
    return version.model, version.run_id
