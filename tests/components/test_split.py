from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import split
from hypothesis import given, settings
from hypothesis import strategies as st

from stepkit.program import StepError, write_json
from stepkit.table import digest, read_table

# Few different values, so that many rows are identical.
small_tables = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(["a", "b", None]), st.sampled_from(["u", "v"])),
    min_size=2,
    max_size=60,
).map(lambda rows: pd.DataFrame(rows, columns=["n", "t", "y"]))


def rows_of(table: pd.DataFrame) -> set[tuple]:
    return set(table.astype(object).where(table.notna(), None).itertuples(index=False, name=None))


@settings(deadline=None)
@given(small_tables, st.floats(0.05, 0.95), st.integers(0, 100), st.sampled_from([None, "y"]))
def test_no_row_is_in_both_parts(
    table: pd.DataFrame, fraction: float, seed: int, stratify: str | None
) -> None:
    mask = split.fraction_mask(table, fraction, seed, stratify)
    assert rows_of(table[mask]).isdisjoint(rows_of(table[~mask]))
    assert (mask == split.fraction_mask(table, fraction, seed, stratify)).all()


@settings(deadline=None)
@given(st.integers(20, 200), st.floats(0.1, 0.9), st.integers(0, 100))
def test_shares_of_classes_are_kept(rows: int, fraction: float, seed: int) -> None:
    table = pd.DataFrame({"n": range(rows), "y": ["u" if i % 4 else "v" for i in range(rows)]})
    mask = split.fraction_mask(table, fraction, seed, "y")
    for label in ("u", "v"):
        members = table["y"] == label
        assert abs(mask[members].sum() - fraction * members.sum()) <= 1


def test_another_seed_is_another_split() -> None:
    table = pd.DataFrame({"n": range(100)})
    first, other = (split.fraction_mask(table, 0.2, seed, None) for seed in (0, 1))
    assert first.sum() == other.sum() == 20
    assert (first != other).any()


def test_a_class_of_one_row_is_for_training() -> None:
    table = pd.DataFrame({"n": range(11), "y": ["often"] * 10 + ["once"]})
    mask = split.fraction_mask(table, 0.5, 0, "y")
    assert not mask[10]
    assert mask.sum() == 5


@settings(deadline=None)
@given(small_tables, st.floats(0.05, 0.95), st.integers(0, 100))
def test_groups_stay_whole(table: pd.DataFrame, fraction: float, seed: int) -> None:
    if table["n"].nunique() == 1:
        with pytest.raises(StepError, match="one value only"):
            split.group_mask(table, "n", fraction, seed)
        return
    mask = split.group_mask(table, "n", fraction, seed)
    assert mask.any()
    assert not mask.all()
    assert set(table["n"][mask]).isdisjoint(table["n"][~mask])


@settings(deadline=None)
@given(st.lists(st.integers(0, 20), min_size=2, max_size=60), st.floats(0.05, 0.95))
def test_test_rows_are_the_latest(days: list[int], fraction: float) -> None:
    table = pd.DataFrame({"day": pd.Timestamp("2024-01-01") + pd.to_timedelta(days, unit="D")})
    if len(set(days)) == 1:
        with pytest.raises(StepError, match="one value only"):
            split.time_mask(table, "day", fraction)
        return
    mask = split.time_mask(table, "day", fraction)
    assert table["day"][mask].min() > table["day"][~mask].max()


def test_times_may_be_numbers_or_text() -> None:
    years = split.time_mask(pd.DataFrame({"t": [2021, 2020, 2023, 2022]}), "t", 0.25)
    assert years.tolist() == [False, False, True, False]
    texts = pd.DataFrame({"t": ["2024-10-01", "2024-09-30", "2024-01-31T10:00:00"]})
    assert split.time_mask(texts, "t", 0.3).tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("values", "message"),
    [(["soon", "later"], "are no dates"), ([1.0, None], "1 rows without a time")],
)
def test_times_that_cannot_be_ordered(values: list, message: str) -> None:
    with pytest.raises(StepError, match=message):
        split.time_mask(pd.DataFrame({"t": values}), "t", 0.5)


