"""Files of the data collector, as a router writes them."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.unit.local.endpoints.router.processes import Router, Stage, deployment, table, wait_until

INPUT = {"columns": ["age", "sex"], "index": [0, 1], "data": [[39, "F"], [50, "M"]]}
ALL: dict[str, Any] = {"model_inputs": {}, "model_outputs": {}, "request": {}, "response": {}}


def collecting(
    scene: Stage, folder: Path, collections: Mapping[str, Any], **settings: Any
) -> Router:
    collector = {"folder": str(folder), "collections": dict(collections), **settings}
    blue = deployment(scene.instance("b0"), model="adult:3", collector=collector)
    return scene.router(table(deployments={"blue": blue}))


def events(folder: Path, collection: str) -> list[dict[str, Any]]:
    found = sorted((folder / collection).rglob("*.jsonl"))
    return [json.loads(line) for file in found for line in file.read_text().splitlines()]


def ended(router: Router) -> None:
    router.close_line()
    assert router.process.wait(20) == 0


def test_all_collections(scene: Stage, tmp_path: Path) -> None:
    router = collecting(scene, tmp_path, ALL, capture_headers=["X-Source", "authorization"])
    before = time.gmtime()
    router.ask(
        {"input_data": INPUT, "answer": [0, 1]},
        path="/score?size=1",
        headers={"x-request-id": "id-1", "x-source": "test"},
    )
    router.ask({"status": 500, "text": "not json"}, headers={"x-request-id": "id-2"})
    ended(router)
    inputs, outputs = events(tmp_path, "model_inputs"), events(tmp_path, "model_outputs")
    assert [event["data"] for event in inputs] == [
        [{"age": 39, "sex": "F"}, {"age": 50, "sex": "M"}]
    ]
    assert [event["data"] for event in outputs] == [[{"0": 0}, {"0": 1}]]
    own = {key: inputs[0][key] for key in inputs[0] if key not in ("id", "time", "data", "agent")}
    assert own == {
        "specversion": "1.0",
        "source": "/onlineEndpoints/adult/deployments/blue",
        "type": "azureml.inference.model_inputs",
        "datacontenttype": "application/json",
        "correlationid": "id-1",
        "xrequestid": "id-1",
        "modelversion": "3",
        "collectdatatype": "pandas.core.frame.DataFrame",
        "contentrange": "bytes 0-42/43",
    }
    requests, responses = events(tmp_path, "request"), events(tmp_path, "response")
    assert [event["xrequestid"] for event in requests] == ["id-1", "id-2"]
    assert requests[0]["data"] == {"input_data": INPUT, "answer": [0, 1]}
    assert (requests[0]["path"], requests[0]["method"]) == ("/score?size=1", "POST")
    assert requests[0]["headers"] == {"x-source": "test"}
    assert (responses[1]["data"], responses[1]["datacontenttype"]) == ("not json", "text/plain")
    file = next(tmp_path.rglob("model_inputs/**/*.jsonl"))
    assert file.name == "b0.jsonl"
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(file.relative_to(tmp_path).parts) == 6
    assert file.relative_to(tmp_path).parts[1] == time.strftime("%Y", before)


def test_redacted_columns_are_nowhere(scene: Stage, tmp_path: Path) -> None:
    router = collecting(scene, tmp_path, ALL, redacted=["sex", "name"])
    secret = "QXZQXZ"
    table_of = {"columns": ["age", "sex"], "data": [[39, secret]]}
    bodies: list[Any] = [
        {"input_data": table_of, "answer": [{"sex": secret, "p": 1}]},
        {"input_data": [[39, secret]], "answer": 1},
        b'{"text": "ok", "broken": "%b' % secret.encode(),
        {"dataframe_records": [{"age": 1, "name": {"first": secret}}], "text": "no JSON"},
        {"inputs": {"sex": [secret]}, "status": 400},
    ]
    assert [router.ask(body).status for body in bodies] == [200, 200, 200, 200, 424]
    found = wait_until(lambda: _dropped(router))
    ended(router)
    written = "".join(file.read_text() for file in tmp_path.rglob("*.jsonl"))
    assert secret not in written + router.log.read_text()
    assert [event["data"] for event in events(tmp_path, "model_inputs")] == [
        [{"age": 39, "sex": None}],
        [{"age": 1, "name": None}],
    ]
    assert events(tmp_path, "request")[0]["data"]["input_data"]["data"] == [[39, None]]
    assert len(events(tmp_path, "request")) == 3
    # What could not be redacted was not written, and counted.
    assert found == {"model_inputs": 2, "model_outputs": 1, "request": 2, "response": 2}


def _dropped(router: Router) -> dict[str, float]:
    prefix = "amlocal_collect_dropped_total{"
    found = {
        name.split('collection="')[1].split('"')[0]: value
        for name, value in router.metrics().items()
        if name.startswith(prefix)
    }
    return found if sum(found.values()) == 7 else {}


def test_sampling_of_each_collection(scene: Stage, tmp_path: Path) -> None:
    collections = {
        "model_inputs": {},
        "model_outputs": {},
        "request": {"sampling_rate": 1.0},
        "response": {"enabled": False},
    }
    router = collecting(scene, tmp_path, collections, sampling_rate=0.3)
    for _ in range(150):
        router.ask({"inputs": [1], "answer": 1})
    ended(router)
    inputs, outputs = events(tmp_path, "model_inputs"), events(tmp_path, "model_outputs")
    assert len(inputs) / 150 == pytest.approx(0.3, abs=0.15)
    # Inputs and outputs are of the same requests, so that they can be joined.
    assert [event["correlationid"] for event in inputs] == [
        event["correlationid"] for event in outputs
    ]
    assert len(events(tmp_path, "request")) == 150
    assert not (tmp_path / "response").exists()


def test_payloads_that_are_no_text_become_files(scene: Stage, tmp_path: Path) -> None:
    router = collecting(scene, tmp_path, {"request": {}, "response": {}})
    binary = b"\x89PNG\xff\x00"
    large = b'{"bytes": 10, "x": "%b"}' % (b"y" * (5 << 20))
    router.ask(binary)
    router.ask(large)
    ended(router)
    found = events(tmp_path, "request")
    assert [event["datainblob"] for event in found] == ["true", "true"]
    assert [Path(event["data"]).read_bytes() for event in found] == [binary, large]


def test_mirrored_requests_are_collected_by_the_mirror(scene: Stage, tmp_path: Path) -> None:
    collector = {"folder": str(tmp_path), "collections": {"model_outputs": {}}}
    deployments = {
        "blue": deployment(scene.instance("b0")),
        "green": deployment(scene.instance("g0"), collector=collector),
    }
    router = scene.router(
        table(traffic={"blue": 100}, mirror={"green": 100}, deployments=deployments)
    )
    router.ask({"answer": [5]}, headers={"x-request-id": "id-1"})
    ended(router)
    (event,) = events(tmp_path, "model_outputs")
    assert event["source"] == "/onlineEndpoints/adult/deployments/green"
    assert (event["data"], event["correlationid"]) == ([{"0": 5}], "id-1")


def test_a_folder_that_cannot_be_written_harms_no_request(scene: Stage, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file, not a folder")
    router = collecting(scene, taken, {"request": {}})
    assert router.ask({}).status == 200
    name = 'amlocal_collect_dropped_total{collection="request",deployment="blue"}'
    assert wait_until(lambda: router.metrics().get(name)) == 1
    assert "nothing collected to request" in router.log.read_text()
