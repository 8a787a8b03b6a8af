"""Bodies of all kinds: every answer is right or a documented error, and nothing breaks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.scoringserver.serving import ServerProcess

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    ["input_data", "dataframe_split", "dataframe_records", "instances", "inputs", "params", "x"]
)
NAMES = st.sampled_from(["age", "job", "children", "other", "index", "data"])
CELLS = SCALARS | st.integers(0, 100) | st.sampled_from(["smith", "clerk"])
ROWS = st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=3)
RECORDS = st.lists(st.dictionaries(NAMES, CELLS, max_size=4), max_size=3)
SPLITS = st.fixed_dictionaries(
    {"data": ROWS | VALUES},
    optional={"columns": st.just(["age", "job", "children"]) | VALUES, "index": VALUES},
)
COLUMNS = st.dictionaries(NAMES, st.lists(CELLS, max_size=3) | CELLS, max_size=4)
DOCUMENTS = st.dictionaries(FIELDS, ROWS | RECORDS | SPLITS | COLUMNS | VALUES, max_size=3)
BODIES = st.one_of(
    DOCUMENTS.map(lambda document: json.dumps(document).encode()),
    DOCUMENTS.map(
        lambda document: json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
    ),
    DOCUMENTS.map(lambda document: json.dumps(document).encode()[:-1]),
    VALUES.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=200),
)
TYPES = st.sampled_from(
    [
        "application/json",
        "application/json; charset=utf-8",
        "text/csv",
        "",
        "text/plain",
        "a/b; c=d",
    ]
)


@pytest.fixture(scope="module")
def connection(people_server: ServerProcess) -> Iterator[HTTPConnection]:
    connection = people_server.connection()
    yield connection
    connection.close()


def send(connection: HTTPConnection, body: bytes, content_type: str) -> tuple[int, Any]:
    connection.request("POST", "/score", body, {"Content-Type": content_type})
    response = connection.getresponse()
    return response.status, json.loads(response.read())


@given(body=BODIES, content_type=TYPES)
@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@pytest.mark.slow
def test_every_body_gets_an_answer_or_a_documented_error(
    connection: HTTPConnection, body: bytes, content_type: str
) -> None:
    status, answer = send(connection, body, content_type)
    if status == 200:
        predictions = answer["predictions"] if isinstance(answer, dict) else answer
        assert set(predictions) <= {"young", "old"}
    elif status == 500:
        # Nothing but what scikit-learn itself says to values that the signature allows.
        assert answer["message"].startswith("the model raised ValueError: ")
    else:
        assert status in (400, 415)
        assert 0 < len(answer["message"]) < 2000


def test_the_server_still_serves(people_server: ServerProcess) -> None:
    body = {"input_data": [{"age": 30, "job": None, "children": 1}]}
    assert people_server.score(body)[0] == 200
    assert people_server.process.poll() is None
