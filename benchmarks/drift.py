"""Measures monitors on simulated weeks, against evidently's defaults, and on a million rows.

    python benchmarks/drift.py --weeks 1000 --changed 200
    python benchmarks/drift.py --part size

Without a change an alarm is false; with one (`drift_weeks.CHANGES`) it is right. Every 50 weeks
have a reference of their own. evidently runs in a virtual environment, made on first use.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from commands import output_of
from drift_weeks import CHANGES, rows

from monitorkit.columns import Gatherer, Rows
from monitorkit.request import Data, Request, Signal
from monitorkit.run import Monitored, monitor
from monitorkit.signals import Reader

# The last of evidently's releases imports what pandas 3 does not have any more.
REQUIREMENTS = ("evidently==0.7.23", "pandas<3", "numpy<2.4")
PROGRAM = Path(__file__).parent / "peers" / "drift_program.py"
_NOW = datetime(2026, 3, 2, tzinfo=timezone.utc)
_WEEKS_A_REFERENCE = 50


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


def judged(table: pd.DataFrame, reference: Rows) -> Monitored:
    """Return what a monitor says of a week."""
    asked = request()
    return monitor(asked, Held({"week": held(table), "reference": reference}, asked))


def alarms(
    seeds: Mapping[str, Sequence[tuple[int, int]]], week_rows: int, reference_rows: int
) -> dict[str, int]:
    """Return of each change how many weeks raise an alarm, over all features and signals."""
    found = dict.fromkeys(CHANGES, 0)
    last, reference = -1, held(rows(0, 10))
    for change, pairs in seeds.items():
        for seed, before in pairs:
            if before != last:
                last, reference = before, held(rows(before, reference_rows))
            found[change] += bool(judged(rows(seed, week_rows, change), reference).breaches)
    return found


def peer(
    seeds: Mapping[str, Sequence[tuple[int, int]]], args: argparse.Namespace, sizes: tuple[int, int]
) -> dict[str, Any]:
    """Return what evidently says of the same weeks."""
    python = _python(args.folder / "evidently")
    command = [python, str(PROGRAM), "--weeks", json.dumps(seeds), "--reports", str(args.reports)]
    sized = ["--rows", str(sizes[0]), "--reference-rows", str(sizes[1])]
    path = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "DO_NOT_TRACK": "1"}
    done = subprocess.run([*command, *sized], env=path, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"evidently failed: {done.stderr[-2000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _python(venv: Path) -> str:
    """Return the interpreter that evidently is installed in."""
    python, stamp = venv / "bin" / "python", venv / "installed.txt"
    if not stamp.exists() or stamp.read_text() != "\n".join(REQUIREMENTS):
        uv = str(Path(sys.executable).with_name("uv"))
        output_of([uv, "venv", "--clear", "--python", sys.executable, str(venv)])
        output_of([uv, "pip", "install", "--python", str(python), *REQUIREMENTS])
        stamp.write_text("\n".join(REQUIREMENTS))
    return str(python)


def compare(args: argparse.Namespace) -> None:
    """Print how many weeks raise an alarm, of each change and by each tool."""
    sizes = (args.rows, args.reference_rows)
    counts = dict.fromkeys(CHANGES, args.changed) | {"nothing": args.weeks}
    seeds = weeks(counts)
    begin = time.perf_counter()
    ours = alarms(seeds, *sizes)
    seconds = time.perf_counter() - begin
    theirs = peer(seeds, args, sizes)
    print(f"weeks of {sizes[0]:,d} rows, references of {sizes[1]:,d}; ours took {seconds:,.0f} s")
    reports = {f"evidently {name}, of {args.reports}": of for name, of in theirs["presets"].items()}
    named = {"monitorkit": ours, "evidently, columns": theirs["columns"], **reports}
    width = max(map(len, named))
    print(" " * width, *(f"{change:>10}" for change in CHANGES))
    print(f"{'weeks':{width}}", *(f"{counts[change]:>10,d}" for change in CHANGES))
    for name, found in named.items():
        print(f"{name:{width}}", *(f"{found[change]:>10,d}" for change in CHANGES))


def measure(args: argparse.Namespace) -> None:
    """Print the seconds and the memory of one monitor over many collected rows of 50 features."""
    folder = args.folder / f"collected-{args.size}"
    if not (folder / "done").exists():
        write_collected(folder, args.size)
    signals = [
        {
            "name": kind,
            "type": kind,
            "production": {"path": str(folder / "inputs"), "window_size": "P7D"},
            "reference": {"path": str(folder / "reference.parquet")},
        }
        for kind in ("data_drift", "data_quality")
    ]
    asked = {"name": "size", "now": _NOW.isoformat(), "signals": signals}
    file = folder / "request.json"
    file.write_text(json.dumps(asked))
    begin = time.perf_counter()
    out = ["--request", str(file), "--out", str(folder / "out")]
    output_of([sys.executable, "-m", "monitorkit", *out])
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    size = sum(each.stat().st_size for each in (folder / "inputs").rglob("*.jsonl")) / 2**30
    print(f"{args.size:,d} rows of 50 features ({size:.1f} GiB): {seconds:.1f} s, {peak:.2f} GiB")


def write_collected(folder: Path, count: int) -> None:
    """Write rows as an endpoint collects them, ten an event, and a reference of as many."""
    rng = np.random.default_rng(0)

    def table(size: int) -> pd.DataFrame:
        numbers = {f"number_{i}": rng.normal(i, 1 + i, size).round(4) for i in range(40)}
        texts = {
            f"text_{i}": rng.choice([f"kind {k}" for k in range(5 + i)], size) for i in range(10)
        }
        return pd.DataFrame({**numbers, **texts})

    for hour in range(100):
        lines = []
        records = table(count // 100).to_dict("records")
        time_text = f"2026-02-{24 + hour // 24:02d}T{hour % 24:02d}:30:00Z"
        for first in range(0, len(records), 10):
            event = {
                "id": f"{hour}-{first}",
                "time": time_text,
                "data": records[first : first + 10],
            }
            lines.append(json.dumps(event) + "\n")
        day = folder / "inputs" / "2026" / "02" / f"{24 + hour // 24:02d}" / f"{hour % 24:02d}"
        day.mkdir(parents=True, exist_ok=True)
        (day / "instance.jsonl").write_text("".join(lines))
    table(count).to_parquet(folder / "reference.parquet")
    (folder / "done").touch()


def main(argv: Sequence[str] | None = None) -> None:
    """Run a part."""
    parser = argparse.ArgumentParser(description="Monitors on simulated weeks.")
    parser.add_argument("--part", choices=("weeks", "size"), default="weeks")
    parser.add_argument("--weeks", type=int, default=1000, help="without a change")
    parser.add_argument("--changed", type=int, default=200, help="of each change")
    parser.add_argument("--reports", type=int, default=3, help="whole reports of each, minutes")
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--reference-rows", type=int, default=20_000)
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=Path(".amlocal/benchmarks/drift"))
    args = parser.parse_args(argv)
    args.folder = args.folder.absolute()
    args.folder.mkdir(parents=True, exist_ok=True)
    if args.part == "size":
        measure(args)
    else:
        compare(args)


if __name__ == "__main__":
    main()
