import pytest

from automlkit.forecasting.folds import Folds, least_rows, plan_folds, split_short
from automlkit.request import Forecasting
from stepkit.program import StepError


def settings(**fields):
    return Forecasting(time_column_name="t", **fields)


def test_long_series_get_folds_a_horizon_apart():
    folds = plan_folds(dict.fromkeys("abcdef", 300), settings(), None, 12)
    assert (folds.count, folds.step, folds.horizon) == (5, 12, 12)


def test_few_series_get_more_folds_nearer_together():
    folds = plan_folds({"a": 144}, settings(), None, 12)
    assert folds.count == 8
    assert folds.held_out(folds.count - 1) <= 72


def test_what_is_given_is_taken():
    folds = plan_folds({"a": 100}, settings(cv_step_size=3), 4, 5)
    assert folds == Folds("rolling_origin", 4, 3, 5)
    assert [folds.held_out(fold) for fold in range(4)] == [5, 8, 11, 14]


def test_short_series_get_fewer_folds():
    folds = plan_folds({"a": 14}, settings(), None, 6)
    assert 2 <= folds.count < 8
    assert split_short({"a": 14}, settings(), folds) == ({}, [])


def test_lags_and_windows_need_rows():
    assert least_rows(settings(target_lags=(1, 12))) == least_rows(settings()) + 12
    assert least_rows(settings(target_rolling_window_size=20)) == least_rows(settings()) + 20


FOLDS = Folds("rolling_origin", 2, 6, 6)


def test_short_ones_among_long_ones_are_left_out():
    assert split_short({"a": 100, "b": 9}, settings(), FOLDS) == ({}, ["b"])


def test_if_all_are_short_they_are_padded_to_what_is_needed():
    padded, dropped = split_short({"a": 10, "b": 9}, settings(), FOLDS)
    assert dropped == []
    assert 10 + padded["a"] == 9 + padded["b"] == 12 + least_rows(settings())


def test_pad_keeps_the_short_ones():
    padded, dropped = split_short(
        {"a": 100, "b": 9}, settings(short_series_handling_config="pad"), FOLDS
    )
    assert list(padded) == ["b"]
    assert dropped == []


def test_without_a_rule_short_series_are_refused():
    with pytest.raises(StepError, match="'b' \\(9\\)"):
        split_short({"a": 100, "b": 9}, settings(short_series_handling_config=None), FOLDS)


def test_dropping_all_is_refused():
    with pytest.raises(StepError, match="every series is too short"):
        split_short({"a": 9}, settings(short_series_handling_config="drop"), FOLDS)
