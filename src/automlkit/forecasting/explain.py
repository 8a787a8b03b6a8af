"""Explains a delivered forecast: its errors by step ahead, a picture, and what it looks at."""

from __future__ import annotations

import io
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pandas as pd

from automlkit.forecasting.deliver import spreads
from automlkit.forecasting.portfolio import Candidate
from automlkit.forecasting.problem import Problem
from automlkit.forecasting.shuffled import groups, importance, seen
from automlkit.forecasting.trial import Truth
from automlkit.search.explain import write_explanation
from automlmodel.forecast_features import SERIES, TARGET, TIME, Floats
from automlmodel.forecast_members import Member, StatisticalMember
from stepkit.program import write_bytes, write_json, write_text

#: Series in the picture, and their past in it, in horizons.
_SHOWN, _PAST = 4, 4
#: From the middle to the quantiles 0.1 and 0.9 of a normal distribution, in standard deviations.
_BAND = 1.2816
#: What the loss is called in the picture of importances.
_LOSS = "root mean squared error, in ranges of the series"


@dataclass(frozen=True)
class Explanation:
    """What is to be explained; a task of a worker.

    Attributes:
        members: Candidates and their weights.
        predictions: Their forecasts of the validation rows, shape (n,).
        model: The folder of the delivered model.
        folder: Where to; made anew.
        seconds: After these no further column is shuffled.
        threads: Threads that may be used.
    """

    members: tuple[tuple[Candidate, float], ...]
    predictions: Floats
    model: Path
    folder: Path
    seconds: float
    threads: int

    def __call__(self, problem: Problem) -> None:
        """Write what can be said at once, then what takes fits."""
        end = time.monotonic() + self.seconds
        shutil.rmtree(self.folder, ignore_errors=True)
        truth = Truth(problem)
        _write(self.folder / "horizon.csv", by_step(truth, self.predictions))
        last = last_fold(problem, truth, self.predictions)
        _write(self.folder / "forecast.csv", last)
        fitted = cloudpickle.loads((self.model / "model.pkl").read_bytes()).members
        write_json(self.folder / "members.json", about(problem, self.members, fitted))
        write_bytes(self.folder / "forecast.png", _picture(problem, last))
        left = end - time.monotonic()
        rows = importance(problem, self.members, threads=self.threads, seconds=left)
        if rows:
            write_explanation(self.folder, rows, _LOSS)


def _write(file: Path, table: pd.DataFrame) -> None:
    write_text(file, table.to_csv(index=False, lineterminator="\n"))


def by_step(truth: Truth, predictions: Floats) -> pd.DataFrame:
    """Return the errors of all folds by how many periods ahead: one row a step.

    Percentages leave out rows whose true value is 0.
    """
    error = predictions - truth.values
    share = np.divide(
        100 * np.abs(error), np.abs(truth.values), out=np.full(len(error), np.nan),
        where=truth.values != 0,
    )  # fmt: skip
    table = pd.DataFrame(
        {"step": truth.step, "square": error**2, "absolute": np.abs(error), "bias": error,
         "share": share}
    )  # fmt: skip
    steps = table.groupby("step")
    found = pd.DataFrame(
        {
            "rows": steps.size(),
            "mean_absolute_error": steps["absolute"].mean(),
            "root_mean_squared_error": np.sqrt(steps["square"].mean()),
            "mean_absolute_percentage_error": steps["share"].mean(),
            "mean_error": steps["bias"].mean(),
        }
    )
    return found.reset_index()


def last_fold(problem: Problem, truth: Truth, predictions: Floats) -> pd.DataFrame:
    """Return the latest fold's forecasts beside what came, with quantiles 0.1 and 0.9."""
    rows = truth.fold == 0
    widths = spreads(problem, predictions)
    names = np.asarray(problem.series, dtype=object)[truth.series[rows]]
    half = _BAND * np.asarray(
        [widths[name][step - 1] for name, step in zip(names, truth.step[rows], strict=True)]
    )
    floors = np.asarray([problem.floors[name] for name in names])
    found = predictions[rows]
    return pd.DataFrame(
        {
            "series": names,
            "time": truth.times[rows],
            "actual": truth.values[rows],
            "forecast": found,
            "quantile_0.1": np.maximum(found - half, floors),
            "quantile_0.9": np.maximum(found + half, floors),
        }
    )


