"""A monitor of what an endpoint has collected: how long many rows take, and how much memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

NOW = "2026-03-02T00:00:00Z"
_HOURS, _ROWS_AN_EVENT = 100, 10
_NUMBERS, _TEXTS = 40, 10


@dataclass(frozen=True)
class Sized:
    """What a monitor took.

    Attributes:
        rows: That were collected, and as many of the reference.
        gib: Of the JSON Lines.
        wall: Seconds.
        processor: Seconds, of all threads.
        peak_gib: The process's greatest resident memory.
        metrics: That it computed.
    """

    rows: int
    gib: float
    wall: float
    processor: float
    peak_gib: float
    metrics: int

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"{self.rows:,d} rows of {_NUMBERS + _TEXTS} features ({self.gib:.2f} GiB), "
            f"{self.metrics} metrics: {self.wall:.1f} s, {self.processor:.1f} s of processors, "
            f"at most {self.peak_gib:.2f} GiB"
        )


def measure_size(folder: Path, count: int) -> Sized:
    """Run the program over rows as an endpoint collects them, with Azure's three default signals.

    Args:
        folder: Where collections are kept for the next time.
        count: Rows.

    Raises:
        RuntimeError: The monitor failed.
    """
    folder = folder / f"collected-{count}"
    if not (folder / "done").exists():
        write_collected(folder, count)
    week = {"window_size": "P7D"}
    reference = {"path": str(folder / "reference.parquet"), "prediction_column": "prediction"}
    inputs = {"path": str(folder / "model_inputs"), **week}
    outputs = {"path": str(folder / "model_outputs"), "prediction_column": "prediction", **week}
    signals = [
        {"name": kind, "type": kind, "production": data, "reference": reference}
        for kind, data in (
            ("data_drift", inputs),
            ("data_quality", inputs),
            ("prediction_drift", outputs),
        )
    ]
    asked = folder / "request.json"
    asked.write_text(json.dumps({"name": "size", "now": NOW, "signals": signals}))
    wall, processor, peak = _run(asked, folder / "out")
    said = json.loads((folder / "out" / "monitor.json").read_text())
    if said["signals"][0]["production"]["rows"] != count:
        raise RuntimeError(f"not all rows were read: {said['signals'][0]['production']}")
    size = sum(each.stat().st_size for each in folder.rglob("*.jsonl")) / 2**30
    metrics = sum(len(signal["metrics"]) for signal in said["signals"])
    return Sized(count, size, wall, processor, peak, metrics)


def _run(request: Path, out: Path) -> tuple[float, float, float]:
    """Run the program; return its seconds, those of processors, and its memory in GiB."""
    command = [sys.executable, "-m", "monitorkit", "--request", str(request), "--out", str(out)]
    source = str(Path(__file__).parents[1] / "src")
    begin = time.perf_counter()
    with subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": source}, stdout=subprocess.DEVNULL
    ) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"the monitor failed with exit code {process.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024
    peak = used.ru_maxrss * unit / 2**30
    return time.perf_counter() - begin, used.ru_utime + used.ru_stime, peak


def write_collected(folder: Path, count: int) -> None:
    """Write inputs and outputs as an endpoint collects them, and a reference of as many rows."""
    rng = np.random.default_rng(0)

    def table(size: int) -> pd.DataFrame:
        numbers = {f"number_{i}": rng.normal(i, 1 + i, size).round(4) for i in range(_NUMBERS)}
        texts = {
            f"text_{i}": rng.choice([f"kind {k}" for k in range(5 + i)], size)
            for i in range(_TEXTS)
        }
        said = rng.choice(["yes", "no"], size)
        return pd.DataFrame({**numbers, **texts, "prediction": said})

    for hour in range(_HOURS):
        rows = table(count // _HOURS)
        outputs = rows[["prediction"]]
        for name, part in (
            ("model_inputs", rows.drop(columns="prediction")),
            ("model_outputs", outputs),
        ):
            day, of_day = 24 + hour // 24, hour % 24
            place = folder / name / "2026" / "02" / f"{day:02d}" / f"{of_day:02d}"
            place.mkdir(parents=True, exist_ok=True)
            file = place / "instance.jsonl"
            file.write_text("".join(_events(part, hour, f"2026-02-{day}T{of_day:02d}:30:00Z")))
    table(count).to_parquet(folder / "reference.parquet")
    (folder / "done").touch()


def _events(rows: pd.DataFrame, hour: int, moment: str) -> list[str]:
    """Return a line of each request."""
    records = rows.to_dict("records")
    lines = []
    for first in range(0, len(records), _ROWS_AN_EVENT):
        event = {
            "specversion": "1.0",
            "id": f"{hour}-{first}",
            "type": "azureml.inference.inputs",
            "time": moment,
            "data": records[first : first + _ROWS_AN_EVENT],
            "correlationid": f"request-{hour}-{first}",
        }
        lines.append(json.dumps(event) + "\n")
    return lines
