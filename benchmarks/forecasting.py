"""Measures forecasts: `python benchmarks/forecasting.py`.

Real series that statsforecast and statsmodels ship are forecast from twelve rolling origins each,
by an AutoML search and by three models alone: the seasonal naive, MSTL, and LightGBM with lags. All
get the same past, and none sees what it forecasts. Results are added to a file as they come, so
that a run that was ended goes on: `--results`, by default `.benchmarks/forecasting.jsonl`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from comparison import machine_facts

Floats = npt.NDArray[np.float64]

#: What the searches are compared with.
PEERS = ("seasonal naive", "MSTL", "LightGBM")
OURS = "amlocal"
#: What one search may take longer than its time: as promised, 1.05 times and 10 s.
_SLACK, _GRACE = 1.05, 10.0


@dataclass(frozen=True, slots=True)
class Series:
    """A series, and how it is forecast.

    Attributes:
        load: Returns it, indexed by time.
        horizon: Periods ahead.
        season: Periods of the season that the seasonal naive and MSTL are told; 1 is none.
        step: Periods between two origins.
    """

    load: Callable[[], pd.Series]
    horizon: int
    season: int
    step: int


def _air_passengers() -> pd.Series:
    from statsforecast.utils import AirPassengers

    return _monthly(AirPassengers, "1949-01-01")


def _monthly(values: Sequence[float] | Floats, start: str) -> pd.Series:
    index = pd.date_range(start, periods=len(values), freq="MS")
    return pd.Series(np.asarray(values, dtype=np.float64), index)


def _co2() -> pd.Series:
    from statsmodels.datasets import co2

    # The weeks as months, the last twenty years.
    return co2.load_pandas().data["co2"].resample("MS").mean().ffill().iloc[-240:]


def _elnino() -> pd.Series:
    from statsmodels.datasets import elnino

    return _monthly(elnino.load_pandas().data.iloc[:, 1:].to_numpy().ravel(), "1950-01-01")


def _elec_equip() -> pd.Series:
    from statsmodels.datasets.elec_equip import load

    return _monthly(load().data.iloc[:, 0].to_numpy(), "1995-01-01")


def _electricity() -> pd.Series:
    import statsmodels.tsa.stl as package

    file = Path(package.__file__).parent / "tests" / "results" / "mstl_elec_vic.csv"
    # Eight weeks of hours.
    return pd.read_csv(file, index_col="ds", parse_dates=True)["y"].iloc[-1344:]


def _yearly(name: str, column: str, start: str) -> Callable[[], pd.Series]:
    def load() -> pd.Series:
        import importlib

        data = importlib.import_module(f"statsmodels.datasets.{name}").load_pandas().data
        index = pd.date_range(start, periods=len(data), freq="YS")
        return pd.Series(data[column].to_numpy(dtype=np.float64), index)

    return load


def _quarterly(column: str) -> Callable[[], pd.Series]:
    def load() -> pd.Series:
        from statsmodels.datasets import macrodata

        values = macrodata.load_pandas().data[column].to_numpy(dtype=np.float64)
        return pd.Series(values, pd.date_range("1959-01-01", periods=len(values), freq="QS"))

    return load


SERIES: dict[str, Series] = {
    "air_passengers": Series(_air_passengers, 12, 12, 3),
    "co2": Series(_co2, 12, 12, 3),
    "elec_equip": Series(_elec_equip, 12, 12, 3),
    "elnino": Series(_elnino, 12, 12, 6),
    "electricity": Series(_electricity, 24, 24, 24),
    "real_gdp": Series(_quarterly("realgdp"), 8, 4, 2),
    "unemployment": Series(_quarterly("unemp"), 8, 4, 2),
    "nile": Series(_yearly("nile", "volume", "1871-01-01"), 5, 1, 2),
    "sunspots": Series(_yearly("sunspots", "SUNACTIVITY", "1700-01-01"), 8, 11, 4),
}


def windows(series: Series, values: pd.Series, count: int) -> list[tuple[pd.Series, pd.Series]]:
    """Return the past and the truth of each origin, the latest last."""
    found = []
    for number in reversed(range(count)):
        end = len(values) - number * series.step
        origin = end - series.horizon
        found.append((values.iloc[:origin], values.iloc[origin:end]))
    return found


def mape(truth: Floats, forecast: Floats) -> float:
    """Return the mean absolute percentage error, in percent, where truth is not 0."""
    other = truth != 0
    return float(100 * np.mean(np.abs(forecast[other] / truth[other] - 1)))


def by_peer(name: str, past: pd.Series, series: Series) -> Floats:
    """Return the forecast of one of `PEERS`, each with its usual settings."""
    values = past.to_numpy(dtype=np.float64)
    if name == "LightGBM":
        return _by_lightgbm(past, series)
    from statsforecast.models import MSTL, AutoETS, SeasonalNaive

    if name == "seasonal naive":
        model = SeasonalNaive(series.season)
    else:
        # Without a season MSTL is its trend's model.
        model = MSTL(series.season) if series.season > 1 else AutoETS()
    return np.asarray(model.fit(values).predict(series.horizon)["mean"])


def _by_lightgbm(past: pd.Series, series: Series) -> Floats:
    """Return LightGBM's forecast on differences, with the lags of a season and one more."""
    from lightgbm import LGBMRegressor
    from mlforecast import MLForecast
    from mlforecast.target_transforms import Differences

    model = MLForecast(
        models=LGBMRegressor(verbose=-1, n_jobs=1, random_state=0),
        freq=past.index.inferred_freq,
        lags=range(1, max(series.season, 3) + 2),
        target_transforms=[Differences([1])],
    )
    frame = pd.DataFrame({"unique_id": "a", "ds": past.index, "y": past.to_numpy()})
    found = model.fit(frame).predict(series.horizon)
    return np.asarray(found["LGBMRegressor"])


