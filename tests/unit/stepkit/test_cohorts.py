"""Parts of the test rows: every row once, by value or by quantile."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stepkit.cohorts import MISSING, OTHER, cohorts_of, cut_at_quantiles, settle_columns
from stepkit.program import StepError

TABLE = pd.DataFrame(
    {
        "y": [0, 1] * 50,
        "sex": ["F", "M", None, "M"] * 25,
        "age": np.arange(100),
        "code": [f"c{number}" for number in range(100)],
        "flag": [True, False] * 50,
        "same": 1,
        "share": np.linspace(0, 1, 100),
    }
)


def test_every_row_is_in_one_cohort_of_each_column():
    for name in TABLE.columns:
        found = cohorts_of(TABLE, [name])
        rows = np.concatenate([each.rows for each in found])
        assert sorted(rows) == list(range(100)), name
        assert sum(each.coverage for each in found) == pytest.approx(1)


def test_values_are_named_and_missing_ones_are_a_cohort():
    found = {each.name: len(each.rows) for each in cohorts_of(TABLE, ["sex", "flag"])}
    assert found == {
        "sex=F": 25,
        "sex=M": 50,
        f"sex={MISSING}": 25,
        "flag=False": 50,
        "flag=True": 50,
    }


def test_numbers_are_cut_at_quantiles_and_named_by_what_is_in_them():
    found = cohorts_of(TABLE, ["age"])
    assert [each.value for each in found] == ["0 to 24", "25 to 49", "50 to 74", "75 to 99"]
    assert [each.is_small for each in found] == [True] * 4


def test_near_numbers_get_digits_enough_to_tell_them_apart():
    found = cut_at_quantiles(pd.Series(1000.5 + np.arange(40) / 1000, name="n"), 4)
    assert found[0].value == "1000.5 to 1000.51"
    assert len({each.value for each in found}) == 4


def test_missing_numbers_are_a_cohort():
    column = pd.Series([*range(30), None, None], name="n", dtype=float)
    assert [len(each.rows) for each in cut_at_quantiles(column, 2)] == [15, 15, 2]


def test_rare_values_are_gathered():
    found = cohorts_of(TABLE, ["code"])
    assert len(found) == 11
    assert (found[-1].value, len(found[-1].rows)) == (OTHER, 90)


def test_auto_takes_few_values_first_and_never_the_target():
    assert settle_columns("auto", TABLE, "y") == ("sex", "flag", "age", "share")
    wide = pd.DataFrame({f"n{number}": np.arange(20) for number in range(9)})
    assert len(settle_columns("auto", wide, "y")) == 6


def test_named_columns_are_taken_or_missed():
    assert settle_columns("age, sex", TABLE, "y") == ("age", "sex")
    assert settle_columns("none", TABLE, "y") == ()
    with pytest.raises(StepError, match="did you mean 'sex'"):
        settle_columns("sexx", TABLE, "y")
