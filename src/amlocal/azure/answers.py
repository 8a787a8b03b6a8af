"""What a new, empty workspace answers to the requests that build a job or an asset.

A pure function of the request. The shapes are those that azure-ai-ml 1.35 reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from amlocal.azure.endpoint_answers import ENDPOINT_ROUTES, scored
from amlocal.azure.exchange import ACCOUNT, Answer, Asked
from amlocal.azure.workspace import WorkspaceId

#: Stands for the version that only a workspace could tell.
LATEST = "latest"

_VERSIONED = "codes|components|data|environments|models"
_NAME = r"[^/]+"


def answer(workspace: WorkspaceId, asked: Asked) -> Answer | None:
    """Return the answer to a request, or None where there is none."""
    if asked.host.startswith(f"{ACCOUNT}.blob."):
        return _blob(asked)
    if (said := scored(asked)) is not None:
        return said
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
    created = {"id": asked.path, "name": asked.last, **asked.body}
    if re.search(rf"/jobs/{_NAME}$", asked.path):
        created["properties"] = {**asked.body["properties"], "status": "NotStarted"}
    if "/models/" in asked.path:
        created["properties"] = {"flavors": {}, **asked.body["properties"]}
    return Answer(created, is_change=True)


def _put_schedule(asked: Asked) -> Answer:
    """Answer with what was sent, as created and enabled."""
    properties = {"isEnabled": True, "provisioningState": "Succeeded", **asked.body["properties"]}
    monitor = properties["action"].get("monitorDefinition")
    if monitor is not None:
        # The SDK cannot read a signal of drift or quality without them; Azure has defaults.
        signals = {
            name: {**signal, "metricThresholds": signal.get("metricThresholds") or []}
            for name, signal in monitor["signals"].items()
        }
        action = {**properties["action"], "monitorDefinition": {**monitor, "signals": signals}}
        properties["action"] = action
    return Answer({"id": asked.path, "name": asked.last, "properties": properties}, is_change=True)


def _deleted(_: Asked) -> Answer:
    return Answer(is_change=True)


def _triggered(_: Asked) -> Answer:
    return Answer({"jobName": ACCOUNT, "scheduleActionType": "CreateJob"}, is_change=True)


def _workspace(asked: Asked) -> Answer:
    properties = {"mlFlowTrackingUri": f"azureml://{ACCOUNT}/mlflow/v1.0{asked.path}"}
    return Answer({"id": asked.path, "name": asked.last, "location": "", "properties": properties})


def _nothing(_: Asked) -> Answer:
    return Answer({"value": []})


def _absent(asked: Asked) -> Answer:
    message = f"{asked.last} does not exist yet"
    return Answer({"error": {"code": "NotFound", "message": message}}, status=404)


def _versions(asked: Asked) -> Answer:
    """Answer the question for the newest version of what a file refers to as `NAME@latest`."""
    return Answer({"value": [_latest(f"{asked.path}/{LATEST}")]})


def _version(asked: Asked) -> Answer:
    return Answer(_latest(asked.path))


def _latest(path: str) -> dict[str, Any]:
    """Return the latest version of a registered asset, with what it must have to be read."""
    kind, name = path.split("/")[-4:-2]
    needed = {"type": "command", "command": "none", "environment": "azureml:none:1"}
    properties: dict[str, dict[str, Any]] = {
        "components": {"componentSpec": {"name": name, "version": LATEST, **needed}},
        "data": {"dataType": "uri_folder", "dataUri": "azureml://none"},
        "models": {"flavors": {}},
    }
    return {"id": path, "name": LATEST, "properties": properties.get(kind, {})}


def _data_container(asked: Asked) -> Answer:
    """Answer both questions for a data asset: for `NAME@latest`, and for a new one's version."""
    properties = {"dataType": "uri_folder", "latestVersion": LATEST, "nextVersion": "1"}
    return Answer({"id": asked.path, "name": asked.last, "properties": properties})


def _compute(asked: Asked) -> Answer:
    properties = {"computeType": "AmlCompute", "properties": {}}
    return Answer({"id": asked.path, "name": asked.last, "properties": properties})


def _datastore(asked: Asked) -> Answer:
    properties = {
        "datastoreType": "AzureBlob",
        "accountName": ACCOUNT,
        "containerName": asked.last,
        "credentials": {"credentialsType": "Sas"},
        "isDefault": True,
    }
    return Answer({"id": asked.path, "name": asked.last, "properties": properties})


def _secrets(_: Asked) -> Answer:
    return Answer({"secretsType": "Sas", "sasToken": "sig=none"})


def _upload_place(asked: Asked) -> Answer:
    """Answer where a code asset's files go: a container of its own."""
    name, _, version, _ = asked.path.rsplit("/", 3)
    container = f"https://{ACCOUNT}.blob.core.windows.net/{name.rsplit('/', 1)[-1]}-{version}"
    credential = {"credentialType": "SAS", "sasUri": f"{container}?sig=none"}
    return Answer({"blobReferenceForConsumption": {"blobUri": container, "credential": credential}})


#: Method and path below the workspace; the first that fits answers.
_ROUTES: tuple[tuple[str, str, Callable[[Asked], Answer]], ...] = (
    ("GET", "", _workspace),
    ("GET", rf"computes/{_NAME}", _compute),
    ("GET", rf"datastores/{_NAME}", _datastore),
    ("POST", rf"datastores/{_NAME}/listSecrets", _secrets),
    ("GET", rf"codes/{_NAME}/versions", _nothing),
    ("POST", rf"codes/{_NAME}/versions/{_NAME}/startPendingUpload", _upload_place),
    ("GET", rf"(?:{_VERSIONED})/{_NAME}/versions", _versions),
    ("GET", rf"(?:{_VERSIONED})/{_NAME}/versions/{LATEST}", _version),
    # A batch deployment's pipeline, which is sent if it is not registered already.
    ("GET", rf"components/{_NAME}/versions/{_NAME}", _absent),
    ("GET", rf"data/{_NAME}", _data_container),
    ("GET", rf"(?:{_VERSIONED})/{_NAME}", _absent),
    ("PUT", rf"(?:{_VERSIONED})/{_NAME}/versions/{_NAME}", _put),
    ("PUT", rf"(?:{_VERSIONED})/{_NAME}", _put),
    ("PUT", rf"jobs/{_NAME}", _put),
    ("PUT", rf"schedules/{_NAME}", _put_schedule),
    ("DELETE", rf"schedules/{_NAME}", _deleted),
    ("POST", rf"schedules/{_NAME}/trigger", _triggered),
    *ENDPOINT_ROUTES,
)
