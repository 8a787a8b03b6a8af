"""Ten thousand made-up bodies, mutated requests, and what the endpoint's OpenAPI page allows."""

from __future__ import annotations

import contextlib
import json
import re
import socket
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import mlflow.sklearn
import pandas as pd
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance
from tests.faults.documented import ERRORS, kind_of
from tests.faults.site import Site
from tests.unit.scoringserver.test_fuzz import BODIES, TYPES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

COUNT, REQUESTS = 10_000, 1_000
#: MiB that a process may have grown by after all of them.
KEPT_MIB = {"router": 8, "instance": 24}
RIGHT = (
    b'{"input_data": {"columns": ["age", "job", "children"], "index": [0, 1], '
    b'"data": [[30.5, "clerk", 2], [null, "smith", 10]]}}'
)
HEADERS = ("content-type: application/json", "x-request-id: a", "accept: */*", "expect: nothing")
#: Once is enough: what they find is a body, which pytest shows.
GENERATE = settings(
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@st.composite
def mutated(draw: st.DrawFn, start: bytes) -> bytes:
    """Return bytes some of which are changed, removed, repeated, or new."""
    found = bytearray(start)
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(found)))
        end = min(len(found), begin + draw(st.integers(0, 8)))
        kind = draw(st.sampled_from(("change", "remove", "repeat", "insert")))
        if kind == "repeat":
            found[end:end] = found[begin:end] * draw(st.integers(1, 50))
        else:
            size = {"change": end - begin, "remove": 0, "insert": 4}[kind]
            found[begin : begin if kind == "insert" else end] = draw(
                st.binary(min_size=size, max_size=size)
            )
    return bytes(found)


ROWS = st.lists(
    st.tuples(
        st.none() | st.floats() | st.integers(-(2**60), 2**60),
        st.sampled_from(["clerk", "smith", "nurse"]) | st.text(max_size=20),
        st.integers(-(2**63), 2**63 - 1),
    ),
    min_size=1,
    max_size=20,
)
FITTING = ROWS.map(
    lambda rows: json.dumps(
        {"input_data": {"columns": ["age", "job", "children"], "data": rows}}
    ).encode()
)
MADE = st.one_of(*[mutated(RIGHT)] * 4, *[FITTING] * 2, BODIES)
MADE_TYPES = st.one_of(*[st.just("application/json")] * 4, TYPES)


@pytest.fixture(scope="module")
def served(site: Site) -> Iterator[Site]:
    """The site; its processes are the same in the end, and hardly larger."""
    site.deploy("blue", "people")
    site.route(blue=100)
    # What libraries import and cache at the first use does not count.
    for body in (RIGHT, b"{", b'{"input_data": [[1, "a", 1]]}'):
        site.ask(body)
    site.ask(b"age,job,children\n1,a,1\n", headers={"Content-Type": "text/csv"})
    pids, memory = site.pids(), site.memory()
    yield site
    assert site.pids() == pids
    after = site.memory()
    print({role: (round(memory[role], 1), round(after[role], 1)) for role in memory})
    assert all(after[role] < memory[role] + KEPT_MIB[role.split(" ")[0]] for role in memory)
    assert "Traceback" not in site.logs()


@pytest.fixture(scope="module")
def oracle(served_models: Mapping[str, Path]) -> Callable[[bytes], list[float] | None]:
    """Give what the model itself says to a body in the form of `RIGHT`; None to any other."""
    model = mlflow.sklearn.load_model(str(served_models["people"]))

    def predict(body: bytes) -> list[float] | None:
        try:
            given = json.loads(body)["input_data"]
            table = pd.DataFrame(given["data"], columns=given["columns"])
        except (ValueError, KeyError, TypeError):
            return None
        if set(table) != {"age", "job", "children"}:
            return None
        ages = pd.to_numeric(table["age"])
        table = table.assign(age=ages.astype("float64"), children=table["children"].astype("int64"))
        return list(model.predict(table[["age", "job", "children"]]))

    return predict


