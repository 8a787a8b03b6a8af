from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow.models.utils import _enforce_schema
from mlflow.types import ColSpec, DataType, Schema

from scoringserver.body import Body, Form
from scoringserver.columns import KINDS, Column, ColumnSchema
from scoringserver.errors import RequestError


def schema(required: bool = True, **columns: str) -> ColumnSchema:
    return ColumnSchema([Column(name, kind, required) for name, kind in columns.items()])


def frame(checked: ColumnSchema, value: Any, form: Form = Form.INPUT_DATA) -> pd.DataFrame:
    return checked.assemble([checked.read(Body(form, value))])


def column(kind: str, *values: Any, required: bool = True) -> pd.Series:
    return frame(schema(required, a=kind), {"a": list(values)})["a"]


@pytest.mark.parametrize(
    ("kind", "values", "dtype"),
    [
        ("double", [1, 2.5, None], "float64"),
        ("double", [None, None], "float64"),
        ("float", [1, 0.1, None], "float32"),
        ("long", [1, 2.0, -(2**63)], "int64"),
        ("integer", [2**31 - 1, 3.0], "int32"),
        ("boolean", [True, False], "bool"),
        ("string", ["x", None, ""], "object"),
        ("datetime", ["2024-05-31", None, "2024-05-31T12:00:00.5"], "datetime64[ns]"),
        ("datetime", [0, 86_400 * 10**9], "datetime64[ns]"),
        ("datetime", [None], "datetime64[ns]"),
        ("binary", ["YWI="], "object"),
    ],
)
def test_values_become_what_mlflow_makes_of_them(kind: str, values: list[Any], dtype: str) -> None:
    made = column(kind, *values)
    assert made.dtype == dtype
    # A frame of these types passes MLflow's own check as it is.
    enforced = _enforce_schema(made.to_frame(), Schema([ColSpec(DataType[kind], "a")]))
    pd.testing.assert_frame_equal(enforced, made.to_frame())


def test_values_are_kept() -> None:
    assert column("long", 2**53 + 1, 3.0).tolist() == [2**53 + 1, 3]
    assert column("string", "é\u0000", None).tolist() == ["é\u0000", None]
    assert column("binary", "YWI=").tolist() == [b"ab"]
    assert column("float", 0.1).tolist() == [float(np.float32(0.1))]
    assert column("datetime", "2024-05-31T12:00").tolist() == [pd.Timestamp("2024-05-31 12:00")]
    assert np.isnan(column("double", float("nan"))[0])


@pytest.mark.parametrize(
    ("kind", "value", "named"),
    [
        ("double", "1", 'the text "1"'),
        ("double", True, "the truth value true"),
        ("double", [1], "an array"),
        ("double", 10**400, "the number 1000"),
        ("float", 1e300, "1e\\+300"),
        ("long", 1.5, "1.5"),
        ("long", None, "null"),
        ("long", 2**63, "9223372036854775808"),
        ("long", float("inf"), "inf"),
        ("long", float("nan"), "nan"),
        ("integer", 2**31, "2147483648"),
        ("integer", True, "true"),
        ("boolean", 1, "the number 1"),
        ("boolean", "true", "true"),
        ("boolean", None, "null"),
        ("string", 5, "the number 5"),
        ("string", {"x": 1}, "an object"),
        ("datetime", "yesterday", "yesterday"),
        ("datetime", "31/05/2024", "31/05/2024"),
        ("datetime", "2024-05-31T12:00:00Z", "12:00:00Z"),
        ("datetime", "2024-05-31T12:00:00+02:00", "02:00"),
        ("datetime", "9999-01-01", "9999"),
        ("datetime", 1.5, "1.5"),
        ("binary", 1, "the number 1"),
        ("binary", "a", 'the text "a"'),
        ("binary", None, "null"),
    ],
)
def test_what_a_type_cannot_hold_is_told_with_its_place(kind: str, value: Any, named: str) -> None:
    right = {"string": "x", "boolean": True, "datetime": "2024-01-01", "binary": "YWI="}
    with pytest.raises(RequestError, match=f"column 'a', row 1: .*({named}).* is no {kind}"):
        column(kind, right.get(kind, 1), value)


def test_null_is_taken_where_the_column_is_optional() -> None:
    assert column("boolean", True, None, required=False).tolist() == [True, None]
    assert column("binary", None, required=False).tolist() == [None]
    with pytest.raises(RequestError, match="null is no long"):
        column("long", 1, None, required=False)


def test_all_wrong_columns_are_told() -> None:
    with pytest.raises(RequestError) as raised:
        frame(schema(a="double", b="string", c="long"), [["x", 1, 1]])
    assert "column 'a', row 0" in raised.value.message
    assert "column 'b', row 0" in raised.value.message
    assert "column 'c'" not in raised.value.message


def test_columns_come_in_the_order_of_the_signature_and_others_are_left_out() -> None:
    made = frame(schema(a="long", b="string"), {"c": [1], "b": ["x"], "a": [2]})
    assert list(made.columns) == ["a", "b"]
    assert made.values.tolist() == [[2, "x"]]


