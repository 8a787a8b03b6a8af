"""Rows of requests and answers in all forms that Azure and MLflow take."""

from __future__ import annotations

from typing import Any

import pytest

from amlocal.local.endpoints.router.rows import input_rows, output_rows

ROWS = [{"age": 39, "sex": "F"}, {"age": 50, "sex": "M"}]
SPLIT = {"columns": ["age", "sex"], "index": [0, 1], "data": [[39, "F"], [50, "M"]]}


@pytest.mark.parametrize(
    "body",
    [
        {"input_data": SPLIT},
        {"input_data": ROWS},
        {"input_data": {"age": [39, 50], "sex": ["F", "M"]}, "params": {"x": 1}},
        {"dataframe_split": SPLIT},
        {"dataframe_records": ROWS},
        {"instances": ROWS},
        {"inputs": {"age": [39, 50], "sex": ["F", "M"]}},
    ],
)
def test_named_rows(body: Any) -> None:
    assert input_rows(body) == (ROWS, True)


@pytest.mark.parametrize(
    ("value", "rows"),
    [
        ([[39, "F"], [50, "M"]], [{"0": 39, "1": "F"}, {"0": 50, "1": "M"}]),
        ([1, 2], [{"0": 1}, {"0": 2}]),
        ([], []),
        ({"data": [[1], [2]]}, [{"0": 1}, {"0": 2}]),
        ([[1], 2], [{"0": [1]}, {"0": 2}]),
    ],
)
def test_rows_without_names_are_numbered(value: Any, rows: list[dict[str, Any]]) -> None:
    assert input_rows({"input_data": value}) == (rows, False)


def test_one_row_and_one_column() -> None:
    assert input_rows({"inputs": {"age": 39, "sex": "F"}}) == ([{"age": 39, "sex": "F"}], True)
    split = {"columns": ["age"], "data": [39, 50]}
    assert input_rows({"dataframe_split": split}) == ([{"age": 39}, {"age": 50}], True)


@pytest.mark.parametrize(
    "body",
    [
        [1, 2],
        {"data": [[1]]},
        "text",
        None,
        {"input_data": 5},
        {"input_data": {"columns": ["a", "b"], "data": [[1]]}},
        {"input_data": {"columns": "ab", "data": [[1]]}},
        {"inputs": {"a": [1, 2], "b": [1]}},
    ],
)
def test_what_has_no_rows(body: Any) -> None:
    assert input_rows(body) is None


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        ([0, 1], [{"0": 0}, {"0": 1}]),
        ({"predictions": [0, 1]}, [{"0": 0}, {"0": 1}]),
        ([[0.2, 0.8]], [{"0": 0.2, "1": 0.8}]),
        ([{"p": 0.5}], [{"p": 0.5}]),
        ({"p": [0.5, 0.6]}, [{"p": 0.5}, {"p": 0.6}]),
        ({"predictions": {"p": [0.5]}}, [{"p": 0.5}]),
        (7, [{"0": 7}]),
        ("yes", [{"0": "yes"}]),
    ],
)
def test_rows_of_answers(body: Any, rows: list[dict[str, Any]]) -> None:
    found = output_rows(body)
    assert found is not None
    assert found.rows == rows
