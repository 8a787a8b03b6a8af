from __future__ import annotations

import bz2
import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from amlocal.errors import TargetError
from amlocal.local.triggers.rows import count_rows, is_data


@pytest.mark.parametrize(
    ("name", "text", "rows"),
    [
        ("a.csv", "x,y\n1,2\n3,4\n", 2),
        ("a.csv", 'x,y\n"a\nb",2\n\n3,4', 2),
        ("a.csv", "x,y\n", 0),
        ("a.csv", "", 0),
        ("A.TSV", "x\ty\n1\t2\n", 1),
        ("a.jsonl", '{"x": 1}\n\n{"x": 2}\n', 2),
        ("a.png", "anything", 1),
        ("a", "anything", 1),
    ],
)
def test_rows_of_text(tmp_path: Path, name: str, text: str, rows: int) -> None:
    (tmp_path / name).write_text(text)
    assert count_rows(tmp_path / name) == rows


def test_rows_of_packed_text_and_parquet(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"x\n1\n2\n"))
    (tmp_path / "a.jsonl.bz2").write_bytes(bz2.compress(b"{}\n{}\n{}\n"))
    pyarrow.parquet.write_table(pa.table({"x": [1, 2, 3, 4]}), tmp_path / "a.parquet")
    files = ("a.csv.gz", "a.jsonl.bz2", "a.parquet")
    assert [count_rows(tmp_path / name) for name in files] == [2, 3, 4]


@pytest.mark.parametrize("name", ["a.parquet", "a.csv.gz"])
def test_a_broken_file_is_told_of(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"no such thing")
    with pytest.raises(TargetError, match=f"the rows of .*{name} cannot be counted"):
        count_rows(tmp_path / name)


def test_what_tools_hide_is_no_data() -> None:
    assert is_data("a/b.csv")
    assert not any(map(is_data, ["_SUCCESS", ".a.csv", "_temporary/a.csv", "a/.crc/b.csv"]))
