import numpy as np
import pytest

from automlkit.forecasting.seasons import (
    autocorrelation,
    find_horizon,
    find_lags,
    find_seasons,
    partial_autocorrelation,
    usual_seasons,
)


def wave(rows: int, *seasons: int, noise: float = 0.3, seed: int = 0):
    count = np.arange(rows)
    waves = sum(np.sin(2 * np.pi * count / season) for season in seasons)
    return waves + np.random.default_rng(seed).normal(0, noise, rows)


def autoregressive(rows: int, *weights: float):
    rng = np.random.default_rng(1)
    values = list(rng.normal(size=len(weights)))
    for _ in range(rows):
        past = values[: -len(weights) - 1 : -1]
        values.append(float(np.dot(weights, past)) + rng.normal())
    return np.asarray(values)


@pytest.mark.parametrize(
    ("frequency", "seasons"),
    [("MS", (12,)), ("QE-DEC", (4,)), ("W-SUN", (52,)), ("D", (7,)), ("B", (5,)), ("YS-JAN", ()),
     ("h", (24, 168)), ("15min", (96, 672)), ("2MS", ()), ("7h", (24,))],
)  # fmt: skip
def test_the_calendar_suggests_seasons(frequency, seasons):
    assert usual_seasons(frequency) == seasons


def test_the_season_of_the_calendar_is_found_under_a_trend():
    assert find_seasons([wave(120, 12) + 0.5 * np.arange(120)], "MS") == (12,)


def test_two_seasons_are_found():
    assert find_seasons([wave(1000, 24, 168)], "h") == (24, 168)


def test_a_season_that_no_calendar_suggests_is_found():
    assert find_seasons([wave(200, 11)], "YS-JAN") == (11,)


@pytest.mark.parametrize("seed", range(5))
def test_noise_has_no_season(seed):
    assert find_seasons([np.random.default_rng(seed).normal(size=120)], "YS-JAN") == ()


def test_a_constant_has_no_season():
    assert find_seasons([np.full(60, 3.0)], "MS") == ()


def test_the_season_of_most_series_counts():
    series = [wave(96, 12, seed=1), wave(96, 12, seed=2), np.arange(96.0)]
    assert find_seasons(series, "MS") == (12,)


def test_too_short_a_series_has_no_season():
    assert find_seasons([np.asarray([1.0, 2.0, 1.0])], "MS") == ()


def test_autocorrelation_is_that_of_the_definition():
    values = wave(50, 7)
    centred = values - values.mean()
    expected = [(centred[lag:] * centred[: 50 - lag]).sum() for lag in range(5)]
    found = autocorrelation(values, 4)
    assert found == pytest.approx(np.asarray(expected) / expected[0])


def test_partial_autocorrelation_ends_at_the_order():
    partial = partial_autocorrelation(autoregressive(5000, 0.6, -0.4), 4)
    assert partial[2] == pytest.approx(-0.4, abs=0.05)
    assert partial[3:] == pytest.approx([0, 0], abs=0.05)


def test_lags_above_chance_are_found():
    found = find_lags([autoregressive(3000, 0.5, 0.0, 0.4)])
    assert {1, 3} <= set(found)
    assert len(found) < 8


def test_without_any_lag_the_first_is_taken():
    assert find_lags([np.full(40, 2.0)]) == (1,)


@pytest.mark.parametrize(
    ("lengths", "frequency", "expected"),
    [([144], "MS", 18), ([30], "MS", 6), ([1000, 1000], "h", 48), ([3], "D", 1)],
)
def test_the_horizon_is_bounded_by_the_data(lengths, frequency, expected):
    assert find_horizon(lengths, frequency) == expected
