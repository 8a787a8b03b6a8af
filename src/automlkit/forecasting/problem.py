"""From a request to what trials work on: a whole panel, its features, seasons, and folds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from automlkit.forecasting.folds import Folds, plan_folds, split_short
from automlkit.forecasting.impute import impute, make_features
from automlkit.forecasting.panel import Guardrail, Panel, Reader, guardrail
from automlkit.forecasting.seasons import find_horizon, find_lags, find_seasons
from automlkit.request import Request
from automlmodel.forecast_features import SERIES, TARGET, TIME, Features, Floats
from stepkit.program import StepError


@dataclass(frozen=True)
class Problem:
    """What trials work on.

    Attributes:
        request: What is asked.
        frame: The panel and the features, sorted by series and time.
        raw: The panel with its raw columns, the same rows.
        frequency: pandas' alias of the period.
        folds: How models are compared.
        seasons: Seasons in periods, the shortest first; empty is none.
        lags: Lags of the target that are asked for; empty is up to the search.
        features: How raw columns become features.
        left_out: Series that are too short, and why.
        padded: Rows put before each series to make it long enough, by series.
        test: The rows to test on with their raw columns, or None.
        example: The first rows of the table as they were read.
        held: Rows of each series that are given to validate on.
    """

    request: Request
    frame: pd.DataFrame
    raw: pd.DataFrame
    frequency: str
    folds: Folds
    seasons: tuple[int, ...]
    lags: tuple[int, ...]
    features: Features
    example: pd.DataFrame
    left_out: dict[str, str] = field(default_factory=dict)
    padded: dict[str, int] = field(default_factory=dict)
    test: pd.DataFrame | None = None
    held: dict[str, int] = field(default_factory=dict)

    @cached_property
    def series(self) -> list[str]:
        """Names of the series, sorted."""
        return [str(name) for name in self.frame[SERIES].unique()]

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features."""
        return tuple(n for n in self.frame.columns if n not in (SERIES, TIME, TARGET))

    @cached_property
    def given_features(self) -> tuple[str, ...]:
        """Names of the features that come from columns and holidays, not from the calendar."""
        calendar = self.features.calendar(pd.DatetimeIndex(self.frame[TIME].iloc[:1]))
        return tuple(name for name in self.feature_names if name not in calendar)

    @cached_property
    def _from_end(self) -> Any:
        """How many rows of its series follow each row, shape (rows,)."""
        return self.frame.groupby(SERIES).cumcount(ascending=False).to_numpy()

    def training(self, fold: int) -> pd.DataFrame:
        """Return the rows that a fold trains on."""
        rows: pd.DataFrame = self.frame[self._from_end >= self._held_out(fold)]
        return rows

    def validation(self, fold: int) -> pd.DataFrame:
        """Return the rows that a fold forecasts: those of the horizon after its origin."""
        held = self._held_out(fold)
        is_ahead = (self._from_end < held) & (self._from_end >= held - self._ahead)
        rows: pd.DataFrame = self.frame[is_ahead]
        return rows

    def _held_out(self, fold: int) -> Any:
        if self.held:
            return self.frame[SERIES].map(self.held).to_numpy()
        return self.folds.held_out(fold)

    @property
    def _ahead(self) -> Any:
        return self._held_out(0) if self.held else self.folds.horizon

    @cached_property
    def extents(self) -> Floats:
        """The least and the greatest target of each series, shape (series, 2)."""
        groups = self.frame.groupby(SERIES, sort=True)[TARGET]
        found: Floats = groups.agg(["min", "max"]).to_numpy(dtype=np.float64)
        return found

    @property
    def ranges(self) -> Floats:
        """What each series' errors are normalised by: its target's range, shape (series,)."""
        found: Floats = np.diff(self.extents, axis=1)[:, 0]
        return found

    @cached_property
    def floors(self) -> dict[str, float]:
        """0 for series that are never negative, else minus infinity."""
        least = self.frame.groupby(SERIES)[TARGET].min()
        return {str(name): 0.0 if low >= 0 else -np.inf for name, low in least.items()}


def make_problem(request: Request) -> tuple[Problem, list[Guardrail]]:
    """Read the tables and settle all that the request leaves open.

    Raises:
        StepError: The request or its data is wrong.
    """
    _check(request)
    assert request.forecasting is not None
    reader = Reader(request)
    panel = reader.read(request.training_data)
    test = _split_test(reader, panel)
    if test is not None and request.test_data is None:
        panel = replace(panel, frame=panel.frame.loc[panel.frame.index.difference(test.index)])
    held: dict[str, int] = {}
    if request.validation_data:
        panel, held = _append(panel, reader.read(request.validation_data, has_frequency=True))
    if test is not None:
        _check_follows(panel.frame, test, panel.frequency, "test")
    horizon = request.forecasting.forecast_horizon
    if horizon == "auto":
        horizon = find_horizon(list(panel.lengths().values()), panel.frequency)
    panel = replace(panel, frame=impute(panel.frame, request, reader.guardrails))
    folds, padded, left_out = _folds(panel, reader, horizon, held)
    frame = _long_enough(panel.frame, padded, left_out, panel.frequency)
    series = list(replace(panel, frame=frame).targets().values())
    features = make_features(frame, panel, request, horizon)
    problem = Problem(
        request=request,
        frame=_with_features(frame, features),
        raw=frame,
        frequency=panel.frequency,
        folds=folds,
        seasons=_seasons(request, series, panel.frequency, reader),
        lags=_lags(request, series, reader),
        features=features,
        example=panel.example,
        left_out=left_out,
        padded=padded,
        test=None if test is None else test[~test[SERIES].isin(list(left_out))],
        held=held,
    )
    return problem, reader.guardrails


