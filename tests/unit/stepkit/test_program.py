from __future__ import annotations

import argparse
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepkit.program import (
    StepError,
    boolean,
    cores,
    markdown_table,
    names,
    read_json,
    run,
    text_table,
    write_json,
    write_text,
)


def test_an_error_becomes_text_and_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> None:
        raise StepError("no column 'x'", hint="name another")

    with pytest.raises(SystemExit) as ended:
        run(main)

    assert ended.value.code == 1
    assert capsys.readouterr().err == "error: no column 'x'\n  -> name another\n"


def test_a_program_that_returns_exits_with_0() -> None:
    with pytest.raises(SystemExit) as ended:
        run(lambda: None)
    assert ended.value.code == 0


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("False", False), (" TRUE ", True), ("false", False)]
)
def test_booleans_as_azure_writes_them(text: str, value: bool) -> None:
    assert boolean(text) is value


@pytest.mark.parametrize("text", ["", "1", "yes", "Truee"])
def test_what_is_no_boolean(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="neither true nor false"):
        boolean(text)


def test_names_are_parted_by_commas() -> None:
    assert names(" a, b c ,,d") == ("a", "b c", "d")
    assert names("") == ()


@pytest.mark.parametrize(("limit", "expected"), [("3", 3), ("2,1", 2)])
def test_threads_honour_the_environment(
    monkeypatch: pytest.MonkeyPatch, limit: str, expected: int
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", limit)
    assert cores() == expected


@pytest.mark.parametrize("limit", ["", "0", "many"])
def test_threads_without_a_limit_are_the_cores(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", limit)
    assert 1 <= cores() <= (os.cpu_count() or 1)


def test_a_file_is_replaced_whole_and_leaves_nothing_beside(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "report.txt"
    write_text(file, "first")
    write_text(file, "zweite Fassung: größer")
    assert file.read_text(encoding="utf-8") == "zweite Fassung: größer"
    assert list(file.parent.iterdir()) == [file]


def test_json_that_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    write_json(file, {"rows": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(file, {"rows": float("nan")})
    assert read_json(file) == {"rows": 1}


def test_reading_what_is_not_there_or_not_json(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="is not there"):
        read_json(tmp_path / "none.json")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(StepError, match="is not JSON"):
        read_json(tmp_path / "bad.json")


cells = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), max_size=8)


@settings(deadline=None)
@given(st.lists(st.tuples(cells, cells, cells), max_size=5))
def test_text_columns_line_up(rows: list[tuple[str, ...]]) -> None:
    head = ("a", "b", "c")
    lines = text_table(head, rows).split("\n")
    assert len(lines) == len(rows) + 2
    place = lines[0].index("c")
    for line, row in zip(lines[2:], rows, strict=True):
        assert line[place:] == row[2]


def test_markdown_cells_cannot_break_a_row() -> None:
    table = markdown_table(("a", "b"), [("x|y", "two\nlines")])
    assert table == "| a | b |\n| --- | --- |\n| x\\|y | two lines |"
