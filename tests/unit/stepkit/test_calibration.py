"""Probabilities against what came true: by hand, and against statsmodels and simulations."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.api import GLM, families
from statsmodels.stats.proportion import proportion_confint

from stepkit.calibration import bins_of, brier, chance_ece, curve_of, ece, recalibrate, wilson


def two(stated) -> np.ndarray:
    return np.column_stack([1 - np.asarray(stated), stated])


def test_brier_and_ece_worked_by_hand():
    # Bins are a fifteenth wide: the first two rows share one, the others have one each.
    truth, stated = np.array([0, 1, 1, 0]), [0.21, 0.25, 0.9, 0.5]
    assert brier(truth, two(stated), 1) == pytest.approx(
        (0.21**2 + 0.75**2 + 0.1**2 + 0.5**2) / 4, abs=1e-12
    )
    assert ece(truth, two(stated), 1) == pytest.approx(
        (abs(0.46 - 1) + abs(0.9 - 1) + abs(0.5 - 0)) / 4, abs=1e-12
    )


def test_of_more_classes_the_confidence_is_judged():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.5, 0.3, 0.2]])
    truth = np.array([0, 1])
    assert ece(truth, probabilities, None) == pytest.approx((0.3 + 0.5) / 2, abs=1e-12)
    expected = (0.3**2 + 0.2**2 + 0.1**2 + 0.5**2 + 0.7**2 + 0.2**2) / 2
    assert brier(truth, probabilities, None) == pytest.approx(expected, abs=1e-12)


def test_bins_are_closed_above():
    assert bins_of(np.array([0.0, 1 / 15, 0.07, 1.0])).tolist() == [0, 0, 1, 14]


def test_wilsons_interval_is_that_of_statsmodels():
    for hits, rows in ((0, 10), (3, 17), (50, 50)):
        expected = proportion_confint(hits, rows, method="wilson")
        assert wilson(hits, rows) == pytest.approx(expected, abs=1e-12)


def test_the_curve_holds_every_row_once():
    rng = np.random.default_rng(0)
    stated = rng.random(1000)
    came = rng.random(1000) < stated
    curve = curve_of(stated, came)
    assert len(curve.stated) == 10
    assert curve.rows.tolist() == [100.0] * 10
    assert curve.came @ curve.rows == came.sum()
    assert (curve.low < curve.came).all()
    assert (np.diff(curve.stated) > 0).all()


def test_rows_of_one_probability_stay_together():
    curve = curve_of(np.array([0.5] * 30 + [0.9] * 2), np.array([True, False] * 16))
    assert curve.rows.tolist() == [30.0, 2.0]
    assert curve_of(np.full(5, 0.3), np.ones(5, dtype=bool)).rows.tolist() == [5.0]


def test_chance_stays_below_its_bound_in_95_of_100_samples():
    rng = np.random.default_rng(1)
    stated = rng.beta(1, 3, 800)
    bound = chance_ece(stated, seed=2)
    drawn = [
        ece((rng.random(800) < stated).astype(int), two(stated), 1) <= bound for _ in range(600)
    ]
    # Three standard errors of 600 draws, and as much again of the bound's own 500.
    assert np.mean(drawn) == pytest.approx(0.95, abs=0.05)


def test_slope_and_intercept_are_those_of_statsmodels():
    rng = np.random.default_rng(3)
    logit = rng.normal(size=400)
    came = rng.random(400) < 1 / (1 + np.exp(-(0.3 + 0.6 * logit)))
    stated = 1 / (1 + np.exp(-logit))
    found = recalibrate(stated, came)
    both = GLM(came, np.column_stack([np.ones(400), logit]), family=families.Binomial()).fit()
    level = GLM(came, np.ones(400), family=families.Binomial(), offset=logit).fit()
    assert found is not None
    assert found.slope == pytest.approx(both.params[1], abs=1e-8)
    assert found.slope_error == pytest.approx(both.bse[1], rel=1e-5)
    assert found.intercept == pytest.approx(level.params[0], abs=1e-8)
    assert found.intercept_error == pytest.approx(level.bse[0], rel=1e-5)


def test_what_parts_the_classes_without_a_fault_cannot_be_recalibrated():
    assert recalibrate(np.array([0.1, 0.2, 0.8, 0.9]), np.array([0, 0, 1, 1], dtype=bool)) is None
    assert recalibrate(np.array([0.1, 0.2, 0.8]), np.ones(3, dtype=bool)) is None
