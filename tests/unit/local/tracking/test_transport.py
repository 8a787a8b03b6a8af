from __future__ import annotations

import http.server
import io
import json
import threading
from collections.abc import Iterator
from typing import ClassVar

import msgspec
import pytest

from amlocal.errors import TrackingError
from amlocal.local.tracking.transport import ServerError, Transport


class Answer(msgspec.Struct):
    seen: list[str] = []


class Endpoint(http.server.BaseHTTPRequestHandler):
    """A server that tells what it was asked, or misbehaves as its path says."""

    protocol_version = "HTTP/1.1"
    requests: ClassVar[list[str]] = []
    connections: ClassVar[set[int]] = set()

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.requests.append(f"{self.command} {self.path} {body.decode()[:50]}")
        self.connections.add(self.client_address[1])
        if "/drop-once" in self.path and len(self.requests) == 2:
            self.close_connection = True  # without an answer
            return
        if "/drop" in self.path and "/drop-once" not in self.path:
            self.close_connection = True
            return
        status, content = 200, json.dumps({"seen": self.requests[-1:], "more": 1}).encode()
        if "/refuse" in self.path:
            status, content = 400, b'{"error_code": "NOPE", "message": "%s"}' % (b"m" * 5000)
        if "/crash" in self.path:
            status, content = 500, b"<h1>no JSON</h1>"
        if "/html" in self.path:
            content = b"<html>"
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = _serve  # noqa: N815 - the library's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def transport() -> Iterator[Transport]:
    Endpoint.requests, Endpoint.connections = [], set()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        transport = Transport(f"http://127.0.0.1:{server.server_port}/")
        yield transport
        transport.close()
        server.shutdown()
        thread.join()


def test_a_call_sends_json_and_reads_what_it_needs(transport: Transport) -> None:
    answer = transport.call("POST", "runs/create", {"a": [1]}, Answer)
    assert answer.seen == ['POST /api/2.0/mlflow/runs/create {"a":[1]}']


def test_a_get_has_its_fields_in_the_query(transport: Transport) -> None:
    answer = transport.call("GET", "x/get", {"name": "ä b&c", "list": ["1", "2"]}, Answer)
    assert answer.seen == ["GET /api/2.0/mlflow/x/get?name=%C3%A4+b%26c&list=1&list=2 "]


def test_a_connection_is_used_again(transport: Transport) -> None:
    for _ in range(3):
        transport.call("GET", "x", {}, Answer)
    assert len(Endpoint.connections) == 1


def test_a_dropped_connection_is_made_anew(transport: Transport) -> None:
    transport.call("GET", "x", {}, Answer)
    answer = transport.call("POST", "drop-once", {"a": 1}, Answer)
    assert answer.seen == ['POST /api/2.0/mlflow/drop-once {"a":1}']
    assert len(Endpoint.connections) == 2


def test_an_upload_is_sent_whole_again_after_a_drop(transport: Transport) -> None:
    transport.call("GET", "x", {}, Answer)
    transport.upload("/drop-once/file", lambda: io.BytesIO(b"content"), 7)
    assert Endpoint.requests[1:] == ["PUT /drop-once/file content"] * 2


def test_a_server_that_always_drops_is_an_error(transport: Transport) -> None:
    transport.call("GET", "x", {}, Answer)
    with pytest.raises(TrackingError, match="did not answer"):
        transport.call("POST", "drop", {}, Answer)
    assert len(Endpoint.requests) == 3


def test_a_refusal_has_the_servers_words_at_a_readable_length(transport: Transport) -> None:
    with pytest.raises(ServerError, match=r"refused GET /api/2\.0/mlflow/refuse: mmm") as caught:
        transport.call("GET", "refuse", {"secret": "s"}, Answer)
    assert (caught.value.code, caught.value.status, caught.value.exit_code) == ("NOPE", 400, 3)
    assert 1000 < len(str(caught.value)) < 1100
    assert transport.call("GET", "x", {}, Answer).seen


def test_an_error_without_json_is_an_error_too(transport: Transport) -> None:
    with pytest.raises(ServerError, match="<h1>no JSON</h1>"):
        transport.call("GET", "crash", {}, Answer)


def test_an_answer_that_is_not_mlflows_is_an_error(transport: Transport) -> None:
    with pytest.raises(TrackingError, match="did not answer html as MLflow does"):
        transport.call("GET", "html", {}, Answer)


def test_a_download_comes_in_pieces(transport: Transport) -> None:
    pieces: list[bytes] = []
    transport.download("/file", pieces.append)
    assert json.loads(b"".join(pieces))["seen"] == ["GET /file "]


def test_threads_share_a_transport(transport: Transport) -> None:
    answers: dict[str, list[str]] = {}

    def ask(name: str) -> None:
        for _ in range(20):
            answers[name] = transport.call("POST", name, {}, Answer).seen

    threads = [threading.Thread(target=ask, args=(f"t{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Endpoint.requests) == 80
    assert len(Endpoint.connections) <= 8


def test_a_proxy_of_the_environment_is_not_used(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert transport.call("GET", "x", {}, Answer).seen


def test_nobody_at_the_address_is_an_error_with_a_hint() -> None:
    with pytest.raises(TrackingError, match="refused") as caught:
        Transport("http://127.0.0.1:9").call("GET", "x", {}, Answer)
    assert "aml workspace up" in caught.value.hint


@pytest.mark.parametrize("uri", ["", "sqlite:///x.db", "https://host", "file:/mlruns"])
def test_only_local_addresses_are_taken(uri: str) -> None:
    with pytest.raises(TrackingError, match="not the address"):
        Transport(uri)