def by_search(past: pd.Series, truth: pd.Series, series: Series, seconds: float) -> Floats:
    """Return the forecast of the model that a search in a process of its own delivers.

    Raises:
        RuntimeError: The search failed, or took longer than it may.
    """
    import mlflow.sklearn

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pd.DataFrame({"time": past.index, "y": past.to_numpy()}).to_parquet(folder / "past.parquet")
        request = {
            "task": "forecasting",
            "primary_metric": "normalized_mean_absolute_error",
            "target_column_name": "y",
            "training_data": str(folder / "past.parquet"),
            "limits": {"timeout_seconds": seconds},
            "forecasting": {"time_column_name": "time", "forecast_horizon": series.horizon},
            "cores": 1,
        }
        (folder / "request.json").write_text(json.dumps(request))
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "automlkit", "--request", folder / "request.json",
             "--out", folder / "out"],
            env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False, capture_output=True, text=True,
        )  # fmt: skip
        took = time.monotonic() - began
        if done.returncode:
            raise RuntimeError(f"the search failed: {done.stderr.strip()}")
        if took > _SLACK * seconds + _GRACE:
            raise RuntimeError(f"the search took {took:.0f} s of {seconds:.0f} s")
        model = mlflow.sklearn.load_model(str(folder / "out" / "model"))
        return np.asarray(model.predict(pd.DataFrame({"time": truth.index})))


def measure(name: str, window: int, past: pd.Series, truth: pd.Series, seconds: float) -> dict:
    """Return one window's errors of all, in percent, as a row of results."""
    series, values = SERIES[name], truth.to_numpy(dtype=np.float64)
    row: dict[str, object] = {"series": name, "window": window, "seconds": seconds}
    for peer in PEERS:
        row[peer] = mape(values, by_peer(peer, past, series))
    row[OURS] = mape(values, by_search(past, truth, series, seconds))
    return row


def report(rows: Sequence[Mapping[str, float | str]]) -> str:
    """Return mean errors of each series, and of all, as a table; and whether the goal is met."""
    frame = pd.DataFrame(rows)
    systems = [*PEERS, OURS]
    table = frame.groupby("series")[systems].mean()
    counts = frame.groupby("series").size()
    lines = ["MAPE in percent, mean of all windows", ""]
    lines.append(f"{'series':<18}{'windows':>8}" + "".join(f"{s:>16}" for s in systems))
    for name, means in table.iterrows():
        lines.append(f"{name:<18}{counts[name]:>8}" + "".join(f"{v:>16.2f}" for v in means))
    total, ranks = table.mean(), table.rank(axis=1).mean()
    ratios = np.exp(np.log(table.div(table[PEERS[0]], axis=0)).mean())
    for label, values in (("mean", total), ("mean rank", ranks), ("to seasonal naive", ratios)):
        lines.append(f"{label:<26}" + "".join(f"{v:>16.2f}" for v in values))
    for peer in PEERS:
        verdict = "met" if total[OURS] < total[peer] else "missed"
        lines.append(f"goal: {OURS} below {peer}: {verdict}")
    return "\n".join(lines)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", nargs="+", choices=tuple(SERIES), default=list(SERIES))
    parser.add_argument("--windows", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=60.0, help="time of one search")
    parser.add_argument("--side-by-side", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--results", type=Path, default=Path(".benchmarks/forecasting.jsonl"))
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what is not in the results yet, and print all."""
    args = parse(argv)
    args.results.parent.mkdir(parents=True, exist_ok=True)
    rows = []
    if args.results.exists():
        rows = [json.loads(line) for line in args.results.read_text().splitlines()]
    known = {(row["series"], row["window"], row["seconds"]) for row in rows}
    due = [
        (name, window, past, truth)
        for name in args.series
        for window, (past, truth) in enumerate(
            windows(SERIES[name], SERIES[name].load(), args.windows)
        )
        if (name, window, args.seconds) not in known
    ]
    # Threads, since each waits for a process of its own.
    with ThreadPoolExecutor(args.side_by_side) as pool, args.results.open("a") as file:
        for row in pool.map(lambda work: measure(*work, args.seconds), due):
            rows.append(row)
            file.write(json.dumps(row) + "\n")
            file.flush()
            print(f"{row['series']} {row['window']}: {row[OURS]:.2f} %", flush=True)
    facts = machine_facts()
    chosen = [row for row in rows if row["series"] in args.series]
    print("\n".join(f"{name:<10}{value}" for name, value in facts.items()))
    print("\n" + report([row for row in chosen if row["seconds"] == args.seconds]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
