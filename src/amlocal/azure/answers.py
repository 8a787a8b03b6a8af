"""What a new, empty workspace answers to the requests that build a job or an asset.

A pure function of the request. The shapes are those that azure-ai-ml 1.35 reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from amlocal.azure.workspace import WorkspaceId

#: The storage account of the workspace that does not exist.
ACCOUNT = "dryrun"
#: Stands for the version that only a workspace could tell.
LATEST = "latest"

_VERSIONED = "codes|components|data|environments|models"
_NAME = r"[^/]+"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: its method, where it goes, and its JSON body."""

    method: str
    host: str
    path: str
    query: Mapping[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class Answer:
    """A response.

    Attributes:
        body: A JSON value, or None.
        status: The HTTP status.
        headers: Beside those of JSON.
        is_change: Whether the request changed something, and is therefore shown.
    """

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    is_change: bool = False


def answer(workspace: WorkspaceId, asked: Asked) -> Answer | None:
    """Return the answer to a request, or None where there is none."""
    if asked.host.startswith(f"{ACCOUNT}.blob."):
        return _blob(asked)
    if not asked.path.lower().startswith(workspace.arm_id.lower()):
        return None
    resource = asked.path[len(workspace.arm_id) :].strip("/")
    for method, pattern, route in _ROUTES:
        if method == asked.method and re.fullmatch(pattern, resource):
            return route(asked)
    return None


def _blob(asked: Asked) -> Answer | None:
    """Answer for an empty container that takes every upload."""
    if asked.method == "HEAD":
        return Answer(status=404, headers={"x-ms-error-code": "BlobNotFound"})
    if asked.method != "PUT":
        return None
    written = {
        "ETag": '"0"',
        "Last-Modified": "Thu, 01 Jan 1970 00:00:00 GMT",
        "x-ms-request-server-encrypted": "true",
    }
    if asked.query.get("comp") == "metadata":
        # The mark that an upload is complete: it adds nothing to what is shown.
        return Answer(headers=written)
    return Answer(status=201, headers=written, is_change=asked.query.get("comp") != "blocklist")


def _put(asked: Asked) -> Answer:
    """Answer with what was sent, as created."""
    created = {"id": asked.path, "name": _last(asked), **asked.body}
    if re.search(rf"/jobs/{_NAME}$", asked.path):
        created["properties"] = {**asked.body["properties"], "status": "NotStarted"}
    return Answer(created, is_change=True)


def _workspace(asked: Asked) -> Answer:
    return Answer({"id": asked.path, "name": _last(asked), "location": "", "properties": {}})


def _nothing(_: Asked) -> Answer:
    return Answer({"value": []})


def _absent(asked: Asked) -> Answer:
    message = f"{_last(asked)} does not exist yet"
    return Answer({"error": {"code": "NotFound", "message": message}}, status=404)


def _latest_version(asked: Asked) -> Answer:
    """Answer the question for the newest version of what a file refers to as `NAME@latest`."""
    kind = asked.path.split("/")[-3]
    properties = {
        "data": {"dataType": "uri_folder", "dataUri": ""},
        "components": {"componentSpec": {"name": asked.path.split("/")[-2], "type": "command"}},
    }.get(kind, {})
    return Answer(
        {"value": [{"id": f"{asked.path}/{LATEST}", "name": LATEST, "properties": properties}]}
    )


def _compute(asked: Asked) -> Answer:
    properties = {"computeType": "AmlCompute", "properties": {}}
    return Answer({"id": asked.path, "name": _last(asked), "properties": properties})


def _datastore(asked: Asked) -> Answer:
    return Answer(_blob_datastore(asked.path))


def _default_datastore(asked: Asked) -> Answer:
    return Answer({"value": [_blob_datastore(f"{asked.path}/workspaceblobstore")]})


def _blob_datastore(path: str) -> dict[str, Any]:
    name = path.rsplit("/", 1)[-1]
    properties = {
        "datastoreType": "AzureBlob",
        "accountName": ACCOUNT,
        "containerName": name,
        "credentials": {"credentialsType": "Sas"},
        "isDefault": True,
    }
    return {"id": path, "name": name, "properties": properties}


def _secrets(_: Asked) -> Answer:
    return Answer({"secretsType": "Sas", "sasToken": "sig=none"})


def _upload_place(asked: Asked) -> Answer:
    """Answer where a code asset's files go: a container of its own."""
    name, _, version, _ = asked.path.rsplit("/", 3)
    container = f"https://{ACCOUNT}.blob.core.windows.net/{name.rsplit('/', 1)[-1]}-{version}"
    credential = {"credentialType": "SAS", "sasUri": f"{container}?sig=none"}
    return Answer({"blobReferenceForConsumption": {"blobUri": container, "credential": credential}})


def _last(asked: Asked) -> str:
    return asked.path.rsplit("/", 1)[-1]


#: Method and path below the workspace; the first that fits answers.
_ROUTES: tuple[tuple[str, str, Callable[[Asked], Answer]], ...] = (
    ("GET", "", _workspace),
    ("GET", rf"computes/{_NAME}", _compute),
    ("GET", "datastores", _default_datastore),
    ("GET", rf"datastores/{_NAME}", _datastore),
    ("POST", rf"datastores/{_NAME}/listSecrets", _secrets),
    ("GET", rf"codes/{_NAME}/versions", _nothing),
    ("POST", rf"codes/{_NAME}/versions/{_NAME}/startPendingUpload", _upload_place),
    ("GET", rf"(?:{_VERSIONED})/{_NAME}/versions", _latest_version),
    ("GET", rf"(?:{_VERSIONED})/{_NAME}", _absent),
    ("PUT", rf"(?:{_VERSIONED})/{_NAME}/versions/{_NAME}", _put),
    ("PUT", rf"(?:{_VERSIONED})/{_NAME}", _put),
    ("PUT", rf"jobs/{_NAME}", _put),
)
