from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from monitorkit.columns import Rows
from monitorkit.reading import read_rows
from monitorkit.request import Data
from stepkit.collected import read_collected
from stepkit.program import StepError

from .conftest import NOW, THEN, Collect, people


def read(path: Path, *, most: int = 10**6, **fields: str) -> Rows:
    return read_rows(Data(str(path), **fields), NOW, rows_at_most=most, seed=0)


def test_collected_rows_are_those_that_stepkit_reads(collect: Collect) -> None:
    written = people(300, 1, missing=0.1)
    path = collect("inputs", written)
    rows = read(path)
    expected = read_collected(path)
    assert rows.seen == rows.kept == 300
    assert set(rows.columns) == set(written.columns)
    np.testing.assert_array_equal(rows.column("wage").numbers()[0], expected["wage"])
    assert rows.column("wage").missing() == expected["wage"].isna().sum() > 0
    assert rows.column("job").texts().tolist() == expected["job"].tolist()


def test_a_window_leaves_out_what_was_before_and_after(collect: Collect) -> None:
    for days in range(10):
        path = collect("inputs", [{"day": float(days)}], NOW - timedelta(days=days))
    kept = read(path, window_size="P3D", window_offset="P2D").column("day").numbers()[0]
    # From five days before, included, to two days before, not included.
    assert sorted(kept) == [3, 4, 5]


def test_an_empty_window_is_no_error(collect: Collect) -> None:
    path = collect("inputs", [{"a": 1}])
    assert read(path, window_start="2020-01-01", window_end="2020-01-02").seen == 0


def test_a_column_of_numbers_and_texts_is_read_as_either(collect: Collect) -> None:
    path = collect("inputs", [{"a": 1.5}, {"a": "2"}, {"a": "two"}, {"a": None}, {}, {"a": 3}])
    column = read(path).column("a")
    numbers, wrong = column.numbers()
    np.testing.assert_array_equal(numbers, [1.5, 2, np.nan, np.nan, np.nan, 3])
    assert wrong == 1
    assert column.missing() == 2
    assert column.categories() == {"1.5": 1, "2": 1, "two": 1, "3": 1}


def test_what_turns_to_text_later_is_read_as_either(collect: Collect) -> None:
    collect("inputs", [{"a": number} for number in range(300)], NOW - timedelta(days=3))
    path = collect("inputs", [{"a": "n/a"}, {"a": 7, "b": True}])
    rows = read(path)
    numbers, wrong = rows.column("a").numbers()
    assert (len(numbers), wrong, np.nansum(numbers)) == (302, 1, 299 * 150 + 7)
    assert rows.column("b").categories() == {"True": 1}
    assert rows.column("b").missing() == 301


def test_texts_that_look_like_times_stay_texts(collect: Collect) -> None:
    path = collect("inputs", [{"day": "2026-01-01"}, {"day": "2026-01-02"}])
    assert read(path).column("day").categories() == {"2026-01-01": 1, "2026-01-02": 1}


def test_a_line_that_is_still_written_does_not_count(collect: Collect) -> None:
    path = collect("inputs", [{"a": 1}])
    (file,) = path.rglob("*.jsonl")
    with file.open("a") as opened:
        opened.write('{"time": "2026-02-2')
    assert read(path).seen == 1


@pytest.mark.parametrize("line", ['{"time": "2026-02-28T00:00:00Z"}', "[]", "no JSON"])
def test_what_is_no_event_is_named(collect: Collect, line: str) -> None:
    path = collect("inputs", [{"a": 1}])
    (file,) = path.rglob("*.jsonl")
    file.write_text(file.read_text() + line + "\n")
    with pytest.raises(StepError, match="no collected event"):
        read(path)


def test_a_payload_is_named(collect: Collect) -> None:
    path = collect("inputs", [{"a": 1}])
    (file,) = path.rglob("*.jsonl")
    event = {"time": THEN.isoformat(), "data": "hello"}
    file.write_text(json.dumps(event) + "\n")
    with pytest.raises(StepError, match="holds a payload"):
        read(path)


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_tables_with_times_have_windows(tmp_path: Path, ending: str) -> None:
    table = pd.DataFrame(
        {"at": pd.date_range("2026-02-20", periods=12, tz="UTC"), "a": np.arange(12.0)}
    )
    path = tmp_path / f"table.{ending}"
    table.to_parquet(path) if ending == "parquet" else table.to_csv(path, index=False)
    rows = read(path, window_size="P3D", timestamp_column="at")
    assert rows.column("a").numbers()[0].tolist() == [7, 8, 9]
    assert set(rows.columns) == {"a"}
    with pytest.raises(StepError, match="needs to know when"):
        read(path, window_size="P3D")
    with pytest.raises(StepError, match="no timestamp column 'when'"):
        read(path, window_size="P3D", timestamp_column="when")


def test_of_too_many_rows_some_are_kept_at_random(tmp_path: Path) -> None:
    path = tmp_path / "many.parquet"
    pd.DataFrame({"a": np.arange(400_000.0), "b": "x"}).to_parquet(path)
    rows = read(path, most=20_000)
    numbers = rows.column("a").numbers()[0]
    assert (rows.seen, rows.kept, len(numbers)) == (400_000, 20_000, 20_000)
    assert len(np.unique(numbers)) == 20_000
    assert rows.column("b").categories() == {"x": 20_000}
    # Uniform over the file: the mean is within five of its standard errors.
    assert abs(numbers.mean() - 200_000) < 5 * 400_000 / 12**0.5 / 20_000**0.5


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["a", "b"] * 50, "categorical"),
        ([True, False] * 50, "categorical"),
        ([0.5, 1.0] * 50, "numerical"),
        ([1, 2] * 50, "categorical"),
        (list(range(100)), "numerical"),
        ([1, 2, None] * 50, "categorical"),
        ([1.5] * 60 + ["a"] * 40, "numerical"),
        ([None] * 100, "categorical"),
    ],
)
def test_kinds_are_azures(collect: Collect, values: list[object], kind: str) -> None:
    path = collect("inputs", [{"a": value, "b": 1} for value in values])
    assert read(path).column("a").kind() == kind


def test_times_are_no_features(tmp_path: Path) -> None:
    path = tmp_path / "times.parquet"
    pd.DataFrame({"t": pd.date_range("2026-01-01", periods=3), "l": [[1], [2], [3]]}).to_parquet(
        path
    )
    rows = read(path)
    assert rows.column("t").kind() == "time"
    assert rows.column("l").kind() == "unsupported"