def _check(request: Request) -> None:
    """Refuse what forecasting cannot honour."""
    if request.forecasting is None:
        raise StepError("a forecasting job needs its forecasting settings")
    refused = {
        "cv_split_column_names": request.cv_split_column_names,
        "weight_column_name": request.weight_column_name,
        "validation_data_size": request.validation_data_size,
    }
    for name, given in refused.items():
        if given:
            raise StepError(
                f"{name} has no meaning in forecasting, where origins roll",
                hint="leave it out, or give n_cross_validations and cv_step_size",
            )


def _split_test(reader: Reader, panel: Panel) -> pd.DataFrame | None:
    """Return the rows to test on: given ones, or the last of each series."""
    request = reader.request
    if request.test_data:
        return reader.read(request.test_data, has_frequency=True).frame
    if not request.test_data_size:
        return None
    groups = panel.frame.groupby(SERIES)
    from_end = groups.cumcount(ascending=False)
    rows = np.ceil(groups[TIME].transform("size") * request.test_data_size)
    last: pd.DataFrame = panel.frame[from_end < rows]
    return last


def _check_follows(known: pd.DataFrame, given: pd.DataFrame, frequency: str, what: str) -> None:
    """Check that each series of a table goes on where the known one ends.

    Raises:
        StepError: It does not, or is not known.
    """
    ends = known.groupby(SERIES)[TIME].max().to_dict()
    offset = pd.tseries.frequencies.to_offset(frequency)
    for name, start in given.groupby(SERIES)[TIME].min().items():
        if name not in ends:
            raise StepError(f"series {name!r} of the {what} data is not in the training data")
        if start != ends[name] + offset:
            raise StepError(
                f"{what} data of series {name!r} begin at {start}, not right after the rows "
                f"before, which end at {ends[name]}"
            )


def _append(panel: Panel, given: Panel) -> tuple[Panel, dict[str, int]]:
    """Return both tables as one panel, and the rows of each series that validate.

    Raises:
        StepError: They differ in series, or a series does not go on where it ended.
    """
    _check_follows(panel.frame, given.frame, panel.frequency, "validation")
    absent = sorted(set(panel.lengths()) - set(given.lengths()))
    if absent:
        raise StepError(f"validation data lack series {', '.join(absent[:5])}")
    both = pd.concat([panel.frame, given.frame]).sort_values([SERIES, TIME], ignore_index=True)
    return replace(panel, frame=both), given.lengths()


def _folds(
    panel: Panel, reader: Reader, horizon: int, held: dict[str, int]
) -> tuple[Folds, dict[str, int], dict[str, str]]:
    if held:
        return Folds("given", 1, max(held.values()), max(held.values())), {}, {}
    settings, request = reader.settings, reader.request
    folds = plan_folds(panel.lengths(), settings, request.n_cross_validations, horizon)
    padded, dropped = split_short(panel.lengths(), settings, folds)
    why = "it was too short and left out of the training"
    detail = "all series are long enough"
    if padded:
        detail = f"{len(padded)} short series were padded with their first value"
    elif dropped:
        detail = f"{len(dropped)} short series were left out: {', '.join(dropped[:5])}"
    state = "fixed" if padded or dropped else "passed"
    reader.guardrails.append(guardrail("Short series handling", state, detail))
    return folds, padded, dict.fromkeys(dropped, why)


def _long_enough(
    frame: pd.DataFrame, padded: dict[str, int], left_out: dict[str, str], frequency: str
) -> pd.DataFrame:
    frame = frame[~frame[SERIES].isin(list(left_out))]
    parts = [frame]
    for name, rows in padded.items():
        own = frame[frame[SERIES] == name].iloc[0]
        times = pd.date_range(end=own[TIME], periods=rows + 1, freq=frequency)[:-1]
        before = pd.DataFrame([own] * rows).assign(**{TIME: times})
        parts.append(before.astype(frame.dtypes.to_dict()))
    return pd.concat(parts).sort_values([SERIES, TIME], ignore_index=True)


def _with_features(frame: pd.DataFrame, features: Features) -> pd.DataFrame:
    own = frame[[SERIES, TIME, TARGET]]
    return pd.concat([own, features.transform(frame)], axis=1)


def _seasons(
    request: Request, series: list[Floats], frequency: str, reader: Reader
) -> tuple[int, ...]:
    assert request.forecasting is not None
    given = request.forecasting.seasonality
    if given != "auto":
        return (given,) if given > 1 else ()
    found = find_seasons(series, frequency)
    detail = f"seasons of {', '.join(map(str, found))} periods" if found else "no season"
    reader.guardrails.append(guardrail("Seasonality detection", "done", detail))
    return found


def _lags(request: Request, series: list[Floats], reader: Reader) -> tuple[int, ...]:
    assert request.forecasting is not None
    given = request.forecasting.target_lags
    if given != "auto":
        return tuple(given)
    found = find_lags(series)
    detail = f"target lags {', '.join(map(str, found))} by partial autocorrelation"
    reader.guardrails.append(guardrail("Target lag detection", "done", detail))
    return found
