"""Bodies and requests that are wrong in every way: each gets its documented error."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
import socket
from collections.abc import Iterator

import pytest
from tests.faults.documented import ERRORS, Kind, kind_of
from tests.faults.site import MIB, Site

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

#: MiB that a process may keep of bodies of 100 MB.
KEPT_MIB = 32
RIGHT = b'{"input_data": {"columns": ["age", "job", "children"], "data": [[30, "clerk", 2]]}}'
BAD, TOO_LARGE_THERE, BAD_TYPE = ((424, status, "model_error") for status in ("400", "413", "415"))
TOO_LARGE = (413, "", "")
ROW = b'{"input_data": {"columns": ["age", "job", "children"], "data": [[%b, %b, %b]]}}'


@pytest.fixture(scope="module")
def served(site: Site) -> Iterator[Site]:
    site.deploy("blue", "people")
    site.route(blue=100)
    yield site
    assert "Traceback" not in site.logs()


@pytest.fixture(autouse=True)
def unharmed(served: Site) -> Iterator[None]:
    """Every test leaves the same processes, which answer rightly, at the same size."""
    right, pids = served.ask(RIGHT)[::2], served.pids()
    memory = served.memory()
    assert right[0] == 200
    yield
    assert served.ask(RIGHT)[::2] == right
    assert served.pids() == pids
    after = served.memory()
    print({role: (round(memory[role]), round(after[role])) for role in memory})
    assert all(after[role] < memory[role] + KEPT_MIB for role in memory)


def kind_for(site: Site, body: bytes, **headers: str) -> Kind:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    status, found, answer = site.ask(body, headers=given)
    assert len(answer) < 3000
    assert b"Traceback" not in answer
    return kind_of(status, found)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b"{}",
        b"\x00",
        b"\xff\xfe",
        RIGHT[:-1],
        RIGHT + b"}",
        RIGHT.replace(b'"', b"'"),
        RIGHT.replace(b"clerk", b"\xff\xfe"),
        RIGHT.replace(b"input_data", b"inputs_data"),
        RIGHT.replace(b"age", b"ages"),
        RIGHT.replace(b'"age", ', b""),
        RIGHT.replace(b'"age"', b'"job"'),
        RIGHT.decode().encode("utf-16"),
        RIGHT.decode().encode("utf-32"),
        gzip.compress(RIGHT),
        b"[" * 1_000_000,
        b'{"input_data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"input_data": ' * 100_000,
        ROW % (b'"thirty"', b'"clerk"', b"2"),
        ROW % (b"30", b"[1]", b"2"),
        ROW % (b"30", b'"clerk"', b"2.5"),
        ROW % (b"30", b'"clerk"', b"1e300"),
        ROW % (b"30", b'"clerk"', b"9" * 5000),
        ROW % (b"30", b'"clerk"', b"99999999999999999999"),
        ROW % (b"30", b'"clerk"', b"null"),
        ROW % (b"{}", b'"clerk"', b"2"),
        ROW % (b"true", b'"clerk"', b"2"),
        ROW % (b"30", b'"\\ud800"', b"2"),
        b'{"input_data": {"columns": ["age", "job", "children"], "data": [[1, "a", 1], [2]]}}',
        b'{"input_data": {"columns": ["age", "job", "children"], "data": []}}',
        b'{"instances": 1, "inputs": 1}',
    ],
    ids=itertools.count(),
)
def test_a_wrong_body_is_the_callers_fault(served: Site, body: bytes) -> None:
    assert BAD in ERRORS
    assert kind_for(served, body) == BAD


@pytest.mark.parametrize(
    "headers",
    [
        {"content_type": "text/plain"},
        {"content_type": "application/x-www-form-urlencoded"},
        {"content_type": "application/json; charset=utf-16"},
        {"content_type": "\xff"},
        {"content_encoding": "gzip"},
    ],
    ids=itertools.count(),
)
def test_another_kind_of_body(served: Site, headers: dict[str, str]) -> None:
    assert BAD_TYPE in ERRORS
    assert kind_for(served, RIGHT, **headers) == BAD_TYPE


@pytest.mark.parametrize(
    "body",
    [
        ROW % (b"NaN", b'"clerk"', b"2"),
        ROW % (b"-Infinity", b'"clerk"', b"2"),
        ROW % (b"1e308", b'"clerk"', b"2"),
        ROW % (b"30", b"null", b"2"),
        ROW % (b"30", json.dumps("\u0000\ud83d\ude00").encode(), b"2"),
        b"\xef\xbb\xbf" + RIGHT,
        # Of a name that is given twice, the last counts.
        RIGHT.replace(b'{"columns"', b'{"columns": ["x"], "columns"'),
        RIGHT.replace(b"{", b'{"input_data": 1, ', 1),
    ],
    ids=itertools.count(),
)
def test_odd_bodies_that_are_right(served: Site, body: bytes) -> None:
    status, _, answer = served.ask(body)
    assert status == 200, answer
    (value,) = json.loads(answer)
    assert isinstance(value, float)


@pytest.mark.parametrize(
    ("size", "kind"),
    [(16 * MIB, BAD), (16 * MIB + 1, TOO_LARGE_THERE), (100 * MIB, TOO_LARGE_THERE)],
)
def test_bodies_of_100_megabytes(served: Site, size: int, kind: Kind) -> None:
    assert kind in ERRORS
    body = b'{"input_data": "' + b"x" * (size - 18) + b'"}'
    assert kind_for(served, body) == kind


def raw(site: Site, *pieces: bytes) -> bytes:
    """Send a request's pieces after its first headers; return what comes until the close."""
    first = f"POST /score HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {site.key}\r\n".encode()
    with socket.create_connection(("127.0.0.1", site.port), timeout=60) as link:
        found = b""
        with contextlib.suppress(ConnectionError):
            for piece in (first, *pieces):
                link.sendall(piece)
        with contextlib.suppress(ConnectionResetError):
            while piece := link.recv(65536):
                found += piece
        return found


