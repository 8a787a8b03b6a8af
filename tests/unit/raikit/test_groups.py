from __future__ import annotations

import pandas as pd
import pytest

from raikit.groups import (
    MOST_GROUPS,
    cross,
    group,
    groupings,
    parse_ranges,
    settle_sensitive,
)
from stepkit.program import StepError

TABLE = pd.DataFrame(
    {
        "Age": [19, 24, 25, 39, 40, 70, 33, 51, 62, 28, 44, 36],
        "sex": ["f", "m", "m", "m", None, "f", "m", "m", "f", "m", "m", "f"],
        "marital-status": ["s"] * 12,
        "score": [float(n) for n in range(12)],
        "income": [0, 1] * 6,
    }
)


def test_usual_names_are_taken_and_related_ones_pointed_at() -> None:
    columns, words = settle_sensitive("auto", TABLE, "income")
    assert columns == ("sex", "Age")
    assert "usual names" in words
    assert "sex and Age" in words
    assert "Think of marital-status" in words


def test_a_target_of_a_usual_name_is_not_taken() -> None:
    assert settle_sensitive("auto", TABLE[["sex", "score"]], "sex")[0] == ()


def test_none_and_names_are_obeyed() -> None:
    assert settle_sensitive("none", TABLE, "income")[0] == ()
    assert settle_sensitive("score, sex", TABLE, "income")[0] == ("score", "sex")
    with pytest.raises(StepError, match="did you mean 'sex'"):
        settle_sensitive("sexx", TABLE, "income")


def test_no_usual_name_is_said() -> None:
    columns, words = settle_sensitive("auto", TABLE[["score"]], "income")
    assert columns == ()
    assert "no column has a usual name" in words


def test_ages_are_cut_where_is_usual() -> None:
    found = group(TABLE, "Age", {})
    assert found.labels == ("under 25", "25 to 39", "40 to 59", "60 and over")
    assert found.counts.tolist() == [2, 5, 3, 2]
    assert found.texts[:5].tolist() == ["under 25", "under 25", "25 to 39", "25 to 39", "40 to 59"]
    assert "25, 40, 60" in found.note


def test_given_ranges_win_and_fractions_are_named_as_such() -> None:
    found = group(TABLE, "score", {"score": (2.5, 7.0)})
    assert found.labels == ("under 2.5", "2.5 to under 7", "7 and over")
    assert found.counts.tolist() == [3, 4, 5]


def test_other_numbers_are_cut_at_the_quartiles() -> None:
    found = group(TABLE, "score", {})
    assert found.counts.tolist() == [3, 3, 3, 3]
    assert "quartiles" in found.note


def test_what_is_missing_is_a_group_last_whatever_its_size() -> None:
    assert group(TABLE, "sex", {}).labels == ("m", "f", "missing")
    ages = pd.DataFrame({"age": [None, 20.0, 30.0, None]})
    found = group(ages, "age", {"age": (25.0,)})
    assert found.labels == ("under 25", "25 and over", "missing")
    assert found.codes.tolist() == [2, 0, 1, 2]


def test_numbers_of_few_values_are_groups_as_they_are() -> None:
    found = group(pd.DataFrame({"sex": [1.0, 2.0, 1.0, None]}), "sex", {})
    assert found.labels == ("1", "2", "missing")


def test_intersections_have_only_those_that_are_there() -> None:
    one = group(pd.DataFrame({"a": ["x", "x", "y"]}), "a", {})
    other = group(pd.DataFrame({"b": ["p", "q", "p"]}), "b", {})
    found = cross(one, other)
    assert (found.name, found.is_crossed) == ("a x b", True)
    assert sorted(found.labels) == ["x, p", "x, q", "y, p"]
    assert found.texts.tolist() == ["x, p", "x, q", "y, p"]


def test_columns_without_groups_are_left_out_in_words() -> None:
    rows = MOST_GROUPS + 1
    table = pd.DataFrame(
        {
            "id": [f"p{n}" for n in range(rows)],
            "same": ["a"] * rows,
            "sex": ["f", *["m"] * (rows - 1)],
            "race": ["w", "b", *["w"] * (rows - 2)],
        }
    )
    found, said = groupings(table, ("id", "same", "sex", "race"), {})
    assert [each.name for each in found] == ["sex", "race", "sex x race"]
    assert any("same is the same in all rows" in words for words in said)
    assert any("51 different values" in words for words in said)


def test_ranges_are_parsed() -> None:
    assert parse_ranges("auto") == {}
    assert parse_ranges("age: 30, 50; my income: 2e4") == {
        "age": (30.0, 50.0),
        "my income": (20000.0,),
    }


@pytest.mark.parametrize("text", ["age", "age: x", "age: 50 30", ": 30", "age:", ""])
def test_ranges_that_say_nothing_are_refused(text: str) -> None:
    with pytest.raises(StepError, match="does not say where a column is cut"):
        parse_ranges(text)
