"""Bounds against published worked examples, and against what they promise."""

from __future__ import annotations

import math
import random

import pytest

from amlocal.rollout.statistics import (
    Estimate,
    deviations,
    least_difference,
    least_ratio,
    needed_for_quantile,
    quantile,
    rate,
)

#: Of a two-sided interval of 95 %.
Z95 = 1.959964


def histogram(counts: dict[float, int]) -> dict[str, int]:
    """Return a cumulative histogram of requests in each bucket, by its upper bound."""
    found, so_far = {}, 0
    for bound, count in sorted(counts.items()):
        so_far += count
        found["+Inf" if math.isinf(bound) else str(bound)] = so_far
    return {**found, "+Inf": so_far}


@pytest.mark.parametrize(("confidence", "z"), [(0.95, 1.644854), (0.99, 2.326348)])
def test_deviations_are_one_sided(confidence: float, z: float) -> None:
    assert deviations(confidence) == pytest.approx(z, abs=1e-6)


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    # Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, method 3 (score).
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_a_rate_has_the_bounds_of_wilsons_published_examples(
    count: int, total: int, low: float, high: float
) -> None:
    found = rate(count, total, Z95)
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_a_rate_of_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="nothing"):
        rate(0, 0, Z95)


@pytest.mark.parametrize(
    ("one", "other", "low"),
    # Newcombe, Statistics in Medicine 17 (1998), 873-890, table II, method 10.
    [((56, 70), (48, 80), 0.0524), ((9, 10), (3, 10), 0.1705), ((10, 10), (0, 20), 0.6791)],
)
def test_a_difference_has_the_lower_bound_of_newcombes_published_examples(
    one: tuple[int, int], other: tuple[int, int], low: float
) -> None:
    found = least_difference(rate(*one, Z95), rate(*other, Z95))
    assert found == pytest.approx(low, abs=5e-5)


def test_the_least_ratio_of_exact_figures_is_their_ratio() -> None:
    assert least_ratio(Estimate(3, 3, 3), Estimate(2, 2, 2)) == pytest.approx(1.5)
    assert least_ratio(Estimate(3, 0, 3), Estimate(2, 2, 2)) == 0


@pytest.mark.parametrize(("q", "needed"), [(0.5, 7), (0.95, 104), (0.99, 537)])
def test_a_quantile_needs_so_many_requests(q: float, needed: int) -> None:
    z = deviations(0.99)
    assert needed_for_quantile(q, z) == needed
    few, enough = ({"0.1": count, "+Inf": count} for count in (needed - 1, needed))
    assert quantile(few, q, z) is None
    assert quantile(enough, q, z) is not None


def test_a_quantile_is_in_its_bucket_and_its_bounds_are_edges() -> None:
    # The 950th of 1000 is the 50th of the 100 between 20 and 40 ms: half the way, by logarithms.
    # Its bounds at z = 2: ranks 950 -+ 13.8, in the same bucket.
    found = quantile(histogram({0.01: 400, 0.02: 500, 0.04: 100}), 0.95, 2.0)
    assert found == Estimate(pytest.approx(0.02 * math.sqrt(2)), 0.02, 0.04)


def test_a_quantile_beyond_the_last_bucket_is_not_known() -> None:
    assert quantile(histogram({0.01: 900, math.inf: 100}), 0.95, 2.0) is None
    assert quantile({}, 0.95, 2.0) is None


def test_equal_deployments_are_seldom_told_apart() -> None:
    """Of 400 pairs of equal histograms, a confidence of 0.95 calls at most 5 % different."""
    draw = random.Random(7)
    bounds = [0.001 * 1.1**k for k in range(80)]

    def sample() -> dict[str, int]:
        seconds = [draw.lognormvariate(-4, 0.5) for _ in range(300)]
        return {str(b): sum(s <= b for s in seconds) for b in bounds} | {"+Inf": 300}

    z, wrong = deviations(0.95), 0
    for _ in range(400):
        one, other = (quantile(sample(), 0.9, z) for _ in range(2))
        assert one is not None
        assert other is not None
        wrong += least_ratio(one, other) > 1
    assert wrong <= 20
