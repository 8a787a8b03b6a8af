"""One trial: a candidate fitted to each fold's past, and its forecasts of what came after."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from automlkit.forecasting.portfolio import Candidate
from automlkit.forecasting.problem import Problem
from automlkit.forecasting.regression import Setting, fit_regression
from automlkit.forecasting.statistical import STATISTICAL, fit_statistical
from automlmodel.forecast_features import SERIES, TARGET, TIME, Floats
from automlmodel.forecast_members import Member
from stepkit.program import StepError


def fit(problem: Problem, candidate: Candidate, training: pd.DataFrame, threads: int) -> Member:
    """Fit a candidate.

    Args:
        problem: Seasons, lags, features.
        candidate: What is fitted.
        training: A panel with features.
        threads: Of the fit.

    Raises:
        StepError: The candidate cannot be fitted to these data.
    """
    settings = problem.request.forecasting
    assert settings is not None
    if candidate.algorithm in STATISTICAL:
        return fit_statistical(
            candidate.algorithm, candidate.config, training, problem.seasons, problem.given_features
        )
    config = dict(candidate.config)
    features = problem.feature_names
    if not config.pop("calendar", True):
        features = problem.given_features
    asked = settings.target_rolling_window_size
    window = max(problem.seasons, default=3) if asked == "auto" else asked
    setting = Setting(
        frequency=problem.frequency,
        seasons=problem.seasons,
        lags=problem.lags,
        window=window,
        stl=settings.use_stl,
        features=features,
        threads=threads,
        seed=problem.request.seed,
    )
    return fit_regression(candidate.algorithm, config, training, setting)


def evaluate(problem: Problem, candidate: Candidate, threads: int) -> Floats:
    """Return the forecasts of all folds' validation rows, in the order of `Truth`.

    Raises:
        StepError: The candidate cannot be fitted, or forecasts something other than numbers.
    """
    parts = []
    for fold in range(problem.folds.count):
        member = fit(problem, candidate, problem.training(fold), threads)
        rows = problem.validation(fold)
        future, kept = whole_future(rows, problem.frequency)
        steps = len(future) // len(problem.series)
        found = member.predict(steps, future).ravel()[kept]
        if not np.isfinite(found).all():
            raise StepError("it forecasts something other than numbers")
        floors = rows[SERIES].map(problem.floors).to_numpy(dtype=np.float64)
        parts.append(np.maximum(found, floors))
    return np.concatenate(parts)


@dataclass(frozen=True)
class Evaluation:
    """A task: one trial.

    Attributes:
        number: The trial's.
        candidate: What is tried.
        threads: Threads that may be used.
    """

    number: int
    candidate: Candidate
    threads: int

    def __call__(self, problem: Problem) -> Floats:
        """Return the forecasts of the validation rows."""
        return evaluate(problem, self.candidate, self.threads)


def whole_future(rows: pd.DataFrame, frequency: str) -> tuple[pd.DataFrame, npt.NDArray[np.bool_]]:
    """Return as many rows of each series, and which of them are the given ones."""
    sizes = rows.groupby(SERIES, sort=True).size()
    longest = int(sizes.max())
    if (sizes == longest).all():
        return rows, np.ones(len(rows), dtype=bool)
    parts, kept = [], []
    for _, own in rows.groupby(SERIES, sort=True):
        last = own.iloc[[-1] * (longest - len(own))]
        times = pd.date_range(own[TIME].iloc[0], periods=longest, freq=frequency)
        parts.append(pd.concat([own, last]).assign(**{TIME: times}))
        kept.append(np.arange(longest) < len(own))
    return pd.concat(parts), np.concatenate(kept)


class Truth:
    """What the validation rows of all folds really were.

    Attributes:
        values: True values, shape (n,).
        series: The number of each row's series, shape (n,).
        fold: Each row's fold, shape (n,).
        step: How many periods ahead each row is, from 1, shape (n,).
        times: Each row's time, shape (n,).
    """

    def __init__(self, problem: Problem) -> None:
        folds = [problem.validation(fold) for fold in range(problem.folds.count)]
        numbers = {name: place for place, name in enumerate(problem.series)}
        rows = pd.concat(folds)
        self.values: Floats = rows[TARGET].to_numpy(dtype=np.float64)
        places = [numbers[str(name)] for name in rows[SERIES]]
        self.series: npt.NDArray[np.intp] = np.asarray(places, dtype=np.intp)
        sizes = [len(own) for own in folds]
        self.fold: npt.NDArray[np.intp] = np.repeat(np.arange(len(folds), dtype=np.intp), sizes)
        self.step: npt.NDArray[np.intp] = np.concatenate(
            [own.groupby(SERIES).cumcount() + 1 for own in folds]
        ).astype(np.intp)
        self.times = rows[TIME].to_numpy()