def about(
    problem: Problem, members: Sequence[tuple[Candidate, float]], fitted: Sequence[Member]
) -> dict[str, Any]:
    """Return what the delivered model is made of, and what it looks at.

    Args:
        problem: Its features.
        members: Candidates and their weights.
        fitted: The members, fitted to all rows.
    """
    features = [name for member in fitted for name in seen(member)]
    looked = sorted(groups(problem, features))
    given = sorted(set(looked) & set(problem.features.columns))
    if not looked:
        said = "none: the model looks at nothing but each series' own past, so none can be ranked"
    elif not given:
        said = "none of the table; ranked are features of the target's past and of the calendar"
    else:
        said = ", ".join(given)
    rows = []
    for (candidate, weight), member in zip(members, fitted, strict=True):
        row = {"algorithm": candidate.algorithm, "weight": weight,
               "hyperparameters": candidate.config, "features": list(seen(member))}  # fmt: skip
        if isinstance(member, StatisticalMember):
            row |= _found_in_series(list(member.models.values()))
        rows.append(row)
    return {"columns": said, "features": looked, "members": rows}


def _found_in_series(models: Sequence[Any]) -> dict[str, Any]:
    """Return how many series took which form, and how strong their components are.

    A component's strength is 1 less the share of the remainder in the variance of both, mean over
    series: Wang, Smith, Hyndman, Data Mining and Knowledge Discovery 13 (2006) 335.
    """
    forms = Counter[str]()
    strengths: dict[str, list[float]] = {}
    for model in models:
        found = getattr(model, "model_", None)
        if isinstance(found, pd.DataFrame):
            rest = found["remainder"]
            for name in found.columns.drop(["data", "remainder"]):
                whole = float((found[name] + rest).var())
                strength = max(0.0, 1 - float(rest.var()) / whole) if whole else 0.0
                strengths.setdefault(str(name), []).append(strength)
        elif isinstance(found, dict) and "arma" in found:
            forms[_arima(found["arma"])] += 1
        elif isinstance(found, dict) and isinstance(found.get("method"), str):
            forms[found["method"]] += 1
    means = {name: float(np.mean(values)) for name, values in strengths.items()}
    return {"forms": dict(forms)} if forms else {"strength": means} if means else {}


def _arima(orders: Sequence[int]) -> str:
    p, q, seasonal_p, seasonal_q, season, d, seasonal_d = orders
    text = f"ARIMA({p},{d},{q})"
    return f"{text}({seasonal_p},{seasonal_d},{seasonal_q})[{season}]" if season > 1 else text


def _picture(problem: Problem, last: pd.DataFrame) -> bytes:
    # Matplotlib is slow to import, and searches without explanation do not need it.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = problem.series[:_SHOWN]
    figure = Figure(figsize=(9, 0.8 + 2.8 * len(names)), layout="constrained")
    every = figure.subplots(len(names), squeeze=False)[:, 0]
    for axes, name in zip(every, names, strict=True):
        own = last[last["series"] == name]
        known = problem.frame[problem.frame[SERIES] == name]
        known = known[known[TIME] <= own["time"].max()].iloc[-(_PAST + 1) * len(own) :]
        axes.plot(known[TIME], known[TARGET], color="black", linewidth=1, label="actual")
        axes.plot(own["time"], own["forecast"], color="tab:blue", marker=".", label="forecast")
        axes.fill_between(
            own["time"], own["quantile_0.1"], own["quantile_0.9"],
            color="tab:blue", alpha=0.2, linewidth=0, label="from quantile 0.1 to 0.9",
        )  # fmt: skip
        axes.set_ylabel(problem.request.target_column_name)
        if len(problem.series) > 1:
            axes.set_title(name, loc="left", fontsize="medium")
    figure.legend(*every[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    more = len(problem.series) - len(names)
    figure.suptitle(
        "Latest fold" + (f", {len(names)} of {len(problem.series)} series" if more else "")
    )
    stream = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(stream, format="png")
    return stream.getvalue()
