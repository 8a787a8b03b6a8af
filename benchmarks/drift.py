"""Measures monitors on simulated weeks, against evidently's defaults, and on a million rows.

    python benchmarks/drift.py --jobs 4
    python benchmarks/drift.py --rows 500 --reference-rows 1000 --weeks 500 --changed 100
    python benchmarks/drift.py --part size

Without a change an alarm is false; with one (`drift_weeks.CHANGES`) it is right. Every 50 weeks
have a reference of their own. evidently runs in a virtual environment, made on first use, and has
four lines: its verdict on the whole data set, any column of its `DataDriftPreset`, that or any
figure of its `ClassificationPreset`, and of a few weeks any test of whole reports of both and of
its `DataSummaryPreset`. Seconds are those of a processor for a week, rows in memory.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd
import pyarrow as pa
from commands import output_of
from drift_size import measure_size
from drift_weeks import CHANGES, rows

from monitorkit.columns import Gatherer, Rows
from monitorkit.request import Data, Request, Signal
from monitorkit.run import Monitored, monitor
from monitorkit.signals import Reader
from stepkit.calibration import wilson

# The last of evidently's releases imports what pandas 3 does not have any more.
REQUIREMENTS = ("evidently==0.7.23", "pandas<3", "numpy<2.4")
PROGRAM = Path(__file__).parent / "peers" / "drift_program.py"
#: What lines are called, by what the program calls them.
EVIDENTLY = {
    "most columns": "evidently, data set",
    "columns": "evidently, columns",
    "columns, scores": "evidently, columns and scores",
    "reports": "evidently, whole reports",
}
_NOW = datetime(2026, 3, 2, tzinfo=timezone.utc)
_WEEKS_A_REFERENCE = 50

#: Of each change the seeds of its weeks, and of their references.
Seeds: TypeAlias = Mapping[str, Sequence[tuple[int, int]]]


@dataclass
class Found:
    """What a tool says of weeks.

    Attributes:
        alarms: Weeks in which anything raises an alarm, by change.
        weeks: Weeks that it judged, by change.
        seconds: Of a processor, for all of them.
    """

    alarms: dict[str, int] = field(default_factory=dict)
    weeks: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def add(self, other: Found) -> None:
        """Add other weeks."""
        self.seconds += other.seconds
        for mine, more in ((self.alarms, other.alarms), (self.weeks, other.weeks)):
            for change, count in more.items():
                mine[change] = mine.get(change, 0) + count

    def interval(self, change: str) -> tuple[float, float]:
        """Return Wilson's 95 % interval of the share of weeks with an alarm."""
        low, high = wilson(self.alarms[change], self.weeks[change])
        return float(low), float(high)

    def as_json(self) -> dict[str, Any]:
        """Return what is found, with rates."""
        changes = {
            change: {
                "weeks": count,
                "alarms": self.alarms[change],
                "rate": self.alarms[change] / count,
                "interval": self.interval(change),
            }
            for change, count in self.weeks.items()
        }
        return {"changes": changes, "seconds_a_week": self.seconds / sum(self.weeks.values())}


class Held(Reader):
    """Gives rows that are in memory, by their path."""

    def __init__(self, tables: Mapping[str, Rows], request: Request) -> None:
        super().__init__(request)
        self._tables = tables

    def rows(self, data: Data) -> Rows:
        """Return the rows of a path."""
        return self._tables[data.path]


def held(table: pd.DataFrame) -> Rows:
    """Return a table as rows."""
    gatherer = Gatherer(10**9, 0)
    gatherer.add(pa.Table.from_pandas(table, preserve_index=False))
    return gatherer.rows()


def request() -> Request:
    """Return what is asked of a week: four signals with Azure's default metrics and thresholds."""
    known = {"target_column": "target", "prediction_column": "prediction"}
    week, before = Data("week", **known), Data("reference", **known)
    kinds = ("data_drift", "data_quality", "prediction_drift", "model_performance")
    signals = tuple(Signal(kind, kind, week, before) for kind in kinds)  # type: ignore[arg-type]
    return Request("weeks", _NOW, signals)


