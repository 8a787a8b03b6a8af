"""Axes: nice ticks, and where a value lies."""

from __future__ import annotations

import pytest

from raikit.report.axes import MOST_LABELS, categorical, linear, logarithmic


def texts(axis) -> list[str]:
    return [text for _, text in axis.ticks]


def test_a_linear_axis_begins_and_ends_at_a_tick() -> None:
    axis = linear([0.03, 0.97])
    assert texts(axis) == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    assert (axis.share(0.0), axis.share(0.5), axis.share(1.0)) == (0.0, 0.5, 1.0)


def test_a_tight_axis_ends_at_its_values() -> None:
    axis = linear([17, 90], tight=True)
    assert (axis.low, axis.high, axis.share(90)) == (17, 90, 1.0)
    assert texts(axis) == ["20", "40", "60", "80"]


def test_quarters_have_a_digit_more_and_thousands_a_comma() -> None:
    assert texts(linear([0, 1.1], 5)) == ["0.00", "0.25", "0.50", "0.75", "1.00", "1.25"]
    assert texts(linear([0, 40_000]))[-1] == "40,000"


@pytest.mark.parametrize(
    "values", [[], [5.0], [0.0, 0.0], [-3.0, -3.0], [1e-9, 2e-9], [1e12, 3e12]]
)
def test_any_values_have_ticks_that_differ(values: list[float]) -> None:
    axis = linear(values)
    assert len(set(texts(axis))) == len(axis.ticks) >= 2
    assert all(0 <= axis.share(value) <= 1 for value in values)


def test_a_logarithmic_axis_has_powers_of_ten_or_what_is_between() -> None:
    assert texts(logarithmic([1, 1000])) == ["1", "10", "100", "1,000"]
    assert texts(logarithmic([500, 32_000])) == [
        "500",
        "1,000",
        "2,000",
        "5,000",
        "10,000",
        "20,000",
    ]
    assert logarithmic([1, 100]).share(10) == pytest.approx(0.5)
    assert logarithmic([7]).share(7) == pytest.approx(0.5)


def test_of_many_categories_some_are_named() -> None:
    axis = categorical([f"c{n}" for n in range(100)])
    assert len(axis.ticks) <= MOST_LABELS
    few = categorical(["a", "b", "a"])
    assert texts(few) == ["a", "b"]
    assert 0 < few.share("a") < few.share("b") < 1
