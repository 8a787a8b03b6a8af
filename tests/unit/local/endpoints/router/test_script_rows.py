"""Rows that scoring scripts send, as `azureml-ai-monitoring` 1.0.0 puts them on the wire."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.unit.local.endpoints.router.processes import (
    Got,
    Router,
    Stage,
    deployment,
    table,
    wait_until,
)
from tests.unit.local.endpoints.router.test_collecting import ended, events

KEY = "what-instances-know"
ALL: dict[str, Any] = {
    "model_inputs": {},
    "model_outputs": {},
    "Both": {},
    "off": {"enabled": False},
}
PAYLOADS: dict[str, Any] = {"request": {}, "response": {}}
#: 2024-03-05T12:00:00Z
NOON = 1709640000


def collecting(scene: Stage, folder: Path, **settings: Any) -> Router:
    collector = {
        "folder": str(folder),
        "collections": ALL | PAYLOADS,
        "script_key": KEY,
        **settings,
    }
    blue = deployment(scene.instance("blue-0"), model="adult:3", collector=collector)
    return scene.router(table(deployments={"blue": blue}))


def send(
    router: Router,
    collection: str,
    rows: Any,
    *,
    sender: str = f"blue-0:{KEY}",
    headers: Mapping[str, str] | None = None,
) -> Got:
    body = rows if isinstance(rows, bytes) else json.dumps(rows).encode()
    sent = {
        "Accept": "*/*",
        "Content-Type": "application/json",
        "trace-id": "0d0a8ba1-6f5a-4f43-8f0c-2d2c1a4f0f0e",
        "ce-time": str(NOON),
        "ce-type": f"azureml.inference.{collection}",
        "ce-collect-data-type": "pandas.core.frame.DataFrame",
        "ce-agent": "azureml-ai-monitoring/1.0.0",
        "ce-x-request-id": "id-1",
        "ce-model-version": "default",
        "Authorization": f"Basic {base64.b64encode(sender.encode()).decode()}",
        **(headers or {}),
    }
    return router.ask(body, path="/modeldata/log", key=None, headers=sent)


def test_they_are_kept_as_in_azure(scene: Stage, tmp_path: Path) -> None:
    router = collecting(scene, tmp_path)
    rows = [{"age": 39, "sex": "F"}, {"age": 50, "sex": None}]
    assert send(router, "model_inputs", rows).status == 202
    assert send(router, "both", rows, headers={"ce-customer-group": "new"}).status == 202
    ended(router)
    (event,) = events(tmp_path, "model_inputs")
    data = event.pop("data")
    assert data == rows
    assert event == {
        "specversion": "1.0",
        "id": "0d0a8ba1-6f5a-4f43-8f0c-2d2c1a4f0f0e",
        "source": "/onlineEndpoints/adult/deployments/blue",
        "type": "azureml.inference.model_inputs",
        "datacontenttype": "application/json",
        "time": "2024-03-05T12:00:00Z",
        "correlationid": "id-1",
        "xrequestid": "id-1",
        "modelversion": "default",
        "collectdatatype": "pandas.core.frame.DataFrame",
        "agent": "azureml-ai-monitoring/1.0.0",
        "contentrange": "bytes 0-43/44",
    }
    (file,) = (tmp_path / "model_inputs").rglob("*.jsonl")
    assert file == tmp_path / "model_inputs/2024/03/05/12/blue-0.jsonl"
    # Capitals do not count; what the script's context adds is a field of its own.
    (event,) = events(tmp_path, "Both")
    assert event["customergroup"] == "new"


def test_the_router_keeps_bodies_and_leaves_rows_to_the_script(
    scene: Stage, tmp_path: Path
) -> None:
    router = collecting(scene, tmp_path)
    router.ask({"input_data": [{"age": 1}], "answer": [2]}, headers={"x-request-id": "id-7"})
    ended(router)
    (request,) = events(tmp_path, "request")
    (response,) = events(tmp_path, "response")
    assert (request["correlationid"], response["correlationid"]) == ("id-7", "id-7")
    assert response["data"] == [2]
    assert not (tmp_path / "model_inputs").exists()
    assert not (tmp_path / "model_outputs").exists()


@pytest.mark.parametrize(
    ("collection", "status"), [("off", 404), ("none", 404), ("request", 404), ("../x", 404)]
)
def test_what_is_not_enabled_is_refused(
    scene: Stage, tmp_path: Path, collection: str, status: int
) -> None:
    router = collecting(scene, tmp_path)
    assert send(router, collection, [{"n": 1}]).status == status
    ended(router)
    assert list(tmp_path.rglob("*.jsonl")) == []


def test_nobody_else_can_send(scene: Stage, tmp_path: Path) -> None:
    router = collecting(scene, tmp_path)
    for sender in ("blue-0:", "blue-0:wrong", f"green-0:{KEY}", KEY, f"blue:{KEY}", "ü:ü"):
        assert send(router, "model_inputs", [{"n": 1}], sender=sender).status == 401
    for header in ("Basic", "Basic !", f"Bearer {KEY}", ""):
        refused = send(router, "model_inputs", [{"n": 1}], headers={"Authorization": header})
        assert refused.status == 401
    assert router.ask(method="GET", path="/modeldata/log", key=None).status == 405
    ended(router)
    assert list(tmp_path.rglob("*.jsonl")) == []


def test_without_a_script_nobody_can_send(scene: Stage, tmp_path: Path) -> None:
    router = collecting(scene, tmp_path, script_key="")
    assert send(router, "model_inputs", [{"n": 1}], sender="blue-0:").status == 401


def test_what_cannot_be_read_is_refused(scene: Stage, tmp_path: Path) -> None:
    router = collecting(scene, tmp_path)
    rows = [{"n": 1}]
    for headers in (
        {"ce-time": "noon"},
        {"ce-time": "nan"},
        {"ce-time": "1e300"},
        {"ce-time": "-5"},
        {"Content-Type": "application/octet-stream"},
    ):
        assert send(router, "model_inputs", rows, headers=headers).status == 400
    assert send(router, "model_inputs", b"[" + b" " * (4 << 20) + b"]").status == 413
    # Found out when it is written, without keeping the script waiting.
    for body in (b"no JSON", b"[1, 2]", b'{"n": 1}'):
        assert send(router, "model_inputs", body).status == 202
    lost = 'amlocal_collect_dropped_total{collection="model_inputs",deployment="blue"}'
    wait_until(lambda: router.metrics().get(lost) == 4)
    ended(router)
    assert list(tmp_path.rglob("*.jsonl")) == []


def test_collections_of_one_rate_have_the_same_requests(scene: Stage, tmp_path: Path) -> None:
    router = collecting(scene, tmp_path, sampling_rate=0.3)
    for number in range(120):
        for collection in ("model_inputs", "model_outputs"):
            said = {"ce-x-request-id": f"id-{number}"}
            assert send(router, collection, [{"n": number}], headers=said).status == 202
    ended(router)
    inputs, outputs = events(tmp_path, "model_inputs"), events(tmp_path, "model_outputs")
    ids = [event["correlationid"] for event in inputs]
    assert ids == [event["correlationid"] for event in outputs]
    assert len(ids) / 120 == pytest.approx(0.3, abs=0.15)


def test_redacted_columns_are_nowhere(scene: Stage, tmp_path: Path) -> None:
    router = collecting(scene, tmp_path, redacted=["sex", "name"])
    secret = "QXZQXZ"
    said = {"ce-sex": secret, "ce-note": secret}
    assert send(router, "model_inputs", [{"age": 1, "sex": secret}], headers=said).status == 202
    assert send(router, "both", [{"x": {"name": secret, "y": 1}}]).status == 202
    # A frame without names: any column may be one of them. Predictions have none ever.
    assert send(router, "model_inputs", [{"0": 1, "1": secret}]).status == 202
    assert send(router, "model_outputs", [{"0": 0.5}]).status == 202
    assert send(router, "model_inputs", b'[{"sex": "%b"' % secret.encode()).status == 202
    lost = 'amlocal_collect_dropped_total{collection="model_inputs",deployment="blue"}'
    wait_until(lambda: router.metrics().get(lost) == 2)
    ended(router)
    written = "".join(file.read_text() for file in tmp_path.rglob("*.jsonl"))
    assert secret not in written + router.log.read_text()
    assert [event["data"] for event in events(tmp_path, "model_inputs")] == [
        [{"age": 1, "sex": None}]
    ]
    assert events(tmp_path, "Both")[0]["data"] == [{"x": {"name": None, "y": 1}}]
    assert events(tmp_path, "model_outputs")[0]["data"] == [{"0": 0.5}]


def test_rows_that_come_after_their_deployment_left_are_kept(scene: Stage, tmp_path: Path) -> None:
    router = collecting(scene, tmp_path)
    router.apply(table(2, deployments={"green": deployment(scene.instance("green-0"))}))
    assert send(router, "model_inputs", [{"n": 1}]).status == 202
    ended(router)
    assert [event["data"] for event in events(tmp_path, "model_inputs")] == [[{"n": 1}]]
