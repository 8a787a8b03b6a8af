from __future__ import annotations

import pytest

from amlocal.plan.durations import duration_seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("P7D", 604_800),
        ("P2W", 1_209_600),
        ("PT12H", 43_200),
        ("P1DT1H2M3.5S", 90_123.5),
        ("PT0S", 0),
    ],
)
def test_weeks_days_and_times_are_seconds(text: str, seconds: float) -> None:
    assert duration_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "P", "PT", "P1DT", "P1M", "P1Y", "7D", "P-1D", "P1.5D"])
def test_anything_else_is_none(text: str) -> None:
    assert duration_seconds(text) is None
