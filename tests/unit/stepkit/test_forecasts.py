"""Forecasts beside the seasonal naive one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stepkit.forecasts import forecast_panel, series_of
from stepkit.program import StepError


def months(values, start, **columns):
    times = pd.date_range(start, periods=len(values), freq="MS")
    return pd.DataFrame({"t": times, "y": np.asarray(values, dtype=float), **columns})


def panel_once(truth, predicted, series):
    panel = forecast_panel(np.asarray(truth, float), np.asarray(predicted, float), series)
    return {name: float(value[0]) for name, value in panel(np.ones((len(truth), 1))).items()}


def test_mase_worked_by_hand():
    # A season of 2: the naive errors within the history are |3-1|, |5-2|, |4-3| = 2, 3, 1.
    history = months([1, 2, 3, 5, 4], "2020-01-01")
    rows = months([6, 8], "2020-06-01")
    series = series_of(rows, "y", "t", (), season=2, history=history)
    assert series.scales.tolist() == [2.0]
    assert series.steps.tolist() == [1, 2]
    found = panel_once(rows.y, [5, 11], series)
    assert found["mase"] == pytest.approx((1 / 2 + 3 / 2) / 2, abs=1e-12)
    # The range is that of all known values, 1 to 8.
    assert found["nmae"] == pytest.approx(2 / 7, abs=1e-12)
    assert found["nrmse"] == pytest.approx(np.sqrt(5) / 7, abs=1e-12)


def test_normalised_errors_are_each_series_own():
    rows = pd.concat([months([0, 10], "2020-01-01", k="a"), months([0, 1000], "2020-01-01", k="b")])
    series = series_of(rows, "y", "t", ("k",), season=1, history=None)
    assert series.names == ("a", "b")
    found = panel_once(rows.y, [1, 11, 0, 1000], series)
    assert found == {"nmae": pytest.approx(0.05), "nrmse": pytest.approx(0.05)}
    assert not series.has_scales


def test_resamples_are_as_good_as_drawn_rows():
    rng = np.random.default_rng(0)
    history = pd.concat([months(rng.random(30), "2018-01-01", k=k) for k in (1.0, 2.0)])
    rows = pd.concat([months(rng.random(6), "2021-01-01", k=k) for k in (1, 2)])
    series = series_of(rows, "y", "t", ("k",), season=0, history=history)
    assert series.season == 12
    truth, predicted = rows.y.to_numpy(), rng.random(12)
    drawn = rng.integers(12, size=12)
    counts = np.bincount(drawn, minlength=12).astype(float)[:, None]
    scaled = np.abs(truth - predicted) / series.scales[series.numbers]
    found = forecast_panel(truth, predicted, series)(counts)
    assert found["mase"] == pytest.approx([scaled[drawn].mean()])


@pytest.mark.parametrize(
    ("frequency", "season"), [("h", 24), ("D", 7), ("W", 52), ("MS", 12), ("QS", 4), ("YS", 1)]
)
def test_the_season_is_found_by_the_times(frequency, season):
    times = pd.date_range("2020-01-01", periods=5, freq=frequency)
    rows = pd.DataFrame({"t": times, "y": 1.0})
    assert series_of(rows, "y", "t", (), season=0, history=None).season == season


def test_rows_after_the_first_test_row_are_no_history():
    history = months([1, 3, 9, 9], "2020-01-01")
    rows = months([4], "2020-03-01")
    series = series_of(rows, "y", "t", (), season=1, history=history)
    assert series.scales.tolist() == [2.0]


def test_a_column_that_holds_no_times_is_named():
    rows = pd.DataFrame({"t": ["soon"], "y": [1.0]})
    with pytest.raises(StepError, match="'t' is no column of times"):
        series_of(rows, "y", "t", (), season=0, history=None)
    with pytest.raises(StepError, match="column of the forecast"):
        series_of(rows, "y", "when", (), season=0, history=None)
