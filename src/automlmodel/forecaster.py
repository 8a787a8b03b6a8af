"""The model that a forecasting search delivers: rows of the future in, forecasts out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from automlmodel.forecast_features import SERIES, TIME, Features, Floats
from automlmodel.forecast_members import Member

#: The name of the series where no column tells one from another.
ONLY = "series"
#: Whole numbers in this range are read as years.
_YEARS = (1_678, 2_261)


def label(value: object) -> str:
    """Return a series' label as text; 1 and 1.0 are one label."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def series_names(frame: pd.DataFrame, id_columns: Sequence[str]) -> npt.NDArray[np.object_]:
    """Return the series of each row, shape (rows,)."""
    if not id_columns:
        return np.full(len(frame), ONLY, dtype=object)
    labels = [frame[name].map(label).to_numpy(dtype=object) for name in id_columns]
    if len(labels) == 1:
        return labels[0]
    # As JSON, so that no two combinations of labels become one text.
    joined = [json.dumps(parts, ensure_ascii=False) for parts in zip(*labels, strict=True)]
    return np.asarray(joined, dtype=object)


def read_times(column: pd.Series) -> pd.Series:
    """Return a column as times without a zone (those with one in UTC).

    Raises:
        ValueError: A value is missing or no time; says which.
    """
    if column.isna().any():
        raise ValueError(f"{int(column.isna().sum())} rows have no time in {column.name!r}")
    if pd.api.types.is_numeric_dtype(column):
        if not column.between(*_YEARS).all() or (column % 1 != 0).any():
            raise ValueError(f"numbers in {column.name!r} are no years; write times as 2024-05-31")
        return pd.to_datetime(column.astype("int64").astype(str), format="%Y")
    try:
        times = pd.to_datetime(column, utc=True, format=None if _is_time(column) else "mixed")
    except (ValueError, TypeError, OverflowError) as error:
        raise ValueError(f"{column.name!r} is no column of times: {error}") from error
    return times.dt.tz_localize(None).astype("datetime64[ns]")


def _is_time(column: pd.Series) -> bool:
    return pd.api.types.is_datetime64_any_dtype(column)


