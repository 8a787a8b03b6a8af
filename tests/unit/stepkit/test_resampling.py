from __future__ import annotations

import math

import numpy as np
import pytest

from stepkit.resampling import Gain, corrected_gain


def test_the_corrected_interval_of_a_worked_example() -> None:
    # mean 0.02, s^2 = 0.00025, J = 5, n2 / n1 = 1 / 4: var = (0.2 + 0.25) * 0.00025.
    found = corrected_gain(np.array([0.0, 0.01, 0.02, 0.03, 0.04]), 1 / 4, 0.95)
    reach = 2.7764451 * math.sqrt(0.45 * 0.00025)  # t of 4 degrees of freedom
    assert (found.mean, found.low, found.high) == pytest.approx((0.02, 0.02 - reach, 0.02 + reach))


def test_it_is_wider_than_the_plain_interval() -> None:
    rng = np.random.default_rng(0)
    differences = rng.normal(size=10)
    plain, corrected = (corrected_gain(differences, ratio, 0.95) for ratio in (0, 1 / 9))
    widths = [each.high - each.low for each in (plain, corrected)]
    assert widths[1] / widths[0] == pytest.approx(math.sqrt((1 / 10 + 1 / 9) / (1 / 10)))


def test_equal_settings_differ_by_nothing() -> None:
    assert corrected_gain(np.zeros(4), 1 / 3, 0.95) == Gain(0, 0, 0)
