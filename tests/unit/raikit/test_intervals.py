from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from raikit.intervals import (
    greatest_difference,
    log_shares,
    logarithms,
    mean_interval,
    means,
    ratio_interval,
    shares,
    smallest_ratio,
)
from stepkit.calibration import wilson


@pytest.mark.parametrize(("hits", "rows"), [(0, 10), (3, 10), (10, 10), (250, 1000)])
def test_shares_have_the_score_interval(hits: int, rows: int) -> None:
    expected = binomtest(hits, rows).proportion_ci(method="wilson")
    assert wilson(hits, rows) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_a_mean_of_zeros_and_ones_is_a_share() -> None:
    values = np.array([1.0, 0.0, 0.0, 1.0])
    assert mean_interval(values) == wilson(2, 4)


def test_a_mean_has_its_standard_error() -> None:
    values = np.array([1.0, 2.0, 3.0, 6.0])
    half = 1.959963984540054 * values.std(ddof=1) / 2
    assert mean_interval(values) == pytest.approx((3 - half, 3 + half), abs=1e-9)
    assert mean_interval(np.array([2.5])) == (2.5, 2.5)


def test_the_ratio_of_shares_has_the_interval_of_katz() -> None:
    # A worked example: 15 of 100 against 10 of 200.
    one, other = np.zeros(100), np.zeros(200)
    one[:15], other[:10] = 1, 1
    half = 1.959963984540054 * np.sqrt(1 / 15 - 1 / 100 + 1 / 10 - 1 / 200)
    expected = (3 * np.exp(-half), 3 * np.exp(half))
    assert ratio_interval(one, other) == pytest.approx(expected, abs=1e-9)
    assert ratio_interval(np.zeros(5), other) is None


def _counts(truth: np.ndarray, rows: np.ndarray, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).binomial(rows, truth)


@pytest.mark.parametrize(
    ("truth", "rows"),
    [
        ([0.3, 0.3], [200, 60]),  # no difference at all
        ([0.2, 0.5, 0.4], [80, 300, 120]),
        ([0.02, 0.3], [60, 400]),
    ],
)
def test_intervals_of_the_greatest_difference_cover_it(truth: list, rows: list) -> None:
    p, n = np.array(truth), np.array(rows)
    covered = ratios = 0
    for seed in range(200):
        hits = _counts(p, n, seed)
        low, high = greatest_difference([shares(hits, n, seed)])
        covered += low <= p.max() - p.min() <= high
        low, high = smallest_ratio(log_shares(hits, n, seed))
        ratios += low <= p.min() / p.max() <= high + 1e-12
    # At least 95 % of 200; 184 is two standard errors of that count below it.
    assert covered >= 184
    assert ratios >= 184


def test_bounds_hold_for_many_equal_groups_at_once() -> None:
    rows = np.full(6, 150)
    alarms = 0
    for seed in range(150):
        hits = _counts(np.full(6, 0.25), rows, seed)
        alarms += greatest_difference([shares(hits, rows, seed)])[0] > 0
    # Each of 15 pairs by itself would alarm far more often than one time in twenty.
    assert alarms <= 15


def test_no_hit_is_not_certainty() -> None:
    low, high = greatest_difference([shares(np.array([0, 20]), np.array([30, 100]), 0)])
    assert 0 < low < 0.2 < high < 0.5


def test_means_are_resampled_within_groups() -> None:
    rng = np.random.default_rng(0)
    groups = [rng.normal(0, 1, 400), rng.normal(1, 3, 100)]
    drawn = means(groups, 0)
    assert drawn.values == pytest.approx([each.mean() for each in groups], abs=1e-12)
    assert drawn.draws.std(axis=0) == pytest.approx(drawn.errors, rel=0.1)
    low, high = greatest_difference([drawn])
    assert low < 1 < high


def test_the_ratio_of_means_is_that_of_their_logarithms() -> None:
    rng = np.random.default_rng(0)
    drawn = means([rng.gamma(4, 1, 300), rng.gamma(4, 2, 300)], 0)
    low, high = smallest_ratio(logarithms(drawn))
    assert low < 0.5 < high < 0.65
