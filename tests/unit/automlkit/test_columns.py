from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from automlkit.columns import purposes
from automlkit.request import Featurization
from stepkit.program import StepError

ROWS = 1000
NUMBERS = np.random.default_rng(0)


def words(count: int, *, spaces: int = 0) -> list[str]:
    return [" ".join([f"w{n % count}"] + ["more"] * spaces) for n in range(ROWS)]


def found(column: Any, **given: Any) -> Any:
    # Another column besides, since a table in which nothing is left is refused.
    frame = pd.DataFrame({"c": column, "other": NUMBERS.normal(size=len(column))})
    return purposes(frame, Featurization(**given))[0]


@pytest.mark.parametrize(
    ("column", "purpose"),
    [
        (NUMBERS.normal(size=ROWS), "Numeric"),
        ([True, False] * 500, "Numeric"),
        (pd.Series([True, None] * 500, dtype=object), "Ignore"),
        (pd.array([1, None, 3, 900] * 250, dtype="Int64"), "Categorical"),
        (np.arange(ROWS) % 400, "Numeric"),
        (np.arange(ROWS) % 12, "Categorical"),
        (words(12), "Categorical"),
        (words(49), "Categorical"),
        (words(60), "CategoricalHash"),
        (words(600), "CategoricalHash"),
        (words(950, spaces=3), "Text"),
        (words(750, spaces=3), "Text"),
        (words(950), "Ignore"),
        (["2024-01-05", "2023-12-01"] * 500, "DateTime"),
        (["5/1/2024 10:30", None] * 500, "Ignore"),
        (["5/1/2024 10:30", "6/2/2024 11:00"] * 500, "DateTime"),
        (pd.date_range("2020", periods=ROWS), "DateTime"),
        (["12", "13"] * 500, "Categorical"),
        ([None] * ROWS, "Ignore"),
        ([np.nan] * ROWS, "Ignore"),
        (["same"] * ROWS, "Ignore"),
        ([0] * ROWS, "Ignore"),
        (np.arange(ROWS) + 17, "Ignore"),
        (np.arange(ROWS) * 2, "Numeric"),
    ],
)
def test_purposes(column: Any, purpose: str) -> None:
    assert found(column).purpose == purpose


def test_whole_numbers_keep_their_order() -> None:
    assert found(np.arange(ROWS) % 12).is_ordered
    assert not found(words(12)).is_ordered


def test_high_cardinality_is_marked() -> None:
    assert found(words(950)).is_high_cardinality
    assert found(np.arange(ROWS)).is_high_cardinality
    assert not found(["same"] * ROWS).is_high_cardinality


def test_missing_counts_infinite_too() -> None:
    column = NUMBERS.normal(size=ROWS)
    column[:3] = [np.nan, np.inf, -np.inf]
    assert found(column).missing == 3


def test_what_the_user_says_counts() -> None:
    types = {"c": "Text"}
    column = found(words(12), mode="custom", column_name_and_types=types)
    assert (column.purpose, column.why) == ("Text", "column_name_and_types says so")
    # Numbers that are said to be categories have no order.
    types = {"c": "Categorical"}
    assert not found(np.arange(ROWS) % 12, mode="custom", column_name_and_types=types).is_ordered


@pytest.mark.parametrize(
    ("types", "message"),
    [
        ({"z": "Numeric"}, "the column 'z', which is not in training_data"),
        ({"c": "Number"}, "'Number', the type of column 'c', is none of Azure's"),
        ({"c": "Numeric"}, "'c' is given as Numeric"),
        ({"c": "DateTime"}, "'c' is given as DateTime"),
        ({"c": "Ignore", "other": "Ignore"}, "no column is left"),
    ],
)
def test_what_the_user_says_must_fit(types: dict[str, str], message: str) -> None:
    with pytest.raises(StepError, match=message):
        found(words(12), mode="custom", column_name_and_types=types)


def test_without_featurization_columns_stay_numbers() -> None:
    assert found(np.arange(ROWS), mode="off").purpose == "Numeric"
    with pytest.raises(StepError, match="all columns must be numbers; 'c' is not"):
        found(words(3), mode="off")


@pytest.mark.slow
def test_ten_thousand_columns_of_zeros_are_ignored_in_seconds() -> None:
    frame = pd.DataFrame(np.zeros((300, 10_000)), columns=[f"z{n}" for n in range(10_000)])
    frame["x"] = NUMBERS.normal(size=300)
    kinds = [column.purpose for column in purposes(frame, Featurization())]
    assert kinds.count("Ignore") == 10_000
    assert kinds[-1] == "Numeric"
