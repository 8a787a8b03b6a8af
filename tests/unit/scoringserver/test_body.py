from __future__ import annotations

import json
import math

import pytest

from scoringserver.body import Form, json_kind, read_body
from scoringserver.errors import MediaTypeError, RequestError

JSON = "application/json"


@pytest.mark.parametrize("form", [form for form in Form if form is not Form.CSV])
def test_each_form_is_known_by_its_field(form: Form) -> None:
    body = read_body(json.dumps({form.value: [[1]], "params": {"a": 1}}).encode(), JSON)
    assert (body.form, body.value, body.params) == (form, [[1]], {"a": 1})
    assert body.form.is_wrapped == (form is not Form.INPUT_DATA)


@pytest.mark.parametrize(
    "content_type",
    ["", JSON, "application/json; charset=utf-8", 'APPLICATION/JSON; Charset="UTF-8"', "a/b+json"],
)
def test_json_by_its_content_type(content_type: str) -> None:
    assert read_body(b'{"inputs": 1}', content_type).value == 1


def test_csv_is_left_as_text() -> None:
    body = read_body("﻿a,b\n1,é\n".encode(), "text/csv; charset=utf-8")
    assert (body.form, body.value) == (Form.CSV, "a,b\n1,é\n")


@pytest.mark.parametrize(
    ("content_type", "named"),
    [
        ("application/json; charset=latin-1", "latin-1"),
        ("text/plain", "text/plain"),
        ("application/x-www-form-urlencoded", "application/x-www-form-urlencoded"),
        ("application/vnd.apache.parquet", "parquet"),
    ],
)
def test_other_media_types_are_refused_by_name(content_type: str, named: str) -> None:
    with pytest.raises(MediaTypeError, match=named) as raised:
        read_body(b"{}", content_type)
    assert raised.value.status == 415


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"{", "no JSON"),
        (b"[[1, 2]]", "must be a JSON object .* it is an array"),
        (b'"x"', 'the text "x"'),
        (b"null", "null"),
        (b"{}", "exactly one .* it has nothing"),
        (b'{"inputs_": 1}', "it has 'inputs_'"),
        (b'{"inputs": 1, "input_data": 2}', "exactly one"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"input_data": ' + b'{"a": ' * 100_000, "nested too deeply"),
        (b"[NaN, " + b"[" * 100_000, "nested too deeply"),
        (b'{"inputs": "\xff"}', "no UTF-8"),
        (b'{"inputs": "\xe9NaN"}', "no UTF-8"),
        ('{"inputs": 1}'.encode("utf-16"), "no JSON"),
        (b'{"inputs": [NaN}', "no JSON"),
        (b'{"inputs": 1e999}', "no JSON: Number out of range"),
        (b'{"inputs": ' + b"9" * 5000 + b"}", "no JSON"),
        (b'{"inputs": [NaN, ' + b"9" * 5000 + b"]}", "no JSON"),
        (b'{"inputs": "\\ud800"}', "no JSON"),
    ],
)
def test_what_cannot_be_read_is_told(data: bytes, told: str) -> None:
    with pytest.raises(RequestError, match=told) as raised:
        read_body(data, JSON)
    assert raised.value.status == 400
    assert len(raised.value.message) < 400


def test_bare_nan_and_infinity_are_read_as_python_writes_them() -> None:
    body = read_body(json.dumps({"inputs": [float("nan"), -math.inf]}).encode(), JSON)
    assert math.isnan(body.value[0])
    assert body.value[1] == -math.inf


def test_the_last_of_equal_names_counts() -> None:
    assert read_body(b'{"inputs": 1, "inputs": 2}', JSON).value == 2


def test_a_byte_order_mark_is_left_out() -> None:
    assert read_body(b'\xef\xbb\xbf{"inputs": 1}', JSON).value == 1


def test_csv_must_be_utf8() -> None:
    with pytest.raises(RequestError, match="no UTF-8: byte 2"):
        read_body(b"a\n\xff\n", "text/csv")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "null"),
        (True, "the truth value true"),
        (1.5, "the number 1.5"),
        ("é", 'the text "é"'),
        ([], "an array"),
        ({}, "an object"),
    ],
)
def test_values_are_named_as_json_names_them(value: object, kind: str) -> None:
    assert json_kind(value) == kind


def test_long_values_are_cut() -> None:
    assert json_kind("x" * 1000).endswith("x...")
    assert len(json_kind(10**1000)) < 80
