from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from amlocal.local.tracking.tables import NoTableError, mlflow_type, read_facts

TABLE = pa.table(
    {
        "age": [31, 40],
        "rate": [0.5, None],
        "job": pa.array(["a", "b"]).dictionary_encode(),
        "tags": [["x"], []],
    }
)


def types_of(columns: list[dict[str, Any]]) -> dict[str, str]:
    return {column["name"]: column["type"] for column in columns}


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_parquet_tells_types_and_missing_values_from_its_footer(tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "t.parquet")
    facts = read_facts(tmp_path / "t.parquet")
    assert facts.rows == 2
    assert facts.columns == [
        {"name": "age", "type": "long", "required": True},
        {"name": "rate", "type": "double", "required": False},
        {"name": "job", "type": "string", "required": True},
        {"name": "tags", "type": "array", "items": {"type": "string"}, "required": False},
    ]


def test_csv_types_come_from_its_values(tmp_path: Path) -> None:
    text = (
        'id,price,name,ok,day,note\n1,2.5,"a, b",true,2024-01-31,\n2,3,"c\nd",false,2024-02-01,x\n'
    )
    facts = read_facts(write(tmp_path / "t.csv", text))
    assert facts.rows == 2
    assert types_of(facts.columns) == {
        "id": "long",
        "price": "double",
        "name": "string",
        "ok": "boolean",
        "day": "datetime",
        "note": "string",
    }
    assert [column["required"] for column in facts.columns] == [True] * 5 + [False]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.tsv", "a\tb,c\n1\tx\n"),
        ("t.csv", "a;b,c\n1;x\n1;y\n"),
        ("T.CSV", "a|b,c|d\n1|x|2\n"),
        ("t.jsonl", '{"a": 1, "b,c": "x"}\n'),
    ],
)
def test_text_tables_of_other_makes_are_read(tmp_path: Path, name: str, text: str) -> None:
    found = types_of(read_facts(write(tmp_path / name, text)).columns)
    assert (found["a"], next(iter(found))) == ("long", "a")


def test_compressed_text_is_read(tmp_path: Path) -> None:
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"a,b\n1,x\n2,y\n"))
    facts = read_facts(tmp_path / "t.csv.gz")
    assert (facts.rows, types_of(facts.columns)) == (2, {"a": "long", "b": "string"})


def test_of_a_large_text_only_the_types_are_known(tmp_path: Path) -> None:
    write(tmp_path / "t.csv", "a,b\n" + "1,xxxxxxxxxxxxxxxxxxxxxxxxxxx\n" * 1_800_000)
    facts = read_facts(tmp_path / "t.csv")
    assert (facts.rows, types_of(facts.columns)) == (None, {"a": "long", "b": "string"})


def test_a_folder_is_one_table_of_its_first_kind(tmp_path: Path) -> None:
    for part in range(3):
        pq.write_table(TABLE, write(tmp_path / f"part-{part}.parquet", ""))
    write(tmp_path / "_SUCCESS.csv", "")
    write(tmp_path / "zz" / "other.csv", "a\n1\n")
    facts = read_facts(tmp_path)
    assert (facts.rows, len(facts.columns)) == (6, 4)


def test_mltable_says_how_its_files_are_read(tmp_path: Path) -> None:
    write(tmp_path / "data" / "one.txt", "a;b\n1;x\n")
    write(tmp_path / "data" / "two.txt", "a;b\n2;y\n3;z\n")
    mltable = "paths:\n  - pattern: ./data/*.txt\ntransformations:\n"
    write(tmp_path / "MLTable", mltable + '  - read_delimited:\n      delimiter: ";"\n')
    facts = read_facts(tmp_path)
    assert (facts.rows, types_of(facts.columns)) == (3, {"a": "long", "b": "string"})
    write(tmp_path / "MLTable", mltable + "  - read_delimited\n  - drop_columns: [b]\n")
    assert "before 1 transformations" in read_facts(tmp_path).note


@pytest.mark.parametrize(
    ("mltable", "reason"),
    [
        ("- 1", "not a mapping"),
        ("paths: []", "names no file"),
        ("paths: [{file: 'https://host/x.csv'}]", "names no file"),
        ("paths: [{file: ./MLTable}]", "does not say how"),
    ],
)
def test_an_mltable_that_is_no_local_table_says_why(
    tmp_path: Path, mltable: str, reason: str
) -> None:
    write(tmp_path / "MLTable", mltable)
    with pytest.raises(NoTableError, match=reason):
        read_facts(tmp_path)


def test_other_files_are_no_table(tmp_path: Path) -> None:
    with pytest.raises(NoTableError):
        read_facts(write(tmp_path / "model.pkl", "x"))
    with pytest.raises(NoTableError):
        read_facts(tmp_path)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (pa.int32(), "integer"),
        (pa.uint32(), "long"),
        (pa.float32(), "float"),
        (pa.decimal128(9, 2), "double"),
        (pa.large_string(), "string"),
        (pa.binary(4), "binary"),
        (pa.date32(), "datetime"),
        (pa.timestamp("us", "UTC"), "datetime"),
        (pa.null(), "any"),
        (pa.time32("s"), "any"),
    ],
)
def test_scalar_types_have_mlflows_names(kind: pa.DataType, expected: str) -> None:
    assert mlflow_type(kind) == {"type": expected}


def test_nested_types_are_described_inside() -> None:
    kind = pa.struct([pa.field("m", pa.map_(pa.string(), pa.bool_()), nullable=False)])
    inner = {"type": "map", "values": {"type": "boolean"}, "required": True}
    assert mlflow_type(pa.list_(kind)) == {
        "type": "array",
        "items": {"type": "object", "properties": {"m": inner}},
    }