def test_given_test_rows_leave_train_only() -> None:
    train = pd.DataFrame({"n": [1, 2, 2, 3], "y": ["a", "b", "b", "c"]})
    # The same rows, stored as floats because one is missing, and with a column more.
    test = pd.DataFrame({"more": [0, 0], "y": ["b", "z"], "n": [2.0, None]})
    parts = split.given_parts(train, test, drop=True)
    assert parts.train["n"].tolist() == [1, 3]
    assert parts.common == 2
    assert parts.test["y"].tolist() == ["b", "z"]
    kept = split.given_parts(train, test, drop=False)
    assert (len(kept.train), kept.common) == (4, 2)


def test_given_parts_that_do_not_fit() -> None:
    train = pd.DataFrame({"n": [1], "m": [1]})
    with pytest.raises(StepError, match="the test data lacks columns of the train data: m"):
        split.given_parts(train, train[["n"]], drop=True)
    with pytest.raises(StepError, match="every train row is a test row"):
        split.given_parts(train, train, drop=True)


def test_auto_takes_a_test_table_of_this_target_only() -> None:
    test = pd.DataFrame({"income": [1]})
    assert split.settle_method("auto", "income", test) == "given"
    assert split.settle_method("auto", "wage", test) == "fraction"
    assert split.settle_method("auto", "wage", None) == "fraction"
    assert split.settle_method("time", "income", test) == "time"
    with pytest.raises(StepError, match="no test data"):
        split.settle_method("given", "income", None)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"n": rng.normal(size=50), "who": rng.integers(0, 9, 50), "y": rng.integers(0, 2, 50)}
    )
    frame.to_csv(tmp_path / "table.csv", index=False)
    return tmp_path / "table.csv"


def run(table: Path, *arguments: str) -> dict:
    out = table.parent
    places = ["--train", str(out / "train"), "--test", str(out / "test")]
    given = ["--data", str(table), "--target", "y", "--report", str(out / "report")]
    split.main([*given, *places, *arguments])
    return json.loads((out / "report/split.json").read_text())


@pytest.mark.parametrize("method", [["fraction"], ["group", "--column", "who"], ["auto"]])
def test_the_program_splits_and_says_where_rows_come_from(table: Path, method: list) -> None:
    report = run(table, "--method", *method)
    train, test = (read_table(table.parent / part) for part in ("train", "test"))
    assert report["rows"] == {"train": len(train), "test": len(test)}
    assert len(train) + len(test) == 50
    assert train.attrs["source_digest"] == report["digests"]["data"] == digest(table)


def test_the_train_part_is_an_mltable_where_asked(table: Path) -> None:
    folder = table.parent / "train_table"
    run(table, "--train-table", str(folder))
    assert (folder / "MLTable").is_file()
    train, again = read_table(table.parent / "train"), read_table(folder)
    assert again.equals(train)
    assert again.attrs == train.attrs


def test_the_program_writes_the_same_bytes_again(table: Path) -> None:
    run(table)
    first = digest(table.parent / "train")
    run(table)
    assert digest(table.parent / "train") == first


def test_unused_test_data_is_noted(table: Path) -> None:
    (table.parent / "other.csv").write_text("a\n1\n")
    report = run(table, "--test-data", str(table.parent / "other.csv"))
    assert report["method"] == "fraction"
    assert "test data is not used" in report["notes"][0]


def test_data_that_was_not_checked_is_refused(table: Path) -> None:
    checked = table.parent / "checked"
    document = {"verdict": "pass", "tables": {"data": {"digest": digest(table)}}}
    write_json(checked / "report.json", document)
    run(table, "--checked", str(checked))
    write_json(checked / "report.json", {**document, "verdict": "fail"})
    with pytest.raises(StepError, match="check_data failed this data"):
        run(table, "--checked", str(checked))
    document["tables"]["data"]["digest"] = "other"
    write_json(checked / "report.json", document)
    with pytest.raises(StepError, match="not that which check_data checked"):
        run(table, "--checked", str(checked))


def test_identical_rows_cannot_be_split(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("n,y\n" + "1,0\n" * 9)
    with pytest.raises(StepError, match="cannot be split"):
        run(tmp_path / "table.csv")


@pytest.mark.parametrize("fraction", ["0", "1", "-0.5"])
def test_a_fraction_leaves_something_on_both_sides(table: Path, fraction: str) -> None:
    with pytest.raises(SystemExit):
        run(table, "--test-fraction", fraction)
