from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from stepkit.program import StepError
from stepkit.table import (
    digest,
    infer_task,
    label_text,
    read_table,
    require_column,
    settle_task,
    write_table,
)

ROWS = pd.DataFrame({"n": [1, 2], "x": [0.5, None], "t": ["a", None], "b": [True, False]})


def test_csv_and_parquet_read_alike(tmp_path: Path) -> None:
    ROWS.to_csv(tmp_path / "t.csv", index=False)
    ROWS.to_csv(tmp_path / "t.tsv", index=False, sep="\t")
    ROWS.to_csv(tmp_path / "semicolons.csv", index=False, sep=";", encoding="utf-8-sig")
    ROWS.to_csv(tmp_path / "packed.csv.gz", index=False)
    ROWS.to_csv(tmp_path / "both.csv.gz", index=False, sep=";")
    ROWS.to_parquet(tmp_path / "t.parquet")
    whole = read_table(tmp_path / "t.parquet")
    assert [str(kind) for kind in whole.dtypes] == ["int64", "float64", "object", "bool"]
    for name in ("t.csv", "t.tsv", "semicolons.csv", "packed.csv.gz", "both.csv.gz"):
        pd.testing.assert_frame_equal(read_table(tmp_path / name), whole)


def test_a_folder_is_one_table_in_the_order_of_names(tmp_path: Path) -> None:
    ROWS.to_csv(tmp_path / "b.csv", index=False)
    ROWS.assign(n=[3, 4]).to_parquet(tmp_path / "a.parquet")
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / ".hidden.csv").write_text("not a table")
    (tmp_path / "README.md").write_text("not a table")
    table = read_table(tmp_path)
    assert table["n"].tolist() == [3, 4, 1, 2]
    assert table.index.tolist() == [0, 1, 2, 3]


def test_a_folder_of_different_columns_is_refused(tmp_path: Path) -> None:
    ROWS.to_csv(tmp_path / "a.csv", index=False)
    ROWS.drop(columns="x").to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(StepError, match=r"b\.csv and a\.csv differ in columns: x"):
        read_table(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", "", "cannot be read"),
        ("t.csv", "a,b\n", "has no rows"),
        ("t.parquet", "not parquet", "cannot be read"),
        ("t.csv", "a,b\n1,2,3\n", "more values than its first line has names"),
        ("latin.csv", "a\nK\xf6ln\n", "is not UTF-8"),
        ("t.xlsx", "PK", "is not a table"),
        ("t.csv", "a,b\n1,2\n1,2,3\n", "cannot be read"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, name: str, content: str, message: str) -> None:
    encoding = "latin-1" if name == "latin.csv" else "utf-8"
    (tmp_path / name).write_text(content, encoding=encoding)
    with pytest.raises(StepError, match=message):
        read_table(tmp_path / name)


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="no table in"):
        read_table(tmp_path)
    with pytest.raises(StepError, match="no file or folder"):
        read_table(tmp_path / "none.csv")


