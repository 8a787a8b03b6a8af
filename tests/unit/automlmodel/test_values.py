from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from automlmodel.values import (
    MISSING,
    UNSEEN,
    categories,
    category_codes,
    category_text,
    numbers,
    require_columns,
    texts,
    times,
)


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1, 2, 3]),
        pd.Series([1, 2, 3], dtype="float32"),
        pd.Series([1, 2, 3], dtype="Int64"),
        pd.Series([Decimal(1), Decimal(2), Decimal(3)], dtype=object),
        pd.Series(["1", "2", " 3"]),
    ],
)
def test_numbers_of_any_type_are_read(column: pd.Series) -> None:
    assert numbers(pd.DataFrame({"x": column}), ["x"]).tolist() == [[1], [2], [3]]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([np.inf, -np.inf, np.nan]),
        pd.Series([None, None, None], dtype=object),
        pd.Series([pd.NA, pd.NA, pd.NA], dtype="Int64"),
    ],
)
def test_missing_and_infinite_numbers_are_nan(column: pd.Series) -> None:
    assert np.isnan(numbers(pd.DataFrame({"x": column}), ["x"])).all()


def test_booleans_are_numbers() -> None:
    frame = pd.DataFrame({"x": [True, False], "y": pd.array([True, None], dtype="boolean")})
    assert numbers(frame, ["x"]).tolist() == [[1], [0]]
    assert numbers(frame, ["y"])[0, 0] == 1


def test_many_columns_are_read_as_few_are() -> None:
    frame = pd.DataFrame(np.arange(60.0).reshape(2, 30), columns=[f"c{n}" for n in range(30)])
    frame["c7"] = ["1.5", "2.5"]
    table = numbers(frame, list(frame.columns))
    assert table[:, 7].tolist() == [1.5, 2.5]
    assert table[1].sum() == sum(range(30, 60)) - 37 + 2.5


def test_text_where_numbers_should_be_is_named() -> None:
    with pytest.raises(ValueError, match="column 'x' must hold numbers"):
        numbers(pd.DataFrame({"x": ["many"]}), ["x"])


def test_missing_columns_are_named() -> None:
    with pytest.raises(ValueError, match="columns 'b', 'c'; the table has: a"):
        require_columns(pd.DataFrame({"a": [1]}), ["a", "b", "c"])
    with pytest.raises(TypeError, match="not ndarray"):
        require_columns(np.zeros((1, 1)), ["a"])  # type: ignore[arg-type]


def test_one_category_has_one_text() -> None:
    assert {category_text(value) for value in (1, 1.0, True, np.float64(1), np.int8(1))} == {"1"}
    assert category_text(1.5) == "1.5"
    assert category_text("x") == "x"


@pytest.mark.parametrize("rows", [1, 100])
def test_codes_of_few_and_of_many_rows_agree(rows: int) -> None:
    column = ["b", None, "new", float("nan"), "a"] * rows
    frame = pd.DataFrame({"x": pd.Series(column, dtype=object)})
    found = category_codes(frame, "x", {"a": 0, "b": 1})
    assert found.tolist() == [1, MISSING, UNSEEN, MISSING, 0] * rows


def test_numbers_as_categories_are_one_whatever_their_type() -> None:
    codes, labels = categories(pd.DataFrame({"x": pd.Series([1, 1.0, 2, None], dtype=object)}), "x")
    assert codes.tolist() == [0, 0, 1, MISSING]
    assert labels == ["1", "2"]


def test_times_are_read_from_text_and_turned_to_utc() -> None:
    frame = pd.DataFrame({"t": ["2024-03-01 12:00:00+02:00", "no time", None]})
    found = times(frame, "t")
    assert found[0] == pd.Timestamp("2024-03-01 10:00")
    assert found[1:].isna().all()
    zoned = pd.DataFrame({"t": pd.to_datetime(["2024-03-01"]).tz_localize("Europe/Berlin")})
    assert times(zoned, "t")[0] == pd.Timestamp("2024-02-29 23:00")


def test_missing_texts_are_empty() -> None:
    assert texts(pd.DataFrame({"t": ["a", None, 3]}), "t") == ["a", "", "3"]
