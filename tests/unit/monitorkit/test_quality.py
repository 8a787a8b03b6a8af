"""Rates of examples worked by hand, and their p-values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from monitorkit.columns import MIXED, Gatherer, Kind, Rows
from monitorkit.quality import quality
from monitorkit.request import Threshold
from monitorkit.verdicts import Metric

RATES = ("null_value_rate", "data_type_error_rate", "out_of_bounds_rate")


def rows(**columns: Any) -> Rows:
    gatherer = Gatherer(10**6, 0)
    gatherer.add(pa.table(columns))
    return gatherer.rows()


def metrics(
    now: Rows, before: Rows, kind: Kind, *, least: int = 1, threshold: float = 0.0
) -> dict[str, Metric]:
    wanted = [Threshold(rate, kind, threshold) for rate in RATES]  # type: ignore[arg-type]
    found = quality("q", now, before, {"a": kind}, wanted, least)
    return {each.metric: each for each in found}


def mixed(*values: float | str | None) -> pa.StructArray:
    """Return a column of numbers and texts, as it is read of JSON."""
    numbers = pa.array([v if isinstance(v, float) else None for v in values], pa.float64())
    texts = pa.array([None if v is None else str(v) for v in values], pa.string())
    return pa.StructArray.from_arrays([numbers, texts], fields=list(MIXED))


def test_rates_of_a_number() -> None:
    # Of 10: 2 have no value, 1 is no number, of the other 7 one is too small and two too great.
    values = (1.0, 2.0, 3.0, "4", "five", None, None, 0.5, 9.0, 7.0)
    now, before = rows(a=mixed(*values)), rows(a=[1.0, 5.0, 6.0, None, 2.0])
    found = metrics(now, before, "numerical")
    assert {name: each.value for name, each in found.items()} == pytest.approx(
        {"null_value_rate": 0.2, "data_type_error_rate": 0.1, "out_of_bounds_rate": 0.3}, abs=1e-9
    )
    assert found["null_value_rate"].reference_value == pytest.approx(0.2, abs=1e-9)
    expected = stats.fisher_exact([[2, 8], [1, 4]], alternative="greater").pvalue
    assert found["null_value_rate"].p_value == pytest.approx(expected, abs=1e-9)
    expected = stats.fisher_exact([[1, 9], [0, 5]], alternative="greater").pvalue
    assert found["data_type_error_rate"].p_value == pytest.approx(expected, abs=1e-9)
    # Of 7 and 4 numbers in a random order, of the first 4 at most one is of the reference.
    expected = stats.hypergeom.cdf(1, 11, 4, 4)
    assert found["out_of_bounds_rate"].p_value == pytest.approx(expected, abs=1e-9)


def test_rates_of_a_category() -> None:
    now = rows(a=["x", "x", "y", None, "z", "z", "w", "x"])
    before = rows(a=["x", "y", "y", "x", None, None])
    found = metrics(now, before, "categorical")
    # z twice and w once are new; a row without a value is in bounds; any value is a text.
    assert {name: each.value for name, each in found.items()} == pytest.approx(
        {"null_value_rate": 1 / 8, "data_type_error_rate": 0, "out_of_bounds_rate": 3 / 8}, abs=1e-9
    )
    # Both of z in production: (7 2) / (11 2); three categories are as frequent.
    expected = min(1.0, 3 * (7 * 6) / (11 * 10))
    assert found["out_of_bounds_rate"].p_value == pytest.approx(expected, abs=1e-9)


def test_bounds_belong_to_the_range() -> None:
    now, before = rows(a=[1.0, 5.0, 3.0]), rows(a=[1.0, 5.0])
    assert metrics(now, before, "numerical")["out_of_bounds_rate"].value == 0


def test_a_reference_without_values_has_no_bounds() -> None:
    nothing = rows(a=pa.array([None, None], pa.float64()))
    found = metrics(rows(a=[1.0, 2.0]), nothing, "numerical")
    assert found["out_of_bounds_rate"].value == 0
    assert found["out_of_bounds_rate"].p_value == 1


def test_too_few_rows_have_no_rates() -> None:
    found = metrics(rows(a=[1.0, 2.0]), rows(a=[1.0] * 9), "numerical", least=5)
    assert all(each.value is None for each in found.values())
    assert found["null_value_rate"].note == "2 rows in production, 5 are needed"


def test_a_reference_that_is_no_better_is_noted() -> None:
    holes = np.where(np.arange(50) % 2, np.nan, 1.0)
    sides = [rows(a=pa.array(holes, from_pandas=True)) for _ in range(2)]
    found = metrics(sides[0], sides[1], "numerical", threshold=0.1)
    assert found["null_value_rate"].note == "the reference is above this threshold itself"
