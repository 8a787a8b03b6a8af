from __future__ import annotations

import pytest

from amlocal.plan.cron import parse_cron


def test_an_expression_is_read() -> None:
    cron = parse_cron("0,30 8-10 * * mon-fri")
    assert (cron.minutes, cron.hours) == ({0, 30}, {8, 9, 10})
    assert cron.weekdays == {0, 1, 2, 3, 4}
    assert cron.ignored == ()


def test_what_does_not_count_is_told_and_not_read() -> None:
    assert parse_cron("0 0 1 jan *").ignored == ("DAYS", "MONTHS")
    assert parse_cron("0 0 ?? * *").ignored == ("DAYS",)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("", "has 0 fields"),
        ("* * * *", "has 4 fields"),
        ("0 * * * * *", "has 6 fields"),
        ("60 * * * *", "MINUTES has 60, where the last is 59"),
        ("* 24 * * *", "HOURS has 24"),
        ("* * * * 7", "DAYS-OF-WEEK has 7, where the last is 6; 0 is Sunday"),
        ("* * * * xyz", "'xyz', which is no day of the week"),
        ("a * * * *", "MINUTES has 'a', where a number from 0 to 59 is wanted"),
        ("1, * * * *", "MINUTES has ''"),
        ("1- * * * *", "MINUTES has ''"),
        ("*/x * * * *", "the step 'x'"),
        ("*/ * * * *", "the step ''"),
        ("-5 * * * *", "MINUTES has ''"),
        ("* * * * -", "DAYS-OF-WEEK has ''"),
    ],
)
def test_what_is_no_expression_says_which_field_is_wrong(expression: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"^(it|MINUTES|HOURS|DAYS-OF-WEEK) has ") as error:
        parse_cron(expression)
    assert said in str(error.value)
