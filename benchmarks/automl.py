"""Compares AutoML systems at equal budgets: `python benchmarks/automl.py`.

Each system runs in a process of its own (AutoGluon in a virtual environment under `.benchmarks/`)
on the same rows. Results are added to a file as they come, so that a comparison that was stopped
goes on where it was; the report is made of everything in that file.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from automl_report import report
from automl_running import UNBUDGETED, Run, execute
from automl_tables import TABLES
from comparison import machine_facts
from peers.automl_program import SYSTEMS


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--systems", nargs="*", choices=list(SYSTEMS), default=list(SYSTEMS))
    parser.add_argument("--tables", nargs="*", choices=list(TABLES), default=list(TABLES))
    parser.add_argument("--budgets", nargs="*", type=float, default=[60.0, 180.0], help="seconds")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    parser.add_argument("--cores", type=int, default=2, help="that each system may use")
    parser.add_argument("--folder", type=Path, default=Path(".benchmarks/automl"))
    parser.add_argument(
        "--resume", type=Path, help="file of results; default: results.jsonl in the folder"
    )
    parser.add_argument("--report", action="store_true", help="run nothing, only report")
    return parser.parse_args(argv)


def wanted(arguments: argparse.Namespace) -> list[Run]:
    """Return all runs that the arguments ask for; a system without budget runs once a seed."""
    runs = [
        Run(system, table, 0.0 if system in UNBUDGETED else budget, seed)
        for seed, table, budget, system in itertools.product(
            arguments.seeds, arguments.tables, arguments.budgets, arguments.systems
        )
    ]
    return list(dict.fromkeys(runs))


def read_results(file: Path) -> list[dict[str, Any]]:
    """Return the results of a file; a last line that was cut off is left out."""
    if not file.exists():
        return []
    lines = file.read_text().split("\n")
    return [json.loads(line) for line in lines[:-1] if line]


def key_of(result: dict[str, Any]) -> Run:
    """Return the run that a result is of."""
    return Run(result["system"], result["table"], result["budget"], result["seed"])


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is missing, and print the report."""
    arguments = parse(argv)
    folder = arguments.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    file = arguments.resume or folder / "results.jsonl"
    results = read_results(file)
    known = {key_of(result) for result in results if result["status"] == "done"}
    missing = [] if arguments.report else [run for run in wanted(arguments) if run not in known]
    for number, run in enumerate(missing, 1):
        print(f"-- {number} of {len(missing)}: {run.name}", file=sys.stderr, flush=True)
        result = execute(run, TABLES[run.table], folder, arguments.cores)
        results.append(result)
        with file.open("a") as stream:
            stream.write(json.dumps(result) + "\n")
    for name, value in machine_facts().items():
        print(f"{name:<10}{value}")
    print(report(results, folder / "predictions"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
