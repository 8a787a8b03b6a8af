from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from monitorkit.windows import (
    Window,
    WrongWindowError,
    duration,
    fixed_window,
    moment,
    trailing_window,
)

NOW = datetime(2026, 3, 2, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("P7D", timedelta(days=7)),
        ("P0D", timedelta()),
        ("P2W", timedelta(weeks=2)),
        ("PT12H", timedelta(hours=12)),
        ("P1DT6H30M", timedelta(days=1, hours=6, minutes=30)),
        ("PT1.5S", timedelta(seconds=1.5)),
    ],
)
def test_durations(text: str, expected: timedelta) -> None:
    assert duration(text) == expected


@pytest.mark.parametrize("text", ["", "P", "PT", "7D", "P1M", "P1Y", "P-1D", "P7D ", "week"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(WrongWindowError, match="no duration"):
        duration(text)


def test_moments_are_in_utc() -> None:
    assert moment("2026-03-02T00:00:00Z") == NOW
    assert moment("2026-03-02") == NOW
    assert moment("2026-03-02T01:30:00+01:30") == NOW
    assert moment("2026-03-02T01:30:00+01:30").utcoffset() == timedelta()
    with pytest.raises(WrongWindowError, match="no moment"):
        moment("yesterday")


def test_a_trailing_window_ends_an_offset_before_now() -> None:
    assert trailing_window(NOW, "P7D", "P0D") == Window(NOW - timedelta(days=7), NOW)
    assert trailing_window(NOW, "P14D", "P7D") == Window(
        NOW - timedelta(days=21), NOW - timedelta(days=7)
    )
    with pytest.raises(WrongWindowError, match="empty"):
        trailing_window(NOW, "P0D", "P1D")


def test_a_fixed_window() -> None:
    assert fixed_window(None, None).is_all
    assert str(fixed_window(None, None)) == "all rows"
    window = fixed_window("2026-02-01", "2026-03-02")
    assert window.end == NOW
    assert str(window) == "2026-02-01 00:00 to 2026-03-02 00:00 UTC"
    with pytest.raises(WrongWindowError, match="empty"):
        fixed_window("2026-03-02", "2026-03-02")
