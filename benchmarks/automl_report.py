"""What a comparison of AutoML systems found, as tables."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from automl_tables import TABLES
from scipy.stats import rankdata

from automlkit.search.objective import loss_of
from automlkit.search.selection import Truth

#: Samples of a paired bootstrap, and the share of them that an interval covers.
SAMPLES, COVERED = 500, 0.95
#: What the delivered system is to keep: seconds beyond 1.05 budgets, and milliseconds a row.
SLACK, MOST_MS = 10.0, 15.0

Result = Mapping[str, Any]


def loss(result: Result) -> float:
    """Return a result's metric as something small; a failure is the worst of all."""
    if result["status"] != "done":
        return float("inf")
    value = float(result["score"])
    return -value if TABLES[result["table"]].task == "classification" else value


def latest(results: Iterable[Result]) -> list[Result]:
    """Return the last result of each run."""
    found = {(r["system"], r["table"], r["budget"], r["seed"]): r for r in results}
    return list(found.values())


def cells(results: Sequence[Result]) -> dict[tuple[str, float, int], dict[str, Result]]:
    """Return the results of each table, budget, and seed by system.

    A system without budget takes part at every budget.
    """
    budgets = sorted({result["budget"] for result in results if result["budget"] > 0}) or [0.0]
    found: dict[tuple[str, float, int], dict[str, Result]] = defaultdict(dict)
    for result in results:
        for budget in [result["budget"]] if result["budget"] > 0 else budgets:
            found[result["table"], budget, result["seed"]][result["system"]] = result
    return dict(found)


def ranks(cell: Mapping[str, Result]) -> dict[str, float]:
    """Return each system's rank, 1 the best, ties shared."""
    # Less than rounding is no difference.
    losses = [round(loss(result), 9) for result in cell.values()]
    return dict(zip(cell, rankdata(losses), strict=True))


def mean_ranks(results: Sequence[Result], budget: float) -> dict[str, float]:
    """Return each system's mean rank over tables and seeds where all systems took part."""
    every = {result["system"] for result in results}
    gathered: dict[str, list[float]] = defaultdict(list)
    for (_, seconds, _), cell in cells(results).items():
        if seconds == budget and set(cell) == every:
            for system, rank in ranks(cell).items():
                gathered[system].append(rank)
    return {system: statistics.mean(each) for system, each in gathered.items()}


def difference(
    table: str, predictions: Any, others: Any, truth: Any, seed: int = 0
) -> tuple[float, float, float]:
    """Return by how much the second loss is greater than the first, and its bootstrap interval."""
    task = TABLES[table].task
    if task == "classification":
        values = np.unique(truth, return_inverse=True)[1]
    else:
        values = np.asarray(truth, dtype=np.float64)
    whole = Truth(values, np.ones(len(values)), loss_of(TABLES[table].metric))
    random = np.random.default_rng(seed)
    found = []
    for _ in range(SAMPLES):
        rows = random.integers(0, len(values), len(values))
        found.append(whole.of(others, rows) - whole.of(predictions, rows))
    low, high = np.quantile(found, [(1 - COVERED) / 2, (1 + COVERED) / 2])
    return whole.of(others) - whole.of(predictions), float(low), float(high)


def report(results: Iterable[Result], predictions: Path, ours: str = "amlocal") -> str:
    """Return the tables of a comparison as text.

    Args:
        results: Lines of the file of results.
        predictions: The folder of predictions of test rows.
        ours: The system that the others are compared with.
    """
    kept = latest(results)
    budgets = sorted({budget for _, budget, _ in cells(kept)})
    lines: list[str] = []
    for budget in budgets:
        lines += [
            "",
            f"Budget {budget:g} s",
            *_scores(kept, budget),
            *_compared(kept, budget, predictions, ours),
        ]
    return "\n".join([*lines, "", *_limits(kept, ours)])


def _scores(results: Sequence[Result], budget: float) -> list[str]:
    systems = sorted({result["system"] for result in results})
    lines = [f"{'table':<16}" + "".join(f"{system:>18}" for system in systems)]
    gathered = {key: cell for key, cell in cells(results).items() if key[1] == budget}
    for table in sorted({key[0] for key in gathered}):
        row = f"{table:<16}"
        for system in systems:
            each = [
                cell[system] for key, cell in gathered.items() if key[0] == table and system in cell
            ]
            done = [result["score"] for result in each if result["status"] == "done"]
            failed = len(each) - len(done)
            text = f"{statistics.mean(done):.5f}" if done else "-"
            row += f"{text + (f' ({failed} failed)' if failed else ''):>18}"
        lines.append(row)
    found = mean_ranks(results, budget)
    if found:
        lines.append(f"{'mean rank':<16}" + "".join(f"{found[one]:>18.2f}" for one in systems))
    for name, unit in (("wall", 1.0), ("predict_ms", 1.0), ("peak_bytes", 2.0**20)):
        row = f"{'median ' + name.partition('_')[0]:<16}"
        for system in systems:
            each = [
                cell[system][name] / unit
                for cell in gathered.values()
                if name in cell.get(system, {})
            ]
            row += f"{statistics.median(each) if each else float('nan'):>18.1f}"
        lines.append(row)
    return lines


def _compared(results: Sequence[Result], budget: float, folder: Path, ours: str) -> list[str]:
    """Count where our loss is significantly smaller, or greater, than another's."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for (table, seconds, seed), cell in cells(results).items():
        if seconds != budget or ours not in cell:
            continue
        mine = _predictions(folder, cell[ours])
        for system, result in cell.items():
            theirs = _predictions(folder, result)
            if system == ours or mine is None or theirs is None:
                continue
            _, low, high = difference(table, mine[0], theirs[0], mine[1], seed)
            counts[system][0 if low > 0 else 2 if high < 0 else 1] += 1
    lines = [f"{ours} is better, alike, worse (95 % paired bootstrap of the test rows) than"]
    lines += [f"  {name:<18}{b:>4}{a:>4}{w:>4}" for name, (b, a, w) in sorted(counts.items())]
    return lines if counts else []


def _predictions(folder: Path, result: Result) -> tuple[Any, Any] | None:
    name = f"{result['system']}-{result['table']}-{result['budget']:g}-{result['seed']}.npz"
    if not (folder / name).exists():
        return None
    with np.load(folder / name) as arrays:
        return arrays["predictions"], arrays["truth"]


def _limits(results: Sequence[Result], ours: str) -> list[str]:
    mine = [result for result in results if result["system"] == ours and result["status"] == "done"]
    if not mine:
        return []
    over = max(result["wall"] - 1.05 * result["budget"] for result in mine)
    slowest = max(result["predict_ms"] for result in mine)
    return [
        f"{ours}: seconds beyond 1.05 budgets at most {over:.1f} (limit {SLACK:g}): "
        f"{'met' if over <= SLACK else 'missed'}",
        f"{ours}: milliseconds a row at most {slowest:.1f} (limit {MOST_MS:g}): "
        f"{'met' if slowest <= MOST_MS else 'missed'}",
    ]
