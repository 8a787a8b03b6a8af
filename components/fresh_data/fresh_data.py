"""Make a table to train on of collected rows whose truth is known by now."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pandas as pd

from stepkit.collected import ID, ROW, TIME, NothingCollectedError, joined, read_collected
from stepkit.program import StepError, names, run, write_json
from stepkit.table import READABLE, labelled_rows, plain, read_table, require_column, write_table
from stepkit.tracking import Tracking, tracked

#: The collection of a deployment that holds what its model was asked.
INPUTS = "model_inputs"
_LINES = ("*.jsonl", "*.ndjson")


@dataclass
class Account:
    """Where the rows of the table come from.

    Attributes:
        data_window: First moment of the window, and the first after it, ISO 8601.
        collected_rows: Rows of the window; of requests that several deployments got, once.
        fresh_rows: Those of them whose truth is known.
        old_rows: Rows from before that are beside them.
        first: When the first of the fresh rows was collected.
        last: When the last one was.
        notes: What else a reader should know.
    """

    data_window: str
    collected_rows: int = 0
    fresh_rows: int = 0
    old_rows: int = 0
    first: str = ""
    last: str = ""
    notes: list[str] = field(default_factory=list)


def collections(folder: Path) -> list[Path]:
    """Return the collections of rows in the folder of an endpoint, a deployment, or a collection.

    Raises:
        StepError: There is none.
    """
    if not folder.is_dir():
        raise StepError(f"no folder at {folder}", hint="check the job's input collected")
    found = sorted([*folder.glob(INPUTS), *folder.glob(f"*/{INPUTS}")])
    if not found and any(folder.rglob("*.jsonl")):
        found = [folder]
    if not found:
        raise StepError(
            f"nothing was collected in {folder}",
            hint=f"enable {INPUTS} in the deployment's data_collector",
        )
    return found


def read_window(folder: Path, begin: datetime, end: datetime) -> pd.DataFrame:
    """Read the rows that were collected in a window, of all deployments.

    A request that was mirrored is in the collections of two deployments, and counts once.

    Raises:
        StepError: Nothing was collected in the window.
    """
    found = (_rows_of(collection, begin, end) for collection in collections(folder))
    parts = [rows for rows in found if rows is not None]
    if not parts:
        raise StepError(
            f"nothing was collected in {folder} since {begin.isoformat()}",
            hint="raise window_days, or wait for requests",
        )
    rows = pd.concat(parts)
    is_again = rows.reset_index()[[ID, ROW]].duplicated().to_numpy()
    # As in one collection: whole numbers of one part may be missing in the other.
    return plain_rows(rows[~is_again]).sort_index(level=TIME, sort_remaining=False, kind="stable")


def _rows_of(collection: Path, begin: datetime, end: datetime) -> pd.DataFrame | None:
    """Return the rows of a collection; None of a deployment that got no request in the window."""
    try:
        return read_collected(collection, begin=begin, end=end)
    except NothingCollectedError:
        return None


def plain_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows in the types of `read_table`, with the index that they have."""
    return plain(rows.reset_index(drop=True)).set_axis(rows.index)


def read_truth(folder: Path, target: str) -> pd.DataFrame:
    """Read what became known: the target, by the id of its request.

    Raises:
        StepError: There is nothing, or a column is missing.
    """
    parts = [
        pd.read_json(file, lines=True, dtype=False, convert_dates=False)
        for pattern in _LINES
        for file in sorted(folder.rglob(pattern))
    ]
    if any(file.name.lower().endswith(READABLE) for file in folder.rglob("*")):
        parts.append(read_table(folder))
    if not parts:
        raise StepError(
            f"no truth is known: no table in {folder}",
            hint=f"write CSV, Parquet, or JSON Lines with {ID} and {target} there",
        )
    table = plain(pd.concat(parts, ignore_index=True))
    for name in (ID, target):
        require_column(table, name, "column of the ground truth")
    keys = [name for name in (ID, ROW) if name in table.columns]
    # What is delivered twice is no contradiction.
    return table[[*keys, target]].dropna().drop_duplicates().set_index(keys)


def known_rows(rows: pd.DataFrame, truth: pd.DataFrame, target: str) -> pd.DataFrame:
    """Return the collected rows whose truth is known, with it.

    Raises:
        StepError: The collected rows have a column of the target's name.
    """
    if target in rows.columns:
        raise StepError(
            f"the collected rows have a column {target!r} themselves",
            hint="callers should not send what is to be predicted",
        )
    return joined(rows, truth)


def require_rows(account: Account, minimum: int) -> None:
    """Stop where too little is known.

    Raises:
        StepError: There are fewer fresh rows than wanted.
    """
    if account.fresh_rows < minimum:
        raise StepError(
            f"the truth of {account.fresh_rows} of {account.collected_rows} collected rows is "
            f"known, at least {minimum} are wanted",
            hint="wait for more of it, raise window_days, or lower minimum_rows",
        )


