from __future__ import annotations

from typing import Any

import pytest

from scoringserver.body import Form
from scoringserver.errors import RequestError
from scoringserver.table import Table, Wanted, read_table

ROWS = [[1, "x"], [2, "y"]]
RECORDS = [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
SPLIT = {"columns": ["a", "b"], "index": [7, 8], "data": ROWS}
NAMED = Table(("a", "b"), [(1, 2), ("x", "y")], 2)


def plain(table: Table) -> tuple[Any, list[list[Any]], int]:
    return table.names, [list(column) for column in table.columns], table.rows


@pytest.mark.parametrize(
    ("form", "value"),
    [
        (Form.INPUT_DATA, SPLIT),
        (Form.INPUT_DATA, {"columns": ["a", "b"], "data": ROWS}),
        (Form.INPUT_DATA, RECORDS),
        (Form.INPUT_DATA, {"a": [1, 2], "b": ["x", "y"]}),
        (Form.DATAFRAME_SPLIT, SPLIT),
        (Form.DATAFRAME_RECORDS, RECORDS),
        (Form.INSTANCES, RECORDS),
        (Form.INPUTS, {"a": [1, 2], "b": ["x", "y"]}),
        (Form.INPUTS, RECORDS),
        (Form.CSV, "a,b\n1,x\n2,y\n"),
    ],
)
def test_one_table_in_all_its_forms(form: Form, value: Any) -> None:
    assert plain(read_table(form, value)) == plain(NAMED)


@pytest.mark.parametrize("form", [Form.INPUT_DATA, Form.INSTANCES, Form.INPUTS])
def test_rows_have_no_names(form: Form) -> None:
    assert plain(read_table(form, ROWS, Wanted(width=2))) == (None, [[1, 2], ["x", "y"]], 2)


def test_split_without_names_is_by_place() -> None:
    assert read_table(Form.DATAFRAME_SPLIT, {"data": ROWS}).names is None


@pytest.mark.parametrize("form", [Form.INPUT_DATA, Form.INPUTS])
def test_an_object_of_single_values_is_one_row(form: Form) -> None:
    assert plain(read_table(form, {"a": 1, "b": None})) == (("a", "b"), [[1], [None]], 1)


def test_a_list_of_values_is_the_only_column() -> None:
    assert plain(read_table(Form.INPUTS, [1, 2, 3], Wanted(width=1))) == (None, [[1, 2, 3]], 3)
    split = {"columns": ["a"], "data": [1, 2]}
    assert plain(read_table(Form.DATAFRAME_SPLIT, split)) == (("a",), [[1, 2]], 2)


def test_a_record_may_lack_what_is_not_required() -> None:
    records = [{"a": 1}, {"b": 2, "a": 3}]
    assert plain(read_table(Form.INSTANCES, records, Wanted(2, frozenset({"a"})))) == (
        ("a", "b"),
        [[1, 3], [None, 2]],
        2,
    )
    with pytest.raises(RequestError, match="row 0 of instances has no 'b', which other rows have"):
        read_table(Form.INSTANCES, records, Wanted(2, frozenset({"a", "b"})))


def test_texts_in_csv_stay_as_they_are_written() -> None:
    table = read_table(Form.CSV, "a,b\n007,1\n", Wanted(2, texts=frozenset({"a"})))
    assert plain(table) == (("a", "b"), [["007"], [1]], 1)


@pytest.mark.parametrize(
    ("form", "value", "told"),
    [
        (Form.DATAFRAME_SPLIT, [[1]], "it is an array"),
        (Form.DATAFRAME_SPLIT, {}, "it is empty"),
        (Form.DATAFRAME_SPLIT, {"columns": ["a"]}, "columns"),
        (Form.DATAFRAME_SPLIT, {"data": [[1]], "rows": 1}, "rows"),
        (Form.DATAFRAME_SPLIT, {"data": 1}, "data of dataframe_split must be an array of rows"),
        (Form.DATAFRAME_SPLIT, {"columns": "a", "data": [[1]]}, "columns .* must be an array"),
        (Form.DATAFRAME_SPLIT, {"columns": [["a"]], "data": [[1]]}, "must be names"),
        (Form.DATAFRAME_SPLIT, {"columns": ["a", "a"], "data": [[1, 2]]}, "'a' more than once"),
        (Form.DATAFRAME_SPLIT, {"columns": ["a"], "index": [1, 2], "data": [[1]]}, "1 labels"),
        (Form.INPUT_DATA, {"columns": ["a", "b"], "data": [[1, 2], [3]]}, "row 1 .* 1 values"),
        (Form.INPUT_DATA, {"columns": ["a", "b"], "data": [[1, 2], 3]}, "row 1 .* the number 3"),
        (Form.INPUT_DATA, {"data": []}, "holds no row"),
        (Form.INPUT_DATA, {"columns": ["a"], "index": [], "data": []}, "holds no row"),
        (Form.INPUT_DATA, [], "holds no row"),
        (Form.INPUT_DATA, {}, "holds no row"),
        (Form.INPUT_DATA, {"a": []}, "holds no row"),
        (Form.INPUT_DATA, "a", "must be an object or an array"),
        (Form.INPUT_DATA, None, "it is null"),
        (Form.INPUT_DATA, [1, 2], r"one row is given as \[\[...\]\]"),
        (Form.INPUT_DATA, [[1, 2], [1]], "row 1 of input_data must be an array of 2 values"),
        (Form.INPUTS, {"a": [1, 2], "b": [1]}, "arrays of one length; they have {'a': 2, 'b': 1}"),
        (Form.INPUTS, {"a": [1, 2], "b": 1}, "'b' is no array"),
        (Form.DATAFRAME_RECORDS, {"a": [1]}, "must be an array; it is an object"),
        (Form.DATAFRAME_RECORDS, [1], "row 0 .* must be an array or an object"),
        (Form.INSTANCES, [{"a": 1}, 2], "row 1 of instances must be an object as row 0 is"),
        (Form.CSV, "", "no CSV"),
        (Form.CSV, "a,b\n1\n1,2,3\n", "no CSV"),
        (Form.CSV, "a\n", "holds no row"),
    ],
)
def test_what_is_no_table_is_told(form: Form, value: Any, told: str) -> None:
    with pytest.raises(RequestError, match=told):
        read_table(form, value, Wanted(width=2))
