"""What is known of a period beside the target's past: given columns, the calendar, holidays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

#: Names of a panel's columns, such as no table has: which series, when, and how much.
SERIES, TIME, TARGET = "#series", "#time", "#target"
#: Seconds of the cycles that sine and cosine terms are made of.
_DAY, _WEEK, _YEAR = 86_400.0, 7 * 86_400.0, 365.2425 * 86_400.0
#: Terms of each cycle.
_HARMONICS = 2
#: Marks the rows that features are wanted of, among those of their past.
_ASKED = "#asked"


def unit(frequency: str) -> str:
    """Return the calendar unit of a frequency: `Y`, `Q`, `M`, `W`, `D`, or `h` for what is shorter.

    Args:
        frequency: pandas' alias, such as `MS` or `15min`.
    """
    name = frequency.lstrip("0123456789").split("-")[0]
    for prefix in ("BY", "BQ", "BM"):
        if name.startswith(prefix):
            return prefix[1]
    return {"B": "D", "C": "D"}.get(name, name[0] if name[0] in "YQMWD" else "h")


@dataclass(frozen=True)
class Features:
    """Turns raw columns and times into numbers, the same for training and for forecasting.

    Attributes:
        frequency: pandas' alias of the period.
        numeric: Number columns, with what stands for a missing value.
        categories: Text columns, with their levels; a value that is none of them is all zeros.
        unknown: Columns that are not known ahead: only their past is used.
        lag: Periods after which a column's past value is used, or 0.
        has_calendar: Whether parts of the date are features.
        country: ISO 3166 code of the holidays' country, or None.
    """

    frequency: str
    numeric: dict[str, float] = field(default_factory=dict)
    categories: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()
    lag: int = 0
    has_calendar: bool = True
    country: str | None = None

    @property
    def columns(self) -> list[str]:
        """Raw columns that are read."""
        return [*self.numeric, *self.categories]

    def sources(self) -> dict[str, str]:
        """Return the raw column of each feature that comes from one."""
        found = {name: name for name in self.numeric}
        for name, levels in self.categories.items():
            found |= {f"{name}={level}": name for level in levels}
        if self.lag:
            found |= {f"{feature}_lag{self.lag}": name for feature, name in list(found.items())}
        return found

    @property
    def needed_ahead(self) -> list[str]:
        """Raw columns that must be given for the periods to be forecast."""
        return [name for name in self.columns if name not in self.unknown]

    def encode(self, raw: pd.DataFrame) -> pd.DataFrame:
        """Return the raw columns as numbers, shape (rows, encoded); missing columns are imputed."""
        encoded: dict[str, Any] = {}
        for name, fill in self.numeric.items():
            given = raw[name] if name in raw else pd.Series(np.nan, index=raw.index)
            numbers = pd.to_numeric(given).to_numpy(dtype=np.float64)
            encoded[name] = np.where(np.isfinite(numbers), numbers, fill)
        for name, levels in self.categories.items():
            texts = raw[name].to_numpy(dtype=object) if name in raw else np.full(len(raw), None)
            for level in levels:
                encoded[f"{name}={level}"] = (texts == level).astype(np.float64)
        return pd.DataFrame(encoded, index=raw.index)

    def transform(self, frame: pd.DataFrame, history: pd.DataFrame | None = None) -> pd.DataFrame:
        """Return the features of rows.

        Args:
            frame: Rows with the series, the time and the raw columns; sorted by series and time.
            history: Rows of the same kind right before, for columns of which the past is used.

        Returns:
            Numbers, shape (rows, features), with `frame`'s index.
        """
        whole = frame.assign(**{_ASKED: True})
        if history is not None and self.lag:
            # Stable, so each series keeps its order and the asked rows keep theirs.
            both = pd.concat([history.assign(**{_ASKED: False}), whole])
            whole = both.sort_values(SERIES, kind="stable")
        features = self._given(whole)[whole[_ASKED].to_numpy()]
        features.index = frame.index
        times = pd.DatetimeIndex(frame[TIME])
        extra: dict[str, Any] = self.calendar(times) if self.has_calendar else {}
        if self.country:
            extra |= self.holidays(times)
        return pd.concat([features, pd.DataFrame(extra, index=frame.index)], axis=1).astype(float)

    def _given(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the raw columns' features: those known ahead, and the past of all."""
        encoded, sources = self.encode(frame), self.sources()
        known = encoded[[n for n in encoded if sources[str(n)] not in self.unknown]]
        if not self.lag or encoded.empty:
            return known
        groups = frame[SERIES].to_numpy()
        past = encoded.groupby(groups, sort=False).shift(self.lag)
        # Beyond the horizon the last known value stands; before the first, the usual one.
        past = past.groupby(groups, sort=False).ffill().fillna(encoded.median())
        return pd.concat([known, past.add_suffix(f"_lag{self.lag}")], axis=1)

    def calendar(self, times: pd.DatetimeIndex) -> dict[str, Any]:
        """Return parts of the date, and sine and cosine of the cycles longer than a period."""
        kind = unit(self.frequency)
        parts: dict[str, Any] = {}
        if kind in "MWDh":
            parts |= {"month": times.month, "quarter": times.quarter}
        if kind == "Q":
            parts["quarter"] = times.quarter
        if kind in "Dh":
            parts |= {"day": times.day, "weekday": times.dayofweek}
        if kind == "h":
            parts |= {"hour": times.hour, "minute": times.minute}
        cycles = {"year": _YEAR} if kind in "QMWDh" else {}
        cycles |= {"week": _WEEK} if kind in "Dh" else {}
        cycles |= {"day": _DAY} if kind == "h" else {}
        seconds = times.to_numpy().astype("datetime64[s]").astype(np.int64)
        for name, length in cycles.items():
            for number in range(1, _HARMONICS + 1):
                angle = 2 * np.pi * number * seconds / length
                parts[f"{name}_sin{number}"] = np.sin(angle)
                parts[f"{name}_cos{number}"] = np.cos(angle)
        return parts

    def holidays(self, times: pd.DatetimeIndex) -> dict[str, Any]:
        """Return how many holidays a period has; of days and shorter, whether one is next to it."""
        import holidays  # only of a model that was asked for them

        if times.empty:
            return {"holidays": np.empty(0)}
        years = range(min(times.year) - 1, max(times.year) + 2)
        dates = holidays.country_holidays(self.country, years=years)
        days = np.sort(np.asarray(list(dates), dtype="datetime64[D]"))
        if unit(self.frequency) in "Dh":
            own = times.to_numpy().astype("datetime64[D]")
            return {
                "holidays": np.isin(own, days).astype(float),
                "before_holiday": np.isin(own + 1, days).astype(float),
                "after_holiday": np.isin(own - 1, days).astype(float),
            }
        period = times.to_period(unit(self.frequency))
        first = period.start_time.to_numpy().astype("datetime64[D]")
        last = period.end_time.to_numpy().astype("datetime64[D]")
        count = np.searchsorted(days, last, side="right") - np.searchsorted(days, first)
        return {"holidays": count.astype(float)}