def test_every_kind_of_column_comes_out_plain(tmp_path: Path) -> None:
    pd.DataFrame(
        {
            "whole": pd.array([1, 2], dtype="Int64"),
            "gaps": pd.array([1, None], dtype="Int64"),
            "yes": pd.array([True, False], dtype="boolean"),
            "perhaps": pd.array([True, None], dtype="boolean"),
            "kinds": pd.Categorical(["u", None]),
            "numbered": pd.Categorical([7, 8]),
            "texts": pd.array(["a", None], dtype="string"),
            "money": [Decimal("1.50"), None],
            "day": [dt.date(2024, 1, 2), None],
            "empty": [None, None],
        }
    ).to_parquet(tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    assert {name: str(kind) for name, kind in table.dtypes.items()} == {
        "whole": "int64",
        "gaps": "float64",
        "yes": "bool",
        "perhaps": "float64",
        "kinds": "object",
        "numbered": "int64",
        "texts": "object",
        "money": "float64",
        "day": table["day"].dtype.name,
        "empty": "float64",
    }
    assert table["day"].dtype.kind == "M"
    assert table["texts"].tolist() == ["a", None]
    assert table["kinds"].tolist() == ["u", None]


def test_dates_of_a_text_table_are_times(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "day,moment,late,never,note\n"
        "2024-12-31,2024-12-31 23:30:00+01:00,,2024-02-31,2024-12-31\n"
        "2024-01-01,2024-01-01T00:00:00Z,2024-01-01T12:30,2024-01-01,later\n"
    )
    table = read_table(tmp_path / "t.csv")
    assert [kind.kind for kind in table.dtypes] == ["M", "M", "M", "O", "O"]
    assert table["day"].tolist() == [pd.Timestamp("2024-12-31"), pd.Timestamp("2024-01-01")]
    assert table["moment"][0] == pd.Timestamp("2024-12-31 22:30")
    assert table["late"].isna().tolist() == [True, False]


def test_decimal_commas_are_read_where_they_separate_nothing(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x;code\n1,5;1,5a\n-2;2\n;3\n")
    table = read_table(tmp_path / "t.csv")
    pd.testing.assert_series_equal(table["x"], pd.Series([1.5, -2.0, None], name="x"))
    assert table["code"].tolist() == ["1,5a", "2", "3"]
    (tmp_path / "quoted.csv").write_text('x,y\n"1,5",1\n"2,5",2\n')
    assert read_table(tmp_path / "quoted.csv")["x"].tolist() == ["1,5", "2,5"]


def test_a_mix_of_kinds_is_text(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("k\n1\ntwo\n3\n")
    assert read_table(tmp_path / "t.csv")["k"].tolist() == ["1", "two", "3"]


def test_what_a_table_says_of_itself_is_kept(tmp_path: Path) -> None:
    table = ROWS.copy()
    table.attrs = {"source_digest": "abc"}
    write_table(table, tmp_path / "part")
    assert read_table(tmp_path / "part").attrs == {"source_digest": "abc"}


def test_a_digest_is_of_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1")
    (tmp_path / "b.txt").write_text("2")
    before = digest(tmp_path)
    scripts = digest(tmp_path, "*.py")
    assert digest(tmp_path / "a.py") != digest(tmp_path / "b.txt")
    (tmp_path / "b.txt").rename(tmp_path / "c.txt")
    assert digest(tmp_path) != before
    assert digest(tmp_path, "*.py") == scripts


def test_texts_of_about_a_row_each_are_no_classes() -> None:
    names = pd.Series([f"name {n}" for n in range(30)], name="y")
    with pytest.raises(StepError, match="'y' has 30 different values in 30 rows: no classes"):
        settle_task("auto", names)
    assert settle_task("auto", pd.concat([names, names])) == "classification"
    assert settle_task("auto", names.head(3)) == "classification"


def test_a_column_that_is_not_there_suggests_one() -> None:
    with pytest.raises(StepError, match="did you mean 'income'"):
        require_column(pd.DataFrame({"income": [1]}), "incom", "target column")
    with pytest.raises(StepError, match="columns: income"):
        require_column(pd.DataFrame({"income": [1]}), "wage", "target column")


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["a", "b"], "classification"),
        ([True, False], "classification"),
        ([0, 1, 1, None], "classification"),
        (range(10), "classification"),
        (range(11), "regression"),
        ([0.5, 1.0], "regression"),
    ],
)
def test_the_task_of_a_target(values: list, task: str) -> None:
    target = pd.Series(values, name="y")
    assert infer_task(target) == task
    assert settle_task("auto", target) == task


def test_regression_needs_numbers() -> None:
    with pytest.raises(StepError, match="'y' is not a number"):
        settle_task("regression", pd.Series(["a"], name="y"))
    assert settle_task("classification", pd.Series([0.5], name="y")) == "classification"


def test_labels_do_not_depend_on_how_a_file_stored_them() -> None:
    assert [label_text(label) for label in (1, 1.0, 1.5, "a", True)] == [
        "1",
        "1",
        "1.5",
        "a",
        "True",
    ]