def require_values(fresh: pd.DataFrame, old: pd.DataFrame | None) -> None:
    """Stop where a column has no value in any fresh row, and had values before.

    A model would learn of it when a row was collected, and nothing of the column.

    Raises:
        StepError: There is such a column.
    """
    if old is None:
        return
    lost = [name for name in fresh.columns if fresh[name].isna().all() and old[name].notna().any()]
    if lost:
        raise StepError(
            f"no collected row has a value of {', '.join(lost)}, and old rows have: redacted?",
            hint=f"leave them out of all rows with drop={','.join(lost)}, or collect them: the "
            "deployment's tag amlocal.redact",
        )


def beside(old: pd.DataFrame, fresh: pd.DataFrame, account: Account) -> pd.DataFrame:
    """Return old rows with the columns of the fresh ones.

    Raises:
        StepError: They lack one.
    """
    lacking = [name for name in fresh.columns if name not in old.columns]
    if lacking:
        raise StepError(
            f"the old rows lack columns of the collected ones: {', '.join(lacking)}",
            hint="leave them out with drop, or give old_data that has them",
        )
    extra = [name for name in old.columns if name not in fresh.columns]
    if extra:
        account.notes.append(f"columns that are not collected are left out: {', '.join(extra)}")
    return old[list(fresh.columns)]


def table_of(
    fresh: pd.DataFrame, old: pd.DataFrame | None, begin: datetime, args: argparse.Namespace
) -> tuple[pd.DataFrame, int]:
    """Put fresh and old rows together, ordered by time; returns how many are old, too."""
    times = pd.Series(fresh.index.get_level_values(TIME)).dt.tz_convert("UTC")
    table = fresh.reset_index(drop=True).assign(**{args.time_column: times})
    if old is None or not args.old_share:
        return table, 0
    wanted = round(len(fresh) * args.old_share / (1 - args.old_share))
    drawn = old.sample(min(wanted, len(old)), random_state=args.seed)
    drawn = drawn.assign(**{args.time_column: pd.Timestamp(begin)})
    return plain(pd.concat([drawn, table], ignore_index=True)), len(drawn)


def make(args: argparse.Namespace, now: datetime) -> tuple[pd.DataFrame, Account]:
    """Read, join, and put together; see `parse` for the arguments.

    Raises:
        StepError: Too few rows are known, or old and fresh rows do not fit together.
    """
    begin = now - timedelta(days=args.window_days)
    account = Account(data_window=f"{begin.isoformat()}/{now.isoformat()}")
    rows = read_window(args.collected, begin, now)
    account.collected_rows = len(rows)
    fresh = known_rows(rows, read_truth(args.ground_truth, args.target), args.target)
    account.fresh_rows = len(fresh)
    require_rows(account, args.minimum_rows)
    fresh = fresh.drop(columns=[name for name in args.drop if name in fresh.columns])
    if args.time_column in fresh.columns:
        raise StepError(
            f"the collected rows have a column {args.time_column!r}", hint="set time_column"
        )
    old = None
    if args.old_data is not None:
        old = beside(labelled_rows(read_table(args.old_data), args.target), fresh, account)
    require_values(fresh, old)
    moments = fresh.index.get_level_values(TIME)
    account.first, account.last = (each.isoformat() for each in (moments.min(), moments.max()))
    table, account.old_rows = table_of(fresh, old, begin, args)
    table.attrs = {"data_window": account.data_window}
    return table, account


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--collected", type=Path, required=True)
    parser.add_argument("--ground-truth", type=Path, required=True)
    parser.add_argument("--old-data", type=Path)
    parser.add_argument("--target", required=True)
    parser.add_argument("--window-days", type=float, default=30.0)
    parser.add_argument("--minimum-rows", type=int, default=1000)
    parser.add_argument("--old-share", type=float, default=0.0)
    parser.add_argument("--drop", default="none", help="columns, comma-separated")
    parser.add_argument("--time-column", default="collected")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--table", type=Path, required=True)
    parser.add_argument("--report", type=Path, required=True)
    args = parser.parse_args(argv)
    args.drop = () if args.drop == "none" else names(args.drop)
    if not 0 <= args.old_share <= 0.5:
        parser.error("--old-share must be from 0 to 0.5: the test part is of fresh rows")
    return args


def conclude(account: Account, tracking: Tracking) -> None:
    """Log what the table is of."""
    counts = {name: getattr(account, name) for name in ("collected_rows", "fresh_rows", "old_rows")}
    tracking.metrics({name: float(count) for name, count in counts.items()})
    tracking.tags({"data_window": account.data_window})
    told = (
        f"{account.fresh_rows} of {account.collected_rows} collected rows are known, "
        f"{account.old_rows} old ones beside them"
    )
    tracking.conclude(told)
    print(told)
    for note in account.notes:
        print(f"note: {note}")


def main(argv: Sequence[str] | None = None) -> None:
    """Make the table and its report, and log."""
    args = parse(argv)
    with tracked() as tracking:
        table, account = make(args, datetime.now(timezone.utc))
        write_table(table, args.table)
        write_json(args.report / "fresh_data.json", asdict(account))
        conclude(account, tracking)


if __name__ == "__main__":
    run(main)
