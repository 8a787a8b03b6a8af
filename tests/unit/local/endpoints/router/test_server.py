"""What comes in pieces, in a row, or cannot be read: answers keep their order."""

from __future__ import annotations

import itertools
import re
import socket
import time

import pytest
from tests.unit.local.endpoints.router.processes import KEY, Stage, deployment, table

HEAD = b"POST /score HTTP/1.1\r\nhost: x\r\nauthorization: Bearer " + KEY.encode() + b"\r\n"


def asking(body: bytes) -> bytes:
    return HEAD + b"content-length: %d\r\n\r\n" % len(body) + body


ONE, SLOW = asking(b'{"answer": 1}'), asking(b'{"answer": 2, "sleep": 0.3}')
LAST = HEAD + b"connection: close\r\ncontent-length: 13\r\n\r\n" + b'{"answer": 3}'
LIMIT = 60 * 1024


def statuses(found: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+) ", found)]


def read_until(link: socket.socket, end: bytes) -> bytes:
    found = b""
    while end not in found:
        piece = link.recv(65536)
        assert piece, found
        found += piece
    return found


@pytest.mark.parametrize(
    ("sent", "wanted"),
    [
        (b"no HTTP\r\n\r\n", [400]),
        (ONE + b"no HTTP\r\n\r\n", [200, 400]),
        (SLOW + b"no HTTP\r\n\r\n", [200, 400]),
        (SLOW + ONE + b"no HTTP\r\n\r\n" + ONE, [200, 200, 400]),
        (SLOW + HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n", [200, 400]),
        (HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n", [400]),
        (SLOW + HEAD + b"bad header\r\n\r\n", [200, 400]),
        (SLOW + LAST + b"no HTTP", [200, 200]),
        (b"CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n", [400]),
    ],
    ids=itertools.count(),
)
def test_what_cannot_be_read_is_refused_after_what_came_before(
    plain: Stage, sent: bytes, wanted: list[int]
) -> None:
    router = plain.routers[0]
    assert statuses(router.raw(sent)) == wanted
    assert router.ask({}).status == 200


def test_long_headers_are_refused(plain: Stage) -> None:
    router = plain.routers[0]
    fits = {"x-long": "y" * (LIMIT - 500)}
    assert router.ask({}, headers=fits).status == 200
    long = HEAD + b"x-long: " + b"y" * LIMIT
    for sent, wanted in (
        (long + b"\r\n\r\n", [431]),
        (long + b"y" * 1_000_000, [431]),
        (SLOW + long + b"\r\n\r\n" + ONE, [200, 431]),
        (b"POST /" + b"y" * LIMIT + b" HTTP/1.1\r\n\r\n", [431]),
        (HEAD + b"x: y\r\n" * 20_000, [431]),
    ):
        assert statuses(router.raw(sent)) == wanted
    assert router.ask({}).status == 200


@pytest.mark.parametrize("count", [1, 3])
def test_a_client_that_sends_no_more_gets_its_answers(plain: Stage, count: int) -> None:
    router = plain.routers[0]
    with socket.create_connection(("127.0.0.1", router.port), timeout=10) as link:
        link.sendall(SLOW * count)
        link.shutdown(socket.SHUT_WR)
        found = b""
        while piece := link.recv(65536):
            found += piece
    assert statuses(found) == [200] * count
    assert found.count(b"connection: close") == 1


def test_half_a_request_and_then_no_more(plain: Stage) -> None:
    router = plain.routers[0]
    for sent in (b"", HEAD, HEAD + b"content-length: 9\r\n\r\n{"):
        with socket.create_connection(("127.0.0.1", router.port), timeout=10) as link:
            link.sendall(sent)
            link.shutdown(socket.SHUT_WR)
            began = time.monotonic()
            assert link.recv(65536) == b""
            assert time.monotonic() - began < 2
    assert router.ask({}).status == 200


def test_a_client_is_not_slow_while_it_waits(scene: Stage) -> None:
    blue = deployment(scene.instance("b0"))
    router = scene.router(table(deployments={"blue": blue}), "--read-timeout", "0.6")
    slow = asking(b'{"answer": 1, "sleep": 1.5}')
    # The beginning of a second request; its time begins when the first one is answered.
    assert statuses(router.raw(slow + b"POST /sc")) == [200, 408]


def test_an_offer_of_another_protocol_is_passed_over(plain: Stage) -> None:
    router = plain.routers[0]
    # As Java's client offers HTTP/2 with its first request.
    offer = HEAD + b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AA\r\n"
    first = offer + ONE[len(HEAD) :]
    found = router.raw(first + LAST)
    assert statuses(found) == [200, 200]
    assert found.endswith(b"3")
    with socket.create_connection(("127.0.0.1", router.port), timeout=10) as link:
        for part in (first[:-20], first[-20:-5], first[-5:]):
            link.sendall(part)
            time.sleep(0.05)
        assert read_until(link, b"\r\n\r\n1").startswith(b"HTTP/1.1 200 ")
        link.sendall(offer.replace(b"POST /score", b"GET /metrics") + b"\r\n")
        assert b"version=0.0.4" in read_until(link, b"amlocal_requests_total")


@pytest.mark.parametrize(
    "header",
    [
        b"content-length: 13\r\ncontent-length: 5",
        b"content-length: 13\r\ntransfer-encoding: chunked",
        b"transfer-encoding: chunked, identity",
        b"transfer-encoding : chunked",
        b"transfer-encoding:\r\n chunked",
        b"x-one: a\r\n x-two: b\r\ncontent-length: 13",
        b"x-one: a\nx-two: b\r\ncontent-length: 13",
        b"x-one: a\rx-two: b\r\ncontent-length: 13",
        b"content-length: +13",
    ],
)
def test_what_two_servers_could_read_in_two_ways_is_refused(plain: Stage, header: bytes) -> None:
    seen = plain.instances[0].seen()
    sent = HEAD + header + b"\r\n\r\n" + b'{"answer": 1}'
    assert statuses(plain.routers[0].raw(sent)) == [400]
    assert plain.instances[0].seen() == seen


def test_headers_that_the_connection_names_are_not_passed_on(plain: Stage) -> None:
    router = plain.routers[0]
    body = b'{"headers": {"Connection": "Keep-Alive, x-theirs", "x-theirs": "1", "x-own": "2"}}'
    head = HEAD + b"Connection: Close, X-Mine\r\nx-mine: 1\r\nx-more: 2\r\nte: trailers\r\n"
    found = router.raw(head + b"content-length: %d\r\n\r\n" % len(body) + body)
    assert statuses(found) == [200]
    assert b"x-own: 2" in found
    assert b"x-theirs: 1\r\n" not in found
    sent = plain.instances[0].seen()[-1]["headers"]
    assert sent["x-more"] == "2"
    assert not {"x-mine", "te", "connection"} & sent.keys()


def test_headers_behind_a_body_say_nothing(plain: Stage) -> None:
    router = plain.routers[0]
    body = b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
    behind = b"azureml-model-deployment: green\r\nx-late: 1\r\n\r\n"
    end = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    assert statuses(router.raw(HEAD + body + behind + end)) == [200, 200]
    assert "x-late" not in plain.instances[0].seen()[-1]["headers"]
    keyless = HEAD.replace(b"authorization", b"x-none") + body
    opened = keyless + b"authorization: Bearer " + KEY.encode() + b"\r\n\r\n"
    assert statuses(router.raw(opened + end)) == [401, 200]
