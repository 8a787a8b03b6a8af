"""Runs AutoML systems in processes of their own, and measures time and memory of all of each."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from automl_tables import Table
from commands import output_of
from measuring import sane_environment

from automlkit.metrics import score_all

PROGRAM = Path(__file__).parent / "peers" / "automl_program.py"
#: Packages of the systems that are not among this project's own.
REQUIREMENTS: Mapping[str, Sequence[str]] = {
    "autogluon": ("autogluon.tabular[lightgbm,xgboost]==1.6.3", "pyarrow"),
}
#: How often a budget may be overrun before a run is ended.
PATIENCE = 5.0
#: Systems that take no budget.
UNBUDGETED = ("histgb", "ebm")


@dataclass(frozen=True)
class Run:
    """One system, one table, one budget, one seed.

    Attributes:
        system: Its name.
        table: The table's name.
        budget: Seconds; 0 for a system that takes no budget.
        seed: Of the split and of the system.
    """

    system: str
    table: str
    budget: float
    seed: int

    @property
    def name(self) -> str:
        """A name for files."""
        return f"{self.system}-{self.table}-{self.budget:g}-{self.seed}"


def python_of(system: str, folder: Path) -> str:
    """Return the interpreter of a system, its virtual environment made where missing."""
    family = system.partition("-")[0]
    wanted = REQUIREMENTS.get(family)
    if wanted is None:
        return sys.executable
    venv = folder / "venvs" / family
    python, stamp = str(venv / "bin" / "python"), venv / "installed.txt"
    text = "\n".join([sys.version, *wanted])
    venv.parent.mkdir(parents=True, exist_ok=True)
    # One process makes it, where two run side by side for different seeds.
    with venv.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != text:
            uv = str(Path(sys.executable).with_name("uv"))
            output_of([uv, "venv", "--clear", "--python", sys.executable, str(venv)])
            output_of([uv, "pip", "install", "--compile-bytecode", "--python", python, *wanted])
            stamp.write_text(text)
    return python


def execute(run: Run, table: Table, folder: Path, cores: int) -> dict[str, Any]:
    """Return what came of a run: its metric, seconds, milliseconds a row, and peak memory.

    Args:
        run: What is run.
        table: The table of that name.
        folder: Where working folders, virtual environments, and predictions go.
        cores: Cores that the system may use.
    """
    work = folder / "work" / run.name
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    train, test = table.split(run.seed)
    train.to_parquet(work / "train.parquet")
    test.to_parquet(work / "test.parquet")
    job = {"task": table.task, "target": table.target, "metric": table.metric, "cores": cores}
    (work / "job.json").write_text(json.dumps({**job, "budget": run.budget, "seed": run.seed}))
    command = [python_of(run.system, folder), str(PROGRAM), run.system, str(work)]
    facts: dict[str, Any] = {**vars(run), **_watched(command, work, run.budget, folder)}
    if facts["status"] != "done":
        return facts
    facts.update(json.loads((work / "facts.json").read_text()))
    predictions = np.load(work / "predictions.npy")
    truth = test[table.target]
    kept = folder / "predictions"
    kept.mkdir(exist_ok=True)
    np.savez(kept / f"{run.name}.npz", predictions=predictions, truth=truth.to_numpy().astype(str))
    facts["metric"] = table.metric
    facts["score"] = score(table, truth.to_numpy(), predictions, train[table.target].to_numpy())
    shutil.rmtree(work)
    return facts


def score(table: Table, truth: Any, predictions: Any, known: Any) -> float:
    """Return the table's metric of predictions.

    Args:
        table: The table.
        truth: True labels or numbers.
        predictions: Probabilities in the order of the sorted labels, or numbers.
        known: Labels or numbers of the training rows.
    """
    classes = sorted(set(known)) if table.task == "classification" else None
    extent = None if classes is not None else (float(min(known)), float(max(known)))
    return score_all(table.task, truth, predictions, classes=classes, y_train_range=extent)[
        table.metric
    ]


def _watched(command: list[str], work: Path, budget: float, folder: Path) -> dict[str, Any]:
    environ = sane_environment(os.environ, Path(command[0]).parent, folder / "home")
    # Its session is ended as a whole: systems start processes of their own.
    log = folder / "work" / f"{work.name}.log"
    limit = PATIENCE * max(budget, 600.0)
    with log.open("wb") as output:
        start, moment = time.monotonic(), time.time()
        process = subprocess.Popen(
            command, cwd=work, env=environ, stdout=output, stderr=output, start_new_session=True
        )
        peak = 0
        while process.poll() is None:
            peak = max(peak, _memory(process.pid))
            if time.monotonic() - start > limit:
                _end(process)
            time.sleep(0.25)
    stamp = work / "fitted.txt"
    wall = float(stamp.read_text()) - moment if stamp.exists() else time.monotonic() - start
    is_done = process.returncode == 0
    found = {"status": "done" if is_done else "failed", "wall": wall, "peak_bytes": peak}
    return found if is_done else {**found, "message": log.read_text(errors="replace")[-1500:]}


def _memory(pid: int) -> int:
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                total += one.memory_info().rss
    return total


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        for one in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
    process.kill()
