"""What a router answers: each status that Azure's endpoints have, over real processes."""

from __future__ import annotations

import base64
import hmac
import json
import threading
import time

import pytest
from tests.unit.local.endpoints.router.processes import (
    KEY,
    SECOND_KEY,
    TOKEN_KEY,
    Got,
    Router,
    Stage,
    deployment,
    table,
    wait_until,
)


def served(scene: Stage, **settings: object) -> Router:
    return scene.router(table(deployments={"blue": deployment(scene.instance("b0"), **settings)}))


def at_once(router: Router, bodies: list[object]) -> list[Got]:
    """Send requests together, 20 ms apart so that their order is known."""
    found: dict[int, Got] = {}

    def send(place: int, body: object) -> None:
        found[place] = router.ask(body)

    threads = [threading.Thread(target=send, args=item) for item in enumerate(bodies)]
    for thread in threads:
        thread.start()
        time.sleep(0.02)
    for thread in threads:
        thread.join()
    return [found[place] for place in range(len(bodies))]


@pytest.mark.parametrize("tcp", [False, True])
def test_200_passes_the_request_and_the_answer_on(scene: Stage, tcp: bool) -> None:
    blue = deployment(scene.instance("b0", tcp=tcp), path="/invocations")
    router = scene.router(table(deployments={"blue": blue}))
    got = router.ask(
        {"headers": {"x-own": "1", "x-request-id": "theirs"}},
        path="/score?a=b%20c",
        headers={
            "x-request-id": "id-7",
            "x-ms-client-request-id": "mine",
            "x-more": "y",
            "connection": "close",
        },
    )
    assert got.status == 200
    assert got.json["instance"] == "b0"
    assert got.json["target"] == "/invocations?a=b%20c"
    assert got.json["headers"]["x-more"] == "y"
    assert got.json["headers"]["x-request-id"] == "id-7"
    assert got.json["headers"]["content-type"] == "application/json"
    assert got.headers["x-own"] == "1"
    assert got.headers["x-request-id"] == "id-7"
    assert got.headers["x-ms-client-request-id"] == "mine"
    assert got.headers["azureml-model-deployment"] == "blue"
    assert "server" not in got.headers
    # Keys are for the router, and the connection's headers for one connection.
    assert not {"authorization", "connection", "transfer-encoding"} & set(got.json["headers"])


def test_an_id_is_made_where_none_is_given_or_it_is_unfit(plain: Stage) -> None:
    router = plain.routers[0]
    made = {
        router.ask({}, headers=headers).headers["x-request-id"]
        for headers in ({}, {"x-request-id": "a b"}, {"x-request-id": "x" * 101})
    }
    assert len(made) == 3
    assert all(len(identity) == 36 for identity in made)


def test_chunked_bodies_reach_the_instance_whole(scene: Stage) -> None:
    router = served(scene)
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(c), c) for c in (b'{"answer":', b" [7]", b"}"))
    answer = router.raw(
        b"POST /score HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n"
        b"authorization: Bearer " + KEY.encode() + b"\r\n\r\n" + chunks + b"0\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\n[7]")


def test_large_bodies_both_ways(scene: Stage) -> None:
    router = served(scene)
    size = 3_000_000
    got = router.ask(b'{"bytes": %d, "x": "%b"}' % (size, b"y" * size))
    assert got.status == 200
    assert got.body == b"x" * size


@pytest.mark.parametrize("key", [None, "wrong", ""])
def test_401_without_the_right_key(plain: Stage, key: str | None) -> None:
    seen = plain.instances[0].seen()
    got = plain.routers[0].ask({}, key=key)
    assert got.status == 401
    assert got.headers["www-authenticate"] == "Bearer"
    code = "bad_header_forbidden" if key is None else "access_denied"
    assert got.body.startswith(f"key_auth_{code}".encode())
    assert plain.instances[0].seen() == seen


