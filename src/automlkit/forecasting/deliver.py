"""The delivered model: fitted to all rows, saved for MLflow, measured on test rows."""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import automlmodel
from automlkit.forecasting.portfolio import Candidate
from automlkit.forecasting.problem import Problem
from automlkit.forecasting.regression import REGRESSIONS
from automlkit.forecasting.trial import Truth, fit
from automlkit.metrics import score_forecast
from automlkit.save import pinned
from automlmodel.forecast_features import SERIES, TARGET, TIME, Floats
from automlmodel.forecaster import Forecaster
from stepkit.program import StepError

#: Modules that each model needs; the others by what it is made of.
_ALWAYS = ("cloudpickle", "numpy", "pandas", "sklearn", "scipy")
_STATISTICAL, _REGRESSION = ("statsforecast",), ("mlforecast",)
_LIBRARIES = {"LightGBM": "lightgbm", "XGBoostRegressor": "xgboost"}


@dataclass(frozen=True)
class Delivery:
    """What is to be delivered; a task of a worker.

    Attributes:
        members: Candidates and their weights.
        predictions: Their forecasts of the validation rows, shape (n,).
        folder: Where the model is written to.
        facts: What the model says of itself.
        threads: Threads that may be used.
    """

    members: tuple[tuple[Candidate, float], ...]
    predictions: Floats
    folder: Path
    facts: dict[str, str]
    threads: int

    def __call__(self, problem: Problem) -> dict[str, float]:
        """Fit, save, and return the metrics on test rows, if there are any."""
        fitted = [fit(problem, own, problem.frame, self.threads) for own, _ in self.members]
        forecaster = make_forecaster(problem, self, fitted)
        save(forecaster, problem, self)
        return measure(forecaster, problem)


def make_forecaster(problem: Problem, delivery: Delivery, fitted: list[Any]) -> Forecaster:
    """Return the forecaster of fitted members.

    Raises:
        StepError: It forecasts something other than numbers.
    """
    settings = problem.request.forecasting
    assert settings is not None
    raw = problem.raw
    origins = raw.groupby(SERIES)[TIME].max()
    lag = problem.features.lag
    columns = [SERIES, TIME, *problem.features.columns]
    history = raw.groupby(SERIES, sort=True).tail(lag)[columns] if lag else raw.iloc[:0][columns]
    forecaster = Forecaster(
        time_column=settings.time_column_name,
        id_columns=settings.time_series_id_column_names,
        target=problem.request.target_column_name,
        frequency=problem.frequency,
        horizon=problem.folds.horizon,
        origins={str(name): pd.Timestamp(time) for name, time in origins.items()},
        members=fitted,
        weights=[weight for _, weight in delivery.members],
        features=problem.features,
        history=history,
        spread=spreads(problem, delivery.predictions),
        floors=problem.floors,
        is_aggregated=settings.target_aggregate_function is not None,
        left_out=problem.left_out,
    )
    forecaster.check()
    return forecaster


def spreads(problem: Problem, predictions: Floats) -> dict[str, Floats]:
    """Return the standard deviation of the errors of each step ahead, by series.

    Each series' own size of error, times how the errors of all series grow with the step; further
    steps are never surer than nearer ones.
    """
    from sklearn.isotonic import isotonic_regression

    truth = Truth(problem)
    error = predictions - truth.values
    sizes = np.sqrt(np.bincount(truth.series, error**2) / np.bincount(truth.series))
    scaled = (error / np.where(sizes > 0, sizes, 1.0)[truth.series]) ** 2
    steps = np.arange(1, problem.folds.horizon + 1)
    count = np.bincount(truth.step, minlength=len(steps) + 1)[1:]
    total = np.bincount(truth.step, scaled, minlength=len(steps) + 1)[1:]
    mean = np.divide(total, count, out=np.ones(len(steps)), where=count > 0)
    growth = np.sqrt(isotonic_regression(mean, sample_weight=np.maximum(count, 1e-9)))
    return {name: sizes[place] * growth for place, name in enumerate(problem.series)}


def requirements(candidates: list[Candidate], *, has_holidays: bool) -> list[str]:
    """Return what the model needs, pinned to the versions that it was fitted with."""
    modules = set(_ALWAYS)
    for candidate in candidates:
        is_regression = candidate.algorithm in REGRESSIONS
        modules.update(_REGRESSION if is_regression else _STATISTICAL)
        if candidate.algorithm in _LIBRARIES:
            modules.add(_LIBRARIES[candidate.algorithm])
    if has_holidays:
        modules.add("holidays")
    # Several of MLflow's packages share its module.
    return sorted([f"mlflow=={version('mlflow')}", *pinned(modules)])


def example_rows(problem: Problem, forecaster: Forecaster) -> pd.DataFrame:
    """Return rows of the first periods to be forecast, in the table's own columns and kinds."""
    settings = problem.request.forecasting
    assert settings is not None
    source = problem.example
    own = [settings.time_column_name, *settings.time_series_id_column_names]
    columns = [*own, *forecaster.needed_columns]
    rows = {name: source[name] for name in columns}
    example = pd.DataFrame(rows).head(1).reset_index(drop=True)
    for name in columns:
        if pd.api.types.is_bool_dtype(example[name]):
            example[name] = example[name].astype(str)
        elif pd.api.types.is_numeric_dtype(example[name]):
            example[name] = example[name].astype("float64")
    return example


def save(forecaster: Forecaster, problem: Problem, delivery: Delivery) -> None:
    """Save an MLflow model of the scikit-learn flavor, with its code, signature, requirements."""
    import mlflow.sklearn
    from mlflow.models.signature import ModelSignature, infer_signature
    from mlflow.types.schema import ColSpec, Schema

    logging.getLogger("mlflow").setLevel(logging.ERROR)
    example = example_rows(problem, forecaster)
    inputs = infer_signature(example).inputs
    columns = [ColSpec(column.type, column.name) for column in inputs.inputs]
    candidates = [candidate for candidate, _ in delivery.members]
    shutil.rmtree(delivery.folder, ignore_errors=True)
    mlflow.sklearn.save_model(
        forecaster,
        str(delivery.folder),
        signature=ModelSignature(Schema(columns), Schema([ColSpec("double")])),
        # The skops default refuses such models; Azure ML's images load cloudpickle.
        serialization_format="cloudpickle",
        pip_requirements=requirements(
            candidates, has_holidays=problem.features.country is not None
        ),
        code_paths=[str(Path(automlmodel.__file__).parent)],
        metadata=delivery.facts,
    )


def measure(forecaster: Forecaster, problem: Problem) -> dict[str, float]:
    """Return the metrics on the test rows that have a target."""
    if problem.test is None:
        return {}
    rows = problem.test
    names, times = rows[SERIES].to_numpy(dtype=object), rows[TIME].to_numpy()
    try:
        predicted = forecaster.forecast(names, times, rows)
    except ValueError as error:
        raise StepError(f"the test data cannot be forecast: {error}") from error
    known = rows[TARGET].notna().to_numpy()
    numbers = {name: place for place, name in enumerate(problem.series)}
    series = np.asarray([numbers[name] for name in names[known]], dtype=np.intp)
    truth = rows[TARGET].to_numpy(dtype=np.float64)[known]
    if not known.any():
        return {}
    return score_forecast(truth, predicted[known], series, problem.extents)
