"""Fitted models of a forecaster: one of each series, or one regression of all series."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from automlmodel.forecast_features import SERIES, TARGET, TIME, Floats

#: exp() of more than this is no number.
_LARGEST_LOG = 700.0


class Member(Protocol):
    """A fitted model of all series."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The features that it takes."""

    def predict(self, steps: int, future: pd.DataFrame) -> Floats:
        """Return forecasts of the periods after each series' end.

        Args:
            steps: Periods ahead.
            future: `steps` rows of each series, sorted by series and time, with the features.

        Returns:
            Forecasts, shape (series, steps), the series in sorted order.
        """


@dataclass(frozen=True)
class StatisticalMember:
    """A statsforecast model of each series.

    Attributes:
        models: Fitted models by series.
        is_log: Whether they were fitted to the target's logarithm.
        used: Features that each takes.
    """

    models: dict[str, Any]
    is_log: bool = False
    used: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """Features that any of them takes."""
        return tuple(sorted({name for columns in self.used.values() for name in columns}))

    def predict(self, steps: int, future: pd.DataFrame) -> Floats:
        """Return forecasts, shape (series, steps)."""
        found = np.empty((len(self.models), steps))
        for place, name in enumerate(sorted(self.models)):
            rows = slice(place * steps, (place + 1) * steps)
            columns = list(self.used.get(name, ()))
            extra = {"X": future[columns].iloc[rows].to_numpy()} if columns else {}
            found[place] = self.models[name].predict(h=steps, **extra)["mean"]
        return np.exp(np.minimum(found, _LARGEST_LOG)) if self.is_log else found


@dataclass(frozen=True)
class Components:
    """What STL finds in each series, as features: its season, and where asked its trend.

    Attributes:
        season: The last whole season of each series.
        trend: The trend's last value and its mean change a period over that season, or None.
    """

    season: dict[str, Floats]
    trend: dict[str, tuple[float, float]] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the features."""
        return ("stl_season",) if self.trend is None else ("stl_season", "stl_trend")

    def ahead(self, steps: int) -> dict[str, Floats]:
        """Return the features of the periods after the end, shape (series * steps,) each."""
        names = sorted(self.season)
        found = {"stl_season": np.concatenate([np.resize(self.season[n], steps) for n in names])}
        if self.trend is not None:
            count = np.arange(1, steps + 1)
            lines = [self.trend[n][0] + self.trend[n][1] * count for n in names]
            found["stl_trend"] = np.concatenate(lines)
        return found


@dataclass(frozen=True)
class RegressionMember:
    """A regression on lags, windows and features, that forecasts step upon step.

    Attributes:
        model: A fitted `mlforecast.MLForecast`.
        columns: Features that it takes.
        components: What STL found, or None.
    """

    model: Any
    columns: tuple[str, ...] = ()
    components: Components | None = None

    def predict(
        self,
        steps: int,
        future: pd.DataFrame,
        look: Callable[[npt.NDArray[Any]], npt.NDArray[Any]] | None = None,
    ) -> Floats:
        """Return forecasts, shape (series, steps).

        Args:
            steps: Periods ahead.
            future: As in `Member`.
            look: Is given the features of each step, shape (series, features), and returns those
                that the step is forecast from.
        """
        ahead = None
        if self.columns or self.components:
            ahead = future[[SERIES, TIME, *self.columns]]
            if self.components:
                ahead = ahead.assign(**self.components.ahead(steps))
        found = self.model.predict(steps, before_predict_callback=look, X_df=ahead)
        name = next(c for c in found.columns if c not in (SERIES, TIME, TARGET))
        return np.asarray(found[name], dtype=np.float64).reshape(-1, steps)