@dataclass
class Forecaster:
    """Forecasts each series from the end of its training data on.

    Attributes:
        time_column: The column of times.
        id_columns: The columns that tell one series from another.
        target: What is forecast.
        frequency: pandas' alias of the period.
        horizon: Periods ahead that it was chosen for; it forecasts further too.
        origins: The last known period of each series.
        members: Fitted models.
        weights: One a member; they sum to 1.
        features: What the members know beside the target's past.
        history: Last rows of each series, of the columns of which the past is used.
        spread: Standard deviation of the error of each step ahead, shape (horizon,), by series.
        floors: What forecasts do not fall below, by series; minus infinity is no limit.
        is_aggregated: Whether several rows make a period.
        left_out: Series that were not trained on, and why.
    """

    time_column: str
    id_columns: tuple[str, ...]
    target: str
    frequency: str
    horizon: int
    origins: dict[str, pd.Timestamp]
    members: list[Member]
    weights: list[float]
    features: Features
    history: pd.DataFrame
    spread: dict[str, Floats]
    floors: dict[str, float]
    is_aggregated: bool = False
    left_out: Mapping[str, str] = field(default_factory=dict)
    _path: Floats | None = None

    def __post_init__(self) -> None:
        # Where nothing has to be given, the forecasts are known now, and later merely looked up.
        if not self.needed_columns:
            self._path = self._forecast(self._future(self.horizon), self.horizon)

    @property
    def needed_columns(self) -> list[str]:
        """Columns, beside time and series, that rows to be forecast must have."""
        sources, used = self.features.sources(), set[str]()
        for member in self.members:
            used |= {sources[name] for name in member.columns if name in sources}
        return [name for name in self.features.needed_ahead if name in used]

    def check(self) -> None:
        """Check that it forecasts numbers.

        Raises:
            ValueError: It does not.
        """
        found = self._path
        if found is None:
            found = self._forecast(self._future(self.horizon), self.horizon)
        if not np.isfinite(found).all():
            raise ValueError(
                "the model, fitted to all rows, forecasts something other than numbers"
            )

    def predict(self, frame: pd.DataFrame) -> Floats:
        """Return the forecast of each row.

        Args:
            frame: Rows after the end of the training data, with the time, the series' columns, and
                the columns that are known ahead; in any order. With such columns, none of the
                periods before may be missing.

        Returns:
            Forecasts, shape (rows,), in the rows' order.

        Raises:
            ValueError: A column is missing, a series is unknown, or a row lies in the past, between
                two periods, or behind a gap.
        """
        return self.forecast(*self._rows(frame), frame)

    def forecast(
        self, names: npt.NDArray[np.object_], times: npt.NDArray[Any], frame: pd.DataFrame
    ) -> Floats:
        """Return the forecast of each row of which series and time are told, shape (rows,).

        Args:
            names: The series of each row, as `series_names` has them.
            times: The time of each row.
            frame: The rows' other columns.

        Raises:
            ValueError: As in `predict`.
        """
        series, steps = self._places(names, times)
        return self._paths(frame, series, steps)[series, steps - 1]

    def forecast_quantiles(
        self, frame: pd.DataFrame, quantiles: Sequence[float] = (0.1, 0.5, 0.9)
    ) -> pd.DataFrame:
        """Return quantiles of the forecast of each row.

        They are those of a normal distribution around the forecast, as wide as the errors at that
        step ahead were in validation; beyond the horizon the width grows by the square root.

        Args:
            frame: As in `predict`.
            quantiles: Between 0 and 1.

        Returns:
            One column a quantile, in the rows' order.

        Raises:
            ValueError: As in `predict`, or a quantile is not between 0 and 1.
        """
        from scipy.stats import norm  # only of those who ask for quantiles

        if not all(0 < q < 1 for q in quantiles):
            raise ValueError(f"quantiles must be between 0 and 1, not {list(quantiles)}")
        series, steps = self._places(*self._rows(frame))
        middle = self._paths(frame, series, steps)[series, steps - 1]
        names = sorted(self.origins)
        known = np.stack([self.spread[name] for name in names])
        width = known[series, np.minimum(steps, self.horizon) - 1]
        width = width * np.sqrt(np.maximum(steps / self.horizon, 1.0))
        floors = np.asarray([self.floors[name] for name in names])[series]
        return pd.DataFrame(
            {q: np.maximum(middle + norm.ppf(q) * width, floors) for q in quantiles},
            index=frame.index,
        )

    def _rows(self, frame: pd.DataFrame) -> tuple[npt.NDArray[np.object_], npt.NDArray[Any]]:
        """Return the series and the time of each row."""
        for name in (self.time_column, *self.id_columns, *self.needed_columns):
            if name not in frame:
                raise ValueError(f"no column {name!r}, which the forecaster needs")
        if frame.empty:
            raise ValueError("no rows to forecast")
        times = read_times(frame[self.time_column]).to_numpy()
        return series_names(frame, self.id_columns), times

    def _places(
        self, names: npt.NDArray[np.object_], times: npt.NDArray[Any]
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Return the number of each row's series, and how many periods ahead the row lies."""
        numbers = {name: place for place, name in enumerate(sorted(self.origins))}
        for name in pd.unique(names):
            if name not in numbers:
                why = self.left_out.get(name, "it is not in the training data")
                raise ValueError(f"no forecast of series {name!r}: {why}")
        series = np.asarray([numbers[name] for name in names], dtype=np.intp)
        steps = np.empty(len(names), dtype=np.intp)
        for name in pd.unique(names):
            rows = names == name
            steps[rows] = self._steps(name, times[rows])
        return series, steps

    def _steps(self, name: str, times: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
        origin = self.origins[name]
        where = f"of series {name!r} " if self.id_columns else ""
        past = times <= origin.to_datetime64()
        if past.any():
            raise ValueError(
                f"{int(past.sum())} rows {where}are not after {origin}, where the training data "
                f"end; only later periods are forecast (first: {times[past][0]})"
            )
        offset = pd.tseries.frequencies.to_offset(self.frequency)
        grid = pd.date_range(origin, pd.Timestamp(times.max()) + offset, freq=offset)
        found = np.asarray(grid.searchsorted(times), dtype=np.intp)
        # searchsorted gives the period at or after a time: an aggregated period is labelled by its
        # first moment, or (of "end" frequencies) by its last day.
        odd = grid.to_numpy()[found] != times
        if odd.any() and not self.is_aggregated:
            raise ValueError(
                f"{times[odd][0]} {where}is not on the grid of frequency {self.frequency!r} "
                f"that starts at {origin}"
            )
        if odd.any() and not self.frequency.split("-")[0].endswith("E"):
            found[odd] -= 1
        if (found < 1).any():
            raise ValueError(f"{times[found < 1][0]} {where}is in the last period of the training")
        return found

    def _paths(
        self,
        frame: pd.DataFrame,
        series: npt.NDArray[np.intp],
        steps: npt.NDArray[np.intp],
    ) -> Floats:
        """Return the forecasts up to the last asked step, shape (series, at least that step)."""
        last = int(steps.max())
        if self._path is not None and last <= self.horizon:
            return self._path
        future = self._future(last)
        if self.needed_columns:
            rows = series * last + steps - 1
            self._check_whole(series, steps)
            for name in self.needed_columns:
                values = np.full(len(future), np.nan, dtype=object)
                values[rows] = (
                    frame[name].map(label)
                    if name in self.features.categories
                    else (frame[name].to_numpy())
                )
                future[name] = values
        return self._forecast(future, last)

    def _check_whole(self, series: npt.NDArray[np.intp], steps: npt.NDArray[np.intp]) -> None:
        names = sorted(self.origins)
        for place in np.unique(series):
            own = np.unique(steps[series == place])
            if len(own) != own[-1]:
                gap = next(step for step in range(1, own[-1]) if step not in own)
                grid = pd.date_range(
                    self.origins[names[place]], periods=gap + 1, freq=self.frequency
                )
                raise ValueError(
                    f"the row of {grid[-1]} is missing (series {names[place]!r}): the forecast "
                    f"uses {', '.join(self.needed_columns)} of every period up to the asked one"
                )

    def _future(self, steps: int) -> pd.DataFrame:
        names = sorted(self.origins)
        times = [
            pd.date_range(self.origins[name], periods=steps + 1, freq=self.frequency)[1:]
            for name in names
        ]
        return pd.DataFrame(
            {SERIES: np.repeat(names, steps), TIME: np.concatenate([t.to_numpy() for t in times])}
        )

    def _forecast(self, future: pd.DataFrame, steps: int) -> Floats:
        uses_features = any(member.columns for member in self.members)
        if uses_features:
            features = self.features.transform(future, self.history)
            future = pd.concat([future[[SERIES, TIME]], features], axis=1)
        total = np.zeros((len(self.origins), steps))
        for member, weight in zip(self.members, self.weights, strict=True):
            total += weight * member.predict(steps, future)
        floors = np.asarray([self.floors[name] for name in sorted(self.origins)])
        found: Floats = np.maximum(total, floors[:, None])
        return found