def test_both_keys_open_and_a_regenerated_one_does_not(scene: Stage) -> None:
    router = served(scene)
    assert router.ask({}, key=SECOND_KEY).status == 200
    changed = table(2, deployments={"blue": deployment(scene.instances[0])})
    changed["auth"]["digests"][1] = "00" * 32
    router.apply(changed)
    assert router.ask({}, key=SECOND_KEY).status == 401
    assert router.ask({}, key=KEY).status == 200


def test_tokens_open_where_the_endpoint_has_them(scene: Stage) -> None:
    auth = {"mode": "aml_token", "token_key": TOKEN_KEY}
    blue = deployment(scene.instance("b0"))
    router = scene.router(table(auth=auth, deployments={"blue": blue}))
    claims = base64.urlsafe_b64encode(json.dumps({"endpoint": "adult", "exp": 9e9}).encode())
    claims = claims.rstrip(b"=")
    signature = hmac.digest(bytes.fromhex(TOKEN_KEY), claims, "sha256")
    token = f"{claims.decode()}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
    assert router.ask({}, key=token).status == 200
    assert router.ask({}, key=KEY).status == 401


def test_404_and_405(scene: Stage) -> None:
    blue = deployment(scene.instance("b0"))
    router = scene.router(table(traffic={"blue": 0}, deployments={"blue": blue}))
    none = router.ask({})
    assert (none.status, b"no deployment with traffic" in none.body) == (404, True)
    unknown = router.ask({}, headers={"azureml-model-deployment": "red"})
    assert (unknown.status, b"deployments: blue" in unknown.body) == (404, True)
    named = router.ask({}, headers={"azureml-model-deployment": "blue"})
    assert (named.status, named.headers["azureml-model-deployment"]) == (200, "blue")
    assert router.ask({}, path="/nope").status == 404
    for method, path, allowed in (
        ("GET", "/score", "POST, OPTIONS"),
        ("PUT", "/score", "POST, OPTIONS"),
        ("HEAD", "/score", "POST, OPTIONS"),
        ("POST", "/metrics", "GET, HEAD, OPTIONS"),
    ):
        got = router.ask(None, method=method, path=path)
        assert (got.status, got.headers["allow"]) == (405, allowed)
    options = router.ask(None, method="OPTIONS")
    assert (options.status, options.headers["allow"], options.body) == (204, "POST, OPTIONS", b"")
    head = router.ask(None, method="HEAD", path="/")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "7")


def test_408_where_scoring_takes_too_long(scene: Stage) -> None:
    router = served(scene, request_timeout_ms=200)
    began = time.monotonic()
    got = router.ask({"sleep": 5})
    assert (got.status, got.body[:24]) == (408, b"upstream request timeout")
    assert time.monotonic() - began < 2
    # The instance can see that nobody waits, and the next request is answered.
    wait_until(lambda: scene.instances[0].seen()[0].get("was_closed"))
    assert router.ask({}).status == 200


def test_408_where_no_instance_is_free_in_time(scene: Stage) -> None:
    router = served(scene, max_queue_wait_ms=100)
    first, second = at_once(router, [{"sleep": 0.6}, {}])
    assert (first.status, second.status) == (200, 408)
    assert b"max_queue_wait_ms" in second.body
    assert len(scene.instances[0].seen()) == 1


def test_429_beyond_twice_the_concurrent_ones_and_recovery(scene: Stage) -> None:
    router = served(scene, max_queue_wait_ms=5000)
    got = at_once(router, [{"sleep": 0.5}, {}, {}, {}])
    assert [answer.status for answer in got] == [200, 200, 429, 429]
    assert got[2].headers["ms-azureml-model-error-reason"] == "too_many_pending_request"
    assert router.ask({}).status == 200
    assert router.counted("blue") == {"200": 3, "429": 2}
    assert scene.instances[0].told()["most_running"] == 1


