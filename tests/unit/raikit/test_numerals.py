from __future__ import annotations

import pytest

from raikit.numerals import format_of


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (12345.6, "12,346"),
        (123.45, "123.5"),
        (1.23456, "1.235"),
        (0.0123456, "0.01235"),
        (-1234.5, "-1,234"),
        (0.0, "0.0000"),
        (1234567.0, "1,234,567"),
    ],
)
def test_numbers_are_written_by_their_size(number: float, shown: str) -> None:
    assert format(number, format_of(number)) == shown
