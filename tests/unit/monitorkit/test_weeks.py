"""On simulated weeks: no alarm where nothing has changed, one where something has."""

from __future__ import annotations

import pytest
from drift import alarms, weeks
from drift_weeks import CHANGES

_ROWS, _REFERENCE_ROWS = 5_000, 20_000


def test_a_few_weeks() -> None:
    counts = dict.fromkeys(CHANGES, 2) | {"nothing": 12}
    found = alarms(weeks(counts), _ROWS, _REFERENCE_ROWS).alarms
    assert found == dict.fromkeys(CHANGES, 2) | {"nothing": 0}


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_thousand_weeks() -> None:
    counts = dict.fromkeys(CHANGES, 100) | {"nothing": 1000}
    found = alarms(weeks(counts), _ROWS, _REFERENCE_ROWS).alarms
    assert found.pop("nothing") <= 10
    assert all(hits >= 95 for hits in found.values()), found


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_small_weeks_raise_no_more_alarms() -> None:
    """Distances of few rows are great by chance alone; the threshold would not hold them back."""
    counts = dict.fromkeys(CHANGES, 0) | {"nothing": 500}
    assert alarms(weeks(counts), 300, 1_000).alarms["nothing"] <= 5
