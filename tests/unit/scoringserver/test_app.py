"""The application by itself, without a server: what uvicorn gives it and gets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from scoringserver.app import App
from scoringserver.batching import Batcher
from scoringserver.model import Model, load_model

ROW = {"age": 30, "job": "smith", "children": 2}


@pytest.fixture(scope="module")
def model(people_model: Path) -> Model:
    return load_model(people_model)


def ask(
    model: Model,
    method: str,
    path: str,
    chunks: Sequence[bytes] = (b"",),
    *,
    query: bytes = b"",
    headers: Sequence[tuple[bytes, bytes]] = (),
    gone: bool = False,
) -> tuple[int, dict[bytes, bytes], bytes]:
    """Return status, headers, and body; status 0 for no answer."""

    async def run() -> list[Any]:
        batcher = Batcher(model)
        batcher.start()
        sent: list[Any] = []
        parts = [
            {"type": "http.request", "body": chunk, "more_body": place + 1 < len(chunks)}
            for place, chunk in enumerate(chunks)
        ]
        waiting = iter([*parts[:1], {"type": "http.disconnect"}] if gone else parts)

        async def receive() -> Any:
            return next(waiting)

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query,
            "headers": list(headers),
        }
        await App(model, batcher, max_body=1_000_000)(scope, receive, send)
        await asyncio.to_thread(batcher.stop)
        return sent

    sent = asyncio.run(run())
    if not sent:
        return 0, {}, b""
    start, body = sent
    assert dict(start["headers"])[b"content-length"] == str(len(body["body"])).encode()
    return start["status"], dict(start["headers"]), body["body"]


def test_health(model: Model) -> None:
    assert ask(model, "GET", "/")[::2] == (200, b"Healthy")


@pytest.mark.parametrize("path", ["/score", "/invocations"])
def test_a_body_in_pieces(model: Model, path: str) -> None:
    data = json.dumps({"input_data": [ROW]}).encode()
    status, headers, body = ask(model, "POST", path, [data[:10], data[10:], b""])
    assert (status, headers[b"content-type"]) == (200, b"application/json")
    assert json.loads(body)[0] in ("young", "old")


def test_a_large_body_is_read_beside_the_others(model: Model) -> None:
    data = json.dumps({"inputs": [ROW] * 6000}).encode()
    status, _, body = ask(model, "POST", "/score", [data])
    assert status == 200
    assert len(json.loads(body)["predictions"]) == 6000


def test_an_error_in_a_large_body_is_told(model: Model) -> None:
    status, _, body = ask(model, "POST", "/score", [b"[" + b" " * 300_000])
    assert status == 400
    assert "no JSON" in json.loads(body)["message"]


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/score", 405, b"POST"),
        ("OPTIONS", "/invocations", 405, b"POST"),
        ("POST", "/", 405, b"GET, HEAD"),
        ("DELETE", "/swagger.json", 405, b"GET, HEAD"),
        ("GET", "/nowhere", 404, None),
        ("POST", "/score/", 404, None),
    ],
)
def test_other_paths_and_methods(
    model: Model, method: str, path: str, status: int, allow: bytes | None
) -> None:
    found, headers, body = ask(model, method, path)
    assert (found, headers.get(b"allow")) == (status, allow)
    assert json.loads(body)["message"]


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_over_the_limit(model: Model, declared: bool) -> None:
    chunk = b" " * 600_000
    headers = [(b"content-length", b"1200000")] if declared else []
    status, _, body = ask(model, "POST", "/score", [chunk, chunk], headers=headers)
    assert status == 413
    assert json.loads(body)["message"] == "the body is over the limit of 1000000 bytes"


def test_a_compressed_body(model: Model) -> None:
    headers = [(b"content-encoding", b"gzip")]
    assert ask(model, "POST", "/score", [b"x"], headers=headers)[0] == 415


def test_half_characters_in_an_error_are_no_harm(model: Model) -> None:
    body = b'{"inputs": [{"age": NaN, "job": {}, "children": "\\ud800"}]}'
    status, _, answer = ask(model, "POST", "/score", [body])
    assert status == 400
    assert "children" in json.loads(answer)["message"]


def test_a_caller_that_goes_while_sending_gets_nothing(model: Model) -> None:
    assert ask(model, "POST", "/score", [b"{", b"}"], gone=True)[0] == 0


@pytest.mark.parametrize(
    ("query", "key", "version"),
    [
        (b"", "swagger", "2.0"),
        (b"version=2", "swagger", "2.0"),
        (b"version=3", "openapi", "3.0.3"),
        (b"version=3.1", "openapi", "3.1.0"),
    ],
)
def test_swagger_by_its_version(model: Model, query: bytes, key: str, version: str) -> None:
    status, _, body = ask(model, "GET", "/swagger.json", query=query)
    assert (status, json.loads(body)[key]) == (200, version)


def test_other_versions_of_swagger(model: Model) -> None:
    assert ask(model, "GET", "/swagger.json", query=b"version=4")[0] == 404
