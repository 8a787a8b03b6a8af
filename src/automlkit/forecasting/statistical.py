"""Statistical models by Azure's names, one fitted to each series."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from automlmodel.forecast_features import SERIES, TARGET
from automlmodel.forecast_members import StatisticalMember
from stepkit.program import StepError

Config = Mapping[str, Any]
Build = Callable[[tuple[int, ...], Config], Any]

#: Longest season that exponential smoothing and ARIMA are fitted with, in periods: statsforecast's
#: own limit for the former, and minutes a fit for the latter.
_LONGEST_SEASON = 24
#: Rows, from the end, that a statistical model is fitted to: more costs time and tells little.
_MOST_ROWS = 3_000
#: Share of a column that the others must leave unexplained for it to be used.
_LEAST_NEWS = 1e-6
#: Seasons that a mean of the same season's values is taken over.
_AVERAGED = 3


def _season(seasons: tuple[int, ...], longest: int = 1_000_000) -> int:
    """Return the first season that is short enough, or 1."""
    return next((season for season in seasons if season <= longest), 1)


def _naive(_: tuple[int, ...], config: Config) -> Any:
    from statsforecast.models import Naive, RandomWalkWithDrift

    return RandomWalkWithDrift() if config.get("drift") else Naive()


def _seasonal_naive(seasons: tuple[int, ...], _: Config) -> Any:
    from statsforecast.models import SeasonalNaive

    return SeasonalNaive(max(seasons, default=1))


def _average(_: tuple[int, ...], config: Config) -> Any:
    from statsforecast.models import HistoricAverage, WindowAverage

    window = config.get("window")
    return WindowAverage(window) if window else HistoricAverage()


def _seasonal_average(seasons: tuple[int, ...], config: Config) -> Any:
    from statsforecast.models import SeasonalWindowAverage

    return SeasonalWindowAverage(max(seasons, default=1), config.get("window", _AVERAGED))


def _smoothing(seasons: tuple[int, ...], config: Config) -> Any:
    from statsforecast.models import AutoETS

    return AutoETS(
        season_length=_season(seasons, _LONGEST_SEASON),
        model=config.get("model", "ZZZ"),
        damped=config.get("damped"),
    )


def _arima(seasons: tuple[int, ...], _: Config) -> Any:
    from statsforecast.models import AutoARIMA

    # Its own approximation keeps the search for orders short, as in R's auto.arima.
    return AutoARIMA(season_length=_season(seasons, _LONGEST_SEASON), approximation=True)


def _theta(seasons: tuple[int, ...], config: Config) -> Any:
    from statsforecast.models import AutoTheta

    kind = config.get("decomposition", "multiplicative")
    return AutoTheta(season_length=max(seasons, default=1), decomposition_type=kind)


def _mstl(seasons: tuple[int, ...], config: Config) -> Any:
    from statsforecast.models import MSTL, AutoARIMA, AutoETS

    trends = {"ets": lambda: AutoETS(model="ZZN"), "arima": lambda: AutoARIMA(approximation=True)}
    return MSTL(season_length=list(seasons), trend_forecaster=trends[config.get("trend", "ets")]())


def _complex(seasons: tuple[int, ...], _: Config) -> Any:
    from statsforecast.models import AutoCES

    return AutoCES(season_length=max(seasons, default=1))


#: How each is built: Azure's names, then three that Azure does not have.
STATISTICAL: dict[str, Build] = {
    "Naive": _naive,
    "SeasonalNaive": _seasonal_naive,
    "Average": _average,
    "SeasonalAverage": _seasonal_average,
    "ExponentialSmoothing": _smoothing,
    "AutoArima": _arima,
    "Arimax": _arima,
    "MSTL": _mstl,
    "Theta": _theta,
    "ComplexExponentialSmoothing": _complex,
}
#: Those that make no sense without a season.
SEASONAL = frozenset({"SeasonalNaive", "SeasonalAverage", "MSTL"})
#: Those that take features.
WITH_FEATURES = frozenset({"Arimax"})


def fit_statistical(
    algorithm: str,
    config: Config,
    training: pd.DataFrame,
    seasons: tuple[int, ...],
    features: tuple[str, ...],
) -> StatisticalMember:
    """Fit one model to each series.

    A season of which a series does not have two, and a value beyond, is not used for that series.

    Args:
        algorithm: A name of `STATISTICAL`.
        config: Its hyperparameters; `log` fits to the target's logarithm.
        training: A panel with features.
        seasons: Seasons in periods, the shortest first.
        features: Names of the features to be used by those that take them.

    Raises:
        StepError: The logarithm is asked for of a target that is not above 0.
    """
    is_log = bool(config.get("log"))
    if is_log and not (training[TARGET] > 0).all():
        raise StepError("the target is not above 0 everywhere: it has no logarithm")
    columns = features if algorithm in WITH_FEATURES else ()
    models, kept = {}, dict[str, tuple[str, ...]]()
    for name, rows in training.groupby(SERIES, sort=True):
        rows = rows.iloc[-_MOST_ROWS:]
        values = rows[TARGET].to_numpy(dtype=np.float64)
        own = tuple(season for season in seasons if len(values) > 2 * season)
        known = own if own or algorithm not in SEASONAL else None
        build = STATISTICAL[algorithm] if known is not None else _naive
        kept[str(name)] = _independent(rows, columns)
        extra = {"X": rows[list(kept[str(name)])].to_numpy()} if kept[str(name)] else {}
        models[str(name)] = build(own, config).fit(np.log(values) if is_log else values, **extra)
    return StatisticalMember(models, is_log, kept)


def _independent(rows: pd.DataFrame, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns that no others before them, with a constant, add up to."""
    kept: list[str] = []
    known = np.ones((len(rows), 1))
    for name in columns:
        values = rows[[name]].to_numpy(dtype=np.float64)
        rest = values - known @ np.linalg.lstsq(known, values, rcond=None)[0]
        if np.abs(rest).max() > _LEAST_NEWS * (np.abs(values).max() or 1.0):
            kept.append(name)
            known = np.hstack([known, values])
    return tuple(kept)
