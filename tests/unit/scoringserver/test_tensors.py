from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mlflow.models.utils import _enforce_schema
from mlflow.types import Schema, TensorSpec

from scoringserver.body import Body, Form
from scoringserver.errors import RequestError
from scoringserver.tensors import Tensor, TensorSchema


def tensor(dtype: str, shape: tuple[int, ...], name: str = "") -> Tensor:
    return Tensor(name, np.dtype(dtype), shape)


def read(schema: TensorSchema, value: Any, form: Form = Form.INPUT_DATA) -> Any:
    return schema.assemble([schema.read(Body(form, value))])


PAIRS = TensorSchema([tensor("float64", (-1, 2))])
NAMED = TensorSchema([tensor("int64", (-1, 2), "ids"), tensor("float32", (-1,), "weight")])


@pytest.mark.parametrize(
    ("form", "value"),
    [
        (Form.INPUT_DATA, [[1, 2], [3, 4.5]]),
        (Form.INPUTS, [[1, 2], [3, 4.5]]),
        (Form.INSTANCES, [[1, 2], [3, 4.5]]),
        (Form.INPUT_DATA, {"columns": ["a", "b"], "data": [[1, 2], [3, 4.5]]}),
        (Form.DATAFRAME_SPLIT, {"data": [[1, 2], [3, 4.5]]}),
        (Form.DATAFRAME_RECORDS, [{"a": 1, "b": 2}, {"a": 3, "b": 4.5}]),
        (Form.CSV, "a,b\n1,2\n3,4.5\n"),
    ],
)
def test_a_tensor_without_a_name(form: Form, value: Any) -> None:
    made = read(PAIRS, value, form)
    assert made.dtype == "float64"
    assert made.tolist() == [[1, 2], [3, 4.5]]
    enforced = _enforce_schema(made, Schema([TensorSpec(np.dtype("float64"), (-1, 2))]))
    assert enforced is made


@pytest.mark.parametrize(
    ("form", "value"),
    [
        (Form.INPUT_DATA, {"ids": [[1, 2]], "weight": [0.5]}),
        (Form.INPUTS, {"weight": [0.5], "ids": [[1, 2]], "more": [1]}),
        (Form.INSTANCES, [{"ids": [1, 2], "weight": 0.5}]),
        (Form.DATAFRAME_SPLIT, {"columns": ["ids", "weight"], "data": [[[1, 2], 0.5]]}),
    ],
)
def test_tensors_by_name(form: Form, value: Any) -> None:
    made = read(NAMED, value, form)
    assert {name: (str(each.dtype), each.tolist()) for name, each in made.items()} == {
        "ids": ("int64", [[1, 2]]),
        "weight": ("float32", [0.5]),
    }


def test_one_named_tensor_may_be_given_bare() -> None:
    only = TensorSchema([tensor("float64", (-1, 2), "x")])
    assert read(only, [[1, 2]])["x"].tolist() == [[1, 2]]


def test_rows_of_arrays_in_one_column() -> None:
    assert read(PAIRS, [{"x": [1, 2]}, {"x": [3, 4]}]).tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("dtype", "value", "made"),
    [
        ("float32", [1, None], [1.0, None]),
        ("int32", [1.0, 2], [1, 2]),
        ("uint8", [0, 255], [0, 255]),
        ("bool", [True, False], [True, False]),
        ("str", ["a", "bc"], ["a", "bc"]),
        ("object", ["a", 1, None], ["a", 1, None]),
        ("object", [[1], [2, 3]], [[1], [2, 3]]),
        ("datetime64[ns]", ["2024-01-01"], [1704067200000000000]),
    ],
)
def test_values_are_read_as_the_signatures_dtype(dtype: str, value: Any, made: Any) -> None:
    found = read(TensorSchema([tensor(dtype, (-1,))]), value)
    assert found.dtype.kind == np.dtype(dtype).kind
    assert [None if each != each else each for each in found.tolist()] == made


@pytest.mark.parametrize(
    ("dtype", "value", "told"),
    [
        ("float64", [[1, "x"]], r"must hold float64 values; at \[0, 1\] it has the text .x."),
        ("float64", [[1, 2], [3]], "rows of equal shape"),
        ("float64", [1, 2], r"has the shape \(2,\); the model wants \(-1, 2\)"),
        ("float64", [[1, 2, 3]], r"\(1, 3\)"),
        ("float64", 5, r"has the shape \(\)"),
        ("float64", [[True, False]], "the truth value true"),
        ("float64", [[1, {}]], r"at \[0, 1\] it has an object"),
        ("float64", [[None, "x"]], "it has null|it has the text"),
        ("int64", [[1.5, 2]], "a fraction"),
        ("int64", [[1, None]], r"at \[0, 1\] it has null"),
        ("int64", [[float("nan"), 1]], "must hold int64"),
        ("int8", [[1, 300]], "out of range"),
        ("float32", [[1e300, 1]], "must hold float32"),
        ("str", [[1, 2]], "must hold str"),
        ("bool", [[0, 1]], "must hold bool"),
        ("datetime64[ns]", [["x", "y"]], "must hold datetime64"),
        ("float64", [], "."),
    ],
)
def test_what_does_not_fit_is_told(dtype: str, value: Any, told: str) -> None:
    with pytest.raises(RequestError, match=told):
        read(TensorSchema([tensor(dtype, (-1, 2))]), value)


@pytest.mark.parametrize(
    ("schema", "value", "told"),
    [
        (NAMED, {"ids": [[1, 2]]}, "lacks tensor 'weight'"),
        (NAMED, [[1, 2]], "must be an object with the tensors 'ids', 'weight'; it is an array"),
        (NAMED, {"ids": [[1]], "weight": [1]}, "tensor 'ids' has the shape"),
        (PAIRS, {"x": [[1, 2]]}, "the model's tensor has no name"),
        (TensorSchema([tensor("float64", (-1,))]), [], "holds no row"),
    ],
)
def test_what_is_missing_is_told(schema: TensorSchema, value: Any, told: str) -> None:
    with pytest.raises(RequestError, match=told):
        read(schema, value)


def test_rows_are_put_together_along_the_first_dimension() -> None:
    parts = [
        PAIRS.read(Body(Form.INPUTS, [[1, 2]])),
        PAIRS.read(Body(Form.INPUTS, [[3, 4], [5, 6]])),
    ]
    assert parts[0].key == parts[1].key
    assert [part.rows for part in parts] == [1, 2]
    assert PAIRS.assemble(parts).tolist() == [[1, 2], [3, 4], [5, 6]]


def test_open_dimensions_must_agree_to_be_put_together() -> None:
    schema = TensorSchema([tensor("float64", (-1, -1))])
    keys = [schema.read(Body(Form.INPUTS, value)).key for value in ([[1]], [[1, 2]], [[3]])]
    assert keys[0] == keys[2] != keys[1]


def test_a_fixed_first_dimension_goes_alone() -> None:
    schema = TensorSchema([tensor("float64", (2, 2))])
    assert schema.read(Body(Form.INPUTS, [[1, 2], [3, 4]])).key is None


def test_tensors_of_different_lengths_go_alone() -> None:
    assert NAMED.read(Body(Form.INPUTS, {"ids": [[1, 2]], "weight": [1, 2]})).key is None
