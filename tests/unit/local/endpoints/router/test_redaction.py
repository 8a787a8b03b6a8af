"""Columns whose values are not kept."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.local.endpoints.router.redaction import UnnamedError, redacted, redacted_rows

NAMES = frozenset({"sex", "race"})


def test_rows_keep_the_column_without_its_values() -> None:
    rows = [{"age": 39, "sex": "F"}, {"age": 50, "race": {"sex": 1}}]
    assert redacted_rows(rows, NAMES) == [{"age": 39, "sex": None}, {"age": 50, "race": None}]
    assert rows[0]["sex"] == "F"


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (
            {"input_data": {"columns": ["sex", "age"], "index": [0], "data": [["F", 39]]}},
            {"input_data": {"columns": ["sex", "age"], "index": [0], "data": [[None, 39]]}},
        ),
        ({"instances": [{"sex": "F", "age": 1}]}, {"instances": [{"sex": None, "age": 1}]}),
        ({"inputs": {"sex": ["F", "M"], "age": [1, 2]}}, {"inputs": {"sex": None, "age": [1, 2]}}),
        ({"columns": ["sex"], "data": ["F", "M"]}, {"columns": ["sex"], "data": [None, None]}),
        (
            {"columns": ["age"], "data": [[{"sex": 1}]]},
            {"columns": ["age"], "data": [[{"sex": None}]]},
        ),
        ({"columns": ["age", "sex"], "data": [[1]]}, {"columns": ["age", "sex"], "data": [[1]]}),
        ([{"a": [{"race": 1}]}], [{"a": [{"race": None}]}]),
        (5, 5),
    ],
)
def test_payloads_lose_the_values_wherever_they_stand(value: Any, kept: Any) -> None:
    assert redacted(value, NAMES, is_strict=True) == kept


@pytest.mark.parametrize("value", [[["F", 39]], {"input_data": [["F", 39]]}, {"data": [[1]]}])
def test_tables_without_names_are_refused_where_they_must_be(value: Any) -> None:
    with pytest.raises(UnnamedError):
        redacted(value, NAMES, is_strict=True)
    assert redacted(value, NAMES, is_strict=False) == value


VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["sex", "age", "data", "columns", "x"]), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(VALUES, st.text(alphabet="QZ", min_size=8, max_size=8))
def test_a_value_under_the_name_is_never_kept(value: Any, secret: str) -> None:
    body = {"x": [value, {"sex": {"y": [secret]}}], "columns": ["sex"], "data": [[secret, 1]]}
    assert secret not in json.dumps(redacted(body, NAMES, is_strict=False))
