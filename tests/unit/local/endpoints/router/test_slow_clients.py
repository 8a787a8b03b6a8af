"""Clients that are slow to send or to read: they cost a connection for a while, nothing else."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest
from tests.unit.local.endpoints.router.processes import KEY, Router, Stage, deployment, table

pytestmark = pytest.mark.slow

HEAD = b"POST /score HTTP/1.1\r\nhost: x\r\nauthorization: Bearer " + KEY.encode() + b"\r\n"


def served(scene: Stage) -> Router:
    blue = deployment(scene.instance("b0"))
    return scene.router(table(deployments={"blue": blue}), "--read-timeout", "0.6")


def test_headers_and_bodies_that_do_not_come(scene: Stage) -> None:
    router = served(scene)
    for sent, answer in (
        (b"", b"HTTP/1.1 408 "),
        (b"POST /sc", b"HTTP/1.1 408 "),
        (HEAD, b"HTTP/1.1 408 "),
        (HEAD + b"content-length: 10\r\n\r\n{", b"HTTP/1.1 408 "),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\nab", b"HTTP/1.1 408 "),
    ):
        began = time.monotonic()
        assert router.raw(sent).startswith(answer)
        assert 0.5 < time.monotonic() - began < 3
    assert router.ask({}).status == 200
    assert len(scene.instances[0].seen()) == 1


def test_a_drip_of_headers_is_ended(scene: Stage) -> None:
    router = served(scene)
    with socket.create_connection(("127.0.0.1", router.port), timeout=5) as link:
        link.sendall(HEAD)
        began = time.monotonic()
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            _drip(link, b"x-a: b\r\n", began + 5)
        assert time.monotonic() - began < 3


def _drip(link: socket.socket, data: bytes, until: float) -> None:
    while time.monotonic() < until:
        link.sendall(data)
        time.sleep(0.1)


def test_a_body_may_take_longer_the_more_has_come(scene: Stage) -> None:
    router = served(scene)
    with socket.create_connection(("127.0.0.1", router.port), timeout=5) as link:
        link.sendall(HEAD + b"connection: close\r\ncontent-length: 6000\r\n\r\n")
        for _ in range(6):
            link.sendall(b"1" * 1000)
            time.sleep(0.2)
        assert link.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_a_body_that_nobody_wants_is_not_read_for_ever(scene: Stage) -> None:
    router = served(scene)
    with socket.create_connection(("127.0.0.1", router.port), timeout=10) as link:
        link.sendall(b"POST /score HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        began = time.monotonic()
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            _drip(link, b"3e8\r\n" + b"x" * 1000 + b"\r\n", began + 8)
        assert time.monotonic() - began < 4


def test_slow_clients_do_not_delay_others(scene: Stage) -> None:
    router = served(scene)
    slow = [socket.create_connection(("127.0.0.1", router.port)) for _ in range(50)]
    for link in slow:
        link.sendall(HEAD + b"content-length: 10\r\n\r\n{")
    began = time.monotonic()
    assert [router.ask({}).status for _ in range(10)] == [200] * 10
    assert time.monotonic() - began < 2
    for link in slow:
        link.close()


def test_a_client_that_does_not_read_holds_no_instance(scene: Stage) -> None:
    # The deployment takes one request at a time; the client has longer than others wait.
    blue = deployment(scene.instance("b0"), max_queue_wait_ms=8000)
    router = scene.router(table(deployments={"blue": blue}))
    with _not_reading(router):
        assert router.ask({}).status == 200


def test_a_client_that_does_not_read_is_ended(scene: Stage) -> None:
    with _not_reading(served(scene)) as link:
        time.sleep(2.5)
        assert len(_rest_of(link)) < 30_000_000


@contextlib.contextmanager
def _not_reading(router: Router) -> Iterator[socket.socket]:
    """Give a connection with an answer on its way that fills what the system holds."""
    body = b'{"bytes": 30000000}'
    with socket.create_connection(("127.0.0.1", router.port), timeout=10) as link:
        link.sendall(HEAD + b"content-length: %d\r\n\r\n" % len(body) + body)
        time.sleep(0.2)
        yield link


def _rest_of(link: socket.socket) -> bytes:
    found = b""
    try:
        while piece := link.recv(1 << 20):
            found += piece
    except ConnectionResetError:
        pass
    return found


def test_a_client_that_leaves_harms_nobody(scene: Stage) -> None:
    router = served(scene)
    for sent in (
        HEAD + b"content-length: 10\r\n\r\n{",
        HEAD + b'content-length: 14\r\n\r\n{"sleep": 0.2}',
    ):
        with socket.create_connection(("127.0.0.1", router.port)) as link:
            link.sendall(sent)
            time.sleep(0.05)
    time.sleep(0.4)
    assert router.ask({}).status == 200
    assert router.counted("blue") == {"200": 2}


def test_requests_in_a_row_on_one_connection(scene: Stage) -> None:
    router = served(scene)
    one = HEAD + b"content-length: 13\r\n\r\n" + b'{"answer": 1}'
    last = HEAD + b"connection: close\r\ncontent-length: 13\r\n\r\n" + b'{"answer": 2}'
    found = router.raw(one + one + last)
    assert found.count(b"HTTP/1.1 200 OK") == 3
    assert found.endswith(b"2")
    # While one is answered, the next ones are not read; that is not the client's delay.
    slow = HEAD + b"content-length: 28\r\n\r\n" + b'{"answer": 1, "sleep": 1.5 }'
    found = router.raw(slow + last)
    assert found.count(b"HTTP/1.1 200 OK") == 2
    assert found.endswith(b"2")


def test_idle_connections_are_kept(scene: Stage) -> None:
    router = served(scene)
    with socket.create_connection(("127.0.0.1", router.port), timeout=5) as link:
        for _ in range(2):
            link.sendall(HEAD + b"content-length: 13\r\n\r\n" + b'{"answer": 1}')
            found = link.recv(65536)
            while not found.endswith(b"\r\n\r\n1"):
                found += link.recv(65536)
            assert found.startswith(b"HTTP/1.1 200 ")
            time.sleep(1.2)  # longer than a request may take to arrive
