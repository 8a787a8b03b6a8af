from __future__ import annotations

import math

import numpy as np
import pytest
from profile_statistics import (
    compare,
    needed_for,
    quantile,
    quantile_ranks,
    share,
    slope,
    steadiness,
)
from scipy import stats


def coverage(sample: int, q: float) -> float:
    """Return how probable it is that the ranks enclose the true quantile of continuous times."""
    low, high = quantile_ranks(sample, q)
    return sum(
        math.exp(
            math.lgamma(sample + 1)
            - math.lgamma(k + 1)
            - math.lgamma(sample - k + 1)
            + k * math.log(q)
            + (sample - k) * math.log(1 - q)
        )
        for k in range(low, high)
    )


@pytest.mark.parametrize("q", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("more", [0, 1, 100, 2000])
def test_ranks_enclose_a_quantile_as_often_as_they_say(q: float, more: int) -> None:
    assert 0.95 <= coverage(needed_for(q) + more, q) <= (1.0 if more < 100 else 0.98)


@pytest.mark.parametrize(("q", "needed"), [(0.5, 6), (0.9, 36), (0.99, 368)])
def test_fewer_calls_than_a_quantile_needs_are_insufficient(q: float, needed: int) -> None:
    assert needed_for(q) == needed
    assert quantile(np.arange(needed - 1.0), q) is None
    found = quantile(np.arange(float(needed)), q)
    assert found.sample == needed
    assert found.high == needed - 1
    assert found.low <= found.value <= found.high


def test_the_ranks_of_a_median_are_those_of_the_sign_test() -> None:
    # In every table of it: of 10 values from the 2nd to the 9th, of 20 from the 6th to the 15th.
    assert quantile_ranks(10, 0.5) == (2, 9)
    assert quantile_ranks(20, 0.5) == (6, 15)


def test_a_quantile_is_that_of_the_times_in_any_order() -> None:
    times = np.random.default_rng(0).permutation(np.arange(1001.0))
    found = quantile(times, 0.5)
    assert found.value == 500
    assert (found.low, found.high) == (469, 531)


def test_a_share_has_clopper_and_pearsons_bounds() -> None:
    found = share(4, 400)
    assert found.value == 0.01
    # By the beta distribution, of which they are quantiles.
    assert found.low == pytest.approx(stats.beta.ppf(0.025, 4, 397))
    assert found.high == pytest.approx(stats.beta.ppf(0.975, 5, 396))
    assert share(0, 100).low == 0
    # The rule of three, at a tail of 2.5 %.
    assert share(0, 100).high == pytest.approx(1 - 0.025 ** (1 / 100))
    with pytest.raises(ValueError, match="nothing"):
        share(0, 0)


def rounds_of(rng: np.random.Generator, number: int, scale: float, noise: np.ndarray) -> list:
    return [scale * busy * rng.lognormal(0, 0.1, 10) for busy in noise[:number]]


def test_noise_that_both_models_meet_leaves_their_ratio() -> None:
    rng = np.random.default_rng(1)
    # The machine is up to ten times slower in some rounds, for both.
    noise = rng.choice([1.0, 3.0, 10.0], 60)
    found = compare(rounds_of(rng, 60, 2.0, noise), rounds_of(rng, 60, 1.0, noise), 0.5)
    assert found.ratio.value == pytest.approx(2, rel=0.1)
    assert 1.6 < found.ratio.low <= found.ratio.value <= found.ratio.high < 2.4
    assert found.difference.low > 0


@pytest.mark.slow
def test_intervals_of_a_ratio_cover_it() -> None:
    rng = np.random.default_rng(2)
    covered = 0
    for seed in range(100):
        noise = rng.lognormal(0, 0.2, 40)
        found = compare(
            rounds_of(rng, 40, 1.5, noise), rounds_of(rng, 40, 1.0, noise), 0.5, seed=seed
        )
        covered += found.ratio.low <= 1.5 <= found.ratio.high
    # Binomial with 100 draws: 89 or fewer of a true 95 % come up in 1 of 100 tests.
    assert covered >= 90


def test_few_rounds_have_no_interval() -> None:
    found = compare([np.array([2.0, 2.2])] * 7, [np.array([1.0, 1.1])] * 7, 0.5)
    assert found.ratio.value == pytest.approx(2)
    assert (found.ratio.low, found.difference.high) == (None, None)


def test_a_slope_is_not_bent_by_outliers() -> None:
    x = np.arange(30.0)
    y = 3 * x + 1
    y[[4, 20]] = 1e6
    found = slope(x, y)
    assert found.value == pytest.approx(3)
    assert found.low <= 3 <= found.high


def test_repeats_that_are_alike_are_steady() -> None:
    times = np.random.default_rng(3).lognormal(0, 0.05, 800)
    found = steadiness(times)
    assert len(found.medians) == 8
    assert found.variation < 0.02
    assert found.drift.low < 0 < found.drift.high


def test_a_drift_is_the_change_from_beginning_to_end() -> None:
    # The parts' medians rise from 1.0 to 1.7, in steps of 0.1: 0.7 of the median of 1.35.
    found = steadiness(np.repeat(np.arange(10, 18) / 10, 6))
    assert found.drift.value == pytest.approx(0.7 / 1.35)
    assert found.drift.low > 0
    medians = np.arange(10, 18) / 10
    assert found.variation == pytest.approx(medians.std(ddof=1) / medians.mean())
    assert steadiness(np.ones(47)) is None
