from __future__ import annotations

import math
from collections import Counter
from statistics import NormalDist, fmean, pstdev

import pytest

from amlocal.local.sweep.distributions import quantized, value_at
from amlocal.plan import Choice, Distributed, Normal, Randint, Scalar, Uniform

EVENLY = [(index + 0.5) / 1000 for index in range(1000)]


def values(distribution: Distributed) -> list[Scalar]:
    return [value_at(distribution, position) for position in EVENLY]


def test_each_value_of_a_choice_has_its_share() -> None:
    assert Counter(values(Choice(values=("a", 2, 0.5, "b")))) == {
        "a": 250,
        2: 250,
        0.5: 250,
        "b": 250,
    }


def test_a_whole_number_is_below_its_bound() -> None:
    assert Counter(values(Randint(upper=5))) == dict.fromkeys(range(5), 200)


def test_values_are_those_of_azures_formulas() -> None:
    """As the page "Hyperparameter tuning a model" gives them."""
    low, high, half = 1.0, 3.0, 0.5
    assert value_at(Uniform(min_value=low, max_value=high), half) == 2.0
    assert value_at(Uniform(min_value=low, max_value=high, is_log=True), half) == pytest.approx(
        math.exp(2.0)
    )
    assert value_at(Uniform(min_value=low, max_value=high, q=0.3), half) == 2.1
    of_e = value_at(Uniform(min_value=low, max_value=high, q=5, is_log=True), half)
    assert of_e == round(math.exp(2.0) / 5) * 5
    bell = NormalDist(1.0, 3.0).inv_cdf(0.7)
    assert value_at(Normal(mu=1, sigma=3), 0.7) == bell
    assert value_at(Normal(mu=1, sigma=3, is_log=True), 0.7) == pytest.approx(math.exp(bell))
    assert value_at(Normal(mu=1, sigma=3, q=2), 0.7) == round(bell / 2) * 2
    of_e = value_at(Normal(mu=1, sigma=3, q=0.5, is_log=True), 0.7)
    assert of_e == pytest.approx(round(math.exp(bell) / 0.5) * 0.5)


def test_the_shape_is_right() -> None:
    found = [float(value) for value in values(Normal(mu=10, sigma=3))]
    assert fmean(found) == pytest.approx(10, abs=0.01)
    assert pstdev(found) == pytest.approx(3, abs=0.02)
    logs = [math.log(float(v)) for v in values(Uniform(min_value=-6, max_value=-1, is_log=True))]
    assert fmean(logs) == pytest.approx(-3.5, abs=0.01)
    assert (min(logs) >= -6, max(logs) <= -1) == (True, True)


def test_another_base_of_logarithms() -> None:
    assert value_at(Uniform(min_value=-2, max_value=0, is_log=True), 0.5, 10.0) == pytest.approx(
        0.1
    )


def test_the_ends_are_numbers() -> None:
    assert math.isfinite(float(value_at(Normal(mu=0, sigma=1), 0.0)))
    almost = math.nextafter(1.0, 0.0)
    assert value_at(Choice(values=("a", "b")), almost) == "b"
    assert value_at(Randint(upper=3), almost) == 2


def test_whole_multiples_are_whole_numbers() -> None:
    assert [quantized(value, 1) for value in (2.4, 2.6)] == [2, 3]
    assert isinstance(quantized(2.4, 1.0), int)
    assert quantized(0.31, 0.1) == 0.3
