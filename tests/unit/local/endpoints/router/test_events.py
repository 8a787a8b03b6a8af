"""Events of the data collector, and what is not kept."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from amlocal.local.endpoints.router.events import LARGE, Exchanged, NotCollectedError, event


def exchanged(request: bytes, response: bytes = b"[1]", *redacted: str, **fields: Any) -> Exchanged:
    given: dict[str, Any] = {
        "endpoint": "adult",
        "deployment": "blue",
        "version": "3",
        "time": 1733043090.0,
        "request_id": "id-1",
        "path": "/score",
        "request": request,
        "response": response,
        "headers": {},
        "redacted": frozenset(redacted),
        "is_success": True,
    }
    return Exchanged(**{**given, **fields})


def fields(collection: str, of: Exchanged) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(event(collection, of).fields))
    return found


def test_an_event_of_rows() -> None:
    found = fields("model_inputs", exchanged(b'{"instances": [{"age": 1.5}]}'))
    assert found.pop("agent").startswith("amlocal/")
    assert len(found.pop("id")) == 36
    assert found == {
        "specversion": "1.0",
        "source": "/onlineEndpoints/adult/deployments/blue",
        "type": "azureml.inference.model_inputs",
        "datacontenttype": "application/json",
        "time": "2024-12-01T08:51:30Z",
        "data": [{"age": 1.5}],
        "correlationid": "id-1",
        "xrequestid": "id-1",
        "modelversion": "3",
        "collectdatatype": "pandas.core.frame.DataFrame",
        "contentrange": "bytes 0-12/13",
    }


def test_a_payload_with_line_breaks_is_one_line() -> None:
    for body in (b'{\n"a":\n1}', b"plain\ntext"):
        line = msgspec.json.encode(event("request", exchanged(body)).fields)
        assert b"\n" not in line


@pytest.mark.parametrize(
    ("collection", "of"),
    [
        ("model_inputs", exchanged(b"not JSON")),
        ("model_inputs", exchanged(b"\xff\xfe")),
        ("model_inputs", exchanged(b'{"data": [1]}')),
        ("model_inputs", exchanged(b"[" * 100_000)),
        ("model_inputs", exchanged(b'{"instances": [[1]]}', b"1", "age")),
        ("model_inputs", exchanged(b'"' + b"x" * LARGE + b'"')),
        ("model_outputs", exchanged(b"{}", b"not JSON")),
        ("request", exchanged(b"not JSON", b"1", "age")),
        ("request", exchanged(b'{"data": [[1]]}', b"1", "age")),
        ("request", exchanged(b'"' + b"x" * LARGE + b'"', b"1", "age")),
        ("response", exchanged(b"{}", b"age 39 is wrong", "age")),
        ("response", exchanged(b"{}", b'"age 39 is wrong"', "age", is_success=False)),
    ],
)
def test_what_is_not_kept(collection: str, of: Exchanged) -> None:
    with pytest.raises(NotCollectedError):
        event(collection, of)


def test_an_answer_that_is_not_a_table_is_kept_with_redaction() -> None:
    assert fields("response", exchanged(b"{}", b"[[0.2, 0.8]]", "age"))["data"] == [[0.2, 0.8]]


@pytest.mark.parametrize("body", [b"\xff\xfe", b'"' + b"x" * LARGE + b'"'])
def test_what_is_no_text_or_large_has_a_file(body: bytes) -> None:
    made = event("request", exchanged(body))
    assert made.payload == body
    assert made.fields["datainblob"] == "true"
    assert "data" not in made.fields
