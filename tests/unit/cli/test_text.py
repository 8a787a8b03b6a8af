from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.cli import text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.0 s"),
        (3.24, "3.2 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (125, "2 min 05 s"),
        (3599.7, "1 h 00 min"),
        (7500, "2 h 05 min"),
    ],
)
def test_duration(seconds: float, words: str) -> None:
    assert text.duration(seconds) == words


@pytest.mark.parametrize(("seconds", "words"), [(7.9, "0:07"), (61, "1:01"), (3723, "1:02:03")])
def test_clock(seconds: float, words: str) -> None:
    assert text.clock(seconds) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1_500_000_000, "1.5 GB"),
        (10**16, "10000.0 TB"),
    ],
)
def test_size(count: int, words: str) -> None:
    assert text.size(count) == words


def test_clean_takes_out_what_moves_the_cursor() -> None:
    assert text.clean("\x1b[31mred\x1b[0m \x1b]0;title\x07a\tb\rc\x9b") == "red a b c "


def test_moment_and_number_and_plural() -> None:
    assert text.moment("2026-01-02T03:04:05.678Z") == "2026-01-02 03:04:05"
    assert text.number(0.92731234) == "0.927312"
    assert text.number(float("nan")) == "nan"
    assert (text.plural(1, "step"), text.plural(2, "step")) == ("1 step", "2 steps")


@given(st.text(), st.integers(0, 40))
def test_a_clipped_text_fits(words: str, width: int) -> None:
    assert text.cells(text.clip(words, width, "…")) <= width


def test_wide_characters_take_two_columns() -> None:
    assert text.cells("日本e\u0301") == 5
    assert text.clip("日本語", 4, "…") == "日…"
    assert text.pad("日本", 6) == "日本  "


def test_a_table_has_the_headers_of_all_rows() -> None:
    rows = [{"Name": "a", "Status": "Failed"}, {"Name": "long name", "Error": "x"}]
    assert text.table(rows, width=None) == (
        "Name       Status  Error\n"
        "---------  ------  -----\n"
        "a          Failed\n"
        "long name          x\n"
    )


def test_a_narrow_table_keeps_the_names_that_are_typed_again() -> None:
    rows = [{"Name": "calm_river_8x2k", "Path": "/a/very/long/path", "Status": "Completed"}]
    table = text.table(rows, width=36)
    assert "calm_river_8x2k" in table
    assert max(map(len, table.splitlines())) <= 36
    tiny = text.table(rows, width=14)
    assert max(map(len, tiny.splitlines())) <= 16  # three columns of four and what parts them


def test_a_narrow_table_leaves_columns_out_by_their_importance() -> None:
    row = {
        "Name": "calm_river_8x2k",
        "Status": "Completed",
        "Duration": "5 min 07 s",
        "Created": "2026-01-02 03:04:05",
        "Experiment": "a-long-experiment-name",
    }
    optional = ("Experiment", "Duration")
    whole = text.table([row], width=83, optional=optional).splitlines()[-1]
    assert whole.split("  ") == list(row.values())
    cut = text.table([row], width=75, optional=optional).splitlines()[-1]
    assert cut.split("  ") == [*list(row.values())[:4], "a-long-expe..."]
    less = text.table([row], width=59, optional=optional).splitlines()[-1]
    assert less.split("  ") == ["calm_river_8x2k", "Completed", "5 min 07 s", row["Created"]]
    least = text.table([row], width=58, optional=optional).splitlines()[-1]
    assert least.split("  ") == ["calm_river_8x2k", "Completed", row["Created"]]


def test_a_cell_cannot_break_the_table() -> None:
    lines = text.table([{"Name": "a\nb\x1b[2J"}], width=None).splitlines()
    assert lines == ["Name", "----", "a b"]