def weeks(counts: Mapping[str, int]) -> dict[str, list[tuple[int, int]]]:
    """Return the seeds of each change's weeks, and those of their references."""
    found = {}
    for place, change in enumerate(CHANGES):
        first = (place + 1) * 1_000_000
        found[change] = [
            (first + week, 900_000_000 + week // _WEEKS_A_REFERENCE)
            for week in range(counts[change])
        ]
    return found


def parts(seeds: Seeds, count: int) -> list[dict[str, list[tuple[int, int]]]]:
    """Return weeks in so many parts, those of one reference together."""
    found: list[dict[str, list[tuple[int, int]]]] = [{} for _ in range(count)]
    turn = itertools.cycle(found)
    for change, pairs in seeds.items():
        for _, group in itertools.groupby(pairs, key=lambda pair: pair[1]):
            next(turn).setdefault(change, []).extend(group)
    return [part for part in found if part]


def judged(table: pd.DataFrame, reference: Rows) -> Monitored:
    """Return what a monitor says of a week."""
    asked = request()
    return monitor(asked, Held({"week": held(table), "reference": reference}, asked))


def alarms(seeds: Seeds, week_rows: int, reference_rows: int) -> Found:
    """Return in how many weeks a monitor raises an alarm, over all features and signals."""
    found = Found()
    for change, pairs in seeds.items():
        for before, group in itertools.groupby(pairs, key=lambda pair: pair[1]):
            reference = held(rows(before, reference_rows))
            for seed, _ in group:
                week = rows(seed, week_rows, change)
                begin = time.process_time()
                is_alarm = bool(judged(week, reference).breaches)
                seconds = time.process_time() - begin
                found.add(Found({change: int(is_alarm)}, {change: 1}, seconds))
    return found


def ours(seeds: Seeds, args: argparse.Namespace) -> Found:
    """Return what monitors say of weeks."""
    whole = Found()
    with ProcessPoolExecutor(args.jobs) as pool:
        running = [
            pool.submit(alarms, part, args.rows, args.reference_rows)
            for part in parts(seeds, args.jobs)
        ]
        for found in running:
            whole.add(found.result())
    return whole


def theirs(seeds: Seeds, args: argparse.Namespace) -> dict[str, Found]:
    """Return what evidently says of the same weeks, by what is asked of it."""
    python = _python(args.folder.parent / "venvs" / "evidently")
    path = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "DO_NOT_TRACK": "1"}
    whole = json.dumps({change: pairs[: args.reports] for change, pairs in seeds.items()})
    common = ["--reports", whole, "--rows", str(args.rows)]
    common += ["--reference-rows", str(args.reference_rows)]

    def said(part: Seeds) -> dict[str, Any]:
        command = [python, str(PROGRAM), "--weeks", json.dumps(part), *common]
        return dict(json.loads(output_of(command, environ=path).splitlines()[-1]))

    found = {name: Found() for name in EVIDENTLY}
    with ThreadPoolExecutor(args.jobs) as pool:
        for tools in pool.map(said, parts(seeds, args.jobs)):
            for name, counted in tools.items():
                found[name].add(Found(**counted))
    return {EVIDENTLY[name]: each for name, each in found.items() if each.weeks}


def _python(venv: Path) -> str:
    """Return the interpreter that evidently is installed in."""
    python, stamp = venv / "bin" / "python", venv / "installed.txt"
    if not stamp.exists() or stamp.read_text() != "\n".join(REQUIREMENTS):
        uv = str(Path(sys.executable).with_name("uv"))
        output_of([uv, "venv", "--clear", "--python", sys.executable, str(venv)])
        output_of([uv, "pip", "install", "--python", str(python), *REQUIREMENTS])
        stamp.write_text("\n".join(REQUIREMENTS))
    return str(python)


def compare(args: argparse.Namespace) -> dict[str, Found]:
    """Return what each tool says of the weeks."""
    seeds = weeks(dict.fromkeys(CHANGES, args.changed) | {"nothing": args.weeks})
    return {"amlocal": ours(seeds, args), **theirs(seeds, args)}


def text(found: Mapping[str, Found]) -> str:
    """Return what was found as a table: of each change the share of weeks with an alarm."""
    width = max(map(len, found))
    lines = [f"{'weeks with an alarm, %':{width}}" + "".join(f"{each:>18}" for each in CHANGES)]
    lines[0] += f"{'s a week':>10}"
    for name, each in found.items():
        cells = []
        for change in CHANGES:
            low, high = each.interval(change)
            rate = each.alarms[change] / each.weeks[change]
            cells.append(f"{100 * rate:.1f} ({100 * low:.1f}-{100 * high:.1f})")
        seconds = each.seconds / sum(each.weeks.values())
        lines.append(
            f"{name:{width}}" + "".join(f"{cell:>18}" for cell in cells) + f"{seconds:>10.2f}"
        )
    counts = {name: each.weeks for name, each in found.items()}
    lines += ["", *(f"{name:{width}}  {weeks}" for name, weeks in counts.items())]
    return "\n".join(lines)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return what is asked."""
    parser = argparse.ArgumentParser(description="Monitors on simulated weeks.")
    parser.add_argument("--part", choices=("weeks", "size"), default="weeks")
    parser.add_argument("--weeks", type=int, default=1000, help="without a change")
    parser.add_argument("--changed", type=int, default=200, help="of each change")
    parser.add_argument("--reports", type=int, default=10, help="whole reports of each change")
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--reference-rows", type=int, default=20_000)
    parser.add_argument("--jobs", type=int, default=1, help="processes side by side")
    parser.add_argument("--size", type=int, default=1_000_000, help="rows of the other part")
    parser.add_argument("--folder", type=Path, default=Path(".benchmarks/drift"))
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Run a part, and print what was found."""
    args = parse(argv)
    args.folder = args.folder.absolute()
    args.folder.mkdir(parents=True, exist_ok=True)
    if args.part == "size":
        sized = measure_size(args.folder, args.size)
        print(json.dumps(sized.as_json()) if args.json else sized)
        return
    found = compare(args)
    if args.json:
        sizes = {"rows": args.rows, "reference_rows": args.reference_rows}
        print(json.dumps({**sizes, "tools": {name: of.as_json() for name, of in found.items()}}))
    else:
        print(text(found))


if __name__ == "__main__":
    main()
