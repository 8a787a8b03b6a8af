from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from scoringserver.body import Body, Form
from scoringserver.errors import RequestError
from scoringserver.given import GivenSchema, MlflowSchema

SCHEMA = GivenSchema()


def read(form: Form, value: Any) -> Any:
    return SCHEMA.assemble([SCHEMA.read(Body(form, value))])


@pytest.mark.parametrize(
    ("form", "value"),
    [
        (Form.INPUT_DATA, {"columns": ["a", "b"], "index": [5], "data": [[1, "x"]]}),
        (Form.DATAFRAME_SPLIT, {"columns": ["a", "b"], "index": [5], "data": [[1, "x"]]}),
    ],
)
def test_split_is_a_frame_with_its_labels(form: Form, value: Any) -> None:
    expected = pd.DataFrame({"a": [1], "b": ["x"]}, index=[5])
    pd.testing.assert_frame_equal(read(form, value), expected)


@pytest.mark.parametrize(
    ("form", "value"),
    [
        (Form.INPUT_DATA, [{"a": 1, "b": None}, {"a": 2, "b": "x"}]),
        (Form.DATAFRAME_RECORDS, [{"a": 1}, {"b": "x", "a": 2}]),
        (Form.CSV, "a,b\n1,\n2,x\n"),
    ],
)
def test_records_are_a_frame(form: Form, value: Any) -> None:
    made = read(form, value)
    assert made["a"].tolist() == [1, 2]
    assert pd.isna(made["b"][0])
    assert made["b"][1] == "x"


def test_lists_are_arrays_and_objects_dictionaries_of_them() -> None:
    made = read(Form.INPUTS, [[1, 2.5]])
    assert (made.dtype, made.tolist()) == ("float64", [[1, 2.5]])
    named = read(Form.INPUT_DATA, {"a": [1, 2], "b": [["x"]]})
    assert {name: each.shape for name, each in named.items()} == {"a": (2,), "b": (1, 1)}
    assert read(Form.INPUTS, "text").tolist() == "text"


@pytest.mark.parametrize(
    ("form", "value", "told"),
    [
        (Form.INPUTS, [[1], [1, 2]], "neither a table nor arrays"),
        (Form.INPUTS, [], "holds no row"),
        (Form.INPUT_DATA, {"columns": ["a"], "data": []}, "holds no row"),
        (Form.DATAFRAME_SPLIT, {"columns": ["a"], "data": [[1, 2]]}, "neither"),
        (Form.DATAFRAME_SPLIT, [[1]], "must be"),
        (Form.DATAFRAME_SPLIT, {"data": 5}, "neither"),
        (Form.DATAFRAME_RECORDS, {"a": [1]}, "must be an array"),
        (Form.CSV, "", "no CSV"),
    ],
)
def test_what_is_no_input_is_told(form: Form, value: Any, told: str) -> None:
    with pytest.raises(RequestError, match=told):
        read(form, value)


@pytest.mark.parametrize(
    ("values", "rows"),
    [
        ([[[1, 2]], [[3, 4], [5, 6]]], 3),
        ([[{"a": 1, "b": "x"}], [{"a": 2, "b": "y"}]], 2),
    ],
)
def test_inputs_of_one_type_are_put_together(values: list[Any], rows: int) -> None:
    parts = [SCHEMA.read(Body(Form.INPUT_DATA, value)) for value in values]
    assert len({part.key for part in parts}) == 1
    assert len(SCHEMA.assemble(parts)) == rows == sum(part.rows for part in parts)


def test_inputs_of_other_types_are_not() -> None:
    values = [[[1, 2]], [[1.5, 2]], [[1]], [{"a": 1}], [{"a": 1.5}], [{"b": 1}]]
    assert len({SCHEMA.read(Body(Form.INPUT_DATA, value)).key for value in values}) == len(values)
    assert SCHEMA.read(Body(Form.INPUTS, {"a": [1]})).key is None
    assert SCHEMA.read(Body(Form.INPUTS, 5)).key is None


def test_a_signature_that_mlflow_checks_is_told_in_its_words() -> None:
    def check(value: Any) -> None:
        if value != [1]:
            raise ValueError("not\n  so")

    seen = []

    def parse(form: str, value: Any) -> Any:
        seen.append(form)
        return value

    schema = MlflowSchema(parse, check, (ValueError,))
    part = schema.read(Body(Form.INPUTS, [1]))
    assert part.key is None
    assert schema.assemble([part]) == [1]
    with pytest.raises(RequestError, match="does not fit the model's signature: not so"):
        schema.read(Body(Form.INPUT_DATA, [2]))
    for value in ([{"a": 1}], {"columns": ["a"], "data": [[1]]}):
        with pytest.raises(RequestError):
            schema.read(Body(Form.INPUT_DATA, value))
    assert seen == ["inputs", "inputs", "dataframe_records", "dataframe_split"]
    with pytest.raises(RequestError, match="CSV cannot hold"):
        schema.read(Body(Form.CSV, "a\n1\n"))


def test_arrays_keep_their_values() -> None:
    parts = [SCHEMA.read(Body(Form.INPUTS, value)) for value in ([1, 2], [3])]
    np.testing.assert_array_equal(SCHEMA.assemble(parts), [1, 2, 3])
