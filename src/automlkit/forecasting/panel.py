"""Tables to a panel: series on a regular grid, without gaps, sorted by series and time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from automlkit.forecasting.frequency import check_grid, find_frequency, parse_frequency
from automlkit.request import Forecasting, Request
from automlmodel.forecast_features import SERIES, TARGET, TIME, Floats
from automlmodel.forecaster import label, read_times, series_names
from stepkit.program import StepError
from stepkit.table import read_table, require_column

Guardrail = dict[str, Any]


def guardrail(check: str, state: str, detail: str) -> Guardrail:
    """Return one row of the guardrails."""
    return {"check": check, "state": state, "detail": detail}


@dataclass(frozen=True)
class Panel:
    """Series on a regular grid.

    Attributes:
        frame: The panel's own columns and the others; sorted by series and time, no period
            missing, the target without missing values once imputed.
        frequency: pandas' alias of the period.
        extra: The other columns: numbers, or text with None for what is missing.
        example: The table's first rows as they were read.
    """

    frame: pd.DataFrame
    frequency: str
    extra: tuple[str, ...]
    example: pd.DataFrame

    def lengths(self) -> dict[str, int]:
        """Return the rows of each series."""
        return {str(k): int(v) for k, v in self.frame.groupby(SERIES, sort=True).size().items()}

    def targets(self) -> dict[str, Floats]:
        """Return the target of each series."""
        groups = self.frame.groupby(SERIES, sort=True)[TARGET]
        return {str(name): values.to_numpy(dtype=np.float64) for name, values in groups}


@dataclass
class Reader:
    """Reads a request's tables, all in the same way.

    Attributes:
        request: What is asked.
        guardrails: What was found and mended.
        frequency: Known once the training table is read.
    """

    request: Request
    guardrails: list[Guardrail] = field(default_factory=list)
    frequency: str | None = None

    @property
    def settings(self) -> Forecasting:
        """The request's forecasting settings."""
        assert self.request.forecasting is not None
        return self.request.forecasting

    def read(self, path: str, *, has_frequency: bool = False) -> Panel:
        """Read a table as a panel, its missing values not yet imputed.

        Args:
            path: The table.
            has_frequency: Whether it must have the frequency of the table read before.

        Raises:
            StepError: A column is missing, the target is no number, times are irregular, or a
                series has two rows of a time.
        """
        raw = read_table(Path(path))
        frame, extra = self._long(raw)
        known = self.frequency if has_frequency else None
        frequency = known or self._frequency(frame)
        if self.settings.target_aggregate_function:
            frame = self._aggregated(frame, extra, frequency)
        else:
            check_grid(_times(frame), frequency)
        self.frequency = frequency
        return Panel(self._regular(frame, frequency), frequency, extra, raw.head(5))

    def _long(self, raw: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
        """Return the table in the panel's columns, sorted, and the names of the others."""
        settings, target = self.settings, self.request.target_column_name
        require_column(raw, settings.time_column_name, "time column")
        require_column(raw, target, "target column")
        for name in settings.time_series_id_column_names:
            require_column(raw, name, "time series id column")
        if not pd.api.types.is_numeric_dtype(raw[target]) or raw[target].dtype == bool:
            raise StepError(f"the target {target!r} is not a number, so it cannot be forecast")
        try:
            times = read_times(raw[settings.time_column_name])
        except ValueError as error:
            raise StepError(str(error), hint="check time_column_name") from error
        own = {settings.time_column_name, target, *settings.time_series_id_column_names}
        own |= self._ignored()
        extra = tuple(name for name in raw.columns if name not in own)
        frame = pd.DataFrame(
            {
                SERIES: series_names(raw, settings.time_series_id_column_names),
                TIME: times.to_numpy(),
                TARGET: raw[target].to_numpy(dtype=np.float64),
                **{name: self._extra(raw[name]) for name in extra},
            }
        )
        frame[TARGET] = frame[TARGET].where(np.isfinite(frame[TARGET]))
        frame = frame.sort_values([SERIES, TIME], kind="stable", ignore_index=True)
        if not settings.target_aggregate_function:
            self._check_doubles(frame)
        return frame, extra

    def _ignored(self) -> set[str]:
        custom = self.request.featurization
        if custom.mode != "custom":
            return set()
        return {n for n, kind in custom.column_name_and_types.items() if kind == "Ignore"}

    def _extra(self, column: pd.Series) -> Any:
        kind = None
        if self.request.featurization.mode == "custom":
            kind = self.request.featurization.column_name_and_types.get(str(column.name))
        is_number = pd.api.types.is_numeric_dtype(column) and column.dtype != bool
        if pd.api.types.is_datetime64_any_dtype(column):
            raise StepError(
                f"column {column.name!r} holds times, which a forecast does not use beside "
                f"{self.settings.time_column_name!r}",
                hint="leave it out of the data, or set it to Ignore in column_name_and_types",
            )
        if is_number and kind != "Categorical":
            return column.to_numpy(dtype=np.float64)
        if kind == "Numeric":
            try:
                return pd.to_numeric(column).to_numpy(dtype=np.float64)
            except ValueError as error:
                raise StepError(f"column {column.name!r} is not Numeric: {error}") from error
        texts = column.map(label, na_action="ignore").to_numpy(dtype=object)
        texts[column.isna().to_numpy()] = None
        return texts

    def _check_doubles(self, frame: pd.DataFrame) -> None:
        doubles = frame[frame.duplicated([SERIES, TIME])]
        if doubles.empty:
            return
        first = doubles.iloc[0]
        ids = self.settings.time_series_id_column_names
        where = f" in series {first[SERIES]!r}" if ids else ""
        raise StepError(
            f"{len(doubles)} rows have the time of another row: {first[TIME]}{where} is the first",
            hint="name the columns that tell series apart in time_series_id_column_names, or give "
            "frequency and target_aggregate_function",
        )

    def _frequency(self, frame: pd.DataFrame) -> str:
        if self.settings.frequency:
            return parse_frequency(self.settings.frequency)
        if self.settings.target_aggregate_function:
            raise StepError(
                "target_aggregate_function needs a frequency", hint="such as frequency: D"
            )
        found = find_frequency(_times(frame))
        self.guardrails.append(
            guardrail("Frequency detection", "done", f"the times have frequency {found!r}")
        )
        return found

    def _aggregated(
        self, frame: pd.DataFrame, extra: tuple[str, ...], frequency: str
    ) -> pd.DataFrame:
        """Return one row a period: the target by the function, numbers by mean, text by mode."""
        how: Mapping[str, Any] = {
            TARGET: self.settings.target_aggregate_function,
            **dict.fromkeys(extra, _middle),
        }
        # min_count: a period of missing values is missing, not 0.
        groups = frame.groupby([SERIES, pd.Grouper(key=TIME, freq=frequency)], sort=True)
        found = groups.agg(how)
        found.loc[groups[TARGET].count().to_numpy() == 0, TARGET] = np.nan
        self.guardrails.append(
            guardrail(
                "Time series aggregation",
                "done",
                f"{len(frame)} rows became {len(found)} periods of {frequency!r} by "
                f"{self.settings.target_aggregate_function}",
            )
        )
        return found.reset_index()

    def _regular(self, frame: pd.DataFrame, frequency: str) -> pd.DataFrame:
        """Return the frame with a row for every period between each series' first and last."""
        grids = [
            pd.DataFrame({SERIES: name, TIME: pd.date_range(index[0], index[-1], freq=frequency)})
            for name, index in _times(frame).items()
        ]
        whole = pd.concat(grids, ignore_index=True).merge(frame, on=[SERIES, TIME], how="left")
        missing = len(whole) - len(frame)
        if missing:
            self.guardrails.append(
                guardrail("Missing periods", "fixed", f"{missing} periods had no row: added")
            )
        return whole


def _middle(column: pd.Series) -> Any:
    if pd.api.types.is_numeric_dtype(column):
        return column.mean()
    modes = column.mode()
    return modes.iloc[0] if len(modes) else None


def _times(frame: pd.DataFrame) -> dict[str, pd.DatetimeIndex]:
    groups = frame.groupby(SERIES, sort=True)[TIME]
    return {str(name): pd.DatetimeIndex(times.unique()) for name, times in groups}
