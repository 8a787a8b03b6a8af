"""Rows as input, and DataFrames as results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.unit.parallelkit.harness import Harness

from parallelkit.batches import planned
from parallelkit.request import Request, WrongRequestError
from parallelkit.returned import read_returned
from parallelkit.tables import read_rows

MLTABLE = "paths:\n  - file: ./rows.csv\ntransformations:\n  - read_delimited: {}\n"


def table(folder: Path, frame: pd.DataFrame) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    frame.to_csv(folder / "rows.csv", index=False)
    (folder / "MLTable").write_text(MLTABLE)
    return folder


def request(place: Path, **fields: Any) -> Request:
    return Request(
        **{"input_data": str(place), "logs": "", "is_tabular": True, "entry_script": "x", **fields}
    )


def test_rows_are_divided_by_about_so_many_bytes(tmp_path: Path) -> None:
    frame = pd.DataFrame({"number": range(1000), "text": ["abcdefgh"] * 1000})
    place = table(tmp_path / "table", frame)
    size = (place / "rows.csv").stat().st_size
    batches = planned(request(place, mini_batch_size=size // 4), tmp_path / "run")
    assert [batch.size for batch in batches] == [249] * 4 + [4]
    assert [batch.first_row for batch in batches] == [0, 249, 498, 747, 996]
    rows = [read_rows(tmp_path / "run" / batch.table) for batch in batches]
    pd.testing.assert_frame_equal(pd.concat(rows, ignore_index=True), frame)


def test_a_mini_batch_has_one_row_at_least_and_all_at_most(tmp_path: Path) -> None:
    place = table(tmp_path / "table", pd.DataFrame({"x": range(3)}))
    sizes = {
        size: [b.size for b in planned(request(place, mini_batch_size=size), tmp_path / str(size))]
        for size in (1, 1 << 20)
    }
    assert sizes == {1: [1, 1, 1], 1 << 20: [3]}


def test_partition_keys_make_a_mini_batch_of_each_value(tmp_path: Path) -> None:
    frame = pd.DataFrame({"store": [2, 1, 2, 1], "brand": ["b", "a", "b", "c"], "x": range(4)})
    place = table(tmp_path / "table", frame)
    batches = planned(request(place, partition_keys=("store", "brand")), tmp_path / "run")
    assert [(batch.partition, batch.size) for batch in batches] == [
        ({"store": 2, "brand": "b"}, 2),
        ({"store": 1, "brand": "a"}, 1),
        ({"store": 1, "brand": "c"}, 1),
    ]
    assert read_rows(tmp_path / "run" / batches[0].table)["x"].tolist() == [0, 2]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"partition_keys": ("nope",)}, "no column 'nope' to partition by"),
        ({"input_data": "/nowhere"}, "has no MLTable file"),
        ({"partition_keys": ("x",), "is_tabular": False}, "mode: direct"),
    ],
)
def test_what_cannot_be_divided_is_told(tmp_path: Path, fields: dict[str, Any], said: str) -> None:
    place = table(tmp_path / "table", pd.DataFrame({"x": range(3)}))
    with pytest.raises(WrongRequestError, match=said):
        planned(request(place, **fields), tmp_path / "run")


def test_the_files_of_an_mltable_are_files_where_no_rows_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for name in ("b.png", "a.png"):
        (tmp_path / "images" / name).touch()
    (tmp_path / "MLTable").write_text("paths:\n  - pattern: ./images/*.png\n")
    batches = planned(request(tmp_path, is_tabular=False), tmp_path / "run")
    assert [Path(batch.files[0]).name for batch in batches] == ["a.png", "b.png"]


def test_a_script_gets_rows_and_its_rows_are_appended(harness: Harness) -> None:
    frame = pd.DataFrame({"name": ["a b", "c", "d"], "x": [1.5, 2.0, 3.25], "k": [1, 1, 2]})
    script = harness.script("""
        def run(mini_batch, mini_batch_context):
            note(mini_batch_context.partition_key_value)
            return mini_batch.assign(twice=mini_batch["x"] * 2)[["name", "twice"]]
    """)
    place = table(harness.root / "table", frame)
    code, text = harness.run(place, script, is_tabular=True, partition_keys=("k",))
    assert code == 0, text
    assert harness.calls() == ["{'k': 1}", "{'k': 2}"]
    assert harness.output.read_text() == '"a b" 3.0\nc 4.0\nd 6.5\n'


def test_names_of_columns_are_written_once_where_asked_for(harness: Harness) -> None:
    script = harness.script("""
        import pandas as pd
        def run(mini_batch):
            return pd.DataFrame({"file": mini_batch, "n": 1})[["n"]].assign(m=2)
    """)
    output = harness.root / "out.csv"
    code, _ = harness.run(harness.files(2), script, has_header=True, append_to=str(output))
    assert code == 0
    assert output.read_text() == "n,m\n1,2\n1,2\n"


@pytest.mark.parametrize(
    ("result", "text", "count"),
    [
        (["a: 1", 2], "a: 1\n2\n", 2),
        (("x",), "x\n", 1),
        (np.array([1, 2]), "1\n2\n", 2),
        (pd.Series([0.5]), "0.5\n", 1),
        (pd.DataFrame({"a": [1, None], "b": ["x y", "z"]}), '1.0 "x y"\n z\n', 2),
        ([], "", 0),
        (pd.DataFrame(), "", 0),
    ],
)
def test_results_become_lines(result: Any, text: str, count: int) -> None:
    returned = read_returned(result, separator=" ")
    assert (returned.text, returned.count) == (text, count)
