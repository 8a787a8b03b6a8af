"""Rows of the data collector, read as a table."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from stepkit.collected import ID, ROW, TIME, joined, read_collected
from stepkit.program import StepError

NOON = datetime(2024, 3, 5, 12, tzinfo=timezone.utc)


def collect(
    folder: Path, time: datetime, event_id: str, rows: Any, *, rolled: str = "%Y/%m/%d/%H"
) -> None:
    """Write an event as Azure does."""
    file = folder / time.strftime(rolled) / "instance.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    event = {
        "specversion": "1.0",
        "id": f"event-{event_id}",
        "type": "azureml.inference.model_inputs",
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "data": rows,
        "correlationid": event_id,
        "collectdatatype": "pandas.core.frame.DataFrame",
    }
    with file.open("a") as lines:
        lines.write(json.dumps(event) + "\n")


def test_rows_have_their_time_and_id(tmp_path: Path) -> None:
    collect(tmp_path, NOON + timedelta(hours=1), "b", [{"age": 3, "sex": None}])
    collect(tmp_path, NOON, "a", [{"age": 1, "sex": "F"}, {"age": 2, "sex": "M"}])
    table = read_collected(tmp_path)
    assert table.index.names == [TIME, ID, ROW]
    assert list(table.index) == [
        (pd.Timestamp(NOON), "a", 0),
        (pd.Timestamp(NOON), "a", 1),
        (pd.Timestamp(NOON + timedelta(hours=1)), "b", 0),
    ]
    assert table["age"].dtype == "int64"
    assert table["age"].tolist() == [1, 2, 3]
    assert table["sex"].tolist() == ["F", "M", None]


@pytest.mark.parametrize("rolled", ["%Y", "%Y/%m", "%Y/%m/%d", "%Y/%m/%d/%H", "%Y/%m/%d/%H/%M"])
def test_a_window_has_its_begin_and_not_its_end(tmp_path: Path, rolled: str) -> None:
    for minutes in range(0, 60 * 24 * 60, 60 * 17):
        collect(
            tmp_path,
            NOON + timedelta(minutes=minutes),
            str(minutes),
            [{"n": minutes}],
            rolled=rolled,
        )
    begin, end = NOON + timedelta(hours=17 * 2), NOON + timedelta(hours=17 * 70)
    found = read_collected(tmp_path, begin=begin, end=end)
    assert found["n"].tolist() == [60 * 17 * number for number in range(2, 70)]
    # Without a time zone it is UTC; with another one it is the same moment.
    elsewhere = timezone(timedelta(hours=-7))
    same = read_collected(tmp_path, begin=begin.replace(tzinfo=None), end=end.astimezone(elsewhere))
    pd.testing.assert_frame_equal(found, same)


def test_files_of_other_times_are_not_read(tmp_path: Path) -> None:
    collect(tmp_path, NOON, "a", [{"n": 1}])
    broken = tmp_path / "2024/03/07/00/instance.jsonl"
    broken.parent.mkdir(parents=True)
    broken.write_text("not read\n")
    assert read_collected(tmp_path, end=NOON + timedelta(days=1))["n"].tolist() == [1]
    with pytest.raises(StepError, match=r"instance\.jsonl:1 is no collected event"):
        read_collected(tmp_path)


def test_what_was_written_late_is_found_by_its_own_time(tmp_path: Path) -> None:
    collect(tmp_path, NOON - timedelta(seconds=1), "a", [{"n": 1}], rolled="2024/03/05/12")
    assert read_collected(tmp_path, end=NOON)["n"].tolist() == [1]


def test_a_line_that_is_being_written_is_left(tmp_path: Path) -> None:
    collect(tmp_path, NOON, "a", [{"n": 1}])
    (file,) = tmp_path.rglob("*.jsonl")
    with file.open("a") as lines:
        lines.write('{"specversion": "1.0", "da')
    assert read_collected(file)["n"].tolist() == [1]


def test_ids_of_rows_go_before_those_of_events(tmp_path: Path) -> None:
    # Azure puts requests that come shortly after each other into one event.
    collect(tmp_path, NOON, "test", [{"n": 1, ID: "x"}, {"n": 2, ID: "y"}, {"n": 3, ID: "y"}])
    table = read_collected(tmp_path)
    assert list(table.columns) == ["n"]
    assert list(table.index.droplevel(TIME)) == [("x", 0), ("y", 0), ("y", 1)]


def test_data_may_have_columns_of_any_name(tmp_path: Path) -> None:
    collect(tmp_path / "in", NOON, "a", [{TIME: 5, ROW: 6, "id": 7}])
    collect(tmp_path / "out", NOON + timedelta(seconds=1), "a", [{TIME: 8, "0": 9}])
    both = joined(read_collected(tmp_path / "in"), read_collected(tmp_path / "out"))
    assert both.to_dict("records") == [{TIME: 5, ROW: 6, "id": 7, "timestamp_output": 8, "0": 9}]


def test_inputs_and_outputs_are_joined_by_request_and_row(tmp_path: Path) -> None:
    inputs, outputs = tmp_path / "model_inputs", tmp_path / "model_outputs"
    collect(inputs, NOON, "a", [{"n": 1}, {"n": 2}])
    collect(inputs, NOON, "b", [{"n": 3}])
    collect(inputs, NOON, "only-in", [{"n": 4}])
    # One client gives every request the same id.
    for n in (5, 6):
        collect(inputs, NOON, "same", [{"n": n}])
        collect(outputs, NOON, "same", [{"p": n}])
    collect(outputs, NOON, "only-out", [{"p": 0}])
    collect(outputs, NOON + timedelta(seconds=2), "b", [{"p": 30}])
    collect(outputs, NOON + timedelta(seconds=2), "a", [{"p": 10}, {"p": 20}])
    both = joined(read_collected(inputs), read_collected(outputs))
    assert both.to_dict("list") == {"n": [1, 2, 3], "p": [10, 20, 30]}
    assert list(both.index)[2] == (pd.Timestamp(NOON), "b", 0)
    # The truth comes later, by the ids that the caller gave.
    truth = pd.DataFrame({"y": [1, 0]}, index=pd.Index(["b", "a"], name=ID))
    assert joined(both, truth).to_dict("list") == {"n": [1, 3], "p": [10, 30], "y": [0, 1]}


def test_nothing_in_the_window_is_an_error_that_says_it(tmp_path: Path) -> None:
    collect(tmp_path, NOON, "a", [{"n": 1}])
    with pytest.raises(StepError, match=r"nothing was collected in .* from 2024-03-06T12:00:00"):
        read_collected(tmp_path, begin=NOON + timedelta(days=1))
    with pytest.raises(StepError, match="no file or folder"):
        read_collected(tmp_path / "missing")


@pytest.mark.parametrize("data", [{"input_data": [[1]]}, [[1, 2]], "text", 5])
def test_payloads_are_no_rows(tmp_path: Path, data: Any) -> None:
    collect(tmp_path, NOON, "a", data)
    with pytest.raises(StepError, match="holds a payload and no rows"):
        read_collected(tmp_path)


@pytest.mark.parametrize("line", ["[]", "{}", '{"time": "now", "data": []}', '{"time": 5}', "nul"])
def test_other_lines_are_no_events(tmp_path: Path, line: str) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text(line + "\n")
    with pytest.raises(StepError, match=r"x\.jsonl:1 is no collected event"):
        read_collected(file)
