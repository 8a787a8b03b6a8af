"""Collections and tables on disk, small and with a planted change."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

NOW = datetime(2026, 3, 2, tzinfo=timezone.utc)
#: A moment in the week before `NOW`.
THEN = NOW - timedelta(days=2)

Collect = Callable[..., Path]


def plain(value: object) -> object:
    return None if isinstance(value, float) and np.isnan(value) else value


@pytest.fixture
def collect(tmp_path: Path) -> Collect:
    """Write rows as an endpoint collects them: one event a row, in the folder of their hour."""

    def write(
        name: str,
        rows: Sequence[dict[str, Any]] | pd.DataFrame,
        time: datetime = THEN,
        ids: Sequence[str] | None = None,
    ) -> Path:
        records = rows.to_dict("records") if isinstance(rows, pd.DataFrame) else rows
        folder = tmp_path / name / time.strftime("%Y/%m/%d/%H")
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "instance.jsonl").open("a") as file:
            for number, row in enumerate(records):
                event = {
                    "specversion": "1.0",
                    "id": f"event-{number}",
                    "time": time.isoformat().replace("+00:00", "Z"),
                    "correlationid": ids[number] if ids else f"request-{number}",
                    "data": [{str(key): plain(value) for key, value in row.items()}],
                }
                file.write(json.dumps(event) + "\n")
        return tmp_path / name

    return write


def people(rows: int, seed: int, *, shift: float = 0.0, missing: float = 0.01) -> pd.DataFrame:
    """Return rows of three features, what a model says of them, and what was true."""
    rng = np.random.default_rng(seed)
    height = rng.normal(170, 10, rows) + 10 * shift
    job = rng.choice(["office", "farm", "none"], rows, p=[0.5, 0.3, 0.2]).astype(object)
    wage = rng.lognormal(7, 0.5, rows)
    wage[rng.random(rows) < missing] = np.nan
    said = (height > 172) | (job == "office")
    true = said ^ (rng.random(rows) < 0.1)
    return pd.DataFrame(
        {
            "height": height,
            "job": job,
            "wage": wage,
            "prediction": np.where(said, "yes", "no").astype(object),
            "target": np.where(true, "yes", "no").astype(object),
        }
    )
