"""MLTable folders as Azure ML's reference of the YAML describes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from stepkit.mltable import is_mltable, mltable_files, read_mltable
from stepkit.program import StepError
from stepkit.table import digest, read_table, write_table

CSV = "a,b,when,ok,code\n1,x,2024-01-31,true,007\n,y,2024-02-01,false,008\n3,,2024-02-02,true,009\n"


def table(folder: Path, *steps: object, paths: list[dict[str, str]] | None = None) -> Path:
    """Write an MLTable file, beside `rows.csv`."""
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "rows.csv").write_text(CSV)
    said = {"paths": paths or [{"file": "./rows.csv"}], "transformations": list(steps)}
    (folder / "MLTable").write_text(yaml.safe_dump(said))
    return folder


def test_delimited_text_is_read_with_its_types(tmp_path: Path) -> None:
    found = read_table(table(tmp_path, {"read_delimited": {"delimiter": ",", "encoding": "ascii"}}))
    assert found["a"].tolist()[::2] == [1.0, 3.0]
    assert np.isnan(found["a"][1])
    assert found["b"].tolist() == ["x", "y", None]
    assert found["when"].tolist()[0] == pd.Timestamp("2024-01-31")
    assert found["ok"].tolist() == [True, False, True]
    assert found["code"].tolist() == [7, 8, 9]


def test_types_may_be_left_alone(tmp_path: Path) -> None:
    options = {"infer_column_types": False, "empty_as_string": True, "include_path_column": True}
    found = read_mltable(table(tmp_path, {"read_delimited": options}))
    assert found["a"].tolist() == ["1", "", "3"]
    assert found["code"].tolist() == ["007", "008", "009"]
    assert found["Path"].tolist() == [str(tmp_path / "rows.csv")] * 3


def test_no_value_of_a_number_may_be_spelt(tmp_path: Path) -> None:
    folder = table(tmp_path, "read_delimited")
    (folder / "rows.csv").write_text("a,b\n1.5,NA\nNA,x\n,y\n")
    found = read_table(folder)
    assert found["a"].isna().tolist() == [False, True, True]
    assert found["b"].tolist() == ["NA", "x", "y"]


@pytest.mark.parametrize(
    ("header", "columns", "rows"),
    [
        ("all_files_same_headers", ["a", "b"], 2),
        ("all_files_different_headers", ["a", "b"], 2),
        ("from_first_file", ["a", "b"], 3),
        ("no_header", ["Column1", "Column2"], 4),
    ],
)
def test_headers_are_where_the_table_says(
    tmp_path: Path, header: str, columns: list[str], rows: int
) -> None:
    folder = table(
        tmp_path, {"read_delimited": {"header": header}}, paths=[{"pattern": "./p*.csv"}]
    )
    (folder / "p1.csv").write_text("a,b\n1,2\n")
    (folder / "p2.csv").write_text("a,b\n3,4\n")
    found = read_mltable(folder)
    assert (list(found.columns), len(found)) == (columns, rows)


def test_files_with_different_headers_are_one_table_where_asked(tmp_path: Path) -> None:
    folder = table(tmp_path, "read_delimited", paths=[{"file": "p1.csv"}, {"file": "p2.csv"}])
    (folder / "p1.csv").write_text("a,b\n1,2\n")
    (folder / "p2.csv").write_text("b,c\n3,4\n")
    with pytest.raises(StepError, match="all_files_different_headers"):
        read_mltable(folder)
    options = {"header": "all_files_different_headers"}
    table(tmp_path, {"read_delimited": options}, paths=[{"pattern": "p?.csv"}])
    assert list(read_table(folder).columns) == ["a", "b", "c"]


def test_parquet_keeps_what_was_stored_with_it(tmp_path: Path) -> None:
    rows = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    rows.attrs = {"part": "train"}
    write_table(rows, tmp_path)
    table(tmp_path, "read_parquet", {"keep_columns": "a"}, paths=[{"folder": "."}])
    (tmp_path / "rows.csv").unlink()
    found = read_table(tmp_path)
    assert found.to_dict("list") == {"a": [1, 2]}
    assert found.attrs == {"part": "train"}


def test_lines_of_json_are_read(tmp_path: Path) -> None:
    folder = table(
        tmp_path, {"read_json_lines": {"invalid_lines": "drop"}}, paths=[{"file": "r.jsonl"}]
    )
    lines = [json.dumps({"a": 1, "b": "x"}), "{broken", "", json.dumps({"a": 2})]
    (folder / "r.jsonl").write_text("\n".join(lines))
    assert read_table(folder).to_dict("list") == {"a": [1, 2], "b": ["x", None]}
    table(tmp_path, "read_json_lines", paths=[{"file": "r.jsonl"}])
    with pytest.raises(StepError, match=r"r\.jsonl:2 is no JSON object"):
        read_mltable(folder)


@pytest.mark.parametrize(
    ("column", "kind", "expected"),
    [
        ("a", "string", ["1.0", None, "3.0"]),
        ("code", "float", [7.0, 8.0, 9.0]),
        ("b", "int", [None, None, None]),
        ("ok", "string", ["True", "False", "True"]),
        ("b", {"boolean": {"true_values": ["x"], "false_values": ["y"]}}, [True, False, None]),
    ],
)
def test_columns_are_converted(
    tmp_path: Path, column: str, kind: object, expected: list[object]
) -> None:
    conversion = {"columns": [column], "column_type": kind}
    folder = table(tmp_path, "read_delimited", {"convert_column_types": [conversion]})
    found = [None if pd.isna(value) else value for value in read_mltable(folder)[column]]
    assert found == expected


def test_times_have_the_first_format_that_fits(tmp_path: Path) -> None:
    kind = {"datetime": {"formats": ["%d/%m/%Y", "%Y"]}}
    folder = table(
        tmp_path,
        {"read_delimited": {"infer_column_types": False}},
        {"convert_column_types": [{"columns": "a", "column_type": kind}]},
    )
    (folder / "rows.csv").write_text("a\n31/12/2023\n2024\nnever\n")
    found = read_mltable(folder)["a"]
    assert found.tolist()[:2] == [pd.Timestamp("2023-12-31"), pd.Timestamp("2024-01-01")]
    assert found.isna().tolist() == [False, False, True]


def test_what_is_neither_true_nor_false_may_be_an_error(tmp_path: Path) -> None:
    kind = {"boolean": {"true_values": ["x"], "false_values": [], "mismatch_as": "error"}}
    conversion = [{"columns": "b", "column_type": kind}]
    with pytest.raises(StepError, match="'y', which is neither true nor false"):
        read_mltable(table(tmp_path, "read_delimited", {"convert_column_types": conversion}))


@pytest.mark.parametrize(
    ("step", "kept"),
    [
        ({"take": 2}, [7, 8]),
        ({"skip": 2}, [9]),
        ({"filter": 'col("a") >= 1 and not col("b") == "y"'}, [7, 9]),
        ({"filter": 'col("code") < 8 or col("b") == "y"'}, [7, 8]),
        ({"take_random_sample": {"probability": 1.0, "seed": 3}}, [7, 8, 9]),
        ({"take_random_sample": {"probability": 0.0}}, []),
    ],
)
def test_rows_are_chosen(tmp_path: Path, step: dict[str, object], kept: list[int]) -> None:
    assert read_mltable(table(tmp_path, "read_delimited", step))["code"].tolist() == kept


def test_a_sample_is_the_same_each_time(tmp_path: Path) -> None:
    sample = {"take_random_sample": {"probability": 0.5, "seed": 7}}
    folder = table(tmp_path, "read_delimited", sample)
    (folder / "rows.csv").write_text("a\n" + "\n".join(map(str, range(400))))
    found = read_mltable(folder)
    assert 150 < len(found) < 250
    assert found.equals(read_mltable(folder))


@pytest.mark.parametrize("is_named", [False, True])
def test_columns_come_from_the_paths_of_files(tmp_path: Path, is_named: bool) -> None:
    form: Any = "/{city}/{day:yyyy/MM}/*.csv"
    form = {"partition_format": form} if is_named else form
    steps = ["read_delimited", {"extract_columns_from_partition_format": form}]
    folder = table(tmp_path, *steps, {"take": 2}, paths=[{"pattern": "*/*/*/p.csv"}])
    for city, month in (("oslo", "01"), ("rome", "02")):
        (folder / city / "2024" / month).mkdir(parents=True)
        (folder / city / "2024" / month / "p.csv").write_text("a\n1\n")
    found = read_table(folder)
    assert found["city"].tolist() == ["oslo", "rome"]
    assert found["day"].tolist() == [pd.Timestamp("2024-01-01"), pd.Timestamp("2024-02-01")]


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([{"sort": "a"}], "no transformation named 'sort'"),
        ([], "does not say how its files are read"),
        ([{"take": 3}], "does not say how its files are read"),
        ([{"read_delta_lake": {"version_as_of": 1}}], "read_delta_lake is not read here"),
        (["read_delimited", "read_parquet"], "reads its files twice"),
        ([{"read_delimited": {"quote": "x"}}], "read_delimited has no option 'quote'"),
        ([{"read_delimited": {"header": "first"}}], "header of read_delimited cannot be 'first'"),
        ([{"read_delimited": {"encoding": "koi8"}}], "encoding of read_delimited cannot be"),
        (["read_delimited", {"keep_columns": ["aa"]}], "no column 'aa'"),
        (["read_delimited", {"take": "two"}], "take takes a number of rows"),
        (["read_delimited", {"filter": "__import__('os')"}], "is not understood here"),
        (["read_delimited", {"filter": 'col("z") == 1'}], "no column 'z'"),
        (["read_delimited", {"filter": 'col("b") > 1'}], "compares unlike things"),
        (
            [
                "read_delimited",
                {"convert_column_types": [{"columns": "a", "column_type": "stream_info"}]},
            ],
            "column_type of convert_column_types cannot be 'stream_info'",
        ),
        (["read_delimited", {"take_random_sample": {"probability": 2}}], "not 0 to 1"),
        (
            ["read_delimited", {"extract_columns_from_partition_format": "{x}/nowhere"}],
            "is not of the partition format",
        ),
    ],
)
def test_what_is_not_known_is_refused_by_name(
    tmp_path: Path, steps: list[object], message: str
) -> None:
    with pytest.raises(StepError, match=message):
        read_mltable(table(tmp_path, *steps))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ({"file": "https://example.com/a.csv"}, "is an address, which is not read here"),
        ({"pattern": "azureml://datastores/d/paths/*.csv"}, "is an address"),
        ({"file": "gone.csv"}, "there is nothing at the file gone.csv"),
        ({"pattern": "*.tsv"}, r"there is nothing at the pattern \*.tsv"),
        ({"uri": "rows.csv"}, "is no path"),
    ],
)
def test_paths_that_cannot_be_read_are_told(
    tmp_path: Path, path: dict[str, str], message: str
) -> None:
    with pytest.raises(StepError, match=message):
        read_mltable(table(tmp_path, "read_delimited", paths=[path]))


def test_a_file_that_is_no_mltable_is_told(tmp_path: Path) -> None:
    assert not is_mltable(tmp_path)
    (tmp_path / "MLTable").write_text("pathes: []\n")
    with pytest.raises(StepError, match="no field named 'pathes'"):
        read_mltable(tmp_path)
    (tmp_path / "MLTable").write_text("- a\n")
    with pytest.raises(StepError, match="holds no fields"):
        read_mltable(tmp_path)


def test_files_beside_the_folder_count(tmp_path: Path) -> None:
    folder = table(tmp_path / "t", "read_delimited", paths=[{"file": "../out.csv"}])
    (tmp_path / "out.csv").write_text("a\n1\n")
    assert mltable_files(folder) == [folder / "../out.csv"]
    before = digest(folder)
    (tmp_path / "out.csv").write_text("a\n2\n")
    assert digest(folder) != before
    assert read_table(folder)["a"].tolist() == [2]
