"""P-values equal SciPy's where it has them, and are no smaller than chance allows where not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from monitorkit import noise
from monitorkit.distances import Floats, NumberPair


def test_homogeneity_is_scipys_where_no_cell_is_rare() -> None:
    ours, theirs = np.array([30.0, 50, 20]), np.array([190.0, 220, 90])
    expected = stats.chi2_contingency(np.stack([ours, theirs]), correction=False).pvalue
    assert noise.homogeneity(ours, theirs) == pytest.approx(expected, abs=1e-9)


def test_rare_cells_are_pooled() -> None:
    ours, theirs = np.array([40.0, 3, 4, 53]), np.array([45.0, 5, 2, 48])
    pooled = np.array([[7.0, 40, 53], [7, 45, 48]])  # 7 of 100: still rare, so with the 40
    merged = np.array([[47.0, 53], [52, 48]])
    expected = stats.chi2_contingency(merged, correction=False).pvalue
    assert noise.homogeneity(ours, theirs) == pytest.approx(expected, abs=1e-9)
    assert expected != stats.chi2_contingency(pooled, correction=False).pvalue


def test_what_is_all_rare_tells_nothing() -> None:
    assert noise.homogeneity(np.array([3.0, 1]), np.array([1.0, 3])) == 1


def test_higher_rate_is_fishers_exact_test() -> None:
    expected = stats.fisher_exact([[12, 88], [9, 191]], alternative="greater").pvalue
    assert noise.higher_rate(12, 100, 9, 200) == pytest.approx(expected, abs=1e-9)


def test_outside_range_of_an_example() -> None:
    # Of 2 and 2 rows in one of 6 orders both of production are outside: on one side each, twice
    # below, or twice above, which are 3 of the orders.
    assert noise.outside_range(2, 2, 2) == pytest.approx(3 / 6, abs=1e-9)
    assert noise.outside_range(1, 2, 2) == pytest.approx(5 / 6, abs=1e-9)
    assert noise.outside_range(0, 2, 2) == 1


def test_unseen_labels_of_an_example() -> None:
    # One category of 3 rows, all in production: C(4, 3) / C(10, 3); another is as frequent.
    ours, theirs = np.array([3.0, 1, 0]), np.array([0.0, 5, 1])
    assert noise.unseen_labels(ours, theirs) == pytest.approx(2 * 4 / 120, abs=1e-9)
    assert noise.unseen_labels(np.array([1.0]), np.array([1.0])) == 1


def test_holm_of_an_example() -> None:
    assert noise.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert noise.holm([]) == []


def test_gamma_tail_of_draws_of_a_gamma() -> None:
    draws = np.random.default_rng(0).gamma(2.0, 0.5, 4000)
    assert noise.gamma_tail(4.0, draws) == pytest.approx(stats.gamma.sf(4.0, 2, scale=0.5), rel=0.3)
    assert noise.gamma_tail(0.0, np.zeros(9)) == 1
    assert noise.gamma_tail(0.1, np.zeros(9)) == 0


def area(ours: Floats, theirs: Floats) -> float:
    return noise.area_noise(NumberPair.of(ours, theirs))


def binned(ours: Floats, theirs: Floats) -> float:
    return noise.homogeneity(*NumberPair.of(ours, theirs).counts)


def outside(ours: Floats, theirs: Floats) -> float:
    hits = int(((ours < theirs.min()) | (ours > theirs.max())).sum())
    return noise.outside_range(hits, len(ours), len(theirs))


@pytest.mark.parametrize("test", [area, binned, outside])
@pytest.mark.parametrize("shape", ["normal", "lognormal", "mostly zero", "few values"])
def test_no_smaller_than_chance_allows(test: Callable[[Floats, Floats], float], shape: str) -> None:
    rng = np.random.default_rng(7)

    def drawn(rows: int) -> Floats:
        if shape == "normal":
            return rng.normal(size=rows)
        if shape == "lognormal":
            return rng.lognormal(0, 2, rows)
        if shape == "mostly zero":
            return rng.lognormal(8, 1, rows) * (rng.random(rows) < 0.08)
        return rng.integers(0, 4, rows).astype(float)

    found = np.array([test(drawn(400), drawn(900)) for _ in range(600)])
    # One standard error of the count above what is expected, twice.
    assert (found <= 0.05).mean() <= 0.05 + 2 * (0.05 * 0.95 / 600) ** 0.5
    assert (found <= 0.01).mean() <= 0.01 + 2 * (0.01 * 0.99 / 600) ** 0.5


def test_area_finds_a_shift() -> None:
    rng = np.random.default_rng(3)
    assert area(rng.normal(0.3, 1, 2000), rng.normal(0, 1, 4000)) < 1e-9


def test_one_outlier_is_no_drift() -> None:
    rng = np.random.default_rng(4)
    ours, theirs = rng.normal(size=2000), rng.normal(size=4000)
    ours[0] = 1e9
    assert area(ours, theirs) > 0.05
    assert area(np.ones(5), np.ones(5)) == 1
