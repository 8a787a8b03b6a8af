import numpy as np
import pandas as pd
import pytest

from automlkit.forecasting.frequency import check_grid, find_frequency, parse_frequency
from stepkit.program import StepError


def times(*texts: str) -> dict[str, pd.DatetimeIndex]:
    return {"a": pd.DatetimeIndex(texts)}


@pytest.mark.parametrize(
    "frequency",
    ["YS-JAN", "YE-DEC", "YE-JUN", "QS-JAN", "QS-FEB", "QE-DEC", "QE-OCT", "MS", "ME", "W-SUN",
     "W-WED", "2W-MON", "B", "D", "3D", "h", "6h", "15min", "30s", "250ms"],
)  # fmt: skip
def test_finds_the_frequency_that_times_were_made_with(frequency):
    index = pd.date_range("2020-01-15", periods=40, freq=frequency)
    found = find_frequency({"a": index})
    again = pd.date_range(index[0], periods=40, freq=found)
    assert list(again) == list(index)


@pytest.mark.parametrize("frequency", ["MS", "ME", "W-SUN", "D", "h", "15min"])
def test_missing_periods_do_not_hide_the_frequency(frequency):
    index = pd.date_range("2020-01-15", periods=40, freq=frequency)
    kept = index[np.random.default_rng(0).permutation(40)[:32]].sort_values()
    assert find_frequency({"a": kept}) == find_frequency({"a": index})


def test_all_series_count():
    daily = pd.date_range("2020-01-01", periods=30, freq="D")
    assert find_frequency({"a": daily, "b": daily[::7]}) == "D"


def test_irregular_times_are_refused_with_the_odd_ones():
    index = list(pd.date_range("2020-01-01", periods=24, freq="MS"))
    index[10] = pd.Timestamp("2020-11-17")
    with pytest.raises(StepError, match=r"irregular.*2020-11-17"):
        find_frequency({"a": pd.DatetimeIndex(index)})


def test_single_rows_have_no_frequency():
    with pytest.raises(StepError, match="no series has two rows"):
        find_frequency(times("2020-01-01"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [("M", "ME"), ("H", "h"), ("15T", "15min"), ("W", "W-SUN"), ("Q-NOV", "QE-NOV"),
     ("AS", "YS-JAN"), ("D", "D"), (" 2D ", "2D")],
)  # fmt: skip
def test_aliases_of_earlier_versions_are_understood(given, expected):
    assert parse_frequency(given) == expected


@pytest.mark.parametrize("alias", ["fortnight", "", "-1D", "0D"])
def test_an_unknown_frequency_is_refused(alias):
    with pytest.raises(StepError, match="frequency"):
        parse_frequency(alias)


def test_times_off_the_grid_are_named():
    with pytest.raises(StepError, match="2020-02-03"):
        check_grid(times("2020-01-01", "2020-02-03", "2020-03-01"), "MS")


def test_times_at_the_start_of_months_do_not_fit_their_ends():
    with pytest.raises(StepError) as caught:
        check_grid(times("2020-01-01", "2020-02-01"), "ME")
    assert "MS" in caught.value.hint


def test_times_on_the_grid_pass():
    check_grid(times("2020-01-01", "2020-03-01"), "MS")
