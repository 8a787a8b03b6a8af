"""What the text of a table stands for."""

from __future__ import annotations

import pandas as pd
import pytest

from stepkit.inference import inferred, parsed


def texts(*values: str) -> pd.Series:
    return pd.Series(list(values), dtype=object)


@pytest.mark.parametrize(
    ("values", "kind", "missing"),
    [
        (("1", "-2", "3"), "integer", 0),
        (("1.5", "", "1e3"), "floating", 1),
        (("1", "NA", "null"), "floating", 2),
        (("true", "False"), "boolean", 0),
        (("2024-01-31", "2024-02-01T10:00:00Z"), "datetime64", 0),
        (("a", "1"), "string", 0),
        (("1", "a"), "string", 0),
        (("2024-02-31", "2024-01-01"), "string", 0),
        (("yes", "no"), "string", 0),
        (("", "NA"), "string", 0),
    ],
)
def test_a_column_is_what_all_of_it_reads_as(
    values: tuple[str, ...], kind: str, missing: int
) -> None:
    found = inferred(texts(*values))
    assert pd.api.types.infer_dtype(found, skipna=True) == kind
    assert found.isna().sum() == missing


def test_booleans_of_which_some_are_missing_stay_booleans() -> None:
    found = inferred(texts("true", "", "false"))
    assert found.isna().tolist() == [False, True, False]
    assert found.dropna().tolist() == [True, False]


def test_decimal_commas_are_read_where_they_separate_nothing() -> None:
    assert parsed(texts("1,5", "2"), commas=True).tolist() == [1.5, 2.0]
    assert parsed(texts("1,5", "2"), commas=False).tolist() == ["1,5", "2"]
