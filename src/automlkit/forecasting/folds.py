"""Rolling origins: what is trained on, what is forecast, and which series are long enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from automlkit.request import Forecasting
from stepkit.program import StepError

#: Folds at most, where the search decides: few series give few forecasts a fold.
_MOST_FOLDS, _MOST_FOLDS_OF_FEW, _FEW_SERIES = 5, 8, 3
#: Folds at least, and rows that a model needs beside lags and windows.
_FEWEST_FOLDS, _FEWEST_ROWS = 2, 4


@dataclass(frozen=True)
class Folds:
    """How models are compared.

    Attributes:
        kind: `rolling_origin`, or `given` where validation data are.
        count: How many.
        step: Periods between two folds' origins.
        horizon: Periods that are forecast; of given data, those of the longest series.
    """

    kind: str
    count: int
    step: int
    horizon: int

    def held_out(self, fold: int) -> int:
        """Return how many of a series' last rows a fold does not train on; fold 0 is the latest."""
        return self.horizon + fold * self.step


def least_rows(settings: Forecasting) -> int:
    """Return how many rows the lags and windows that are asked for need."""
    lags = settings.target_lags if settings.target_lags != "auto" else ()
    window = settings.target_rolling_window_size
    asked = [*lags, window if isinstance(window, int) else 0]
    return _FEWEST_ROWS + max(asked, default=0)


def plan_folds(
    lengths: Mapping[str, int], settings: Forecasting, folds: int | None, horizon: int
) -> Folds:
    """Return the rolling origins.

    Where folds or step are not given: five folds (eight of up to three series) a horizon apart,
    nearer together where the first would train on less than half of the median series, and fewer
    where series are too short, but not under two.

    Args:
        lengths: Rows of each series.
        settings: The request's forecasting settings.
        folds: How many, or None.
        horizon: Periods ahead.
    """
    rows = int(np.median(list(lengths.values())))
    few = len(lengths) <= _FEW_SERIES
    count = folds or (_MOST_FOLDS_OF_FEW if few else _MOST_FOLDS)
    given = settings.cv_step_size
    step = given if isinstance(given, int) else horizon
    if not isinstance(given, int) and count > 1:
        step = int(np.clip((rows // 2 - horizon) // (count - 1), 1, horizon))
    if folds is None:
        # As many as the shortest series allows; if it does not allow two, it is a short one.
        spare = [n - horizon - least_rows(settings) for n in lengths.values()]
        possible = [s // step + 1 for s in spare if s >= (_FEWEST_FOLDS - 1) * step]
        count = min([count, *possible]) if possible else _FEWEST_FOLDS
    return Folds("rolling_origin", count, step, horizon)


def split_short(
    lengths: Mapping[str, int], settings: Forecasting, folds: Folds
) -> tuple[dict[str, int], list[str]]:
    """Return which series must be padded, with how many rows, and which are left out.

    As in Azure: `auto` pads where all series are short and else leaves the short ones out.

    Raises:
        StepError: A series is short and nothing says what to do, or none is left.
    """
    least = folds.held_out(folds.count - 1) + least_rows(settings)
    short = {name: least - rows for name, rows in lengths.items() if rows < least}
    if not short:
        return {}, []
    how = settings.short_series_handling_config
    if how == "auto":
        how = "pad" if len(short) == len(lengths) else "drop"
    facts = (
        f"{least} rows are needed: {folds.horizon} to forecast, in {folds.count} folds "
        f"{folds.step} apart, and {least_rows(settings)} to learn from"
    )
    if how is None:
        named = ", ".join(f"{name!r} ({lengths[name]})" for name in list(short)[:5])
        raise StepError(
            f"{len(short)} series are too short: {named}; {facts}",
            hint="set short_series_handling_config to auto, or lower forecast_horizon",
        )
    if how == "drop" and len(short) == len(lengths):
        raise StepError(
            f"every series is too short; {facts}",
            hint="lower forecast_horizon or n_cross_validations, or set "
            "short_series_handling_config to pad",
        )
    return (short, []) if how == "pad" else ({}, sorted(short))
