"""What a workspace answers to the requests that build endpoints and deployments.

Endpoints are taken to exist, without traffic: a deployment cannot be made without one. Every
operation has ended when it is answered, so that nothing is polled. The shapes are those that
azure-ai-ml 1.35 reads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amlocal.azure.exchange import ACCOUNT, Answer, Asked

#: The host of every endpoint's scoring address, behind the endpoint's name.
SCORING_HOST = f".{ACCOUNT}.inference.ml.azure.com"
#: What stands where a key would.
NO_KEY = "none"

_NAME = r"[^/]+"
_DONE = {"provisioningState": "Succeeded"}


def scored(asked: Asked) -> Answer | None:
    """Return the answer of an endpoint: of a batch endpoint, the job that it would start."""
    if asked.method != "POST" or not asked.host.endswith(SCORING_HOST):
        return None
    if not asked.path.endswith("/jobs"):
        return Answer({}, is_change=True)
    properties = (asked.body or {}).get("properties", {})
    job = {"name": properties.get("name", ACCOUNT), "properties": {"status": "NotStarted"}}
    return Answer(job, status=201, is_change=True)


def _endpoint(asked: Asked, sent: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return an endpoint that exists, with what was sent of it."""
    is_batch = "/batchEndpoints/" in asked.path
    path = "jobs" if is_batch else "score"
    given = sent or {}
    return {
        "id": asked.path,
        "name": asked.last,
        "location": "",
        **given,
        "properties": {
            "authMode": "AADToken" if is_batch else "Key",
            "properties": {},
            "scoringUri": f"https://{asked.last}{SCORING_HOST}/{path}",
            **_DONE,
            **given.get("properties", {}),
        },
    }


def _get(asked: Asked) -> Answer:
    return Answer(_endpoint(asked))


def _put(asked: Asked) -> Answer:
    return Answer(_endpoint(asked, asked.body), is_change=True)


def _get_deployment(asked: Asked) -> Answer:
    """Answer with a deployment that serves a model and collects what it is sent and says."""
    resource, _, deployment = asked.path.rpartition("/")
    workspace, _, endpoint = resource.removesuffix("/deployments").partition("/onlineEndpoints/")
    collections = {
        name: {
            "dataCollectionMode": "Enabled",
            "dataId": f"{workspace}/data/{endpoint}-{deployment}-{name}/versions/latest",
        }
        for name in ("model_inputs", "model_outputs")
    }
    properties = {
        "endpointComputeType": "Managed",
        "model": f"{workspace}/models/{endpoint}/versions/latest",
        "dataCollector": {"collections": collections},
        "scaleSettings": {"scaleType": "Default"},
        **_DONE,
    }
    body = {"id": asked.path, "name": deployment, "location": "", "properties": properties}
    return Answer({**body, "sku": {"name": "Default", "capacity": 1}})


def _put_deployment(asked: Asked) -> Answer:
    """Answer with what was sent, and what Azure adds to it."""
    properties = {"scaleSettings": {"scaleType": "Default"}, **_DONE, **asked.body["properties"]}
    created = {"id": asked.path, "name": asked.last, **asked.body, "properties": properties}
    return Answer(created, is_change=True)


def _deleted(_: Asked) -> Answer:
    return Answer(is_change=True)


def _none(_: Asked) -> Answer:
    return Answer({"value": []})


def _keys(_: Asked) -> Answer:
    return Answer({"primaryKey": NO_KEY, "secondaryKey": NO_KEY})


def _regenerated(_: Asked) -> Answer:
    return Answer(is_change=True)


#: Method and path below the workspace; the first that fits answers.
ENDPOINT_ROUTES: tuple[tuple[str, str, Callable[[Asked], Answer]], ...] = (
    ("GET", rf"(?:online|batch)Endpoints/{_NAME}", _get),
    ("PUT", rf"(?:online|batch)Endpoints/{_NAME}", _put),
    ("DELETE", rf"(?:online|batch)Endpoints/{_NAME}", _deleted),
    ("GET", rf"(?:online|batch)Endpoints/{_NAME}/deployments", _none),
    ("GET", rf"onlineEndpoints/{_NAME}/deployments/{_NAME}", _get_deployment),
    ("PUT", rf"(?:online|batch)Endpoints/{_NAME}/deployments/{_NAME}", _put_deployment),
    ("DELETE", rf"(?:online|batch)Endpoints/{_NAME}/deployments/{_NAME}", _deleted),
    ("POST", rf"onlineEndpoints/{_NAME}/listKeys", _keys),
    ("POST", rf"onlineEndpoints/{_NAME}/regenerateKeys", _regenerated),
)