def test_a_body_over_the_limit_is_refused_before_it_comes(served: Site) -> None:
    assert TOO_LARGE in ERRORS
    length = b"connection: close\r\ncontent-length: %d\r\n\r\n" % (100 * MIB + 1)
    assert raw(served, length).startswith(b"HTTP/1.1 413 ")
    chunk = b"%x\r\n%b\r\n" % (MIB, b"x" * MIB)
    answer = raw(served, b"transfer-encoding: chunked\r\n\r\n", *[chunk] * 101)
    assert answer.startswith(b"HTTP/1.1 413 ") or answer == b""


def test_chunks(served: Site) -> None:
    start = b"connection: close\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n"
    chunks = b"".join(b"1;a=b\r\n%c\r\n" % byte for byte in RIGHT) + b"0\r\nx-late: y\r\n\r\n"
    answer = raw(served, start + b"\r\n", chunks)
    assert answer.startswith(b"HTTP/1.1 200 "), answer


@pytest.mark.parametrize(
    "rest",
    [
        b"content-length: -1\r\n\r\n",
        b"content-length: 1x\r\n\r\n1",
        b"content-length: 99999999999999999999999\r\n\r\n1",
        b"content-length: 1\r\ncontent-length: 2\r\n\r\n12",
        b"content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"transfer-encoding: chunked\r\n\r\nzz\r\n",
        b"transfer-encoding: chunked\r\n\r\n5\r\nabcdefgh\r\n0\r\n\r\n",
        b"transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\na",
        b"bad header\r\n\r\n",
        b"x-nul: \x00\r\n\r\n",
        b"\r\n\r\nno HTTP at all\r\n\r\n",
    ],
    ids=itertools.count(),
)
def test_what_is_no_http(served: Site, rest: bytes) -> None:
    assert (400, "", "") in ERRORS
    answer = raw(served, rest)
    assert b"HTTP/1.1 400 " in answer, answer
    assert b"HTTP/1.1 200 " not in answer


def test_headers_without_end(served: Site) -> None:
    assert (431, "", "") in ERRORS
    assert raw(served, b"x-long: ", *[b"y" * 65536] * 100).startswith((b"HTTP/1.1 431 ", b""))


def test_more_than_the_length_says_is_another_request(served: Site) -> None:
    start = b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(RIGHT)
    answer = raw(served, start + RIGHT + b"and more\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    assert answer.count(b"HTTP/1.1 400 ") == 1, answer


def test_less_than_the_length_says(served: Site) -> None:
    assert (408, "", "") in ERRORS
    start = b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % (len(RIGHT) + 9)
    assert raw(served, start + RIGHT).startswith(b"HTTP/1.1 408 ")


def test_it_is_asked_to_go_on(served: Site) -> None:
    start = b"connection: close\r\nexpect: 100-continue\r\ncontent-type: application/json\r\n"
    answer = raw(served, start + b"content-length: %d\r\n\r\n" % len(RIGHT), RIGHT)
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 "), answer
