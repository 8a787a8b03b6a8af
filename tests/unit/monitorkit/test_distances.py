"""Each metric equals SciPy's, scikit-learn's, or an example worked by hand, to 1e-9."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon
from sklearn.metrics import ndcg_score

from monitorkit import distances
from monitorkit.distances import Floats, NumberPair


def numbers(seed: int, rows: int, shape: str) -> Floats:
    rng = np.random.default_rng(seed)
    drawn = {
        "normal": rng.normal(3, 2, rows),
        "skewed": rng.lognormal(0, 1.5, rows),
        "ties": rng.integers(0, 6, rows).astype(float),
    }
    return drawn[shape]


@pytest.fixture(params=["normal", "skewed", "ties"])
def pair(request: pytest.FixtureRequest) -> NumberPair:
    return NumberPair.of(numbers(1, 700, request.param), numbers(2, 1100, request.param) * 1.1)


def test_bins_are_those_of_numpy_with_sturges_number(pair: NumberPair) -> None:
    edges = np.histogram_bin_edges(
        np.concatenate([pair.production, pair.reference]), math.ceil(math.log2(700) + 1)
    )
    ours, theirs = pair.counts
    assert len(ours) == 11
    assert ours.sum() == 700
    assert theirs.sum() == 1100
    np.testing.assert_allclose(ours, np.histogram(pair.production, edges)[0])
    np.testing.assert_allclose(theirs, np.histogram(pair.reference, edges)[0])


def test_a_constant_has_one_bin() -> None:
    pair = NumberPair.of(np.full(30, 7.0), np.full(20, 7.0))
    assert [part.tolist() for part in pair.counts] == [[30.0], [20.0]]
    assert distances.jensen_shannon_distance(*pair.counts) == 0
    assert distances.normalized_wasserstein_distance(pair) == 0


def test_what_is_missing_or_infinite_is_left_out() -> None:
    pair = NumberPair.of(np.array([3.0, np.nan, 1.0]), np.array([np.inf, 2.0]))
    assert pair.production.tolist() == [1.0, 3.0]
    assert pair.reference.tolist() == [2.0]


def test_jensen_shannon_is_scipys(pair: NumberPair) -> None:
    ours, theirs = pair.counts
    expected = jensenshannon(ours, theirs, base=2)
    assert distances.jensen_shannon_distance(ours, theirs) == pytest.approx(expected, abs=1e-9)
    assert distances.jensen_shannon_distance(np.array([1.0, 0]), np.array([0, 1.0])) == 1


def test_wasserstein_is_scipys_over_the_references_deviation(pair: NumberPair) -> None:
    area = stats.wasserstein_distance(pair.production, pair.reference)
    assert pair.area == pytest.approx(area, abs=1e-9)
    expected = area / np.std(pair.reference, ddof=1)
    assert distances.normalized_wasserstein_distance(pair) == pytest.approx(expected, abs=1e-9)


def test_wasserstein_of_a_constant_reference_is_divided_by_a_thousandth() -> None:
    pair = NumberPair.of(np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    assert distances.normalized_wasserstein_distance(pair) == pytest.approx(500, abs=1e-9)


def test_stability_index_of_an_example() -> None:
    # (9 + 1) / 40 and (29 + 1) / 40 on the side of production; 20 / 38 twice in the reference.
    index = distances.population_stability_index(np.array([9.0, 31.0]), np.array([19.0, 19.0]))
    p, q = (10 / 40, 32 / 40), (20 / 38, 20 / 38)
    worked = (p[0] - q[0]) * math.log(p[0] / q[0]) + (p[1] - q[1]) * math.log(p[1] / q[1])
    assert index == pytest.approx(worked, abs=1e-9)


def test_stability_index_is_finite_where_a_bin_is_empty() -> None:
    index = distances.population_stability_index(np.array([0.0, 50.0]), np.array([25.0, 25.0]))
    worked = (1 / 50 - 26 / 50) * math.log(1 / 26) + (51 / 50 - 26 / 50) * math.log(51 / 26)
    assert index == pytest.approx(worked, abs=1e-9)


def test_kolmogorov_smirnov_is_scipys(pair: NumberPair) -> None:
    expected = stats.ks_2samp(pair.production, pair.reference).pvalue
    found = distances.two_sample_kolmogorov_smirnov_test(pair)
    assert found == pytest.approx(expected, abs=1e-9)


def test_chi_squared_is_scipys() -> None:
    ours, theirs = np.array([30.0, 50, 20]), np.array([90.0, 120, 90])
    expected = stats.chisquare(ours, theirs / 3).pvalue
    found = distances.pearsons_chi_squared_test(ours, theirs)
    assert found == pytest.approx(expected, abs=1e-9)


def test_chi_squared_of_a_category_that_the_reference_lacks_is_zero() -> None:
    assert distances.pearsons_chi_squared_test(np.array([9.0, 1]), np.array([10.0, 0])) == 0
    assert distances.pearsons_chi_squared_test(np.array([9.0, 0]), np.array([10.0, 0])) == 1


@pytest.mark.parametrize("seed", range(5))
def test_gain_is_scikit_learns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    production, reference = rng.random(9), rng.random(9)
    production[3] = production[5]  # a tie
    expected = ndcg_score([reference], [production])
    found = distances.normalized_discounted_cumulative_gain(production, reference)
    assert found == pytest.approx(expected, abs=1e-9)


def test_gain_of_an_example() -> None:
    # The two best features have changed places: (1 + 3 / log2 3) / (3 + 1 / log2 3).
    found = distances.normalized_discounted_cumulative_gain(
        np.array([0.1, 0.9]), np.array([3.0, 1])
    )
    assert found == pytest.approx((1 + 3 / math.log2(3)) / (3 + 1 / math.log2(3)), abs=1e-9)
    assert distances.normalized_discounted_cumulative_gain(np.ones(2), np.zeros(2)) == 1
