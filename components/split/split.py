"""Split a table into a train and a test part, with no row in both."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stepkit.program import StepError, boolean, read_json, run, write_json
from stepkit.table import (
    digest,
    read_table,
    require_column,
    settle_task,
    write_mltable,
    write_table,
)

METHODS = ("auto", "given", "fraction", "group", "time")


@dataclass(frozen=True)
class Parts:
    """Both parts, and how many train rows were test rows too."""

    train: pd.DataFrame
    test: pd.DataFrame
    common: int = 0


def identical_rows(table: pd.DataFrame) -> NDArray[np.intp]:
    """Number the rows so that identical ones, in every column, have one number. Shape (n,)."""
    keys = pd.util.hash_pandas_object(table, index=False)
    return pd.factorize(keys)[0]


def part_of_groups(
    groups: NDArray[np.intp], fraction: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Choose whole groups at random until they hold a fraction of the rows.

    Args:
        groups: Each row's group, numbered from 0 without gaps, shape (n,).
        fraction: The share of rows wanted, above 0 and below 1.
        rng: Draws the order of the groups.

    Returns:
        Whether each row is chosen. At least one group is, and with two groups or more at least
        one is not.
    """
    sizes = np.bincount(groups)
    order = rng.permutation(len(sizes))
    filled = np.cumsum(sizes[order])
    # The count of groups whose total comes nearest to the rows wanted.
    count = int(np.abs(filled - fraction * len(groups)).argmin()) + 1
    chosen = np.zeros(len(sizes), dtype=bool)
    chosen[order[: max(1, min(count, len(sizes) - 1))]] = True
    return chosen[groups]


def fraction_mask(
    table: pd.DataFrame, fraction: float, seed: int, stratify: str | None
) -> NDArray[np.bool_]:
    """Choose test rows at random; identical rows stay together.

    Args:
        table: The rows.
        fraction: The share of test rows.
        seed: Of the random choice.
        stratify: The column whose values keep their shares in both parts, or None. A value that
            only one row, or only identical rows, have goes to train.

    Returns:
        Whether each row is a test row, shape (n,).
    """
    rng = np.random.default_rng(seed)
    rows = identical_rows(table)
    strata = (
        np.zeros(len(table), dtype=np.intp)
        if stratify is None
        else pd.factorize(table[stratify], use_na_sentinel=False)[0]
    )
    mask = np.zeros(len(table), dtype=bool)
    for stratum in range(strata.max() + 1):
        members = np.flatnonzero(strata == stratum)
        groups = pd.factorize(rows[members])[0]
        if groups.max() > 0:
            mask[members] = part_of_groups(groups, fraction, rng)
    return mask


def group_mask(table: pd.DataFrame, column: str, fraction: float, seed: int) -> NDArray[np.bool_]:
    """Choose test rows by whole groups of a column; rows with no value are one group."""
    groups = pd.factorize(table[column], use_na_sentinel=False)[0]
    if groups.max() == 0:
        raise StepError(f"column {column!r} has one value only, so it cannot split the rows")
    return part_of_groups(groups, fraction, np.random.default_rng(seed))


def time_mask(table: pd.DataFrame, column: str, fraction: float) -> NDArray[np.bool_]:
    """Choose the latest rows as test rows; rows of one moment stay together.

    Args:
        table: The rows.
        column: Numbers, dates, or text that reads as dates.
        fraction: The share of test rows, as near as whole moments allow.

    Raises:
        StepError: Values are missing or are no dates, or there is one moment only.
    """
    moments = table[column]
    if moments.isna().any():
        raise StepError(f"column {column!r} has {int(moments.isna().sum())} rows without a time")
    if moments.dtype == object:
        try:
            moments = pd.to_datetime(moments, format="ISO8601", utc=True)
        except ValueError as error:
            raise StepError(
                f"column {column!r} has values that are no dates: {error}",
                hint="write dates as 2024-12-31 or 2024-12-31T23:59:59",
            ) from error
    ranks = pd.factorize(moments, sort=True)[0]
    if ranks.max() == 0:
        raise StepError(f"column {column!r} has one value only, so it cannot split the rows")
    later = np.cumsum(np.bincount(ranks)[::-1])[::-1][1:]
    first = int(np.abs(later - fraction * len(ranks)).argmin()) + 1
    mask: NDArray[np.bool_] = ranks >= first
    return mask