def test_413_over_the_limit(scene: Stage) -> None:
    blue = deployment(scene.instance("b0"))
    router = scene.router(table(deployments={"blue": blue}), "--max-body", "1000")
    assert router.ask(b'{"x": "%b"}' % (b"y" * 900)).status == 200
    assert router.ask(b"y" * 1001).status == 413
    head = b"POST /score HTTP/1.1\r\nhost: x\r\nauthorization: Bearer " + KEY.encode()
    announced = router.raw(
        head + b"\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: 99999\r\n\r\n"
    )
    assert announced.startswith(b"HTTP/1.1 413 ")
    chunked = router.raw(
        head + b"\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
        b"3e9\r\n" + b"y" * 1001 + b"\r\n0\r\n\r\n"
    )
    assert chunked.startswith(b"HTTP/1.1 413 ")
    assert len(scene.instances[0].seen()) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 500, 503, 302])
def test_424_for_what_is_not_a_success(plain: Stage, status: int) -> None:
    got = plain.routers[0].ask({"status": status, "text": "why it failed"})
    assert (got.status, got.body) == (424, b"why it failed")
    assert got.headers["ms-azureml-model-error-statuscode"] == str(status)
    assert got.headers["ms-azureml-model-error-reason"] == "model_error"


def test_201_is_a_success(plain: Stage) -> None:
    assert plain.routers[0].ask({"status": 201, "answer": 1}).status == 201


@pytest.mark.parametrize("body", [{"die": True}, {"cut": True, "bytes": 100}])
def test_424_where_the_instance_ends_before_it_answers(scene: Stage, body: dict) -> None:
    router = served(scene)
    got = router.ask(body)
    assert got.status == 424
    assert got.headers["ms-azureml-model-error-statuscode"] == "502"
    if "die" in body:
        assert scene.instances[0].process.wait(5) == 1
    else:  # scoring may have effects, so it was asked once
        assert len(scene.instances[0].seen()) == 1


def test_424_where_no_instance_takes_connections(scene: Stage) -> None:
    router = served(scene, max_queue_wait_ms=150)
    scene.instances[0].end()
    began = time.monotonic()
    got = router.ask({})
    assert (got.status, got.headers["ms-azureml-model-error-statuscode"]) == (424, "503")
    assert got.headers["ms-azureml-model-error-reason"] == "model_not_ready"
    assert 0.1 < time.monotonic() - began < 3


def test_swagger_health_and_unknown_swagger(scene: Stage) -> None:
    router = served(scene, swagger="/swagger.json")
    got = router.ask(method="GET", path="/swagger.json?version=3")
    assert (got.status, got.json["target"]) == (200, "/swagger.json?version=3")
    assert router.ask(method="GET", path="/swagger.json", key=None).status == 401
    health = router.ask(method="GET", path="/", key=None)
    assert (health.status, health.body) == (200, b"Healthy")
    assert router.counted("blue") == {}
    router.apply(table(2, deployments={"blue": deployment(scene.instances[0])}))
    assert router.ask(method="GET", path="/swagger.json").status == 404


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"POST /score HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        b"POST /score HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST /score HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\nabc",
        b"POST /score HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"POST /score HTTP/9.9\r\n\r\n",
        b"GET /sc\xc3\xb6re HTTP/1.1\r\nhost: x\r\n\r\n",
        b"POST /score HTTP/1.1\r\nbad header: \x01\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_400_for_what_is_not_http(plain: Stage, data: bytes) -> None:
    router = plain.routers[0]
    assert b" 400 Bad Request\r\n" in router.raw(data)
    assert router.ask({}).status == 200


def test_nothing_secret_is_logged(scene: Stage) -> None:
    router = served(scene)
    secret = "a-secret-in-the-body"
    for key in (KEY, "a-wrong-secret"):
        router.ask({"text": secret, "status": 500}, key=key)
    router.raw(b"POST /score HTTP/1.1\r\nauthorization: Bearer a-wrong-secret\r\n\x00\r\n\r\n")
    router.send(b'{"revision": "a-secret-in-the-table"}')
    refused = router.hear(lambda said: "error" in said)
    assert "secret" not in refused["error"]
    page = router.ask(method="GET", path="/metrics", key=None).body.decode()
    assert not [text for text in (KEY, "secret") if text in router.log.read_text() + page]
