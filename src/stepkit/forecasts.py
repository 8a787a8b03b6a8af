"""How good forecasts are beside the seasonal naive one, and how far ahead.

Sources:
    [K] R. J. Hyndman, A. B. Koehler, "Another look at measures of forecast accuracy",
        International Journal of Forecasting 22 (2006) 679-688,
        doi:10.1016/j.ijforecast.2006.03.001: MASE, here by the seasonal naive forecast.
    [N] Azure Machine Learning's normalised errors of forecasts: each series' own, by the range of
        its values, cut off at 1, and averaged over the series.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stepkit.bootstrap import Panel, summed
from stepkit.confusion import Floats
from stepkit.program import StepError
from stepkit.table import label_text, require_column

#: Periods of a season by the days between two periods, the least first.
_SEASONS = ((0.5, 24), (1.5, 7), (8, 52), (32, 12), (93, 4))
_DAY = 86_400.0


@dataclass(frozen=True)
class Series:
    """The series that test rows are of.

    Attributes:
        names: Of the series.
        numbers: Which one each row is of, shape (n,).
        times: Of each row: seconds, or plain numbers, shape (n,).
        steps: How many periods ahead each row is, from 1, shape (n,).
        season: Periods of a season.
        scales: Mean error of the seasonal naive forecast within each series' history; NaN where
            there is no history, it is not longer than a season, or that forecast is perfect.
        spans: Range of each series' values, those of its history included.
    """

    names: tuple[str, ...]
    numbers: NDArray[np.intp]
    times: Floats
    steps: NDArray[np.intp]
    season: int
    scales: Floats
    spans: Floats

    @property
    def has_scales(self) -> bool:
        """Whether the errors of any row can be scaled."""
        return bool(np.isfinite(self.scales[self.numbers]).any())


def series_of(
    rows: pd.DataFrame,
    target: str,
    time: str,
    columns: Sequence[str],
    *,
    season: int,
    history: pd.DataFrame | None,
) -> Series:
    """Return the series of test rows.

    Args:
        rows: The test rows, each with a target.
        target: What is forecast.
        time: The column of times.
        columns: Those that tell one series from another; none where there is one series.
        season: Periods of a season; 0 finds it by the time between two rows: 24 of hours, 7 of
            days, 52 of weeks, 12 of months, 4 of quarters, else 1.
        history: Rows of before; None where they are not known.

    Raises:
        StepError: A column is missing, or has no times.
    """
    for name in (time, *columns):
        require_column(rows, name, "column of the forecast,")
    labels, times = _labels(rows, columns), _seconds(rows[time])
    names, numbers = np.unique(labels, return_inverse=True)
    steps = np.zeros(len(rows), dtype=np.intp)
    for number in range(len(names)):
        own = numbers == number
        steps[own] = np.unique(times[own], return_inverse=True)[1] + 1
    season = season or _season(rows[time], times, numbers)
    truth = rows[target].to_numpy(dtype=np.float64)
    starts = [float(times[numbers == number].min()) for number in range(len(names))]
    pasts = _pasts(history, target, time, columns, names, starts)
    scales = np.array([_naive_error(past, season) for past in pasts])
    spans = np.array(
        [float(np.ptp(np.append(past, truth[numbers == n]))) for n, past in enumerate(pasts)]
    )
    return Series(tuple(names), numbers, times, steps, season, scales, spans)


def _labels(rows: pd.DataFrame, columns: Sequence[str]) -> NDArray[np.str_]:
    texts = [rows[name].map(label_text).to_numpy(dtype=str) for name in columns]
    return np.array([", ".join(parts) for parts in zip(*texts, strict=True)] or [""] * len(rows))


def _seconds(column: pd.Series) -> Floats:
    """Return times as seconds; numbers, such as years, as they are."""
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=np.float64)
    try:
        times = pd.to_datetime(column, utc=True)
    except (ValueError, TypeError) as error:
        raise StepError(f"{column.name!r} is no column of times: {error}") from error
    if times.isna().any():
        raise StepError(f"{int(times.isna().sum())} rows have no time in {column.name!r}")
    found: Floats = (
        times.dt.tz_localize(None).to_numpy().astype("datetime64[ns]").astype(np.int64) / 1e9
    )
    return found


def _season(column: pd.Series, times: Floats, numbers: NDArray[np.intp]) -> int:
    if pd.api.types.is_numeric_dtype(column):
        return 1
    gaps = [np.diff(np.unique(times[numbers == number])) for number in np.unique(numbers)]
    known = np.concatenate(gaps)
    if not len(known):
        return 1
    days = float(np.median(known)) / _DAY
    return next((season for most, season in _SEASONS if days <= most), 1)


def _pasts(
    history: pd.DataFrame | None,
    target: str,
    time: str,
    columns: Sequence[str],
    names: NDArray[np.str_],
    starts: Sequence[float],
) -> list[Floats]:
    """Return each series' values before its first test row, in the order of their times."""
    if history is None:
        return [np.empty(0)] * len(names)
    for name in (target, time, *columns):
        require_column(history, name, "column of the history,")
    known = history[history[target].notna()]
    labels, times = _labels(known, columns), _seconds(known[time])
    values = known[target].to_numpy(dtype=np.float64)
    found = []
    for name, start in zip(names, starts, strict=True):
        own = np.flatnonzero((labels == name) & (times < start))
        found.append(values[own[np.argsort(times[own], kind="stable")]])
    return found


def _naive_error(past: Floats, season: int) -> float:
    """Return mean |y_t - y_(t - season)| of a series; NaN where that is not defined or 0."""
    if len(past) <= season:
        return float("nan")
    error = float(np.abs(past[season:] - past[:-season]).mean())
    return error if error > 0 else float("nan")


def forecast_panel(truth: Floats, predicted: Floats, series: Series) -> Panel:
    """Return the errors of forecasts that are each series' own, as a function of counts.

    mase = mean |e| / scale of the series ([K]), over the rows whose series has a scale: below 1 the
    forecasts are better than the seasonal naive one was within the history; nmae, nrmse as [N].

    Args:
        truth: Shape (n,).
        predicted: Shape (n,).
        series: Of the rows.
    """
    count = len(series.names)
    error = truth - predicted
    scaled = np.abs(error) / series.scales[series.numbers]
    known = np.isfinite(scaled)
    parts = np.array([np.where(known, scaled, 0.0), known])
    rows = summed(series.numbers, count)
    spans = np.where(series.spans > 0, series.spans, np.nan)[:, None]

    def panel(counts: Floats) -> Mapping[str, Floats]:
        held = rows(counts)
        mae = rows(counts * np.abs(error)[:, None]) / np.where(held > 0, held, np.nan)
        mse = rows(counts * (error**2)[:, None]) / np.where(held > 0, held, np.nan)
        found = {
            "nmae": _mean(np.minimum(mae / spans, 1.0)),
            "nrmse": _mean(np.minimum(np.sqrt(mse) / spans, 1.0)),
        }
        if series.has_scales:
            total, scale = parts @ counts
            found["mase"] = total / np.where(scale > 0, scale, np.nan)
        return found

    return panel


def _mean(values: Floats) -> Floats:
    """Return the mean over the first axis of what is not NaN; NaN where all is."""
    known = np.isfinite(values)
    total, number = np.where(known, values, 0.0).sum(axis=0), known.sum(axis=0)
    found: Floats = total / np.where(number > 0, number, np.nan)
    return found