def given_parts(train: pd.DataFrame, test: pd.DataFrame, *, drop: bool) -> Parts:
    """Take both parts as given; the test part stays whole, so that results stay comparable.

    Args:
        train: The train rows.
        test: The test rows, with at least the columns of the train rows.
        drop: Whether train rows that are test rows too are dropped. They are counted either way.

    Raises:
        StepError: The test rows lack a column, or no train row is left.
    """
    lacking = [name for name in train.columns if name not in test.columns]
    if lacking:
        raise StepError(
            f"the test data lacks columns of the train data: {', '.join(lacking)}",
            hint="give the test file of this table, or split by fraction",
        )
    test = test[list(train.columns)]
    # One numbering over both, so that 1 in one file and 1.0 in the other are equal.
    numbers = identical_rows(pd.concat([train, test], ignore_index=True))
    common = np.isin(numbers[: len(train)], numbers[len(train) :])
    kept = train[~common] if drop else train
    if kept.empty:
        raise StepError("every train row is a test row too", hint="give a test file of its own")
    return Parts(kept, test, int(common.sum()))


def settle_method(method: str, target: str, test: pd.DataFrame | None) -> str:
    """Return the method, where `auto` is `given` with a test table of this target, else `fraction`.

    Raises:
        StepError: `given` without a test table.
    """
    if method == "given" and test is None:
        raise StepError("split by a given file, but no test data", hint="set test_data")
    if method != "auto":
        return method
    return "given" if test is not None and target in test.columns else "fraction"


def split(
    table: pd.DataFrame, test: pd.DataFrame | None, method: str, args: argparse.Namespace
) -> Parts:
    """Split by a settled method; see `main` for the arguments."""
    if method == "given" and test is not None:
        return given_parts(table, test, drop=args.drop_test_rows)
    if method in ("group", "time"):
        require_column(table, args.column, f"{method} column")
    if method == "group":
        mask = group_mask(table, args.column, args.test_fraction, args.seed)
    elif method == "time":
        mask = time_mask(table, args.column, args.test_fraction)
    else:
        task = settle_task(args.task, table[args.target])
        stratify = args.target if task == "classification" else None
        mask = fraction_mask(table, args.test_fraction, args.seed, stratify)
    if not mask.any() or mask.all():
        raise StepError(
            f"{len(table)} rows cannot be split into two parts: too few, or too many alike",
            hint="give more rows; identical rows, and all rows of a class of one, stay together",
        )
    return Parts(table[~mask], table[mask])


def check_gate(report: Path, data_digest: str) -> None:
    """Stop where `check_data` did not pass this very data.

    Raises:
        StepError: The report is of other data, or its verdict is not a pass.
    """
    document = read_json(report / "report.json")
    if document["tables"]["data"]["digest"] != data_digest:
        raise StepError("the data is not that which check_data checked", hint="check it again")
    if document["verdict"] == "fail":
        raise StepError("check_data failed this data", hint="see its report")


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--test-data", type=Path)
    parser.add_argument("--checked", type=Path, help="report of check_data for this data")
    parser.add_argument("--target", required=True)
    parser.add_argument("--task", choices=("auto", "classification", "regression"), default="auto")
    parser.add_argument("--method", choices=METHODS, default="auto")
    parser.add_argument("--column", default="", help="of the groups or times")
    parser.add_argument("--test-fraction", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--drop-test-rows", type=boolean, default=True)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--train-table", type=Path, help="the train part as an MLTable, too")
    parser.add_argument("--report", type=Path, required=True)
    args = parser.parse_args(argv)
    if not 0 < args.test_fraction < 1:
        parser.error("--test-fraction must be above 0 and below 1")
    return args


def main(argv: Sequence[str] | None = None) -> None:
    """Read, split, and write both parts and a report."""
    args = parse(argv)
    source = digest(args.data)
    if args.checked is not None:
        check_gate(args.checked, source)
    table = read_table(args.data)
    require_column(table, args.target, "target column")
    test = read_table(args.test_data) if args.test_data is not None else None
    method = settle_method(args.method, args.target, test)
    parts = split(table, test, method, args)
    notes = []
    if parts.common:
        verb = "dropped from train" if args.drop_test_rows else "kept in train as well"
        notes.append(f"{parts.common} train rows are test rows too: {verb}")
    if test is not None and method != "given":
        notes.append(f"test data is not used, since the split is by {method}")
    test_source = digest(args.test_data) if method == "given" else source
    for name, part, origin in (
        ("train", parts.train, source),
        ("test", parts.test, test_source),
    ):
        part = part.reset_index(drop=True)
        part.attrs = {"part": name, "source_digest": origin, "split": method}
        # Of collected rows, when they were collected: the model's lineage tells it.
        if (window := table.attrs.get("data_window")) is not None:
            part.attrs["data_window"] = window
        write_table(part, getattr(args, name))
        if name == "train" and args.train_table is not None:
            write_mltable(part, args.train_table)
    write_json(
        args.report / "split.json",
        {
            "method": method,
            "rows": {"train": len(parts.train), "test": len(parts.test)},
            "train_rows_in_test": parts.common,
            "digests": {"data": source, "test": test_source},
            "notes": notes,
        },
    )
    print(f"split by {method}: {len(parts.train)} train rows, {len(parts.test)} test rows")
    for note in notes:
        print(f"note: {note}")


if __name__ == "__main__":
    run(main)
