"""Regressions by Azure's names, on lags, windows, and features of all series together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from automlmodel.forecast_features import SERIES, TARGET, TIME, Floats
from automlmodel.forecast_members import Components, RegressionMember
from stepkit.program import StepError

Config = Mapping[str, Any]

#: Settings of the transformation and the lags, which are not the estimator's own.
_OWN = frozenset({"log", "differences", "lags", "windows"})
#: Lags, where none are asked for, of a season longer than this: its own and its neighbours' only.
_LONG_SEASON = 24
#: Recent lags beside a long season's.
_RECENT = 8


@dataclass(frozen=True)
class Setting:
    """What regressions are fitted with beside their own hyperparameters.

    Attributes:
        frequency: pandas' alias of the period.
        seasons: Seasons in periods.
        lags: Lags that are asked for; empty is up to the configuration.
        window: Periods of the rolling window that is asked for, or None.
        stl: `season`, `season_trend`, or None.
        features: Names of the features to be used.
        threads: Of one fit.
        seed: Of all that is random.
    """

    frequency: str
    seasons: tuple[int, ...] = ()
    lags: tuple[int, ...] = ()
    window: int | None = None
    stl: str | None = None
    features: tuple[str, ...] = ()
    threads: int = 1
    seed: int = 0


def _scaled(estimator: Any) -> Any:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), estimator)


def _elastic_net(config: Config, _: Setting) -> Any:
    from sklearn.linear_model import ElasticNet

    return _scaled(ElasticNet(max_iter=5_000, **config))


def _lasso_lars(config: Config, _: Setting) -> Any:
    from sklearn.linear_model import LassoLars

    return _scaled(LassoLars(**config))


def _sgd(config: Config, setting: Setting) -> Any:
    from sklearn.linear_model import SGDRegressor

    return _scaled(SGDRegressor(random_state=setting.seed, **config))


def _neighbours(config: Config, setting: Setting) -> Any:
    from sklearn.neighbors import KNeighborsRegressor

    return _scaled(KNeighborsRegressor(n_jobs=setting.threads, **config))


def _tree(config: Config, setting: Setting) -> Any:
    from sklearn.tree import DecisionTreeRegressor

    return DecisionTreeRegressor(random_state=setting.seed, **config)


def _forest(config: Config, setting: Setting) -> Any:
    from sklearn.ensemble import RandomForestRegressor

    return RandomForestRegressor(n_jobs=setting.threads, random_state=setting.seed, **config)


def _extra_trees(config: Config, setting: Setting) -> Any:
    from sklearn.ensemble import ExtraTreesRegressor

    return ExtraTreesRegressor(n_jobs=setting.threads, random_state=setting.seed, **config)


def _boosting(config: Config, setting: Setting) -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor

    # Its own early stopping would hold out rows of any time.
    return HistGradientBoostingRegressor(early_stopping=False, random_state=setting.seed, **config)


def _lightgbm(config: Config, setting: Setting) -> Any:
    from lightgbm import LGBMRegressor

    return LGBMRegressor(
        n_jobs=setting.threads,
        random_state=setting.seed,
        verbose=-1,
        deterministic=True,
        force_row_wise=True,
        **config,
    )


def _xgboost(config: Config, setting: Setting) -> Any:
    from xgboost import XGBRegressor

    return XGBRegressor(
        n_jobs=setting.threads, random_state=setting.seed, tree_method="hist", **config
    )


#: How each is built, by Azure's name.
REGRESSIONS: dict[str, Callable[[Config, Setting], Any]] = {
    "ElasticNet": _elastic_net,
    "GradientBoosting": _boosting,
    "DecisionTree": _tree,
    "KNN": _neighbours,
    "LassoLars": _lasso_lars,
    "SGD": _sgd,
    "RandomForest": _forest,
    "ExtremeRandomTrees": _extra_trees,
    "LightGBM": _lightgbm,
    "XGBoostRegressor": _xgboost,
}


#: Rows from which several threads pay.
_ROWS_OF_THREADS = 5_000


def choose_lags(config: Config, setting: Setting, rows: int) -> list[int]:
    """Return the lags: those asked for, else the configuration's, else by season.

    A season of up to 24 periods gives all lags up to it, and the one after; a longer one gives
    recent lags and those around it. Lags that would leave less than half of the rows are left out.

    Args:
        config: Hyperparameters.
        setting: What is asked for.
        rows: Rows of the shortest series.
    """
    if setting.lags:
        return list(setting.lags)
    lags = set(config.get("lags") or range(1, _RECENT + 1))
    if not config.get("lags"):
        for season in setting.seasons:
            around = (season - 1, season, season + 1)
            lags.update(range(1, season + 2) if season <= _LONG_SEASON else around)
    spent = sum(config.get("differences", ()))
    return sorted(lag for lag in lags if lag + spent <= rows // 2) or [1]


def _windows(config: Config, setting: Setting, rows: int) -> dict[int, list[Any]]:
    """Return the rolling windows, on the last known value."""
    from mlforecast.lag_transforms import RollingMax, RollingMean, RollingMin

    if setting.window:
        kinds = (RollingMean, RollingMin, RollingMax)
        return {1: [kind(setting.window, min_samples=1) for kind in kinds]}
    sizes = [size for size in config.get("windows", ()) if size <= rows // 2]
    return {1: [RollingMean(size, min_samples=1) for size in sizes]} if sizes else {}


def _target_transforms(config: Config) -> list[Any]:
    from mlforecast.target_transforms import (
        Differences,
        GlobalSklearnTransformer,
        LocalStandardScaler,
    )
    from sklearn.preprocessing import FunctionTransformer

    steps: list[Any] = []
    if config.get("log"):
        steps.append(GlobalSklearnTransformer(FunctionTransformer(np.log, np.exp)))
    if config.get("differences"):
        steps.append(Differences(list(config["differences"])))
    # Series of all sizes are learned from together.
    return [*steps, LocalStandardScaler()]


def stl_components(
    training: pd.DataFrame, season: int, kind: str
) -> tuple[Components, dict[str, Floats]]:
    """Return what STL finds in each series: to go on with, and as features of the training rows.

    Args:
        training: A panel.
        season: Periods of the season.
        kind: `season` or `season_trend`.

    Raises:
        StepError: A series has less than two seasons.
    """
    from statsmodels.tsa.seasonal import STL

    seasons, trends = {}, {}
    parts: dict[str, list[Floats]] = {"stl_season": [], "stl_trend": []}
    for name, rows in training.groupby(SERIES, sort=True):
        values = rows[TARGET].to_numpy(dtype=np.float64)
        if len(values) < 2 * season:
            raise StepError(f"series {name!r} is shorter than two seasons: no STL")
        found = STL(values, period=season, robust=True).fit()
        seasons[str(name)] = found.seasonal[-season:]
        slope = (found.trend[-1] - found.trend[-1 - season]) / season
        trends[str(name)] = (float(found.trend[-1]), float(slope))
        parts["stl_season"].append(found.seasonal)
        parts["stl_trend"].append(found.trend)
    components = Components(seasons, trends if kind == "season_trend" else None)
    return components, {name: np.concatenate(parts[name]) for name in components.columns}


def fit_regression(
    algorithm: str, config: Config, training: pd.DataFrame, setting: Setting
) -> RegressionMember:
    """Fit one regression to all series.

    Args:
        algorithm: A name of `REGRESSIONS`.
        config: The estimator's hyperparameters, and `log`, `differences`, `lags`, `windows`.
        training: A panel with features.
        setting: What is asked for.

    Raises:
        StepError: The logarithm is asked for of a target that is not above 0, or STL of a series
            that is too short.
    """
    from mlforecast import MLForecast

    if config.get("log") and not (training[TARGET] > 0).all():
        raise StepError("the target is not above 0 everywhere: it has no logarithm")
    rows = int(training.groupby(SERIES).size().min())
    frame, components = training[[SERIES, TIME, TARGET, *setting.features]], None
    if setting.stl and setting.seasons:
        components, parts = stl_components(training, setting.seasons[0], setting.stl)
        frame = frame.assign(**parts)
    if len(frame) < _ROWS_OF_THREADS:
        setting = replace(setting, threads=1)
    own = {name: value for name, value in config.items() if name not in _OWN}
    model = MLForecast(
        models={"forecast": REGRESSIONS[algorithm](own, setting)},
        freq=setting.frequency,
        lags=choose_lags(config, setting, rows),
        lag_transforms=_windows(config, setting, rows),
        target_transforms=_target_transforms(config),
        num_threads=1,
    )
    # As numbers without names: LightGBM refuses some characters in names.
    model.fit(
        frame, id_col=SERIES, time_col=TIME, target_col=TARGET, static_features=[], as_numpy=True
    )
    return RegressionMember(model, setting.features, components)