def test_ten_thousand_bodies(served: Site, oracle: Callable[[bytes], list[float] | None]) -> None:
    seen: Counter[Any] = Counter()
    with contextlib.closing(served.connect()) as line:

        @seed(1)
        @settings(GENERATE, max_examples=COUNT)
        @given(body=MADE, content_type=MADE_TYPES, in_chunks=st.booleans())
        def ask(body: bytes, content_type: str, in_chunks: bool) -> None:
            status, headers, answer = _post(served, line, body, content_type, in_chunks)
            kind = kind_of(status, headers)
            seen[kind] += 1
            if status != 200:
                assert kind in ERRORS
                # Every value that fits this model's signature can be predicted.
                assert kind[1] != "500"
                assert 0 < len(json.loads(answer)["message"]) < 2000
                return
            said = json.loads(answer)
            said = said["predictions"] if isinstance(said, dict) else said
            assert said
            assert all(type(value) is float for value in said)
            wanted = oracle(body) if "json" in content_type or not content_type else None
            if wanted is not None:
                seen["compared"] += 1
                assert said == pytest.approx(wanted)

        ask()
    print(seen)
    assert seen[200, "", ""] > 1000
    assert seen["compared"] > 250
    assert seen[424, "400", "model_error"] > 1000


def _post(
    site: Site, line: HTTPConnection, body: bytes, content_type: str, in_chunks: bool
) -> tuple[int, Mapping[str, str], bytes]:
    pieces = iter([body[:7], body[7:]] if len(body) > 7 else [body])
    headers = {"Content-Type": content_type}
    if in_chunks and body:
        line.request("POST", "/score", pieces, {**site.headers, **headers}, encode_chunked=True)
        answer = line.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    return site.ask(body, line=line, headers=headers)


def test_mutated_requests(served: Site) -> None:
    first = f"POST /score?a=b HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {served.key}\r\n"
    whole = first + "\r\n".join(HEADERS) + f"\r\ncontent-length: {len(RIGHT)}\r\n\r\n"
    seen: Counter[bytes] = Counter()

    @seed(2)
    @settings(GENERATE, max_examples=REQUESTS)
    @given(data=mutated(whole.encode()))
    def send(data: bytes) -> None:
        found = b""
        with socket.create_connection(("127.0.0.1", served.port), timeout=60) as link:
            link.sendall(data + RIGHT)
            link.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionResetError):
                while piece := link.recv(65536):
                    found += piece
        statuses = re.findall(rb"^HTTP/1\.1 (\d+) ", found, re.MULTILINE)
        seen.update(statuses or [b"none"])
        documented = {str(status).encode() for status, _, _ in ERRORS}
        assert set(statuses) <= documented | {b"200", b"100", b"204"}, found

    send()
    print(seen)
    assert seen[b"200"] > 50
    assert seen[b"400"] > 50


@pytest.mark.parametrize(
    ("label", "mode"),
    [
        ("GET /", GenerationMode.POSITIVE),
        ("GET /swagger.json", GenerationMode.POSITIVE),
        ("POST /score", GenerationMode.POSITIVE),
        ("POST /score", GenerationMode.NEGATIVE),
    ],
)
def test_what_the_page_says(served: Site, label: str, mode: GenerationMode) -> None:
    status, _, text = served.ask(b"", method="GET", path="/swagger.json?version=3")
    assert status == 200
    page = schemathesis.openapi.from_dict(json.loads(text))
    # Azure's endpoints answer 424 where the fault is the body's.
    page.config.checks.negative_data_rejection.expected_statuses = ["401", "424"]
    (operation,) = [
        found for found in (each.ok() for each in page.get_all_operations()) if found.label == label
    ]

    @seed(3)
    @settings(GENERATE, max_examples=200)
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        response = case.call_and_validate(
            base_url=f"http://127.0.0.1:{served.port}",
            headers={"Authorization": f"Bearer {served.key}"},
            # The page cannot say that a row's values are of the types of its columns.
            excluded_checks=[positive_data_acceptance],
        )
        if response.status_code >= 300:
            headers = {name: value[0] for name, value in response.headers.items()}
            assert kind_of(response.status_code, headers) in ERRORS

    ask()