def test_missing_columns_are_named_with_what_may_be_meant() -> None:
    checked = schema(age="long", name="string")
    with pytest.raises(RequestError, match=r"'age', 'name'$"):
        checked.read(Body(Form.INPUT_DATA, [{}, {}]))
    with pytest.raises(RequestError, match="'name'; is 'nmae' meant to be 'name'"):
        frame(checked, {"age": [1], "nmae": ["x"]})
    with pytest.raises(RequestError, match="'age'; it has unknown ones: 'weight'"):
        frame(checked, {"name": ["x"], "weight": [1]})


def test_many_missing_columns_are_counted() -> None:
    checked = schema(**{f"c{number}": "long" for number in range(25)})
    with pytest.raises(RequestError, match=r"'c9' and 15 more$"):
        frame(checked, [{}])


def test_a_missing_optional_column_is_left_out_of_the_frame() -> None:
    checked = ColumnSchema([Column("a", "long"), Column("b", "string", required=False)])
    assert list(frame(checked, {"a": [1]}).columns) == ["a"]
    assert frame(checked, [{"a": 1}, {"a": 2, "b": "x"}])["b"].tolist() == [None, "x"]


def test_rows_by_place_need_as_many_values_as_the_signature_has() -> None:
    checked = schema(a="long", b="string")
    assert frame(checked, [[1, "x"]]).to_dict("records") == [{"a": 1, "b": "x"}]
    with pytest.raises(RequestError, match="row 0 of inputs must be an array of 2 values"):
        frame(checked, [[1]], Form.INPUTS)
    with pytest.raises(RequestError, match=r"the model wants 2: a \(long\), b \(string\)"):
        frame(checked, {"data": [[1]]})


def test_a_signature_without_names_goes_by_place() -> None:
    checked = ColumnSchema([Column(0, "long"), Column(1, "double")], are_named=False)
    assert list(frame(checked, [[1, 2]]).columns) == [0, 1]
    named = frame(checked, {"columns": ["x", "y", "z"], "data": [[1, 2, 3]]})
    assert list(named.columns) == ["x", "y"]
    assert frame(checked, {"columns": [0, 1], "data": [[1, 2]]}).dtypes.tolist() == ["int64", "f8"]
    with pytest.raises(RequestError, match="1 columns; the model wants 2"):
        frame(checked, {"columns": ["x"], "data": [[1]]})


def test_names_that_are_numbers_are_those_of_the_signature() -> None:
    checked = ColumnSchema([Column(0, "long"), Column(1, "long")])
    for value in ({"columns": [1, 0], "data": [[2, 1]]}, [{"1": 2, "0": 1}]):
        made = frame(checked, value)
        assert list(made.columns) == [0, 1]
        assert made.values.tolist() == [[1, 2]]


def test_csv_is_checked_like_json() -> None:
    checked = schema(a="string", b="double", c="boolean", d="datetime")
    made = frame(checked, "a,b,c,d\n01,1,True,2024-01-01\n,,False,2024-01-02\n", Form.CSV)
    assert made["a"].tolist()[0] == "01"
    assert pd.isna(made["a"][1])
    assert made.dtypes.astype(str).tolist() == ["object", "float64", "bool", "datetime64[ns]"]
    with pytest.raises(RequestError, match="column 'b', row 1: the text \"x\" is no double"):
        frame(checked, "a,b,c,d\n01,1,True,2024-01-01\n01,x,True,2024-01-01\n", Form.CSV)


def test_parts_are_put_one_after_another() -> None:
    checked = schema(a="long", b="string")
    parts = [
        checked.read(Body(Form.INPUT_DATA, {"a": [1, 2], "b": ["x", "y"]})),
        checked.read(Body(Form.INSTANCES, [{"b": "z", "a": 3}])),
        checked.read(Body(Form.INPUTS, [[4, None]])),
    ]
    assert len({part.key for part in parts}) == 1
    assert [part.rows for part in parts] == [2, 1, 1]
    made = checked.assemble(parts)
    assert made["a"].tolist() == [1, 2, 3, 4]
    assert made["b"].tolist() == ["x", "y", "z", None]
    assert made.index.tolist() == [0, 1, 2, 3]


def test_parts_with_other_optional_columns_have_other_keys() -> None:
    checked = ColumnSchema([Column("a", "long"), Column("b", "string", required=False)])
    assert (
        checked.read(Body(Form.INPUTS, {"a": [1]})).key
        != checked.read(Body(Form.INPUTS, {"a": [1], "b": ["x"]})).key
    )


def test_a_time_is_read_the_same_beside_any_other() -> None:
    checked = schema(a="datetime")
    days, times = ["2024-05-31"], ["2024-05-31 10:11:12.131415"]
    both = [checked.read(Body(Form.INPUTS, {"a": values})) for values in (days, times)]
    together = checked.assemble(both)["a"].tolist()
    assert together == [column("datetime", *days)[0], column("datetime", *times)[0]]


def test_times_in_texts_and_in_numbers_do_not_go_together() -> None:
    with pytest.raises(RequestError, match="column 'a': its values must be of one kind"):
        column("datetime", "2024-05-31", 5)


def test_every_plain_type_of_mlflow_is_known() -> None:
    assert {kind.name for kind in DataType} == KINDS
